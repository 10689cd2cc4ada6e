import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import type { Call } from './operation.ts';
import { requestHash } from './request-hash.ts';

const REMEMBERED_MS = 24 * 60 * 60_000;

/**
 * Creates a resource once per client request token. A repeated request returns the first result, such as an ID.
 *
 * A token is valid for 24 hours while the resource exists, for one account, region and operation. The order of the request's members does
 * not matter. `create` returns the result, and `exists` reports whether the resource of a result still exists.
 *
 * Source: ClientRequestToken and ConflictException in the models of identity and messaging. Requirement RES-3. The models of meetings and
 * media pipelines have other rules: see `createMeeting` and `configurationOperations`.
 * Assumed: scope and lifetime of a token; the message.
 * @throws ConflictException the token was used for a different request
 */
export async function once(
  { tx, accountId, region, now }: Call,
  operation: `chime:${string}`,
  { ClientRequestToken: token, ...request }: { readonly ClientRequestToken: string },
  exists: (result: string) => Promise<boolean>,
  create: () => Promise<string>,
): Promise<string> {
  const key = { accountId, region, operation, token };
  const hash = requestHash(request);
  const before = await tx.idempotency.get(key, now);
  if (before !== undefined && (await exists(before.answer))) {
    if (before.requestHash === hash) return before.answer;
    throw new AwsError('ConflictException', 'The client request token was used for another request.');
  }
  const answer = await create();
  await tx.idempotency.put(key, { requestHash: hash, answer, expiresAt: (now + REMEMBERED_MS) as Instant });
  return answer;
}
