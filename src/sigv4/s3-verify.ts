/** Verifies the signature of an S3 request. S3 has a canonical request, payload modes, a clock skew and errors of its own. */
import { hash } from 'node:crypto';
import { header, type Received } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { amzDate } from './amz-date.ts';
import { canonicalQuery, readQuery, splitTarget, stringToSign, TERMINATOR } from './canonical.ts';
import { signedHeaderLines } from './canonical-headers.ts';
import type { SignatureClaim } from './claim.ts';
import { type PayloadMode, readPayloadMode, type SignedPayload } from './payload.ts';
import { isSignedWith } from './prove.ts';
import { readSignedHeaders, type SignedHeaders } from './signed-headers.ts';
import { type SigningKeyCache, signingKeyBytes } from './signing-key.ts';

/** Secret, time and cache for `verifyS3Signature`. */
export interface VerifyS3With {
  /** Secret access key, or `undefined` if the access key does not exist. The verification then takes the same time and fails. */
  readonly secret: string | undefined;
  readonly now: Instant;
  readonly keyCache: SigningKeyCache;
}

/** Result of `verifyS3Signature`. */
export type S3Verification = { readonly verified: true; readonly payload: SignedPayload } | S3Rejection;

interface S3Rejection {
  readonly verified: false;
  readonly code:
    | 'AccessDenied'
    | 'AuthorizationHeaderMalformed'
    | 'InvalidArgument'
    | 'InvalidRequest'
    | 'RequestTimeTooSkewed'
    | 'SignatureDoesNotMatch';
  readonly message: string;
  /** Further members of the error. */
  readonly members: Readonly<Record<string, string>>;
}

/** Largest difference between the clocks of client and server. Source: Amazon S3 API Reference, RequestTimeTooSkewed. */
const SKEW_MS = 15 * 60_000;

const MISMATCH = 'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const CONTENT_HASH = 'x-amz-content-sha256';

/**
 * Verifies that the owner of the secret signed the head of a request. The result states what the signature says about the body, which the
 * caller must verify (`wire/body-verifier.ts`). Requires all of the following:
 *
 * - The scope contains `s3` and the day of the signature. Every region is accepted here.
 * - A presigned request has not expired. The date of any other request differs by at most 15 minutes.
 * - `host` and every `x-amz-*` header are signed.
 * - `x-amz-content-sha256` is present, except in a presigned request, which has the mode `UNSIGNED-PAYLOAD`.
 *
 * The canonical path is the path as sent: not decoded, normalized or encoded again.
 *
 * Source: record.md C4, and C5 rows 33, 34, 44, 45 and 47. Messages: responses of S3.
 * Assumed: a presigned request may sign a body hash (`x-amz-content-sha256` as a header), but not a body in chunks.
 */
export function verifyS3Signature(received: Received, claim: SignatureClaim, { secret, now, keyCache }: VerifyS3With): S3Verification {
  const signed = readSignedHeaders(claim.signedHeaders);
  if (signed === undefined) throw new Error('invalid signed headers, which readSignature should have rejected');
  const problem = scopeProblem(claim) ?? clockProblem(claim, now) ?? unsignedProblem(claim, signed);
  if (problem !== undefined) return problem;
  const declared = declaredPayload(received, claim);
  if ('verified' in declared) return declared;

  const request = canonicalRequest(received, claim, signed, declared.value);
  if (request === undefined) return rejected('SignatureDoesNotMatch', MISMATCH);
  // The string has one character per byte, so non-ASCII bytes of a header are hashed as received.
  const requestHash = hash('sha256', Buffer.from(request, 'latin1'), 'hex');
  const scope = `${claim.date}/${claim.region}/${claim.service}/${TERMINATOR}`;
  const text = stringToSign(claim.amzDate, scope, requestHash);
  if (!isSignedWith(secret, text, claim, keyCache)) return mismatch(claim, text, request);
  return { verified: true, payload: payloadOf(declared.mode, secret as string, claim, scope) };
}

function payloadOf(mode: PayloadMode, secret: string, claim: SignatureClaim, scope: string): SignedPayload {
  if (mode.kind !== 'chunked') return mode;
  if (!mode.signed) return { kind: 'chunked', trailer: mode.trailer };
  const signing = { key: signingKeyBytes(secret, claim), amzDate: claim.amzDate, scope, seed: claim.signature };
  return { kind: 'chunked', trailer: mode.trailer, signing };
}

function rejected(code: S3Rejection['code'], message: string, members: S3Rejection['members'] = {}): S3Rejection {
  return { verified: false, code, message, members };
}

function scopeProblem(claim: SignatureClaim): S3Rejection | undefined {
  if (claim.service !== 's3')
    return rejected(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; incorrect service "${claim.service}". This endpoint belongs to "s3".`,
    );
  const day = claim.amzDate.slice(0, 8);
  if (claim.date !== day)
    return rejected(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; Invalid credential date "${claim.date.slice(0, 64)}". This date is not the same as X-Amz-Date: "${day}".`,
    );
  return undefined;
}

function clockProblem({ signedAt, amzDate: date, expiresSeconds }: SignatureClaim, now: Instant): S3Rejection | undefined {
  if (expiresSeconds === undefined) {
    if (Math.abs(now - signedAt) <= SKEW_MS) return undefined;
    return rejected('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
      RequestTime: date,
      ServerTime: isoSeconds(now),
      MaxAllowedSkewMilliseconds: `${SKEW_MS}`,
    });
  }
  const expiresAt = (signedAt + expiresSeconds * 1000) as Instant;
  if (expiresAt < now) {
    const members = { 'X-Amz-Expires': `${expiresSeconds}`, Expires: isoSeconds(expiresAt), ServerTime: isoSeconds(now) };
    return rejected('AccessDenied', 'Request has expired', members);
  }
  if (signedAt - SKEW_MS > now)
    return rejected('AccessDenied', 'Request is not valid yet', { 'X-Amz-Date': date, ServerTime: amzDate(now) });
  return undefined;
}

function unsignedProblem(claim: SignatureClaim, signed: SignedHeaders): S3Rejection | undefined {
  const unsigned = new Set(claim.headerNames.filter((name) => name.startsWith('x-amz-') && !signed.names.has(name)));
  if (!signed.names.has('host')) unsigned.add('host');
  if (unsigned.size === 0) return undefined;
  const names = [...unsigned].slice(0, 16).map((name) => name.slice(0, 64));
  return rejected('AccessDenied', 'There were headers present in the request which were not signed', {
    HeadersNotSigned: names.join(', '),
  });
}

/** Returns the value of `x-amz-content-sha256` that the signature covers, and its meaning. */
function declaredPayload(received: Received, claim: SignatureClaim): { readonly value: string; readonly mode: PayloadMode } | S3Rejection {
  const value = header(received, CONTENT_HASH)?.trim() ?? (claim.presigned ? hashInQuery(received) : undefined);
  if (value === undefined) return rejected('InvalidRequest', `Missing required header for this request: ${CONTENT_HASH}`);
  const mode = readPayloadMode(value);
  if (mode === undefined || (claim.presigned && mode.kind === 'chunked'))
    return rejected(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
      { ArgumentName: CONTENT_HASH, ArgumentValue: value.slice(0, 128) },
    );
  return { value, mode };
}

/** Returns the body hash of a presigned request. The AWS SDK sends it in the query, other clients omit it. */
function hashInQuery({ target }: Received): string {
  const pairs = readQuery(splitTarget(target).query) ?? [];
  return pairs.find(([name]) => name.toLowerCase() === CONTENT_HASH)?.[1] ?? 'UNSIGNED-PAYLOAD';
}

function canonicalRequest(received: Received, claim: SignatureClaim, signed: SignedHeaders, payload: string): string | undefined {
  const { path, query } = splitTarget(received.target);
  const pairs = readQuery(query);
  const lines = signed.sorted ? signedHeaderLines(received, claim, signed) : undefined;
  if (pairs === undefined || lines === undefined) return undefined;
  const canonical = canonicalQuery(claim.presigned ? pairs.filter(([name]) => name !== 'X-Amz-Signature') : pairs);
  return `${received.method}\n${path}\n${canonical}${lines}\n\n${claim.signedHeaders}\n${payload}`;
}

/**
 * Headers whose values are secrets, in a canonical request. The error masks them, because clients log errors. They are the sensitive members
 * of the model, the code of an MFA device, a session token and cookies.
 */
const SECRETS =
  /^(x-amz-(?:security-token|mfa|(?:copy-source-)?server-side-encryption-customer-key|server-side-encryption-(?:context|aws-kms-key-id))|cookie):.*$/gm;
const TOKEN_IN_QUERY = /(X-Amz-Security-Token=)[^&\n]*/g;

/** Longest canonical request in an error, in characters. The error omits a longer one. */
const CANONICAL_MAX = 8_192;

function mismatch(claim: SignatureClaim, text: string, request: string): S3Rejection {
  const masked = request.replace(SECRETS, '$1:HIDDEN').replace(TOKEN_IN_QUERY, '$1HIDDEN');
  return rejected('SignatureDoesNotMatch', MISMATCH, {
    AWSAccessKeyId: claim.accessKeyId,
    StringToSign: text,
    SignatureProvided: claim.signature,
    ...(masked.length <= CANONICAL_MAX && { CanonicalRequest: masked }),
  });
}
