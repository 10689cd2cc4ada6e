import { hash } from 'node:crypto';
import type { Instant } from '#core/instant.ts';
import { amzDate } from './amz-date.ts';
import {
  ALGORITHM,
  canonicalPath,
  canonicalQuery,
  canonicalValue,
  type QueryPair,
  readQuery,
  splitTarget,
  stringToSign,
  TERMINATOR,
  uriEncode,
} from './canonical.ts';
import { deriveSigningKey } from './signing-key.ts';

/** Credentials that sign a request. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Request without a signature. The header names are lower case and include `host`. */
export interface UnsignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** Credentials, scope and time of a signature. */
export interface SignWith {
  readonly credentials: Credentials;
  readonly region: string;
  readonly signingName: string;
  readonly now: Instant;
}

/** Headers that proxies may change, so signers exclude them. */
// biome-ignore format: a list
const UNSIGNED: ReadonlySet<string> = new Set([
  'authorization', 'connection', 'expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent', 'x-amzn-trace-id',
]);

/** Signs a request. Returns its headers together with the date, the body hash, the session token and Authorization. */
export function sign(request: UnsignedRequest, { credentials, region, signingName, now }: SignWith): Record<string, string> {
  const date = amzDate(now);
  const bodyHash = hash('sha256', request.body, 'hex');
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': date, 'x-amz-content-sha256': bodyHash };
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;

  const { path, query } = splitTarget(request.target);
  const names = signedNames(headers);
  const canonical = canonicalRequest(request.method, path, queryPairs(query), headers, names, bodyHash);
  const scope = `${date.slice(0, 8)}/${region}/${signingName}/${TERMINATOR}`;
  const signature = signatureOf(credentials, { region, signingName, date, scope, canonical });
  headers['authorization'] =
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

/**
 * Presigns a request. Returns its target with the signature in the query. The client must send the request's headers unchanged.
 *
 * `expiresSeconds` is 1 to 604800. Without it, only STS accepts the request, for 15 minutes.
 */
export function presign(
  request: UnsignedRequest,
  { credentials, region, signingName, now, expiresSeconds }: SignWith & { readonly expiresSeconds?: number },
): string {
  const date = amzDate(now);
  const scope = `${date.slice(0, 8)}/${region}/${signingName}/${TERMINATOR}`;
  const names = signedNames(request.headers);
  const { path, query } = splitTarget(request.target);
  const pairs: QueryPair[] = [
    ...queryPairs(query),
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', date],
    ...(expiresSeconds === undefined ? [] : [['X-Amz-Expires', String(expiresSeconds)] as const]),
    ['X-Amz-SignedHeaders', names.join(';')],
    ...(credentials.sessionToken === undefined ? [] : [['X-Amz-Security-Token', credentials.sessionToken] as const]),
  ];
  const canonical = canonicalRequest(request.method, path, pairs, request.headers, names, hash('sha256', request.body, 'hex'));
  const signature = signatureOf(credentials, { region, signingName, date, scope, canonical });
  const written = pairs.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).join('&');
  return `${path}?${written}&X-Amz-Signature=${signature}`;
}

function signedNames(headers: Readonly<Record<string, string>>): string[] {
  return Object.keys(headers)
    .filter((name) => !UNSIGNED.has(name))
    .sort();
}

function queryPairs(query: string): QueryPair[] {
  const pairs = readQuery(query);
  if (pairs === undefined) throw new Error('invalid escape in the query to sign');
  return pairs;
}

function canonicalRequest(
  method: string,
  path: string,
  pairs: readonly QueryPair[],
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
  bodyHash: string,
): string {
  const lines = names.map((name) => `${name}:${canonicalValue(headers[name] as string)}\n`).join('');
  return `${method}\n${canonicalPath(path)}\n${canonicalQuery(pairs)}\n${lines}\n${names.join(';')}\n${bodyHash}`;
}

function signatureOf(
  credentials: Credentials,
  to: { readonly region: string; readonly signingName: string; readonly date: string; readonly scope: string; readonly canonical: string },
): string {
  const key = deriveSigningKey(credentials.secretAccessKey, { date: to.date.slice(0, 8), region: to.region, service: to.signingName });
  return key(stringToSign(to.date, to.scope, hash('sha256', Buffer.from(to.canonical, 'latin1'), 'hex')));
}
