import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';

/** What a client's token is unique within. */
export interface IdempotencyKey {
  readonly accountId: AccountId;
  readonly region: string;
  /** `chime:CreateMeeting`. */
  readonly operation: string;
  /** As the client sent it (`ClientRequestToken`). */
  readonly token: string;
}

export interface IdempotentAnswer {
  /** Of the input without the token: the same token with another input is an error of the caller. */
  readonly requestHash: string;
  /** JSON text. */
  readonly answer: string;
  readonly expiresAt: Instant;
}

/** Answers kept for tokens, so that a call repeated after a crash or a lost answer is done once. Requirement: RES-3. */
export interface Idempotency {
  /** What was kept and has not expired at `now`. */
  get(key: IdempotencyKey, now: Instant): Promise<IdempotentAnswer | undefined>;
  /** Keeps an answer, in place of any before it. */
  put(key: IdempotencyKey, answer: IdempotentAnswer): Promise<void>;
  /** Forgets at most `limit` answers that expired before `now`; resolves to their number. */
  forgetExpired(now: Instant, limit: number): Promise<number>;
}

interface IdempotencyRow {
  readonly request_hash: string;
  readonly answer: string;
  readonly expires_at_ms: number;
}

const SELECT = `
  SELECT request_hash, answer, expires_at_ms FROM idempotency
  WHERE account_id = $1 AND region = $2 AND operation = $3 AND token = $4 AND expires_at_ms > $5`;
const UPSERT = `
  INSERT INTO idempotency (account_id, region, operation, token, request_hash, answer, expires_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (account_id, region, operation, token)
  DO UPDATE SET request_hash = excluded.request_hash, answer = excluded.answer, expires_at_ms = excluded.expires_at_ms`;
const FORGET = `
  DELETE FROM idempotency WHERE (account_id, region, operation, token) IN (
    SELECT account_id, region, operation, token FROM idempotency WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)`;

export function idempotency(sql: Sql): Idempotency {
  return {
    async get({ accountId, region, operation, token }, now) {
      const row = await sql.row<IdempotencyRow>(SELECT, [accountId, region, operation, token, now]);
      return row && { requestHash: row.request_hash, answer: row.answer, expiresAt: row.expires_at_ms as Instant };
    },
    async put({ accountId, region, operation, token }, { requestHash, answer, expiresAt }) {
      await sql.run(UPSERT, [accountId, region, operation, token, requestHash, answer, expiresAt]);
    },
    forgetExpired: (now, limit) => sql.run(FORGET, [now, limit]),
  };
}
