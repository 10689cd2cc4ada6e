/** Condition keys of S3 that depend only on the request and on the owner of the bucket. Operations declare all other keys. */
import type { AccountId } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { headerValue } from './context-keys.ts';
import type { ContextRequest } from './request-context.ts';
import { anyReads, type DecidingPolicies } from './tag-facts.ts';

type Reader = (request: ContextRequest, ownerId: AccountId | undefined) => string | undefined;

/**
 * Readers by key. Keys about the signature have no value if the request is not signed.
 *
 * Source: Amazon S3 API Reference, "Signature Version 4 Authentication Specific Policy Keys"; service authorization
 * reference of S3. `s3:signatureAge` exists only for presigned URLs. `s3:x-amz-content-sha256` is only the header.
 * Assumed: the signature's age is the time since `X-Amz-Date`, and at least 0 if the client's clock is ahead.
 */
const READERS: Readonly<Record<string, Reader>> = {
  's3:authtype': ({ authenticated: { signature } }) => signature && (signature.presigned ? 'REST-QUERY-STRING' : 'REST-HEADER'),
  's3:signatureversion': ({ authenticated: { signature } }) => signature && 'AWS4-HMAC-SHA256',
  's3:signatureage': ({ authenticated: { signature }, now }) =>
    signature?.presigned === true ? String(Math.max(0, now - signature.signedAt)) : undefined,
  's3:x-amz-content-sha256': ({ received }) => headerValue(received, 'x-amz-content-sha256'),
  's3:tlsversion': ({ received: { tls } }) => tls && /^TLSv([0-9.]+)$/.exec(tls.version)?.[1],
  's3:resourceaccount': (_request, ownerId) => ownerId,
};

/** Key whose value every record has. */
const OF_OWNER = 's3:resourceaccount';

/**
 * Adds the keys of S3 that a policy reads to the keys that the operation declares. Declared keys have precedence.
 * Decision contexts store all added keys, so keys that no policy reads are not added.
 */
export function withS3Keys(
  declared: ConditionContext | undefined,
  request: ContextRequest,
  action: string,
  policies: DecidingPolicies,
  ownerId: AccountId | undefined,
): ConditionContext | undefined {
  if (!action.startsWith('s3:')) return declared;
  const found: [string, string][] = [];
  for (const [key, read] of Object.entries(READERS)) {
    if (declared?.has(key) === true || !anyReads(policies, action, [key])) continue;
    if (key !== OF_OWNER) request.requireKept?.(key, action);
    const value = read(request, ownerId);
    if (value !== undefined) found.push([key, value]);
  }
  return found.length === 0 ? declared : new Map([...(declared ?? []), ...found]);
}
