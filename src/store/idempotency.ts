import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';
import { instant, type Row, table, text, textOf } from './table.ts';

/** Responses by client request token, so that a request repeated after a crash or a lost response takes effect once. Requirement: RES-3. */
export const IDEMPOTENCY = table('idempotency', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    /** Action with its service, such as `chime:CreateMeeting`. */
    operation: text,
    /** The client's `ClientRequestToken`. */
    token: text,
    /** Hash of the input without the token. The same token with another input is an error of the caller. */
    requestHash: text,
    /** The response as JSON. */
    answer: text,
    expiresAt: instant,
  },
  key: ['accountId', 'region', 'operation', 'token'],
  indexes: [['expiresAt']],
});

/** A client request token with its scope: account, region and operation. */
export type IdempotencyKey = Pick<Row<typeof IDEMPOTENCY>, 'accountId' | 'region' | 'operation' | 'token'>;
export type IdempotentAnswer = Pick<Row<typeof IDEMPOTENCY>, 'requestHash' | 'answer' | 'expiresAt'>;

export interface Idempotency {
  /** Returns the stored response, if it has not expired at `now`. */
  get(key: IdempotencyKey, now: Instant): Promise<IdempotentAnswer | undefined>;
  /** Stores a response, in place of an earlier one. */
  put(key: IdempotencyKey, answer: IdempotentAnswer): Promise<void>;
  /** Deletes at most `limit` responses that expired before `now`. Returns their number. */
  forgetExpired(now: Instant, limit: number): Promise<number>;
}

const SELECT = `
  SELECT * FROM idempotency WHERE account_id = $1 AND region = $2 AND operation = $3 AND token = $4 AND expires_at_ms > $5`;
const FORGET = `
  DELETE FROM idempotency WHERE (account_id, region, operation, token) IN (
    SELECT account_id, region, operation, token FROM idempotency WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)`;

export function idempotency(sql: Sql): Idempotency {
  return {
    async get({ accountId, region, operation, token }, now) {
      const row = await IDEMPOTENCY.row(sql, SELECT, [accountId, region, operation, token, now]);
      return row && { requestHash: row.requestHash, answer: row.answer, expiresAt: row.expiresAt };
    },
    put: (key, answer) => IDEMPOTENCY.put(sql, { ...key, ...answer }),
    forgetExpired: (now, limit) => sql.run(FORGET, [now, limit]),
  };
}
