import type { X509Certificate } from 'node:crypto';
import { lookup as resolveName } from 'node:dns';
import { request } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { checkServerIdentity, type TLSSocket } from 'node:tls';

/**
 * HTTP client for documents of identity providers. Allows only HTTPS without redirects. Blocks hosts with an internal
 * address, unless the operator allows the host. Requirement INF-8.
 */

/** Options of one fetch. */
export interface FetchJsonOptions {
  /**
   * SHA-1 fingerprints of certificates in hexadecimal. If the host's certificate chain contains one of these
   * certificates, the host is trusted without a public authority.
   */
  readonly thumbprints: readonly string[];
}

/** Fetches and parses a JSON document. Rejects with `FetchProblem`. */
export type FetchJson = (url: string, options: FetchJsonOptions) => Promise<unknown>;

/** Failed fetch. The message names the host. It never contains the response of the host. */
export class FetchProblem extends Error {}

/** Limits of the client. */
export interface GuardedFetchOptions {
  /** Hosts that may have internal addresses: `keycloak.corp.example`. A port other than 443 is part of the entry: `localhost:8443`. */
  readonly allowedInternalHosts: readonly string[];
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/** Creates the client. `timeoutMs` applies to the whole exchange. Defaults: 5 seconds, 256 KiB. */
export function guardedFetch({ allowedInternalHosts, timeoutMs = 5000, maxBytes = 262_144 }: GuardedFetchOptions): FetchJson {
  return (text, { thumbprints }) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
      return Promise.reject(new FetchProblem('The URL must be an https URL without a user name and password.'));
    }
    const allowed = allowedInternalHosts.includes(url.host);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // `publicLookup` checks host names. It does not run for a host that is an IP address, so the address is checked
    // here.
    if (!allowed && isIP(host) !== 0 && isInternal(host)) return Promise.reject(internal(url.host));

    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new FetchProblem(`Host '${url.host}' ${why}`));
      const asked = request(url, {
        agent: false,
        lookup: allowed ? resolveName : publicLookup(internal),
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
        // `isTrusted` checks the certificate, because Node's own check cannot use the thumbprints.
        rejectUnauthorized: false,
      });
      asked.on('socket', (socket) =>
        socket.once('secureConnect', () => {
          if (!isTrusted(socket as TLSSocket, host, thumbprints))
            asked.destroy(new FetchProblem(`Host '${url.host}' does not have a trusted certificate.`));
        }),
      );
      asked.on('error', (error) => (error instanceof FetchProblem ? reject(error) : fail(codeOf(error))));
      asked.on('response', (response) => {
        if (response.statusCode !== 200) {
          asked.destroy();
          fail(`returned the status ${response.statusCode} instead of 200.`);
          return;
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', (error) => fail(codeOf(error)));
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxBytes) asked.destroy(new FetchProblem(`Host '${url.host}' returned more than ${maxBytes} bytes.`));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch {
            fail('returned invalid JSON.');
          }
        });
      });
      asked.end();
    });
  };
}

function codeOf(error: Error): string {
  return error.name === 'TimeoutError' || error.name === 'AbortError'
    ? 'did not respond in time.'
    : `cannot be reached (${(error as NodeJS.ErrnoException).code ?? error.name}).`;
}

function internal(host: string): FetchProblem {
  return new FetchProblem(`Host '${host}' has an internal address, which BELFRY_INTERNAL_ISSUERS does not allow.`);
}

/**
 * Returns a function that resolves a name for a connection. It fails with the error of `refused` if any of the addresses is internal, because
 * the connection could use that address. It does not run for a host that is an IP address.
 */
export function publicLookup(refused: (hostname: string) => Error): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) callback(error, '', 0);
      else if (addresses.some(({ address }) => isInternal(address))) callback(refused(hostname), '', 0);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

/** IPv4 networks that are not part of the public Internet. Source: IANA special-purpose address registries. */
// biome-ignore format: a table
const INTERNAL_NETWORKS: readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'], ['10.0.0.0', 8, 'ipv4'], ['100.64.0.0', 10, 'ipv4'], ['127.0.0.0', 8, 'ipv4'], ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'], ['192.0.0.0', 24, 'ipv4'], ['192.0.2.0', 24, 'ipv4'], ['192.168.0.0', 16, 'ipv4'], ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'], ['203.0.113.0', 24, 'ipv4'], ['224.0.0.0', 4, 'ipv4'], ['240.0.0.0', 4, 'ipv4'],
];

/**
 * Network that contains all public IPv6 addresses. The ranges in `CARRYING_IPV4` are also in this network, but count as
 * internal. Addresses in the first two ranges embed an IPv4 address. The third range is reserved for documentation.
 */
const PUBLIC_IPV6 = blockList([['2000::', 3, 'ipv6']]);
const CARRYING_IPV4 = blockList([['2001::', 32, 'ipv6'], ['2002::', 16, 'ipv6'], ['2001:db8::', 32, 'ipv6']]); // biome-ignore format: a table
const INTERNAL = blockList(INTERNAL_NETWORKS);

function blockList(networks: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix, family] of networks) list.addSubnet(network, prefix, family);
  return list;
}

/** Reports whether an address is not part of the public Internet. Returns true for a string that is not an address. */
export function isInternal(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return INTERNAL.check(address, 'ipv4');
    case 6:
      return !PUBLIC_IPV6.check(address, 'ipv6') || CARRYING_IPV4.check(address, 'ipv6');
    default:
      return true;
  }
}

/**
 * Reports whether a public authority signed the host's certificate, or whether the certificate's chain contains a
 * certificate with one of the thumbprints.
 *
 * Source: IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider".
 */
function isTrusted(socket: TLSSocket, host: string, thumbprints: readonly string[]): boolean {
  if (socket.authorized) return true;
  if (checkServerIdentity(host, socket.getPeerCertificate()) !== undefined) return false;
  const now = Date.now();
  const pinned = thumbprints.map((thumbprint) => thumbprint.toLowerCase());
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  for (let depth = 0; certificate !== undefined && depth < 10; depth++) {
    if (certificate.validFromDate.getTime() > now || certificate.validToDate.getTime() < now) return false;
    if (pinned.includes(certificate.fingerprint.replaceAll(':', '').toLowerCase())) return true;
    const issuer: X509Certificate | undefined = certificate.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) return false;
    // The issuer's certificate also comes from the host. So the next line checks that the issuer is a CA and has signed
    // `certificate`.
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
    certificate = issuer;
  }
  return false;
}
