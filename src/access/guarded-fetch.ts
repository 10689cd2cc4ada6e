import type { X509Certificate } from 'node:crypto';
import { lookup as resolveName } from 'node:dns';
import { request } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { checkServerIdentity, type TLSSocket } from 'node:tls';

/**
 * Fetches documents of identity providers. Owns where the server may go: HTTPS only, no redirects, and no address of our own
 * network unless its host is allowed, whatever a name resolves to. Requirement INF-8.
 */

export interface FetchJsonOptions {
  /** SHA-1 of certificates, in hex: a chain through one of them is trusted though no public authority signed it. */
  readonly thumbprints: readonly string[];
}

/** Resolves to the document, or rejects with FetchProblem. */
export type FetchJson = (url: string, options: FetchJsonOptions) => Promise<unknown>;

/** Why a document could not be had. The message names the host and never its answer. */
export class FetchProblem extends Error {}

export interface GuardedFetchOptions {
  /** Hosts, with the port where it is not 443, that may have internal addresses: `keycloak.corp.example`, `localhost:8443`. */
  readonly allowedInternalHosts: readonly string[];
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/** Makes the fetch. Defaults: 5 s for all of it, 256 KiB. */
export function guardedFetch({ allowedInternalHosts, timeoutMs = 5000, maxBytes = 262_144 }: GuardedFetchOptions): FetchJson {
  return (text, { thumbprints }) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
      return Promise.reject(new FetchProblem('Only https URLs without credentials are fetched.'));
    }
    const allowed = allowedInternalHosts.includes(url.host);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // A name is judged by what it resolves to; an address is never resolved.
    if (!allowed && isIP(host) !== 0 && isInternal(host)) return Promise.reject(internal(url.host));

    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new FetchProblem(`${url.host}: ${why}`));
      const asked = request(url, {
        agent: false,
        lookup: allowed ? resolveName : publicLookup,
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
        // Judged below, where the thumbprints are known.
        rejectUnauthorized: false,
      });
      asked.on('socket', (socket) =>
        socket.once('secureConnect', () => {
          if (!isTrusted(socket as TLSSocket, host, thumbprints))
            asked.destroy(new FetchProblem(`${url.host}: its certificate is not trusted.`));
        }),
      );
      asked.on('error', (error) => (error instanceof FetchProblem ? reject(error) : fail(codeOf(error))));
      asked.on('response', (response) => {
        if (response.statusCode !== 200) {
          asked.destroy();
          fail(`answered ${response.statusCode}.`);
          return;
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', (error) => fail(codeOf(error)));
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxBytes) asked.destroy(new FetchProblem(`${url.host}: answered more than ${maxBytes} bytes.`));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch {
            fail('answered no JSON.');
          }
        });
      });
      asked.end();
    });
  };
}

function codeOf(error: Error): string {
  return error.name === 'TimeoutError' || error.name === 'AbortError'
    ? 'did not answer in time.'
    : `could not be reached (${(error as NodeJS.ErrnoException).code ?? error.name}).`;
}

function internal(host: string): FetchProblem {
  return new FetchProblem(`${host} has an internal address, and is not among the internal hosts that are allowed.`);
}

/** Resolves a name, and answers only if none of its addresses is internal: a name with one of each would let the resolver choose. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) callback(error, '', 0);
    else if (addresses.some(({ address }) => isInternal(address))) callback(internal(hostname), '', 0);
    else if (options.all) callback(null, addresses);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  });
};

/** Networks that are nobody's in public. Source: IANA special-purpose address registries. */
// biome-ignore format: a table
const INTERNAL_NETWORKS: readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'], ['10.0.0.0', 8, 'ipv4'], ['100.64.0.0', 10, 'ipv4'], ['127.0.0.0', 8, 'ipv4'], ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'], ['192.0.0.0', 24, 'ipv4'], ['192.0.2.0', 24, 'ipv4'], ['192.168.0.0', 16, 'ipv4'], ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'], ['203.0.113.0', 24, 'ipv4'], ['224.0.0.0', 4, 'ipv4'], ['240.0.0.0', 4, 'ipv4'],
];

/** Only what is allotted of IPv6 is public; of that, not what carries an IPv4 address within. */
const PUBLIC_IPV6 = blockList([['2000::', 3, 'ipv6']]);
const CARRYING_IPV4 = blockList([['2001::', 32, 'ipv6'], ['2002::', 16, 'ipv6'], ['2001:db8::', 32, 'ipv6']]); // biome-ignore format: a table
const INTERNAL = blockList(INTERNAL_NETWORKS);

function blockList(networks: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix, family] of networks) list.addSubnet(network, prefix, family);
  return list;
}

/** Whether an address is not one of the public Internet. Unknown is internal. */
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
 * Whether a public authority vouches for the host, or its chain of signatures leads through a certificate that is pinned.
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
    // The issuer was only sent along: it counts when it really signed.
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
    certificate = issuer;
  }
  return false;
}
