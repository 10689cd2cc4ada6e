import { DEFAULT_QUOTAS, QUOTAS_MAX } from '#services/chime-kit/quotas.ts';
import { DEFAULT_PIPELINE_LIMITS, DEFAULT_VOICE_LIMITS, PIPELINE_LIMITS_MAX, VOICE_LIMITS_MAX } from '#services/chime-kit/voice-limits.ts';
import { RETENTION_DAYS } from '#store/trail/trail-retention.ts';
import { FlagError, parseFlags } from './flags.ts';
import {
  type Address,
  addressOrOff,
  anyRegion,
  bucketName,
  database,
  hostName,
  hostNameOrIpv4,
  hosts,
  httpsOrigin,
  ipv4AddressOrOff,
  ipWithPort,
  isLoopback,
  isPostgres,
  keyPrefix,
  mailAddress,
  networks,
  networksAndHosts,
  oneOf,
  onOff,
  optional,
  path,
  region,
  type SettingType,
  serviceOrigin,
  sipGateways,
  traceUrl,
  type Unset,
  wholeNumber,
} from './setting-types.ts';
import { witnesses } from './witness-setting.ts';

/** Setting of a server, with its name in the environment and on the command line. */
export interface SettingRow<Value = unknown> {
  readonly variable: `BELFRY_${string}`;
  readonly flag: `--${string}`;
  readonly type: SettingType<Value>;
  /** Default as a string. An empty string means that the setting is not set. */
  readonly fallback: string;
  /** Description for `belfry start --help` and the README. */
  readonly help: string;
}

/**
 * All settings, by the name of their member in `Settings`. Each row determines the type, flag, variable and help of a
 * setting, and its row in the table of the README.
 */
// biome-ignore format: a table
const ROWS = {
  dataFolder:               { variable: 'BELFRY_DATA',             flag: '--data',             fallback: './data',         type: path('a folder'),                    help: 'Folder for all stored data: database, operator key, certificates, AWS CLI profile of the first administrator' },
  http:                     { variable: 'BELFRY_HTTP',             flag: '--http',             fallback: '127.0.0.1:7080', type: addressOrOff,                        help: 'Address for plain HTTP, which only loopback addresses and trusted proxies may use; `off` disables it' },
  https:                    { variable: 'BELFRY_HTTPS',            flag: '--https',            fallback: '127.0.0.1:7443', type: addressOrOff,                        help: 'Address for HTTPS (TLS 1.2 and 1.3, forward secrecy only); `off` disables it' },
  publicUrl:                { variable: 'BELFRY_PUBLIC_URL',       flag: '--public-url',       fallback: '',               type: optional(httpsOrigin),               help: 'URL of the server for clients on other machines, `https://HOST` or `https://HOST:PORT`. Responses for meetings and messaging sessions contain it' },
  database:                 { variable: 'BELFRY_DATABASE',         flag: '--database',         fallback: '',               type: optional(database),                  help: '`file:FOLDER` or `postgres://…`. If not set, SQLite in the data folder' },
  region:                   { variable: 'BELFRY_REGION',           flag: '--region',           fallback: 'us-east-1',      type: region,                              help: 'Region of the AWS CLI profile that the first start creates, of global services and of requests without a region' },
  tlsCertificateFile:       { variable: 'BELFRY_TLS_CERTIFICATE',  flag: '--tls-certificate',  fallback: '',               type: optional(path('a file')),            help: 'PEM file of the certificate chain of the server. If not set, the server uses a certificate of its local CA' },
  tlsKeyFile:               { variable: 'BELFRY_TLS_KEY',          flag: '--tls-key',          fallback: '',               type: optional(path('a file')),            help: 'PEM file of the private key for `BELFRY_TLS_CERTIFICATE`' },
  guide2021:                { variable: 'BELFRY_GUIDE_2021',       flag: '--guide-2021',       fallback: 'off',            type: onOff,                               help: '`on` authorizes Chime SDK requests by the rules that AWS documented in 2021: policies cannot use resource ARNs or tags' },
  legacyChime:              { variable: 'BELFRY_LEGACY_CHIME',     flag: '--legacy-chime',     fallback: 'off',            type: onOff,                               help: '`on` serves the operations that AWS removed from Amazon Chime in 2025 and that a service of the Chime SDK has today, such as `aws chime create-meeting`. Otherwise the server refuses them, as AWS does. Set the same value on all servers of a database' },
  denialWording:            { variable: 'BELFRY_DENIAL_WORDING',   flag: '--denial-wording',   fallback: '2026',           type: oneOf('2026', '2023'),               help: "Version of AWS's access denied messages. Messages of `2026` contain the ARN of the policy that denies the request" },
  s3Host:                   { variable: 'BELFRY_S3_HOST',          flag: '--s3-host',          fallback: '',               type: optional(hostName),                  help: 'Host name of this server for S3. Clients may then address a bucket as `BUCKET.HOST`, which needs a wildcard DNS record and certificate. If not set, the bucket is in the path' },
  objectsEndpoint:          { variable: 'BELFRY_OBJECTS_ENDPOINT', flag: '--objects-endpoint', fallback: '',              type: optional(serviceOrigin),             help: 'URL of the S3-compatible service that stores the contents of objects if the database is in PostgreSQL. Without it, such a server has no buckets. Plain HTTP only for loopback addresses. Set the same values of `BELFRY_OBJECTS_…` on all servers of a database' },
  objectsRegion:            { variable: 'BELFRY_OBJECTS_REGION',   flag: '--objects-region',   fallback: 'us-east-1',      type: anyRegion,                           help: 'Region of this service' },
  objectsBucket:            { variable: 'BELFRY_OBJECTS_BUCKET',   flag: '--objects-bucket',   fallback: '',               type: optional(bucketName),                help: 'Bucket in this service. It must exist, and must not be open to others' },
  objectsPrefix:            { variable: 'BELFRY_OBJECTS_PREFIX',   flag: '--objects-prefix',   fallback: '',               type: keyPrefix,                           help: 'Beginning of the keys in this bucket, such as `belfry/`. A copy of a database needs another bucket or prefix than the database itself' },
  objectsKeyFile:           { variable: 'BELFRY_OBJECTS_KEY_FILE', flag: '--objects-key-file', fallback: '',               type: optional(path('a file')),            help: 'File that only the server can read, with the access key for this bucket: the lines `aws_access_key_id = …` and `aws_secret_access_key = …`. It needs `s3:PutObject`, `s3:GetObject`, `s3:DeleteObject`, `s3:AbortMultipartUpload`, `s3:ListBucket` and `s3:ListBucketMultipartUploads`' },
  objectsReserveMebibytes:  { variable: 'BELFRY_OBJECTS_RESERVE_MIB', flag: '--objects-reserve-mib', fallback: '256',     type: wholeNumber(0, 999_999_999),         help: 'Free space in MiB that uploads of objects leave on the disk of the data folder, so that the trail can still be written. Below it, an upload returns InsufficientStorage; 0 for no reserve. Not used with `BELFRY_OBJECTS_ENDPOINT`' },
  bodyMaxBytes:             { variable: 'BELFRY_BODY_MAX_BYTES',   flag: '--body-max-bytes',   fallback: '2097152',        type: wholeNumber(65_536, 67_108_864),     help: 'Maximum size of a request body in bytes, before decompression' },
  lookupEventsPerSecond:    { variable: 'BELFRY_LOOKUPS_PER_SECOND', flag: '--lookups-per-second', fallback: '2',          type: wholeNumber(0, 1_000_000),           help: 'Maximum LookupEvents calls per second and account, as in AWS; 0 for no limit' },
  eventHistoryDays:         { variable: 'BELFRY_EVENT_HISTORY_DAYS', flag: '--event-history-days', fallback: '90',        type: wholeNumber(RETENTION_DAYS.min, RETENTION_DAYS.max), help: 'Days after which the server deletes trail records, and before which LookupEvents finds them. `belfry trail set-retention` changes it for one account. Set the same value on all servers of a database' },
  trailDeliverySeconds:     { variable: 'BELFRY_TRAIL_DELIVERY_SECONDS', flag: '--trail-delivery-seconds', fallback: '300', type: wholeNumber(1, 3_600), help: 'Seconds between two deliveries of log files of trails. Set the same value on all servers of a database' },
  witnesses:                { variable: 'BELFRY_WITNESSES',        flag: '--witnesses',        fallback: '',               type: witnesses,                           help: 'Witnesses that cosign the checkpoints of the transparency log: `VKEY@URL,VKEY@URL`. Set the same value on all servers of a database. See docs/transparency-log.md' },
  checkpointSeconds:        { variable: 'BELFRY_CHECKPOINT_SECONDS', flag: '--checkpoint-seconds', fallback: '10',        type: wholeNumber(1, 3_600),               help: 'Seconds between two checkpoints of the transparency log. Records after the last cosigned checkpoint are not protected by the witnesses' },
  readsWithoutTrail:        { variable: 'BELFRY_READS_WITHOUT_TRAIL', flag: '--reads-without-trail', fallback: 'off',     type: onOff,                               help: '`on` answers reads while the trail cannot be written, except reads of secrets. The trail records only their number afterwards. Changes are always refused then' },
  unprovenRecordsPerMinute: { variable: 'BELFRY_UNPROVEN_RECORDS', flag: '--unproven-records', fallback: '20',             type: wholeNumber(1, 1_000_000),           help: 'Maximum trail records per minute and client address (IPv6: /64 network) for requests without a proven identity. The server only counts further requests' },
  internalIssuers:          { variable: 'BELFRY_INTERNAL_ISSUERS', flag: '--internal-issuers', fallback: '',               type: hosts,                               help: 'Hosts of identity providers that may have internal IP addresses: `keycloak.corp.example,10.0.0.5:8443`' },
  internalDirectories:      { variable: 'BELFRY_INTERNAL_DIRECTORIES', flag: '--internal-directories', fallback: '',       type: hosts,                               help: 'Hosts of LDAP directories of Amazon Chime that may have internal IP addresses, with the port if it is not 636: `dc.corp.example,10.0.0.5:1636`' },
  directorySyncSeconds:     { variable: 'BELFRY_DIRECTORY_SYNC_SECONDS', flag: '--directory-sync-seconds', fallback: '900',  type: wholeNumber(1, 86_400),              help: 'Seconds between two synchronizations of an account of Amazon Chime with its LDAP directory, which end the sessions of people who are disabled there or in no licensed group. Set the same value on all servers of a database' },
  privateSipPeers:          { variable: 'BELFRY_PRIVATE_SIP_PEERS', flag: '--private-sip-peers', fallback: '',             type: networksAndHosts,                    help: 'Private networks and hosts that the settings of Voice Connectors may contain: `10.0.0.0/24,pbx.corp.internal`. All other networks and hosts must be public' },
  sip:                      { variable: 'BELFRY_SIP',              flag: '--sip',              fallback: 'off',            type: oneOf('off', 'unit', 'child'),       help: 'SIP proxy of Voice Connectors: `unit` if the operator runs it as a service of its own (see docs/sip.md), `child` if the server runs it as its own user, for trials; `off` without SIP' },
  sipDecisions:             { variable: 'BELFRY_SIP_DECISIONS',    flag: '--sip-decisions',    fallback: 'off',            type: addressOrOff,                        help: 'Loopback address at which the SIP proxy asks for decisions about calls, over HTTPS with the CA and the token in the folder `sip` of the data folder; `off` disables it. See docs/guide.md' },
  sipHep:                   { variable: 'BELFRY_SIP_HEP',          flag: '--sip-hep',          fallback: 'off',            type: addressOrOff,                        help: 'Loopback address at which the SIP proxy mirrors SIP messages (HEPv3 over UDP), for the SIP logs of Voice Connectors; `off` disables it' },
  sipCarriers:              { variable: 'BELFRY_SIP_CARRIERS',     flag: '--sip-carriers',     fallback: '',               type: networks,                            help: 'Networks of telephone carriers, which may send calls to the numbers of all Voice Connectors: `192.0.2.0/28`' },
  sipGateways:              { variable: 'BELFRY_SIP_GATEWAYS',     flag: '--sip-gateways',     fallback: '',               type: sipGateways,                         help: 'Hosts of a telephone carrier that receive calls to numbers that no Voice Connector has, in the order of the attempts: `sip.example.com:5060/udp,192.0.2.1:5061/tls`. They may be internal. Without them, such calls are refused' },
  sipRouteTimeoutMs:        { variable: 'BELFRY_SIP_ROUTE_TIMEOUT_MS', flag: '--sip-route-timeout-ms', fallback: '1500',   type: wholeNumber(100, 30_000),            help: 'Milliseconds that the SIP proxy waits for a response of a route before it tries the next one' },
  sipHostSuffix:            { variable: 'BELFRY_SIP_HOST_SUFFIX',  flag: '--sip-host-suffix',  fallback: 'voiceconnector.chime.aws', type: hostName,                  help: 'Domain of the outbound host names of Voice Connectors. Set the same value on all servers of a database' },
  sipHidesConnectors:       { variable: 'BELFRY_SIP_HIDE_CONNECTORS', flag: '--sip-hide-connectors', fallback: 'off',      type: onOff,                               help: '`on` answers SIP requests to unknown Voice Connectors with 403 instead of 404' },
  sipUdp:                   { variable: 'BELFRY_SIP_UDP',          flag: '--sip-udp',          fallback: '127.0.0.1:5060', type: ipv4AddressOrOff,                    help: 'IPv4 address of the SIP proxy for SIP over UDP; `off` disables it' },
  sipTcp:                   { variable: 'BELFRY_SIP_TCP',          flag: '--sip-tcp',          fallback: '127.0.0.1:5060', type: ipv4AddressOrOff,                    help: 'IPv4 address for SIP over TCP; `off` disables it' },
  sipTls:                   { variable: 'BELFRY_SIP_TLS',          flag: '--sip-tls',          fallback: '127.0.0.1:5061', type: ipv4AddressOrOff,                    help: 'IPv4 address for SIP over TLS 1.2 and 1.3, which encrypted Voice Connectors require; `off` disables it' },
  sipAdvertised:            { variable: 'BELFRY_SIP_ADVERTISED',   flag: '--sip-advertised',   fallback: '',               type: optional(hostNameOrIpv4),            help: 'Host name or address by which PBXs reach the SIP proxy, if it differs from the address of the proxy itself' },
  sipCertificateFile:       { variable: 'BELFRY_SIP_CERTIFICATE',  flag: '--sip-certificate',  fallback: '',               type: optional(path('a file')),            help: 'PEM file of the certificate chain for SIP over TLS. If not set, the certificate of the server' },
  sipKeyFile:               { variable: 'BELFRY_SIP_KEY',          flag: '--sip-key',          fallback: '',               type: optional(path('a file')),            help: 'PEM file of the private key for `BELFRY_SIP_CERTIFICATE`' },
  sipRouteCaFile:           { variable: 'BELFRY_SIP_ROUTE_CA',     flag: '--sip-route-ca',     fallback: '',               type: optional(path('a file')),            help: 'PEM file of the CAs that issue the certificates of TLS routes. If not set, the CAs of the operating system' },
  sipRequestsPerSecond:     { variable: 'BELFRY_SIP_REQUESTS_PER_SECOND', flag: '--sip-requests-per-second', fallback: '100', type: wholeNumber(1, 100_000),         help: 'Maximum SIP requests per second of one address that belong to no call. The proxy drops further requests. Carriers have no limit' },
  sipCallMaxSeconds:        { variable: 'BELFRY_SIP_CALL_MAX_SECONDS', flag: '--sip-call-max-seconds', fallback: '14400',  type: wholeNumber(60, 604_800),            help: 'Seconds after which the SIP proxy ends a call' },
  metrics:                  { variable: 'BELFRY_METRICS',          flag: '--metrics',          fallback: '127.0.0.1:9464', type: addressOrOff,                        help: 'Address of the metrics for Prometheus, over plain HTTP and without authentication; `off` disables it. Let only Prometheus reach an address that is not loopback. See docs/guide.md' },
  log:                      { variable: 'BELFRY_LOG',              flag: '--log',              fallback: 'text',           type: oneOf('text', 'json'),               help: 'Format of the log on standard error: `text`, or `json` for programs' },
  traceEndpoint:            { variable: 'BELFRY_OTLP_ENDPOINT',    flag: '--otlp-endpoint',    fallback: '',               type: optional(traceUrl),                  help: 'URL to which the server sends OpenTelemetry traces of requests (OTLP over HTTP), such as `http://127.0.0.1:4318/v1/traces`. It may be internal' },
  continueTraces:           { variable: 'BELFRY_TRACE_CONTINUE',   flag: '--trace-continue',   fallback: 'off',            type: onOff,                               help: '`on` continues the trace that a client names in the header `traceparent`. Otherwise each request begins a trace' },
  drainSeconds:             { variable: 'BELFRY_DRAIN_SECONDS',    flag: '--drain-seconds',    fallback: '0',              type: wholeNumber(0, 3_600),               help: 'Seconds for which the server still responds after SIGTERM. During this time, `/_belfry/ready` returns 503' },
  signInFailures:           { variable: 'BELFRY_SIGN_IN_FAILURES', flag: '--sign-in-failures', fallback: '30',             type: wholeNumber(0, 1_000_000),           help: 'Maximum number of failed sign-ins in quick succession from one client address (IPv6: /64 network), on all servers together. Each minute allows one more, up to this number; 0 for no limit' },
  trustedProxies:           { variable: 'BELFRY_TRUSTED_PROXIES',  flag: '--trusted-proxies',  fallback: '',               type: networks,                            help: 'Networks of the proxies that the server trusts to name the client in `Forwarded`, `X-Forwarded-For` and `X-Forwarded-Proto`: `10.0.0.0/24,127.0.0.1`' },
  proxyProtocol:            { variable: 'BELFRY_PROXY_PROTOCOL',   flag: '--proxy-protocol',   fallback: 'off',            type: onOff,                               help: '`on` if each connection of a trusted proxy begins with a PROXY protocol header (version 2)' },
  connectionsMax:           { variable: 'BELFRY_CONNECTIONS_MAX',  flag: '--connections-max',  fallback: '20000',          type: wholeNumber(16, 1_000_000),          help: 'Maximum number of open connections' },
  underWayMaxBytes:         { variable: 'BELFRY_UNDER_WAY_MAX_BYTES', flag: '--under-way-max-bytes', fallback: '268435456', type: wholeNumber(16_777_216, 999_999_999), help: 'Maximum bytes of all requests and responses in progress' },
  sourceSharePercent:       { variable: 'BELFRY_SOURCE_SHARE',     flag: '--source-share',     fallback: '25',             type: wholeNumber(1, 100),                 help: 'Maximum share of connections, messaging sessions and request bytes that one client address (IPv6: /64 network) may use, in percent' },
  requestsPerSource:        { variable: 'BELFRY_REQUESTS_PER_SOURCE', flag: '--requests-per-source', fallback: '512',      type: wholeNumber(1, 100_000),             help: 'Maximum requests of one client address (IPv6: /64 network) that wait for a response. At the maximum, the server stops reading from the client' },
  sessionsPerAccount:       { variable: 'BELFRY_SESSIONS_PER_ACCOUNT', flag: '--sessions-per-account', fallback: '5000',   type: wholeNumber(1, 1_000_000),           help: 'Maximum messaging sessions of one account on this server' },
  sessionsPerUser:          { variable: 'BELFRY_SESSIONS_PER_USER', flag: '--sessions-per-user', fallback: '50',           type: wholeNumber(1, 1_000_000),           help: 'Maximum messaging sessions of one app instance user on this server' },
  chimeRooms:               { variable: 'BELFRY_CHIME_ROOMS',      flag: '--chime-rooms',      fallback: String(DEFAULT_QUOTAS.rooms), type: wholeNumber(1, QUOTAS_MAX.rooms), help: 'Maximum rooms of one account of Amazon Chime' },
  chimeMemberships:         { variable: 'BELFRY_CHIME_MEMBERSHIPS', flag: '--chime-memberships', fallback: String(DEFAULT_QUOTAS.memberships), type: wholeNumber(1, QUOTAS_MAX.memberships), help: 'Maximum members of one room of Amazon Chime, and rooms of one member' },
  chimeBots:                { variable: 'BELFRY_CHIME_BOTS',       flag: '--chime-bots',       fallback: String(DEFAULT_QUOTAS.bots), type: wholeNumber(0, QUOTAS_MAX.bots), help: 'Maximum bots of one account of Amazon Chime' },
  voiceConnectors:          { variable: 'BELFRY_VOICE_CONNECTORS', flag: '--voice-connectors', fallback: String(DEFAULT_VOICE_LIMITS.connectors), type: wholeNumber(0, VOICE_LIMITS_MAX.connectors), help: 'Maximum Voice Connectors of one account in a region' },
  voiceGroups:              { variable: 'BELFRY_VOICE_CONNECTOR_GROUPS', flag: '--voice-connector-groups', fallback: String(DEFAULT_VOICE_LIMITS.groups), type: wholeNumber(0, VOICE_LIMITS_MAX.groups), help: 'Maximum Voice Connector groups of one account' },
  voiceConnectorsPerGroup:  { variable: 'BELFRY_VOICE_CONNECTORS_PER_GROUP', flag: '--voice-connectors-per-group', fallback: String(DEFAULT_VOICE_LIMITS.connectorsInGroup), type: wholeNumber(1, VOICE_LIMITS_MAX.connectorsInGroup), help: 'Maximum Voice Connectors of one Voice Connector group, and most that a call tries' },
  voiceCallsPerSecond:      { variable: 'BELFRY_VOICE_CALLS_PER_SECOND', flag: '--voice-calls-per-second', fallback: String(DEFAULT_VOICE_LIMITS.callsPerSecond), type: wholeNumber(1, VOICE_LIMITS_MAX.callsPerSecond), help: 'Largest `CpsLimit`, the outbound calls per second, of one Voice Connector. A higher stored value counts as this one. Each server counts the calls that it decides' },
  voiceCredentials:         { variable: 'BELFRY_VOICE_CREDENTIALS', flag: '--voice-credentials', fallback: String(DEFAULT_VOICE_LIMITS.credentials), type: wholeNumber(1, VOICE_LIMITS_MAX.credentials), help: 'Maximum SIP users of one Voice Connector' },
  sipMediaApplications:     { variable: 'BELFRY_SIP_MEDIA_APPLICATIONS', flag: '--sip-media-applications', fallback: String(DEFAULT_VOICE_LIMITS.sipMediaApplications), type: wholeNumber(0, VOICE_LIMITS_MAX.sipMediaApplications), help: 'Maximum SIP media applications of one account in a region' },
  sipRules:                 { variable: 'BELFRY_SIP_RULES', flag: '--sip-rules', fallback: String(DEFAULT_VOICE_LIMITS.sipRules), type: wholeNumber(0, VOICE_LIMITS_MAX.sipRules), help: 'Maximum SIP rules of one account' },
  voiceProfileDomains:      { variable: 'BELFRY_VOICE_PROFILE_DOMAINS', flag: '--voice-profile-domains', fallback: String(DEFAULT_VOICE_LIMITS.profileDomains), type: wholeNumber(0, VOICE_LIMITS_MAX.profileDomains), help: 'Maximum voice profile domains of one account in a region' },
  insightsConfigurations:   { variable: 'BELFRY_INSIGHTS_CONFIGURATIONS', flag: '--insights-configurations', fallback: String(DEFAULT_PIPELINE_LIMITS.configurations), type: wholeNumber(0, PIPELINE_LIMITS_MAX.configurations), help: 'Maximum media insights pipeline configurations of one account in a region' },
  videoStreamPools:         { variable: 'BELFRY_VIDEO_STREAM_POOLS', flag: '--video-stream-pools', fallback: String(DEFAULT_PIPELINE_LIMITS.pools), type: wholeNumber(0, PIPELINE_LIMITS_MAX.pools), help: 'Maximum pools of Kinesis video streams of one account in a region' },
  scimUsersMax:             { variable: 'BELFRY_SCIM_USERS_PER_ACCOUNT', flag: '--scim-users-per-account', fallback: '100000', type: wholeNumber(1, 10_000_000), help: 'Maximum users that an OpenID provider provisions by SCIM in one account of Amazon Chime. Set the same value on all servers of a database' },
  outgoingLaneMessages:     { variable: 'BELFRY_OUTGOING_LANE_MESSAGES', flag: '--outgoing-lane-messages', fallback: '100000', type: wholeNumber(1, 100_000_000),   help: 'Maximum messages that wait for one target, such as a queue. Further messages become dead letters, or are lost' },
  outgoingLaneMaxBytes:     { variable: 'BELFRY_OUTGOING_LANE_MAX_BYTES', flag: '--outgoing-lane-max-bytes', fallback: '67108864', type: wholeNumber(1_048_576, 100_000_000_000), help: 'Maximum bytes of these messages' },
  outgoingAccountMessages:  { variable: 'BELFRY_OUTGOING_ACCOUNT_MESSAGES', flag: '--outgoing-account-messages', fallback: '500000', type: wholeNumber(1, 100_000_000), help: 'Maximum messages of one account that wait for all targets together' },
  outgoingAccountMaxBytes:  { variable: 'BELFRY_OUTGOING_ACCOUNT_MAX_BYTES', flag: '--outgoing-account-max-bytes', fallback: '536870912', type: wholeNumber(1_048_576, 100_000_000_000), help: 'Maximum bytes of these messages' },
  outgoingInternalHosts:    { variable: 'BELFRY_OUTGOING_INTERNAL_HOSTS', flag: '--outgoing-internal-hosts', fallback: '',  type: hosts,                               help: 'Hosts of API destinations of EventBridge and of bots of Amazon Chime that may have internal IP addresses, with the port if it is not 443: `hooks.corp.example,10.0.0.5:8443`' },
  smtpFile:                 { variable: 'BELFRY_SMTP_FILE',        flag: '--smtp-file',        fallback: '',               type: optional(path('a file')),            help: 'File that only the server can read, with the SMTP server for mail: `smtp://USER:PASSWORD@HOST:PORT`, which requires STARTTLS unless the host is a loopback address, or `smtps://…`. Without it, mail is written to the folder `mail` in the data folder. See docs/guide.md' },
  mailFrom:                 { variable: 'BELFRY_MAIL_FROM',        flag: '--mail-from',        fallback: '',               type: optional(mailAddress),               help: 'Address of the sender of mail. Required with `BELFRY_SMTP_FILE`' },
  supportAddress:           { variable: 'BELFRY_SUPPORT_ADDRESS',  flag: '--support-address',  fallback: '',               type: optional(mailAddress),               help: 'Address to which the support requests of administrators of Amazon Chime are sent. Without it, they are refused' },
  dnsServer:                { variable: 'BELFRY_DNS_SERVER',       flag: '--dns-server',       fallback: '',               type: optional(ipWithPort),                help: 'IP address of the DNS resolver that looks for the TXT records of domains that accounts of Amazon Chime claim, with the port if it is not 53. Default: the resolvers of the system' },
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

/** An unknown or invalid setting. The message names the setting, quotes the value and describes valid values. */
export class SettingError extends Error {}

/**
 * Returns the URL of a listener for clients on this machine. If the listener uses all addresses, the host in the URL is
 * `localhost`, because the server's certificate contains this name.
 */
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

/** Returns the values of flags as strings, by the name of the setting's variable. */
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

/** @throws SettingError  values that are valid alone but not together */
function requireConsistent(settings: Settings): void {
  const { http, https, trustedProxies, proxyProtocol, tlsCertificateFile, tlsKeyFile } = settings;
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
  if (settings.smtpFile !== undefined && settings.mailFrom === undefined)
    throw new SettingError('BELFRY_SMTP_FILE requires BELFRY_MAIL_FROM');
  requireLoopback('BELFRY_SIP_DECISIONS', settings.sipDecisions);
  requireLoopback('BELFRY_SIP_HEP', settings.sipHep);
  requireConsistentProxy(settings);
  requireConsistentObjects(settings);
}

/** @throws SettingError  the SIP proxy has no address or no decision listener, or a certificate without its key */
function requireConsistentProxy({ sip, sipDecisions, sipUdp, sipTcp, sipTls, sipCertificateFile, sipKeyFile }: Settings): void {
  if ((sipCertificateFile === undefined) !== (sipKeyFile === undefined))
    throw new SettingError('set BELFRY_SIP_CERTIFICATE and BELFRY_SIP_KEY together, or neither');
  if (sip !== 'off' && sipDecisions === 'off')
    throw new SettingError(`BELFRY_SIP is ${sip}; it requires BELFRY_SIP_DECISIONS, such as 127.0.0.1:5070`);
  if (sip !== 'off' && [sipUdp, sipTcp, sipTls].every((address) => address === 'off'))
    throw new SettingError('BELFRY_SIP_UDP, BELFRY_SIP_TCP and BELFRY_SIP_TLS are all off; set at least one to IPV4:PORT');
}

/** @throws SettingError  other machines could reach the address */
function requireLoopback(variable: string, address: Address | 'off'): void {
  if (address === 'off' || isLoopback(address.host)) return;
  throw new SettingError(`${variable} is '${address.host}:${address.port}'; it must be a loopback address (127.0.0.1, [::1], localhost)`);
}

/** @throws SettingError  some settings of the object service are missing, or the database does not use it */
function requireConsistentObjects({ database, objectsEndpoint, objectsBucket, objectsKeyFile }: Settings): void {
  const set = [objectsEndpoint, objectsBucket, objectsKeyFile].filter((value) => value !== undefined);
  if (set.length === 0) return;
  if (set.length < 3)
    throw new SettingError('set BELFRY_OBJECTS_ENDPOINT, BELFRY_OBJECTS_BUCKET and BELFRY_OBJECTS_KEY_FILE together, or none');
  if (!isPostgres(database))
    throw new SettingError(
      'BELFRY_OBJECTS_ENDPOINT requires a BELFRY_DATABASE in PostgreSQL; with SQLite, objects are files in the data folder',
    );
}
