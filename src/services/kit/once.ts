import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import type { Call } from './operation.ts';
import { requestHash } from './request-hash.ts';

const REMEMBERED_MS = 24 * 60 * 60_000;

/**
 * Makes something once for a client's token: the same token with the same request answers what was made before, in whatever order the
 * members stand. `answer` is what tells the thing made (its ARN, its id); `isThere` says whether it still is.
 *
 * Source: the models' ClientRequestToken, an idempotency token. Requirement RES-3.
 * Assumed: a token counts for its account, region and operation, for 24 hours, and as long as what it made is there; the text.
 * @throws ConflictException the token was used for another request
 */
export async function once(
  { tx, accountId, region, now }: Call,
  operation: `chime:${string}`,
  { ClientRequestToken: token, ...request }: { readonly ClientRequestToken: string },
  isThere: (answer: string) => Promise<boolean>,
  make: () => Promise<string>,
): Promise<string> {
  const key = { accountId, region, operation, token };
  const hash = requestHash(request);
  const before = await tx.idempotency.get(key, now);
  if (before !== undefined && (await isThere(before.answer))) {
    if (before.requestHash === hash) return before.answer;
    throw new AwsError('ConflictException', 'The client request token was used for another request.');
  }
  const answer = await make();
  await tx.idempotency.put(key, { requestHash: hash, answer, expiresAt: (now + REMEMBERED_MS) as Instant });
  return answer;
}
