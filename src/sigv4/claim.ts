import { hash } from 'node:crypto';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { parseAmzDate } from './amz-date.ts';
import { ALGORITHM, type QueryPair, readQuery, splitTarget, TERMINATOR } from './canonical.ts';
import { readSignedHeaders } from './signed-headers.ts';
import type { Scope } from './signing-key.ts';

/** What a request says about its signature. Well formed, and not believed yet. */
export interface SignatureClaim extends Scope {
  readonly accessKeyId: string;
  /** The text the signer hashed: `20261122T022500Z`. */
  readonly amzDate: string;
  readonly signedAt: Instant;
  /** As sent: `host;x-amz-date`, lower case, sorted. */
  readonly signedHeaders: string;
  /** 64 lower-case hex digits. */
  readonly signature: string;
  readonly sessionToken?: string;
  readonly presigned: boolean;
  /** Present where presigned: 1–604800. */
  readonly expiresSeconds?: number;
  /** The names of all headers in the order of arrival, lower-cased once for all who look. */
  readonly headerNames: readonly string[];
}

export type ReadSignature =
  /** Nobody signed this. */
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly code: 'IncompleteSignature'; readonly message: string }
  | { readonly kind: 'claim'; readonly claim: SignatureClaim };

const malformed = (message: string): ReadSignature => ({ kind: 'malformed', code: 'IncompleteSignature', message });

/** Headers that decide who calls and what was signed: a second one of them would be read by one and signed by another. */
const ONCE: readonly string[] = ['authorization', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'];

const AUTHORIZATION_MAX = 4096;
const SESSION_TOKEN_MAX = 8192;
const EXPIRES_MAX_SECONDS = 604_800;
const SIGNATURE = /^[0-9a-f]{64}$/;
/** Access key id, date, region, service. */
const CREDENTIAL = /^([A-Za-z0-9_]{1,128})\/([^/]+)\/([A-Za-z0-9_.-]{1,64})\/([A-Za-z0-9_.-]{1,64})\/aws4_request$/;

/**
 * Finds and reads a signature, in the Authorization header or in the query. Cheap and bounded: nothing is hashed here.
 *
 * Anything that hints at a signature and is not wholly one is malformed, never 'none': a caller who meant to sign is not anonymous.
 *
 * Source: "Authentication methods" of Signature Version 4; texts as AWS services answer them.
 * Assumed: signatures in header and query together are refused; AWS documents this for S3 alone.
 * Assumed: SigV4A and other schemes are answered IncompleteSignature. `wire.md` §7.
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
    if (once[place] !== undefined) return malformed(`Header '${name}' must not be given more than once.`);
    once[place] = rawHeaders[i + 1] as string;
  }
  const [authorization, , dateHeader, tokenHeader] = once;

  const { query } = splitTarget(received.target);
  const inQuery = query !== '' && /(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/i.test(query);
  if (authorization !== undefined) {
    if (inQuery) return malformed('Only one of the Authorization header and the X-Amz-Algorithm query parameter may be given.');
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
    // The header is quoted only as its hash, as AWS has done since 2022: logs then hold no signature.
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
    // Parameters compare as they are spelt; one in another case would be signed by nobody's rules.
    if (found.has(name)) return malformed(`Query-string parameter '${name.slice(0, 64)}' must not be given more than once.`);
    found.set(name, value);
  }
  const algorithm = found.get('X-Amz-Algorithm');
  const credential = found.get('X-Amz-Credential');
  const signature = found.get('X-Amz-Signature');
  const signedHeaders = found.get('X-Amz-SignedHeaders');
  const date = found.get('X-Amz-Date');
  const expires = found.get('X-Amz-Expires');
  const missing = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date', 'X-Amz-Expires']
    .filter((name) => !found.get(name))
    .map((name) => `AWS query-string parameters must include '${name}'.`);
  if (!algorithm || !credential || !signature || !signedHeaders || !date || !expires) {
    return malformed(`${missing.join(' ')} Re-examine the query-string parameters.`);
  }
  if (algorithm !== ALGORITHM) return malformed(`Unsupported AWS 'algorithm': '${algorithm.slice(0, 64)}'.`);
  const token = found.get('X-Amz-Security-Token');
  if (token !== undefined && tokenHeader !== undefined)
    return malformed('The security token must be given once, as a header or as a query parameter.');
  const expiresSeconds = /^[0-9]{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresSeconds < 1 || expiresSeconds > EXPIRES_MAX_SECONDS) {
    return malformed(`X-Amz-Expires must be between 1 and ${EXPIRES_MAX_SECONDS} seconds.`);
  }
  return claimOf({ credential, signedHeaders, signature, date, sessionToken: token ?? tokenHeader, headerNames, expiresSeconds });
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

/** Why a text is no credential. */
function credentialProblem(credential: string): string {
  const parts = credential.split('/', 6);
  if (parts.length !== 5 || parts.slice(0, 4).includes('')) {
    return `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential.slice(0, 256)}'`;
  }
  if (parts[4] !== TERMINATOR) return `Credential should be scoped with a valid terminator: '${TERMINATOR}'.`;
  return 'Credential has characters that no key id, region or service has.';
}

function hashed(authorization: string): string {
  return `(Hashed with SHA-256 and encoded with Base64) Authorization=${hash('sha256', authorization, 'base64')}`;
}
