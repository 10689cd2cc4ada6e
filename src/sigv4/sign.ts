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

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A request before it is signed. Header names in lower case, `host` among them. */
export interface UnsignedRequest {
  readonly method: string;
  /** Path and query as they will be sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

export interface SignWith {
  readonly credentials: Credentials;
  readonly region: string;
  readonly signingName: string;
  readonly now: Instant;
}

/** Headers that hops on the way may change, so nobody signs them. */
// biome-ignore format: a list
const UNSIGNED: ReadonlySet<string> = new Set([
  'authorization', 'connection', 'expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent', 'x-amzn-trace-id',
]);

/** The headers to send: those given, with date, session token and Authorization. */
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
 * The target to send: the one given with the signature in its query. Headers given must be sent as they are.
 *
 * `expiresSeconds` is 1–604800.
 */
export function presign(
  request: UnsignedRequest,
  { credentials, region, signingName, now, expiresSeconds }: SignWith & { readonly expiresSeconds: number },
): string {
  const date = amzDate(now);
  const scope = `${date.slice(0, 8)}/${region}/${signingName}/${TERMINATOR}`;
  const names = signedNames(request.headers);
  const { path, query } = splitTarget(request.target);
  const pairs = queryPairs(query).concat([
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-SignedHeaders', names.join(';')],
    ...(credentials.sessionToken === undefined ? [] : [['X-Amz-Security-Token', credentials.sessionToken] as const]),
  ]);
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
  if (pairs === undefined) throw new Error('a broken escape in the query to sign');
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
