/** Types of settings: how their text is read, and which text is valid. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { readNetworks } from './edge/trusted-proxies.ts';

/** Address of a listener. Port 0 lets the system choose a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Type of a setting. */
export interface SettingType<Value> {
  /** Description of valid texts, which completes "it must be …". */
  readonly valid: string;
  /** Returns the value of a text, or undefined if the text is invalid. */
  readonly read: (text: string) => Value | undefined;
  /** Set if the text may contain a password. Error messages do not repeat it. */
  readonly isSecret?: true;
}

/** Value of a setting that is not set. */
export interface Unset {
  readonly unset: true;
}

/** Returns a type that also accepts an empty string, which means that the setting is not set. */
export function optional<Value>(type: SettingType<Value>): SettingType<Value | Unset> {
  return { ...type, read: (text) => (text === '' ? { unset: true } : type.read(text)) };
}

/** Returns the type of one of several strings. */
export function oneOf<Text extends string>(...texts: readonly Text[]): SettingType<Text> {
  return { valid: texts.join(' or '), read: (text) => texts.find((each) => each === text) };
}

/** Returns the type of a path, which becomes absolute. */
export function path(valid: string): SettingType<string> {
  return { valid, read: (text) => (text === '' ? undefined : resolve(text)) };
}

/** Returns the type of a number of at most nine digits. */
export function wholeNumber(min: number, max: number): SettingType<number> {
  return {
    valid: `a whole number from ${min} to ${max}`,
    read(text) {
      const value = Number(text);
      return /^[0-9]{1,9}$/.test(text) && value >= min && value <= max ? value : undefined;
    },
  };
}

export const onOff: SettingType<boolean> = {
  valid: 'on or off',
  read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
};

export const addressOrOff: SettingType<Address | 'off'> = {
  valid: 'HOST:PORT or off',
  read(text) {
    if (text === 'off') return 'off';
    const colon = text.lastIndexOf(':');
    const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    const port = text.slice(colon + 1);
    if (colon < 1 || host === '' || !/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) return undefined;
    return { host, port: Number(port) };
  },
};

/** URL with nothing but scheme, host and port. */
export const httpsOrigin: SettingType<string> = {
  valid: 'https://HOST or https://HOST:PORT',
  read(text) {
    const url = URL.parse(text);
    if (url === null) return undefined;
    const { protocol, pathname, search, hash, username, password, origin } = url;
    return protocol === 'https:' && pathname === '/' && `${search}${hash}${username}${password}` === '' ? origin : undefined;
  },
};

export const database: SettingType<string> = {
  valid: 'file:FOLDER or postgres://…',
  isSecret: true,
  read(text) {
    const isFolder = /^file:(\/\/\/|(?!\/\/).)/.test(text);
    return isFolder || (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) ? text : undefined;
  },
};

export const region: SettingType<string> = {
  valid: 'a region such as us-east-1',
  read: (text) => (/^[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$/.test(text) ? text : undefined),
};

/** Networks in CIDR notation, separated by commas. */
export const networks: SettingType<readonly string[]> = {
  valid: 'at most 64 addresses or networks such as 10.0.0.0/24, with prefix lengths above 0',
  read: readNetworks,
};

/** Networks in CIDR notation and host names, separated by commas, in lower case. */
export const networksAndHosts: SettingType<readonly string[]> = {
  valid: 'networks such as 10.0.0.0/24, with prefix lengths above 0, and host names, separated by commas',
  read(text) {
    const items = hosts.read(text) ?? [];
    const names = items.filter((item) => /^[a-z0-9][a-z0-9.-]*$/.test(item) && isIP(item) === 0);
    const rest = items.filter((item) => !names.includes(item));
    return readNetworks(rest.join(',')) === undefined ? undefined : items;
  },
};

/** Host names, separated by commas, in lower case. */
export const hosts: SettingType<readonly string[]> = {
  valid: 'hosts separated by commas',
  read: (text) =>
    text
      .split(',')
      .map((host) => host.trim().toLowerCase())
      .filter((host) => host !== ''),
};

/** Reports whether a host is `127.0.0.0/8`, `::1` or `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
