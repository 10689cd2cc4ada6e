import { FlagError, parseFlags } from './flags.ts';
import {
  type Address,
  addressOrOff,
  database,
  hosts,
  httpsOrigin,
  isLoopback,
  networks,
  networksAndHosts,
  oneOf,
  onOff,
  optional,
  path,
  region,
  type SettingType,
  type Unset,
  wholeNumber,
} from './setting-types.ts';

/** Setting of a server, with its name in the environment and on the command line. */
export interface SettingRow<Value = unknown> {
  readonly variable: `BELFRY_${string}`;
  readonly flag: `--${string}`;
  readonly type: SettingType<Value>;
  /** Text of the default. Empty: not set. */
  readonly fallback: string;
  /** Description for `belfry start --help` and the README. */
  readonly help: string;
}

/** All settings, by their member of `Settings`. Type, flag, variable, help and the table of the README derive from a row. */
// biome-ignore format: a table
const ROWS = {
  dataFolder:               { variable: 'BELFRY_DATA',             flag: '--data',             fallback: './data',         type: path('a folder'),                    help: 'Folder of all stored data: database, operator key, certificates, first profile' },
  http:                     { variable: 'BELFRY_HTTP',             flag: '--http',             fallback: '127.0.0.1:7080', type: addressOrOff,                        help: 'Address for plain HTTP, which only loopback addresses and trusted proxies may use; `off` disables it' },
  https:                    { variable: 'BELFRY_HTTPS',            flag: '--https',            fallback: '127.0.0.1:7443', type: addressOrOff,                        help: 'Address for HTTPS (TLS 1.2 and 1.3, forward secrecy only); `off` disables it' },
  publicUrl:                { variable: 'BELFRY_PUBLIC_URL',       flag: '--public-url',       fallback: '',               type: optional(httpsOrigin),               help: 'URL of the server for clients on other machines, `https://HOST` or `https://HOST:PORT`. Meetings and messaging sessions return it' },
  database:                 { variable: 'BELFRY_DATABASE',         flag: '--database',         fallback: '',               type: optional(database),                  help: '`file:FOLDER` or `postgres://…`. If not set, SQLite in the data folder' },
  region:                   { variable: 'BELFRY_REGION',           flag: '--region',           fallback: 'us-east-1',      type: region,                              help: 'Region of the first profile, of global services and of requests without a region' },
  tlsCertificateFile:       { variable: 'BELFRY_TLS_CERTIFICATE',  flag: '--tls-certificate',  fallback: '',               type: optional(path('a file')),            help: 'PEM file of a certificate chain, instead of a certificate of the local CA' },
  tlsKeyFile:               { variable: 'BELFRY_TLS_KEY',          flag: '--tls-key',          fallback: '',               type: optional(path('a file')),            help: 'PEM file of its private key' },
  guide2021:                { variable: 'BELFRY_GUIDE_2021',       flag: '--guide-2021',       fallback: 'off',            type: onOff,                               help: '`on` applies the authorization rules of the 2021 guide to the Chime SDK: no ARNs, no tags' },
  denialWording:            { variable: 'BELFRY_DENIAL_WORDING',   flag: '--denial-wording',   fallback: '2026',           type: oneOf('2026', '2023'),               help: "Version of AWS's access denied messages. Those of `2026` name the policy that denies by its ARN" },
  bodyMaxBytes:             { variable: 'BELFRY_BODY_MAX_BYTES',   flag: '--body-max-bytes',   fallback: '2097152',        type: wholeNumber(65_536, 67_108_864),     help: 'Maximum size of a request body, before decompression' },
  lookupEventsPerSecond:    { variable: 'BELFRY_LOOKUPS_PER_SECOND', flag: '--lookups-per-second', fallback: '2',          type: wholeNumber(0, 1_000_000),           help: 'Maximum LookupEvents calls per second and account, as in AWS; 0 for no limit' },
  unprovenRecordsPerMinute: { variable: 'BELFRY_UNPROVEN_RECORDS', flag: '--unproven-records', fallback: '20',             type: wholeNumber(1, 1_000_000),           help: 'Maximum trail records per minute and source for requests that prove no identity. The server only counts further requests' },
  internalIssuers:          { variable: 'BELFRY_INTERNAL_ISSUERS', flag: '--internal-issuers', fallback: '',               type: hosts,                               help: 'Identity providers that may have internal addresses: `keycloak.corp.example,10.0.0.5:8443`' },
  privateSipPeers:          { variable: 'BELFRY_PRIVATE_SIP_PEERS', flag: '--private-sip-peers', fallback: '',             type: networksAndHosts,                    help: 'Private networks and hosts that Voice Connectors may name: `10.0.0.0/24,pbx.corp.internal`. All others must be public' },
  drainSeconds:             { variable: 'BELFRY_DRAIN_SECONDS',    flag: '--drain-seconds',    fallback: '0',              type: wholeNumber(0, 3_600),               help: 'Seconds after SIGTERM in which the server still responds, while `/_belfry/ready` returns 503' },
  signInFailures:           { variable: 'BELFRY_SIGN_IN_FAILURES', flag: '--sign-in-failures', fallback: '30',             type: wholeNumber(0, 1_000_000),           help: 'Maximum failed sign-ins of one source at once, on all servers together, plus one each minute; 0 for no limit' },
  trustedProxies:           { variable: 'BELFRY_TRUSTED_PROXIES',  flag: '--trusted-proxies',  fallback: '',               type: networks,                            help: 'Networks of proxies whose `Forwarded`, `X-Forwarded-For` and `X-Forwarded-Proto` name the client: `10.0.0.0/24,127.0.0.1`' },
  proxyProtocol:            { variable: 'BELFRY_PROXY_PROTOCOL',   flag: '--proxy-protocol',   fallback: 'off',            type: onOff,                               help: '`on` if each connection of a trusted proxy begins with a PROXY protocol header (version 2)' },
  connectionsMax:           { variable: 'BELFRY_CONNECTIONS_MAX',  flag: '--connections-max',  fallback: '20000',          type: wholeNumber(16, 1_000_000),          help: 'Maximum number of open connections' },
  underWayMaxBytes:         { variable: 'BELFRY_UNDER_WAY_MAX_BYTES', flag: '--under-way-max-bytes', fallback: '268435456', type: wholeNumber(16_777_216, 999_999_999), help: 'Maximum bytes of all requests and responses in progress' },
  sourceSharePercent:       { variable: 'BELFRY_SOURCE_SHARE',     flag: '--source-share',     fallback: '25',             type: wholeNumber(1, 100),                 help: 'Percentage of the connections, messaging sessions and bytes in progress that one source may hold' },
  requestsPerSource:        { variable: 'BELFRY_REQUESTS_PER_SOURCE', flag: '--requests-per-source', fallback: '512',      type: wholeNumber(1, 100_000),             help: 'Maximum requests of one source that wait for a response. At the maximum, the server stops reading from the source' },
  sessionsPerAccount:       { variable: 'BELFRY_SESSIONS_PER_ACCOUNT', flag: '--sessions-per-account', fallback: '5000',   type: wholeNumber(1, 1_000_000),           help: 'Maximum messaging sessions of one account on this server' },
  sessionsPerUser:          { variable: 'BELFRY_SESSIONS_PER_USER', flag: '--sessions-per-user', fallback: '50',           type: wholeNumber(1, 1_000_000),           help: 'Maximum messaging sessions of one app instance user on this server' },
} as const satisfies Record<string, SettingRow>;

/** All settings, in the order of the README. */
export const SETTINGS: readonly SettingRow[] = Object.values(ROWS);

type Rows = typeof ROWS;
type Name = keyof Rows;
type ValueOf<Row extends Name> = Rows[Row] extends { readonly type: SettingType<infer Value> } ? Value : never;
type OptionalName = { [Row in Name]: Unset extends ValueOf<Row> ? Row : never }[Name];
type Values = { readonly [Row in Exclude<Name, OptionalName>]: ValueOf<Row> } & {
  readonly [Row in OptionalName]?: Exclude<ValueOf<Row>, Unset>;
};

/** Configuration of a server. Every member is one row of `SETTINGS`. */
export interface Settings extends Values {
  /** Never absent: the default is a file in the data folder. */
  readonly database: string;
}

/** An unknown or invalid setting. The message names the setting, quotes the value and describes valid ones. */
export class SettingError extends Error {}

/** Returns the URL of a listener for clients on this machine. A listener on all addresses is reached as `localhost`, a name of its certificate. */
export function endpointOf(scheme: 'http' | 'https', { host, port }: Address): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}:${port}`;
}

/** Returns the text of `belfry start --help`: one line for each setting. */
export function settingsHelp(): string {
  const line = ({ variable, flag, fallback, help }: SettingRow): string =>
    `${flag.padEnd(24)} ${variable.padEnd(28)} ${help}${fallback === '' ? '' : ` (default ${fallback})`}`;
  return SETTINGS.map(line).join('\n');
}

/**
 * Reads settings from flags (`--http 127.0.0.1:8080` or `--http=…`), then from `BELFRY_…` variables, then defaults.
 *
 * @throws SettingError  an unknown flag or `BELFRY_` variable, an invalid value, or values that do not fit together
 */
export function readSettings(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Settings {
  const texts = { ...textsOfEnvironment(environment), ...textsOfFlags(args) };
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(ROWS) as [Name, SettingRow][]) {
    const value = read(row, texts[row.variable] ?? row.fallback);
    if (!isUnset(value)) values[name] = value;
  }
  const { dataFolder } = values as unknown as Values;
  const settings = { database: `file:${dataFolder}`, ...values } as unknown as Settings;
  requireConsistent(settings);
  return settings;
}

type Texts = Readonly<Partial<Record<string, string>>>;

function textsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): Texts {
  const texts: Record<string, string> = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('BELFRY_') || text === undefined) continue;
    if (!SETTINGS.some((row) => row.variable === variable)) {
      throw new SettingError(`unknown setting '${variable}' (settings: ${SETTINGS.map((row) => row.variable).join(', ')})`);
    }
    texts[variable] = text;
  }
  return texts;
}

const FLAGS = SETTINGS.map(({ flag, type }) => ({ flag, valid: type.valid }));

/** Returns the texts of flags, by variable. */
function textsOfFlags(args: readonly string[]): Texts {
  try {
    const { values } = parseFlags(args, FLAGS);
    return Object.fromEntries(SETTINGS.flatMap(({ variable, flag }) => (values.has(flag) ? [[variable, values.get(flag)]] : [])));
  } catch (error) {
    throw error instanceof FlagError ? new SettingError(error.message) : error;
  }
}

function read({ variable, type }: SettingRow, text: string): unknown {
  const value = type.read(text);
  if (value !== undefined) return value;
  if (text === '') throw new SettingError(`${variable} is empty; set it to ${type.valid}`);
  throw new SettingError(type.isSecret ? `${variable} must be ${type.valid}` : `${variable} is '${text}'; it must be ${type.valid}`);
}

function isUnset(value: unknown): value is Unset {
  return typeof value === 'object' && value !== null && 'unset' in value;
}

/** @throws SettingError  values that are valid alone and not together */
function requireConsistent({ http, https, trustedProxies, proxyProtocol, tlsCertificateFile, tlsKeyFile }: Settings): void {
  if (proxyProtocol && trustedProxies.length === 0)
    throw new SettingError('BELFRY_PROXY_PROTOCOL is on; it requires BELFRY_TRUSTED_PROXIES');
  if (http !== 'off' && !isLoopback(http.host) && trustedProxies.length === 0) {
    throw new SettingError(
      `BELFRY_HTTP is '${http.host}:${http.port}', which is not a loopback address (127.0.0.1, [::1], localhost); use BELFRY_HTTPS, or set BELFRY_TRUSTED_PROXIES to the proxies in front of this server`,
    );
  }
  if (http === 'off' && https === 'off') throw new SettingError('BELFRY_HTTP and BELFRY_HTTPS are both off; set at least one to HOST:PORT');
  if ((tlsCertificateFile === undefined) !== (tlsKeyFile === undefined)) {
    throw new SettingError('set BELFRY_TLS_CERTIFICATE and BELFRY_TLS_KEY together, or neither');
  }
}
