import { hash } from 'node:crypto';
import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { amzDate } from './amz-date.ts';
import {
  canonicalPath,
  canonicalQuery,
  canonicalValue,
  EMPTY_HASH,
  isNormalPath,
  readQuery,
  splitTarget,
  stringToSign,
  TERMINATOR,
} from './canonical.ts';
import { signedHeaderLines } from './canonical-headers.ts';
import type { SignatureClaim } from './claim.ts';
import { isSignedWith } from './prove.ts';
import { readSignedHeaders, type SignedHeaders } from './signed-headers.ts';
import type { SigningKeyCache } from './signing-key.ts';

/** Secret, service, time and cache for `verifySignature`. */
export interface VerifyWith {
  /** Secret access key, or `undefined` if the access key does not exist. The verification then takes the same time and fails. */
  readonly secret: string | undefined;
  /** Service that the credential scope must contain: `chime`, `iam` … */
  readonly signingName: string;
  readonly now: Instant;
  readonly keyCache: SigningKeyCache;
}

/** Result of `verifySignature`. */
export type Verification =
  | { readonly verified: true }
  | { readonly verified: false; readonly code: 'SignatureDoesNotMatch' | 'IncompleteSignature'; readonly message: string };

const SKEW_MS = 5 * 60_000;

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/**
 * Verifies that the owner of the secret signed the request. Requires all of the following:
 *
 * - The scope contains the service and the day of the signature.
 * - The date is at most five minutes in the future.
 * - A presigned request has not expired. The date of any other request is at most five minutes old.
 * - `host` and every `x-amz-*` header are signed.
 * - The signature covers the hash of the received body. The value of `x-amz-content-sha256` is not trusted.
 *
 * Checks that need no secret come first. A wrong signature always takes one key derivation, so that the time does not
 * reveal whether the access key exists or is cached.
 *
 * Source: "Signature Version 4 signing process"; `policy-engine.md` 75–80. Messages: responses of IAM and STS.
 * Assumed: a session token must be signed like other `x-amz-*` headers. AWS lets some services append it after signing
 * (point 79).
 * Assumed: UNSIGNED-PAYLOAD and STREAMING-* return SignatureDoesNotMatch, because no service of this server declares
 * them.
 */
export function verifySignature(
  received: Received,
  claim: SignatureClaim,
  { secret, signingName, now, keyCache }: VerifyWith,
): Verification {
  const signed = readSignedHeaders(claim.signedHeaders);
  if (signed === undefined) throw new Error('invalid signed headers, which readSignature should have rejected');
  const problem = scopeProblem(claim, signingName) ?? clockProblem(claim, now) ?? unsignedProblem(claim, signed);
  if (problem !== undefined) return mismatch(problem);

  const bodyHash = received.body.length === 0 ? EMPTY_HASH : hash('sha256', received.body, 'hex');
  const request = canonicalRequest(received, claim, signed, bodyHash);
  if (typeof request !== 'string') return request;

  // The string has one character per byte, so non-ASCII bytes of a header are hashed as received.
  const requestHash = hash('sha256', Buffer.byteLength(request) === request.length ? request : Buffer.from(request, 'latin1'), 'hex');
  const text = stringToSign(claim.amzDate, `${claim.date}/${claim.region}/${claim.service}/${TERMINATOR}`, requestHash);

  return isSignedWith(secret, text, claim, keyCache) ? { verified: true } : mismatch(MISMATCH);
}

const mismatch = (message: string): Verification & { readonly verified: false } => ({
  verified: false,
  code: 'SignatureDoesNotMatch',
  message,
});

function scopeProblem(claim: SignatureClaim, signingName: string): string | undefined {
  if (claim.service !== signingName) return `Credential should be scoped to correct service: '${signingName}'.`;
  const day = claim.amzDate.slice(0, 8);
  if (claim.date !== day) {
    return `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${claim.date.slice(0, 64)}' != '${day}', from '${claim.amzDate}'.`;
  }
  return undefined;
}

function clockProblem(claim: SignatureClaim, now: Instant): string | undefined {
  const { amzDate: signed, signedAt, expiresSeconds } = claim;
  const lifeMs = expiresSeconds === undefined ? SKEW_MS : expiresSeconds * 1000;
  if (signedAt + lifeMs < now) {
    return `Signature expired: ${signed} is now earlier than ${amzDate(instant(now - lifeMs))} (${amzDate(now)} - ${span(lifeMs)})`;
  }
  if (signedAt - SKEW_MS > now) {
    return `Signature not yet current: ${signed} is still later than ${amzDate(instant(now + SKEW_MS))} (${amzDate(now)} + ${span(SKEW_MS)})`;
  }
  return undefined;
}

function span(milliseconds: number): string {
  return milliseconds % 60_000 === 0 ? `${milliseconds / 60_000} min.` : `${milliseconds / 1000} sec.`;
}

function unsignedProblem(claim: SignatureClaim, signed: SignedHeaders): string | undefined {
  if (!signed.names.has('host')) return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
  for (const name of claim.headerNames) {
    // `x-amzn-trace-id`, which proxies add, does not have this prefix.
    if (name.startsWith('x-amz-') && !signed.names.has(name)) {
      return `'${name.slice(0, 64)}' must be a 'SignedHeader' in the AWS Authorization.`;
    }
  }
  return undefined;
}

/** Returns the canonical request, or the error if the request has no canonical form. */
function canonicalRequest(
  received: Received,
  claim: SignatureClaim,
  signed: SignedHeaders,
  bodyHash: string,
): string | (Verification & { readonly verified: false }) {
  const { path, query } = splitTarget(received.target);
  if (!isNormalPath(path))
    return mismatch("The path contains '.', '..' or empty segments. Send the normalized path that the signature covers.");
  let canonicalQueryText = '';
  if (query !== '') {
    const pairs = readQuery(query);
    if (pairs === undefined)
      return { verified: false, code: 'IncompleteSignature', message: 'Illegal hex character in escape % pattern of the query string.' };
    for (const [name, value] of pairs) if (name === 'X-Amz-Content-Sha256' && value !== bodyHash) return mismatch(MISMATCH);
    canonicalQueryText = canonicalQuery(claim.presigned ? pairs.filter(([name]) => name !== 'X-Amz-Signature') : pairs);
  }

  if (!signed.sorted) return mismatch("'SignedHeaders' must be sorted, without duplicates.");
  const declared = claim.headerNames.indexOf('x-amz-content-sha256');
  // A request that repeats this header is malformed. Only a signed header counts, and `unsignedProblem` requires its signature.
  if (declared >= 0 && canonicalValue(received.rawHeaders[2 * declared + 1] as string) !== bodyHash) return mismatch(MISMATCH);
  const lines = signedHeaderLines(received, claim, signed);
  if (lines === undefined) return mismatch(MISMATCH);
  return `${received.method}\n${canonicalPath(path)}\n${canonicalQueryText}${lines}\n\n${claim.signedHeaders}\n${bodyHash}`;
}
