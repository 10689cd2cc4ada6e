import { AwsError } from '#core/aws-error.ts';
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { Call } from './operation.ts';
import { requestHash } from './request-hash.ts';

const REMEMBERED_MS = DAY_MS;

/**
 * Creates a resource once per client request token. A repeated request returns the first result, such as an ID.
 *
 * A token is valid for one account, region and operation, for 24 hours or until the resource is deleted. The order of
 * the request's members does not matter. `create` creates the resource and returns the result. `exists` reports whether
 * the resource of a stored result still exists.
 *
 * `mismatch` returns the error for another request with the token. It receives the first result. Default: ConflictException.
 *
 * Source: ClientRequestToken and ConflictException in the models of identity and messaging. Requirement RES-3. The
 * models of meetings and media pipelines have other rules, which `createMeeting` and `configurationOperations`
 * implement.
 * Assumed: (1) the scope of a token, (2) the lifetime of a token, (3) the wording of the error message.
 * @throws AwsError  the result of `mismatch`: the token was used for a different request
 */
export async function once(
  { tx, accountId, region, now }: Call,
  operation: `${string}:${string}`,
  { ClientRequestToken: token, ...request }: { readonly ClientRequestToken: string },
  exists: (result: string) => Promise<boolean>,
  create: () => Promise<string>,
  mismatch: (result: string) => AwsError = () =>
    new AwsError('ConflictException', 'The client request token was used for another request.'),
): Promise<string> {
  const key = { accountId, region, operation, token };
  const hash = requestHash(request);
  const before = await tx.idempotency.get(key, now);
  if (before !== undefined && (await exists(before.answer))) {
    if (before.requestHash === hash) return before.answer;
    throw mismatch(before.answer);
  }
  const answer = await create();
  await tx.idempotency.put(key, { requestHash: hash, answer, expiresAt: (now + REMEMBERED_MS) as Instant });
  return answer;
}
