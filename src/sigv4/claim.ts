import { hash } from 'node:crypto';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { parseAmzDate } from './amz-date.ts';
import { ALGORITHM, type QueryPair, readQuery, splitTarget, TERMINATOR } from './canonical.ts';
import { readSignedHeaders } from './signed-headers.ts';
import type { Scope } from './signing-key.ts';

/** Signature of a request, parsed but not verified. */
export interface SignatureClaim extends Scope {
  readonly accessKeyId: string;
  /** Date in the string to sign: `20261122T022500Z`. */
  readonly amzDate: string;
  readonly signedAt: Instant;
  /** List of signed headers as sent: `host;x-amz-date`. The names are lower case. `verifySignature` checks their order. */
  readonly signedHeaders: string;
  /** Signature: 64 lower-case hexadecimal digits. */
  readonly signature: string;
  readonly sessionToken?: string;
  readonly presigned: boolean;
  /** Lifetime of a presigned request, 1 to 604800. Absent for other requests. */
  readonly expiresSeconds?: number;
  /** Lower-case names of all headers, in the order of the request. */
  readonly headerNames: readonly string[];
}

/** Result of `readSignature`. `none` is an unsigned request. */
export type ReadSignature =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly code: 'IncompleteSignature'; readonly message: string }
  | { readonly kind: 'claim'; readonly claim: SignatureClaim };

const malformed = (message: string): ReadSignature => ({ kind: 'malformed', code: 'IncompleteSignature', message });

/**
 * Headers that identify the caller or the signed content. A request that repeats one of these headers is rejected,
 * because two parsers may use different values of the header.
 */
const ONCE: readonly string[] = ['authorization', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'];

const AUTHORIZATION_MAX = 4096;
const SESSION_TOKEN_MAX = 8192;
const EXPIRES_MAX_SECONDS = 604_800;
const SIGNATURE = /^[0-9a-f]{64}$/;
/** Format of a credential: access key ID, date, region and service. */
const CREDENTIAL = /^([A-Za-z0-9_]{1,128})\/([^/]+)\/([A-Za-z0-9_.-]{1,64})\/([A-Za-z0-9_.-]{1,64})\/aws4_request$/;

/**
 * Parses a signature in the Authorization header or in the query, in bounded time. Does not verify the signature.
 *
 * A request with an incomplete signature is `malformed`, never `none`: a caller that tries to sign is not anonymous.
 *
 * Source: "Authentication methods" of Signature Version 4. Messages: responses of AWS services.
 * Assumed: a request with signatures in both header and query is rejected. AWS documents this only for S3.
 * Assumed: SigV4A and other schemes return IncompleteSignature (`wire.md` §7).
 */
export function readSignature(received: Received): ReadSignature {
  const { rawHeaders } = received;
  const headerNames: string[] = [];
  const once: (string | undefined)[] = [undefined, undefined, undefined, undefined, undefined];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    headerNames.push(name);
    const place = ONCE.indexOf(name);
    if (place < 0) continue;
    if (once[place] !== undefined) return malformed(`Header '${name}' must not occur more than once.`);
    once[place] = rawHeaders[i + 1] as string;
  }
  const [authorization, , dateHeader, tokenHeader] = once;

  const { query } = splitTarget(received.target);
  const inQuery = query !== '' && /(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/i.test(query);
  if (authorization !== undefined) {
    if (inQuery) return malformed('Use either the Authorization header or the X-Amz-Algorithm query parameter, not both.');
    return readHeader(authorization, dateHeader ?? firstValue('date', headerNames, rawHeaders), tokenHeader, headerNames);
  }
  if (!inQuery) return { kind: 'none' };
  const pairs = readQuery(query);
  if (pairs === undefined) return malformed('Illegal hex character in escape % pattern of the query string.');
  return readPresigned(pairs, tokenHeader, headerNames);
}

function firstValue(name: string, headerNames: readonly string[], rawHeaders: readonly string[]): string | undefined {
  const index = headerNames.indexOf(name);
  return index < 0 ? undefined : rawHeaders[2 * index + 1];
}

function readHeader(
  authorization: string,
  date: string | undefined,
  sessionToken: string | undefined,
  headerNames: readonly string[],
): ReadSignature {
  const blank = authorization.indexOf(' ');
  const scheme = blank < 0 ? authorization : authorization.slice(0, blank);
  if (authorization.length > AUTHORIZATION_MAX) return malformed('Authorization header is too long.');
  if (scheme !== ALGORITHM) return malformed(`Unsupported AWS 'algorithm': '${scheme.slice(0, 64)}'.`);

  let credential: string | undefined;
  let signedHeaders: string | undefined;
  let signature: string | undefined;
  for (const piece of authorization.slice(scheme.length).split(',')) {
    const parameter = piece.trim();
    if (parameter === '') continue;
    const equals = parameter.indexOf('=');
    // The message contains only a hash of the header, as in AWS since 2022, so that logs contain no signature.
    if (equals < 0) return malformed(`Invalid key=value pair (missing equal-sign) in Authorization header ${hashed(authorization)}.`);
    const name = parameter.slice(0, equals);
    const value = parameter.slice(equals + 1);
    if (name === 'Credential' && credential === undefined) credential = value;
    else if (name === 'SignedHeaders' && signedHeaders === undefined) signedHeaders = value;
    else if (name === 'Signature' && signature === undefined) signature = value;
    else return malformed(`Authorization header has an unexpected or repeated parameter ${hashed(authorization)}.`);
  }

  const missing: string[] = [];
  if (!credential) missing.push("Authorization header requires 'Credential' parameter.");
  if (!signature) missing.push("Authorization header requires 'Signature' parameter.");
  if (!signedHeaders) missing.push("Authorization header requires 'SignedHeaders' parameter.");
  if (!date) missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (!credential || !signature || !signedHeaders || !date) return malformed(`${missing.join(' ')} ${hashed(authorization)}`);
  return claimOf({ credential, signedHeaders, signature, date, sessionToken, headerNames });
}

function readPresigned(pairs: readonly QueryPair[], tokenHeader: string | undefined, headerNames: readonly string[]): ReadSignature {
  const found = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (!/^x-amz-/i.test(name)) continue;
    // Parameter names are case-sensitive. A parameter with different capitalization counts as missing.
    if (found.has(name)) return malformed(`Query-string parameter '${name.slice(0, 64)}' must not occur more than once.`);
    found.set(name, value);
  }
  const algorithm = found.get('X-Amz-Algorithm');
  const credential = found.get('X-Amz-Credential');
  const signature = found.get('X-Amz-Signature');
  const signedHeaders = found.get('X-Amz-SignedHeaders');
  const date = found.get('X-Amz-Date');
  const expires = found.get('X-Amz-Expires') ?? (isForSts(credential) ? STS_EXPIRES_SECONDS : undefined);
  const missing = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date', 'X-Amz-Expires']
    .filter((name) => !(name === 'X-Amz-Expires' ? expires : found.get(name)))
    .map((name) => `AWS query-string parameters must include '${name}'.`);
  if (!algorithm || !credential || !signature || !signedHeaders || !date || !expires) {
    return malformed(`${missing.join(' ')} Re-examine the query-string parameters.`);
  }
  if (algorithm !== ALGORITHM) return malformed(`Unsupported AWS 'algorithm': '${algorithm.slice(0, 64)}'.`);
  const token = found.get('X-Amz-Security-Token');
  if (token !== undefined && tokenHeader !== undefined)
    return malformed('The security token must be set once, as a header or as a query parameter.');
  const expiresSeconds = /^[0-9]{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresSeconds < 1 || expiresSeconds > EXPIRES_MAX_SECONDS) {
    return malformed(`X-Amz-Expires must be between 1 and ${EXPIRES_MAX_SECONDS} seconds.`);
  }
  return claimOf({ credential, signedHeaders, signature, date, sessionToken: token ?? tokenHeader, headerNames, expiresSeconds });
}

/**
 * Lifetime of a presigned request to STS without `X-Amz-Expires`, in seconds.
 *
 * Source: aws/aws-sdk-go, issue 2167, which mentions the service's default of 15 minutes. The AWS SDK for Go v2 omits
 * the parameter (aws/aws-sdk-go-v2, pull request 1030).
 */
const STS_EXPIRES_SECONDS = '900';

function isForSts(credential: string | undefined): boolean {
  return credential?.endsWith('/sts/aws4_request') === true;
}

function claimOf(parts: {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly date: string;
  readonly sessionToken: string | undefined;
  readonly headerNames: readonly string[];
  readonly expiresSeconds?: number;
}): ReadSignature {
  const credential = CREDENTIAL.exec(parts.credential);
  if (credential === null) return malformed(credentialProblem(parts.credential));
  const [, accessKeyId, date, region, service] = credential as unknown as readonly [string, string, string, string, string];
  const signedAt = parseAmzDate(parts.date);
  if (signedAt === undefined) {
    return malformed(
      `Date must be in ISO-8601 'basic format'. Got '${parts.date.slice(0, 64)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );
  }
  if (readSignedHeaders(parts.signedHeaders) === undefined) {
    return malformed("'SignedHeaders' must be lower-case header names separated by ';'.");
  }
  if (!SIGNATURE.test(parts.signature)) return malformed("'Signature' must be 64 lower-case hexadecimal digits.");
  const { sessionToken, expiresSeconds } = parts;
  if (sessionToken !== undefined && sessionToken.length > SESSION_TOKEN_MAX) return malformed('The security token is too long.');
  return {
    kind: 'claim',
    claim: {
      accessKeyId,
      date,
      region,
      service,
      amzDate: parts.date,
      signedAt,
      signedHeaders: parts.signedHeaders,
      signature: parts.signature,
      presigned: expiresSeconds !== undefined,
      headerNames: parts.headerNames,
      ...(sessionToken !== undefined && { sessionToken }),
      ...(expiresSeconds !== undefined && { expiresSeconds }),
    },
  };
}

/** Returns the message for an invalid credential. */
function credentialProblem(credential: string): string {
  const parts = credential.split('/', 6);
  if (parts.length !== 5 || parts.slice(0, 4).includes('')) {
    return `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential.slice(0, 256)}'`;
  }
  if (parts[4] !== TERMINATOR) return `Credential should be scoped with a valid terminator: '${TERMINATOR}'.`;
  return 'Credential has invalid characters in its access key ID, date, region or service.';
}

function hashed(authorization: string): string {
  return `(Hashed with SHA-256 and encoded with Base64) Authorization=${hash('sha256', authorization, 'base64')}`;
}
