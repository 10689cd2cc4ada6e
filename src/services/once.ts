/** What a client's token is for: a call made again after a lost answer is done once. Requirement RES-3. */
import { createHash } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import { instant } from '#core/instant.ts';
import type { Call } from './operation.ts';

/** Assumed: how long a token is remembered. */
const TOKEN_LIFE_MS = 24 * 60 * 60_000;

/** One call that a client may make again. */
export interface TokenedRequest<Answer> {
  /** `chime:CreateChannel`. */
  readonly operation: string;
  /** What the token is unique within besides the account, and the token. */
  readonly token: string;
  /** All of the input but the token. */
  readonly request: unknown;
  /** Whether what was answered is still there; default: it is. Where it is not, the token is as good as new. */
  readonly stands?: (answer: Answer) => Promise<boolean>;
  readonly make: () => Promise<Answer>;
}

/**
 * Answers as the call with this token was answered before, else makes the answer and keeps it for a day.
 *
 * @throws ConflictException the token was used with another request. Assumed: the text.
 */
export async function once<Answer>(call: Call, { operation, token, request, stands, make }: TokenedRequest<Answer>): Promise<Answer> {
  const { tx, accountId, region, now } = call;
  const key = { accountId, region, operation, token };
  const hash = requestHash(request);
  const before = await tx.idempotency.get(key, now);
  if (before !== undefined) {
    const answer = JSON.parse(before.answer) as Answer;
    if (stands === undefined || (await stands(answer))) {
      if (before.requestHash !== hash) throw new AwsError('ConflictException', 'The client request token was used with other parameters.');
      return answer;
    }
  }
  const answer = await make();
  await tx.idempotency.put(key, { requestHash: hash, answer: JSON.stringify(answer), expiresAt: instant(now + TOKEN_LIFE_MS) });
  return answer;
}

/** What tells one request from another, whatever the order of its members: SHA-256 of its JSON with sorted keys. */
export function requestHash(request: unknown): string {
  const sorted = JSON.stringify(request, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(sorted).digest('hex');
}
