/** Types of settings. The type of a setting determines which texts are valid, and converts a text to a value. */
import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { isBucketName } from '#core/bucket-name.ts';
import { isMailAddress } from '#core/mail-address.ts';
import type { SipGateway } from '#core/sip-gateway.ts';
import { readNetworks } from './edge/trusted-proxies.ts';

/** Address of a listener. Port 0 lets the system choose a free port. */
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
  /** Set if the text may contain a password. Error messages then do not quote the text. */
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

/** Returns the type of a setting whose value is one of several strings. */
export function oneOf<Text extends string>(...texts: readonly Text[]): SettingType<Text> {
  return { valid: texts.join(' or '), read: (text) => texts.find((each) => each === text) };
}

/** Type of a setting whose value is an IP address, with a port if it is not the default one. */
export const ipWithPort: SettingType<string> = {
  valid: 'an IP address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353',
  read(text) {
    const [, bracketed, plain, port] =
      /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15}|[0-9a-fA-F:.]{2,45}?))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
    if (isIP(text) !== 0) return text;
    const ip = bracketed === undefined ? isIP(plain ?? '') === 4 : isIP(bracketed) === 6;
    return ip && Number(port ?? 53) >= 1 && Number(port ?? 53) <= 65_535 ? text : undefined;
  },
};

/** Returns the type of a setting whose value is a path. Converts the path to an absolute path. */
export function path(valid: string): SettingType<string> {
  return { valid, read: (text) => (text === '' ? undefined : resolve(text)) };
}

/** Returns the type of a setting whose value is a whole number of at most nine digits. */
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

/** Address of the SIP proxy. Its own address is in SIP messages, so it cannot be a name or all addresses. */
export const ipv4AddressOrOff: SettingType<Address | 'off'> = {
  valid: 'IPV4:PORT with the address of an interface, or off',
  read(text) {
    const address = addressOrOff.read(text);
    if (address === undefined || address === 'off') return address;
    return isIPv4(address.host) && address.host !== '0.0.0.0' && address.port > 0 ? address : undefined;
  },
};

/** HTTPS URL that contains only a scheme, a host and an optional port. */
export const httpsOrigin: SettingType<string> = {
  valid: 'https://HOST or https://HOST:PORT',
  read(text) {
    const url = URL.parse(text);
    if (url === null) return undefined;
    const { protocol, pathname, search, hash, username, password, origin } = url;
    return protocol === 'https:' && pathname === '/' && `${search}${hash}${username}${password}` === '' ? origin : undefined;
  },
};

/** URL that contains only a scheme, a host and an optional port. Plain HTTP stays on this machine. */
export const serviceOrigin: SettingType<string> = {
  valid: 'https://HOST, https://HOST:PORT, or http://HOST:PORT with a loopback host',
  isSecret: true,
  read(text) {
    const url = URL.parse(text);
    if (url === null) return undefined;
    const { protocol, pathname, search, hash, username, password, hostname, origin } = url;
    const isPlain = pathname === '/' && `${search}${hash}${username}${password}` === '';
    const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')));
    return isPlain && isSafe ? origin : undefined;
  },
};

/** URL of a collector of traces. Its query string can contain a key. The operator chooses it, so it may be internal. */
export const traceUrl: SettingType<string> = {
  valid: 'http://HOST:PORT/PATH or https://HOST/PATH, without a user name',
  isSecret: true,
  read(text) {
    const url = URL.parse(text);
    if (url === null || text.length > 2_048) return undefined;
    const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
    return isHttp && `${url.username}${url.password}${url.hash}` === '' ? url.href : undefined;
  },
};

/** Name of a bucket. */
export const bucketName: SettingType<string> = {
  valid: 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
  read: (text) => (isBucketName(text) ? text : undefined),
};

/** Beginning of keys: empty, or names that each end with a slash. */
export const keyPrefix: SettingType<string> = {
  valid: 'names of letters, digits, dots, hyphens and underscores, each with a slash at its end, such as belfry/',
  read: (text) => (text.length <= 256 && /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/.test(text) ? text : undefined),
};

/** Address of a mailbox, in the spelling of the operator. */
export const mailAddress: SettingType<string> = {
  valid: 'an email address such as belfry@example.com',
  read: (text) => (isMailAddress(text) ? text : undefined),
};

/** DNS name, in lower case, without a port. */
export const hostName: SettingType<string> = {
  valid: 'a host name such as s3.example.com',
  read(text) {
    const name = text.toLowerCase();
    return name.length <= 253 && isIP(name) === 0 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name)
      ? name
      : undefined;
  },
};

/** Host name or IPv4 address, in lower case, without a port. */
export const hostNameOrIpv4: SettingType<string> = {
  valid: 'a host name such as sip.example.com, or an IPv4 address',
  read: (text) => (isIPv4(text) ? text : hostName.read(text)),
};

export const database: SettingType<string> = {
  valid: 'file:FOLDER or postgres://…',
  isSecret: true,
  read(text) {
    const isFolder = /^file:(\/\/\/|(?!\/\/).)/.test(text);
    return isFolder || (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) ? text : undefined;
  },
};

/** Reports whether the value of the setting `database` is a database in PostgreSQL. */
export function isPostgres(value: string): boolean {
  return !value.startsWith('file:');
}

/** Name of a region. Services other than AWS can have any. */
export const anyRegion: SettingType<string> = {
  valid: 'a region such as us-east-1',
  read: (text) => (/^[a-z0-9-]{1,64}$/.test(text) ? text : undefined),
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

/** Gateways of a carrier, separated by commas. */
export const sipGateways: SettingType<readonly SipGateway[]> = {
  valid: 'at most 8 gateways HOST:PORT/TRANSPORT, separated by commas, with the transport udp, tcp or tls',
  read(text) {
    const items = hosts.read(text) ?? [];
    const gateways = items.flatMap((item) => {
      const [, host = '', port, transport] = /^([a-z0-9.-]{1,253}):([0-9]{1,5})\/(udp|tcp|tls)$/.exec(item) ?? [];
      const isHost = isIP(host) === 4 || (hostName.read(host) !== undefined && !/(^|\.)[0-9]+$/.test(host));
      const isPort = Number(port) >= 1 && Number(port) <= 65_535;
      return isHost && isPort ? [{ host, port: Number(port), transport: transport as SipGateway['transport'] }] : [];
    });
    return gateways.length === items.length && items.length <= 8 ? gateways : undefined;
  },
};

/** Reports whether a host is `localhost`, `::1` or an address in `127.0.0.0/8`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
