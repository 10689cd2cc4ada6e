/**
 * Configuration of Kamailio, the SIP proxy of Voice Connectors, as text. It contains addresses, ports, paths and the token of the decision
 * listener, and nothing that an API request can set. Kamailio reads it once, at its start.
 *
 * Source: `../shared/spec/sip.md` §4 to §9, and the documentation of the modules of Kamailio 5.6.
 */
import { isIPv4 } from 'node:net';
import type { Address } from '../setting-types.ts';
import { kamailioRoutes, MESSAGE_MAX_BYTES, type SipNetworks, UNPROVEN_CONNECTION_SECONDS } from './kamailio-routes.ts';

/** Facts that the configuration contains. */
export interface SipProxy extends SipNetworks {
  /** Absolute path of the folder of Kamailio's files. */
  readonly folder: string;
  /** Addresses for SIP. At least one is set. */
  readonly udp?: Address | undefined;
  readonly tcp?: Address | undefined;
  readonly tls?: Address | undefined;
  /** Address or name in `Via` and `Record-Route`, if clients reach the proxy by another address than its own. */
  readonly advertised?: string | undefined;
  /** Address of the decision listener. */
  readonly decisions: Address;
  /** Token of the decision listener. */
  readonly token: string;
  /** UDP address that receives a copy of each SIP message in HEPv3, for the SIP logs. */
  readonly hep?: Address | undefined;
  /** Maximum requests per second of one address that do not belong to a call. */
  readonly requestsPerSecond: number;
  /** Seconds after which the proxy ends a call. */
  readonly callMaxSeconds: number;
}

/** Names of the files in the folder. */
export const SIP_FILES = {
  config: 'kamailio.cfg',
  tls: 'tls.cfg',
  decisionCa: 'decision-ca.pem',
  certificate: 'certificate.pem',
  key: 'key.pem',
  routeCa: 'route-ca.pem',
  run: 'run',
  calls: 'calls.sqlite',
  records: 'records.sqlite',
} as const;

/** Processes that wait for a decision. UDP and TCP workers do not wait. */
const DECIDING_PROCESSES = 6;
const DECISIONS_WAITING = 2_000;
/** Records that wait in memory because another process was writing. */
const RECORDS_WAITING = 100_000;

/**
 * Returns the text of `kamailio.cfg`, which contains the token: only the user of Kamailio may read it.
 *
 * @throws Error  a fact has characters that the configuration could interpret
 */
export function kamailioConfig(proxy: SipProxy): string {
  requireSafe(proxy);
  return `#!KAMAILIO
# Written by 'belfry sip config'. Do not edit: the command replaces this file.
${core(proxy)}
${modules(proxy)}
${kamailioRoutes(proxy)}`;
}

/**
 * Returns the text of `tls.cfg`: TLS 1.2 and 1.3 with forward secrecy, without client certificates. The certificate of a TLS route must be
 * from a CA in `route-ca.pem`.
 *
 * Source: Chime SDK Administrator Guide: no mutual TLS. Assumed: the check of certificates of routes, because AWS does not document it.
 * Kamailio 5.6 does not compare host names.
 */
export function kamailioTlsConfig(folder: string): string {
  requirePath(folder);
  const suites = 'ECDHE+AESGCM:ECDHE+CHACHA20';
  return `[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = ${folder}/${SIP_FILES.key}
certificate = ${folder}/${SIP_FILES.certificate}
cipher_list = ${suites}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = ${folder}/${SIP_FILES.routeCa}
cipher_list = ${suites}
`;
}

/** Returns the arguments of Kamailio for the files in `folder`. Kamailio stays in the foreground and logs to standard error. */
export function kamailioArguments(folder: string): readonly string[] {
  requirePath(folder);
  const run = `${folder}/${SIP_FILES.run}`;
  return ['-DD', '-E', '-f', `${folder}/${SIP_FILES.config}`, '-m', '256', '-M', '8', '-x', 'fm', '-Y', run, '-w', run];
}

function requireSafe({ folder, udp, tcp, tls, advertised, decisions, token, hep, privateNetworks, carrierNetworks }: SipProxy): void {
  requirePath(folder);
  if (udp === undefined && tcp === undefined && tls === undefined) throw new Error('the SIP proxy has no address');
  for (const address of [udp, tcp, tls, decisions, hep].filter((each) => each !== undefined))
    if (!isIPv4(address.host)) throw new Error(`'${address.host}' is not an IPv4 address`);
  if (advertised !== undefined && !/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(advertised))
    throw new Error(`'${advertised}' is not a host name or an IPv4 address`);
  if (!/^[A-Za-z0-9_-]{16,256}$/.test(token)) throw new Error('the token of the decision listener has invalid characters');
  for (const network of [...privateNetworks, ...carrierNetworks])
    if (!/^[0-9.]{7,15}(\/[0-9]{1,2})?$/.test(network)) throw new Error(`'${network}' is not an IPv4 network`);
}

function requirePath(folder: string): void {
  if (!/^\/[A-Za-z0-9_./-]*$/.test(folder))
    throw new Error(`the folder '${folder}' must be an absolute path of letters, digits and the characters '_', '.', '-' and '/'`);
}

function core({ udp, tcp, tls, advertised }: SipProxy): string {
  const listen = Object.entries({ udp, tcp, tls }).flatMap(([transport, address]) =>
    address === undefined
      ? []
      : [
          `listen=${transport}:${address.host}:${address.port}${advertised === undefined ? '' : ` advertise ${advertised}:${address.port}`}`,
        ],
  );
  return `
# Only critical errors: an error about a malformed message quotes it, and it can contain credentials. The argument -ddd shows all.
debug=-2
log_stderror=yes
server_signature=no
user_agent_header="User-Agent: Belfry"
server_header="Server: Belfry"
auto_aliases=no
dns=no
rev_dns=no
dns_try_ipv6=no
use_dns_failover=no
children=4
async_workers=${DECIDING_PROCESSES}
# A full queue refuses a task. Otherwise a UDP worker waits, and with it the BYE of another call.
async_nonblock=1
max_while_loops=100000
tcp_children=4
tcp_max_connections=4096
tcp_connection_lifetime=${UNPROVEN_CONNECTION_SECONDS}
tcp_connect_timeout=2
tcp_send_timeout=2
tcp_rd_buf_size=${MESSAGE_MAX_BYTES * 2}
tcp_accept_aliases=no
enable_tls=${tls === undefined ? 'no' : 'yes'}
disable_tcp=${tcp === undefined && tls === undefined ? 'yes' : 'no'}
${tls === undefined ? '' : 'tls_max_connections=2048\n'}${listen.join('\n')}`;
}

function modules({ folder, tls, hep, decisions, token, requestsPerSecond, callMaxSeconds }: SipProxy): string {
  const database = `sqlite:///${folder}/${SIP_FILES.calls}`;
  const names = [
    'db_sqlite',
    'kex',
    'corex',
    'tm',
    'tmx',
    'sl',
    'rr',
    'pv',
    'maxfwd',
    'textops',
    'siputils',
    'xlog',
    'sanity',
    'ipops',
    'pike',
    'ctl',
    'cfgutils',
    'tcpops',
    'mqueue',
    'sqlops',
    'rtimer',
    'jansson',
    'http_client',
    'async',
    'dialog',
  ];
  const all = [...names, ...(tls === undefined ? [] : ['tls']), ...(hep === undefined ? [] : ['siptrace'])];
  return `
${all.map((name) => `loadmodule "${name}.so"`).join('\n')}

modparam("ctl", "binrpc", "unixs:${folder}/${SIP_FILES.run}/ctl")
modparam("http_client", "authmethod", 1)
modparam("http_client", "cacert", "${folder}/${SIP_FILES.decisionCa}")
modparam("http_client", "verify_peer", 1)
modparam("http_client", "verify_host", 2)
modparam("http_client", "connection_timeout", 2)
modparam("http_client", "keep_connections", 1)
modparam("http_client", "httpredirect", 0)
modparam("http_client", "maxdatasize", 65536)
# The connection takes the values of the parameters above it.
modparam("http_client", "httpcon", "belfry=>https://sip:${token}@${decisions.host}:${decisions.port}/sip")
modparam("pv", "shvset", "failures=i:0")
modparam("pv", "shvset", "until=i:0")
modparam("tm", "auto_inv_100", 0)
modparam("tm", "failure_reply_mode", 3)
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 120000)
modparam("tm", "max_inv_lifetime", 200000)
modparam("rr", "enable_full_lr", 1)
modparam("rr", "append_fromtag", 1)
modparam("sanity", "autodrop", 0)
# The routes reply, within the limit of requests.
modparam("sanity", "noreply", 1)
modparam("pike", "sampling_time_unit", 2)
modparam("pike", "reqs_density_per_unit", ${requestsPerSecond * 2})
modparam("pike", "remove_latency", 4)
modparam("pike", "pike_log_level", -2)
modparam("mqueue", "db_url", "${database}")
modparam("mqueue", "mqueue", "name=overflow;size=${DECISIONS_WAITING}")
modparam("mqueue", "mqueue", "name=records;size=${RECORDS_WAITING};dbmode=1")
modparam("sqlops", "sqlcon", "records=>sqlite:///${folder}/${SIP_FILES.records}")
modparam("rtimer", "timer", "name=records;interval=1;mode=1;")
modparam("rtimer", "exec", "timer=records;route=POST_RECORDS")
modparam("dialog", "db_url", "${database}")
modparam("dialog", "db_mode", 2)
modparam("dialog", "db_update_period", 1)
modparam("dialog", "dlg_match_mode", 1)
modparam("dialog", "detect_spirals", 0)
modparam("dialog", "default_timeout", ${callMaxSeconds})
modparam("dialog", "event_callback", "")
${tls === undefined ? '' : `modparam("tls", "config", "${folder}/${SIP_FILES.tls}")\nmodparam("tls", "connection_timeout", ${UNPROVEN_CONNECTION_SECONDS})\n`}${
  hep === undefined
    ? ''
    : `modparam("siptrace", "duplicate_uri", "sip:${hep.host}:${hep.port}")
modparam("siptrace", "hep_mode_on", 1)
modparam("siptrace", "hep_version", 3)
modparam("siptrace", "hep_capture_id", 1)
modparam("siptrace", "trace_to_database", 0)
modparam("siptrace", "trace_on", 1)
modparam("siptrace", "trace_mode", 1)
`
}`;
}
