import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { readNetworks } from './edge/trusted-proxies.ts';

/** Address of a listener. Port 0 is any free port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Returns the URL of a listener for clients on this machine. It is `localhost` if the listener has all addresses. */
export function endpointOf(scheme: 'http' | 'https', { host, port }: Address): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}:${port}`;
}

/** Settings of a server. Each member is one row of `SETTINGS`. */
export interface Settings {
  /** Absolute path. */
  readonly dataFolder: string;
  readonly http: Address | 'off';
  readonly https: Address | 'off';
  /** `https://belfry.example.org`: URL for clients on other machines. If absent, the address of the listener. */
  readonly publicUrl?: string;
  /** `file:<path>` or `postgres://…`. */
  readonly database: string;
  readonly region: string;
  readonly tlsCertificateFile?: string;
  readonly tlsKeyFile?: string;
  readonly guide2021: boolean;
  readonly bodyMaxBytes: number;
  readonly lookupEventsPerSecond: number;
  /** Trail records of one source in a minute for requests that prove no identity. The server counts the others. */
  readonly unprovenRecordsPerMinute: number;
  /** Hosts of identity providers that may have internal addresses, with the port if it is not 443. */
  readonly internalIssuers: readonly string[];
  /** Time between SIGTERM and the end of listening. */
  readonly drainSeconds: number;
  /** Failed sign-ins of one source before it waits. 0: no limit. */
  readonly signInFailures: number;
  /** Networks in CIDR notation. */
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
  readonly connectionsMax: number;
  readonly underWayMaxBytes: number;
  readonly sourceSharePercent: number;
  readonly requestsPerSource: number;
  readonly sessionsPerAccount: number;
  readonly sessionsPerUser: number;
}

/** Invalid setting. The message names the setting, its value and valid values. */
export class SettingError extends Error {}

interface Row {
  readonly variable: `BELFRY_${string}`;
  readonly flag: `--${string}`;
  readonly fallback: string;
  readonly says: string;
}

/** All settings. The README has a table of these rows. Other flags and `BELFRY_` variables are errors. */
// biome-ignore format: a table
export const SETTINGS: readonly Row[] = [
  { variable: 'BELFRY_DATA',             flag: '--data',             fallback: './data',         says: 'Folder of all stored data: database, operator key, certificates, first profile' },
  { variable: 'BELFRY_HTTP',             flag: '--http',             fallback: '127.0.0.1:7080', says: 'Address for plain HTTP, which only loopback addresses and trusted proxies may use; `off` disables it' },
  { variable: 'BELFRY_HTTPS',            flag: '--https',            fallback: '127.0.0.1:7443', says: 'Address for HTTPS (TLS 1.2 and 1.3, forward secrecy only); `off` disables it' },
  { variable: 'BELFRY_PUBLIC_URL',       flag: '--public-url',       fallback: '',               says: 'URL of the server for clients on other machines, `https://HOST` or `https://HOST:PORT`. Meetings and messaging sessions return it' },
  { variable: 'BELFRY_DATABASE',         flag: '--database',         fallback: '',               says: '`file:FOLDER` or `postgres://…`. If not set, SQLite in the data folder' },
  { variable: 'BELFRY_REGION',           flag: '--region',           fallback: 'us-east-1',      says: 'Region of the first profile, of global services and of requests without a region' },
  { variable: 'BELFRY_TLS_CERTIFICATE',  flag: '--tls-certificate',  fallback: '',               says: 'PEM file of a certificate chain, instead of a certificate of the local CA' },
  { variable: 'BELFRY_TLS_KEY',          flag: '--tls-key',          fallback: '',               says: 'PEM file of its private key' },
  { variable: 'BELFRY_GUIDE_2021',       flag: '--guide-2021',       fallback: 'off',            says: '`on` applies the authorization rules of the 2021 guide to the Chime SDK: no ARNs, no tags' },
  { variable: 'BELFRY_BODY_MAX_BYTES',   flag: '--body-max-bytes',   fallback: '2097152',        says: 'Maximum size of a request body, before decompression' },
  { variable: 'BELFRY_LOOKUPS_PER_SECOND', flag: '--lookups-per-second', fallback: '2',          says: 'LookupEvents calls per second and account, as in AWS; 0 for no limit' },
  { variable: 'BELFRY_UNPROVEN_RECORDS', flag: '--unproven-records', fallback: '20',             says: 'Trail records per minute and source for requests that prove no identity. The server counts the others' },
  { variable: 'BELFRY_INTERNAL_ISSUERS', flag: '--internal-issuers', fallback: '',               says: 'Identity providers that may have internal addresses: `keycloak.corp.example,10.0.0.5:8443`' },
  { variable: 'BELFRY_DRAIN_SECONDS',    flag: '--drain-seconds',    fallback: '0',              says: 'Seconds after SIGTERM in which the server still responds, while `/_belfry/ready` returns 503' },
  { variable: 'BELFRY_SIGN_IN_FAILURES', flag: '--sign-in-failures', fallback: '30',             says: 'Failed sign-ins that one source may make at once, on all servers together, plus one each minute; 0 for no limit' },
  { variable: 'BELFRY_TRUSTED_PROXIES',  flag: '--trusted-proxies',  fallback: '',               says: 'Networks of proxies whose `Forwarded`, `X-Forwarded-For` and `X-Forwarded-Proto` name the client: `10.0.0.0/24,127.0.0.1`' },
  { variable: 'BELFRY_PROXY_PROTOCOL',   flag: '--proxy-protocol',   fallback: 'off',            says: '`on` if each connection of a trusted proxy begins with a PROXY protocol header (version 2)' },
  { variable: 'BELFRY_CONNECTIONS_MAX',  flag: '--connections-max',  fallback: '20000',          says: 'Maximum number of open connections' },
  { variable: 'BELFRY_UNDER_WAY_MAX_BYTES', flag: '--under-way-max-bytes', fallback: '268435456', says: 'Maximum bytes of all requests and responses in progress' },
  { variable: 'BELFRY_SOURCE_SHARE',     flag: '--source-share',     fallback: '25',             says: 'Percentage of the connections, messaging sessions and bytes in progress that one source may hold' },
  { variable: 'BELFRY_REQUESTS_PER_SOURCE', flag: '--requests-per-source', fallback: '512',      says: 'Requests of one source that wait for a response before the server stops reading from it' },
  { variable: 'BELFRY_SESSIONS_PER_ACCOUNT', flag: '--sessions-per-account', fallback: '5000',   says: 'Messaging sessions of one account on this server' },
  { variable: 'BELFRY_SESSIONS_PER_USER', flag: '--sessions-per-user', fallback: '50',           says: 'Messaging sessions of one app instance user on this server' },
];

/**
 * Reads settings from flags (`--http 127.0.0.1:8080` or `--http=…`), then from `BELFRY_…` variables, then defaults.
 *
 * @throws SettingError  an unknown flag or `BELFRY_` variable, or an invalid value
 */
export function readSettings(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Settings {
  const set = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('BELFRY_') || value === undefined) continue;
    const row = SETTINGS.find((candidate) => candidate.variable === name);
    if (row === undefined)
      throw new SettingError(`unknown setting '${name}' (settings: ${SETTINGS.map((each) => each.variable).join(', ')})`);
    set.set(row.variable, value);
  }
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = split(args[i] as string);
    const row = SETTINGS.find((candidate) => candidate.flag === flag);
    if (row === undefined) throw new SettingError(`unknown flag '${flag}' (flags: ${SETTINGS.map((each) => each.flag).join(', ')})`);
    const value = inline ?? args[++i];
    if (value === undefined) throw new SettingError(`${flag} requires a value: ${row.says}`);
    set.set(row.variable, value);
  }
  const text = (variable: Row['variable']) => set.get(variable) ?? (SETTINGS.find((row) => row.variable === variable) as Row).fallback;

  if (text('BELFRY_DATA') === '') throw new SettingError('BELFRY_DATA is empty; set it to a folder');
  const dataFolder = resolve(text('BELFRY_DATA'));
  const database = text('BELFRY_DATABASE') || `file:${dataFolder}`;
  // The message omits the value, because it may contain a password.
  const isDatabase = /^file:(\/\/\/|(?!\/\/).)/.test(database) || (/^postgres(ql)?:\/\//.test(database) && URL.canParse(database));
  if (!isDatabase) throw new SettingError('BELFRY_DATABASE must be file:FOLDER or postgres://…');
  const region = text('BELFRY_REGION');
  if (!/^[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$/.test(region))
    throw new SettingError(`BELFRY_REGION is '${region}'; it must be a region such as us-east-1`);
  const trustedProxies = readNetworks(text('BELFRY_TRUSTED_PROXIES'));
  if (trustedProxies === undefined) {
    throw new SettingError(
      `BELFRY_TRUSTED_PROXIES is '${text('BELFRY_TRUSTED_PROXIES')}'; it must be at most 64 addresses or networks such as 10.0.0.0/24, with prefix lengths above 0`,
    );
  }
  const proxyProtocol = onOff('BELFRY_PROXY_PROTOCOL', text('BELFRY_PROXY_PROTOCOL'));
  if (proxyProtocol && trustedProxies.length === 0)
    throw new SettingError('BELFRY_PROXY_PROTOCOL is on; it requires BELFRY_TRUSTED_PROXIES');
  const http = address('BELFRY_HTTP', text('BELFRY_HTTP'));
  if (http !== 'off' && !isLoopback(http.host) && trustedProxies.length === 0) {
    throw new SettingError(
      `BELFRY_HTTP is '${text('BELFRY_HTTP')}', which is not a loopback address (127.0.0.1, [::1], localhost); use BELFRY_HTTPS, or set BELFRY_TRUSTED_PROXIES to the proxies in front of this server`,
    );
  }
  const https = address('BELFRY_HTTPS', text('BELFRY_HTTPS'));
  if (http === 'off' && https === 'off') throw new SettingError('BELFRY_HTTP and BELFRY_HTTPS are both off; set at least one to HOST:PORT');
  const publicUrl = text('BELFRY_PUBLIC_URL');
  if (publicUrl !== '' && !isOrigin(publicUrl))
    throw new SettingError(`BELFRY_PUBLIC_URL is '${publicUrl}'; it must be https://HOST or https://HOST:PORT`);
  const certificate = text('BELFRY_TLS_CERTIFICATE');
  const key = text('BELFRY_TLS_KEY');
  if ((certificate === '') !== (key === '')) throw new SettingError('set BELFRY_TLS_CERTIFICATE and BELFRY_TLS_KEY together, or neither');

  return {
    dataFolder,
    http,
    https,
    ...(publicUrl !== '' && { publicUrl: new URL(publicUrl).origin }),
    database,
    region,
    ...(certificate === '' ? {} : { tlsCertificateFile: resolve(certificate), tlsKeyFile: resolve(key) }),
    guide2021: onOff('BELFRY_GUIDE_2021', text('BELFRY_GUIDE_2021')),
    bodyMaxBytes: whole('BELFRY_BODY_MAX_BYTES', text('BELFRY_BODY_MAX_BYTES'), 65_536, 67_108_864),
    lookupEventsPerSecond: whole('BELFRY_LOOKUPS_PER_SECOND', text('BELFRY_LOOKUPS_PER_SECOND'), 0, 1_000_000),
    unprovenRecordsPerMinute: whole('BELFRY_UNPROVEN_RECORDS', text('BELFRY_UNPROVEN_RECORDS'), 1, 1_000_000),
    internalIssuers: text('BELFRY_INTERNAL_ISSUERS')
      .split(',')
      .map((host) => host.trim().toLowerCase())
      .filter((host) => host !== ''),
    drainSeconds: whole('BELFRY_DRAIN_SECONDS', text('BELFRY_DRAIN_SECONDS'), 0, 3_600),
    signInFailures: whole('BELFRY_SIGN_IN_FAILURES', text('BELFRY_SIGN_IN_FAILURES'), 0, 1_000_000),
    trustedProxies,
    proxyProtocol,
    connectionsMax: whole('BELFRY_CONNECTIONS_MAX', text('BELFRY_CONNECTIONS_MAX'), 16, 1_000_000),
    underWayMaxBytes: whole('BELFRY_UNDER_WAY_MAX_BYTES', text('BELFRY_UNDER_WAY_MAX_BYTES'), 16_777_216, 999_999_999),
    sourceSharePercent: whole('BELFRY_SOURCE_SHARE', text('BELFRY_SOURCE_SHARE'), 1, 100),
    requestsPerSource: whole('BELFRY_REQUESTS_PER_SOURCE', text('BELFRY_REQUESTS_PER_SOURCE'), 1, 100_000),
    sessionsPerAccount: whole('BELFRY_SESSIONS_PER_ACCOUNT', text('BELFRY_SESSIONS_PER_ACCOUNT'), 1, 1_000_000),
    sessionsPerUser: whole('BELFRY_SESSIONS_PER_USER', text('BELFRY_SESSIONS_PER_USER'), 1, 1_000_000),
  };
}

function split(argument: string): [flag: string, value: string | undefined] {
  const equals = argument.indexOf('=');
  return equals < 0 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

/** Reports whether a URL consists of `https`, a host and an optional port. */
function isOrigin(text: string): boolean {
  const { protocol, pathname, search, hash, username, password } = URL.parse(text) ?? { protocol: '' };
  return protocol === 'https:' && pathname === '/' && `${search}${hash}${username}${password}` === '';
}

/** Reports whether a host is `127.0.0.0/8`, `::1` or `localhost`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function address(variable: string, text: string): Address | 'off' {
  if (text === 'off') return 'off';
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || host === '' || !/^[0-9]{1,5}$/.test(text.slice(colon + 1)) || port > 65_535) {
    throw new SettingError(`${variable} is '${text}'; it must be HOST:PORT or off`);
  }
  return { host, port };
}

function onOff(variable: string, text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new SettingError(`${variable} is '${text}'; it must be on or off`);
  return text === 'on';
}

function whole(variable: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,9}$/.test(text) || value < min || value > max)
    throw new SettingError(`${variable} is '${text}'; it must be a whole number from ${min} to ${max}`);
  return value;
}
