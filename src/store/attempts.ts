import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant as toInstant } from '#core/instant.ts';
import type { Sql } from './sql.ts';
import { instant, int, type Row, table, text, textOf } from './table.ts';

/**
 * Failed attempts to authenticate. Failures are counted separately for each subject of an account. A subject has one of
 * these forms:
 *
 *     mfa <serial number> · password <user id> · change-password <user id> · person <person id> · name <digest of an unknown name> ·
 *     mail <digest of an address> · source <IPv4 address or IPv6 /64>
 */
export const FAILED_ATTEMPT = table('failed_attempt', {
  columns: {
    accountId: textOf<AccountId>(),
    subject: text,
    /** Number of consecutive wrong passwords or codes. */
    failures: int,
    /** Time of the last failure. */
    failedAt: instant,
  },
  key: ['accountId', 'subject'],
});
export type AttemptRecord = Pick<Row<typeof FAILED_ATTEMPT>, 'failures' | 'failedAt'>;

export interface Attempts {
  of(accountId: AccountId, subject: string): Promise<AttemptRecord | undefined>;
  /** Counts a failure. If the previous failure is more than a day old, the count starts again at 1. */
  fail(accountId: AccountId, subject: string, now: Instant): Promise<void>;
  /** Replaces the record of a subject. */
  set(accountId: AccountId, subject: string, record: AttemptRecord): Promise<void>;
  clear(accountId: AccountId, subject: string): Promise<void>;
  /**
   * Deletes the account's records with a subject that starts with `prefix`, except the `keep` newest of these records.
   * `prefix` contains no `%`, `_` or `!`.
   */
  trim(accountId: AccountId, prefix: string, keep: number): Promise<void>;
  /** Deletes at most `limit` records whose last failure is more than a day old. Returns the number of deleted records. */
  forget(now: Instant, limit: number): Promise<number>;
}

const FORGOTTEN_AFTER_MS = DAY_MS;

const COUNT = `
  INSERT INTO failed_attempt (account_id, subject, failures, failed_at_ms) VALUES ($1, $2, 1, $3)
  ON CONFLICT (account_id, subject) DO UPDATE SET
    failures = CASE WHEN failed_attempt.failed_at_ms < $4 THEN 1 ELSE failed_attempt.failures + 1 END,
    failed_at_ms = excluded.failed_at_ms`;
/** Deletes the records of account $1 with a subject that matches $2, except the $3 newest of these records. */
const TRIM = `
  DELETE FROM failed_attempt WHERE account_id = $1 AND subject LIKE $2 ESCAPE '!' AND (failed_at_ms, subject) <= (
    SELECT failed_at_ms, subject FROM failed_attempt WHERE account_id = $1 AND subject LIKE $2 ESCAPE '!'
    ORDER BY failed_at_ms DESC, subject DESC LIMIT 1 OFFSET $3)`;
const FORGET = `
  DELETE FROM failed_attempt WHERE (account_id, subject) IN (
    SELECT account_id, subject FROM failed_attempt WHERE failed_at_ms < $1 LIMIT $2)`;

export function attempts(sql: Sql): Attempts {
  return {
    async of(accountId, subject) {
      const row = await FAILED_ATTEMPT.get(sql, accountId, subject);
      return row && { failures: row.failures, failedAt: row.failedAt };
    },
    async fail(accountId, subject, now) {
      await sql.run(COUNT, [accountId, subject, now, now - FORGOTTEN_AFTER_MS]);
    },
    set: (accountId, subject, record) => FAILED_ATTEMPT.put(sql, { accountId, subject, ...record }),
    async trim(accountId, prefix, keep) {
      await sql.run(TRIM, [accountId, `${prefix}%`, keep]);
    },
    async forget(now, limit) {
      return await sql.run(FORGET, [now - FORGOTTEN_AFTER_MS, limit]);
    },
    async clear(accountId, subject) {
      await FAILED_ATTEMPT.remove(sql, accountId, subject);
    },
  };
}

/**
 * Delay after failed attempts.
 *
 * The first `free` attempts have no delay. After `free` failures, the next attempt must wait for `firstMs`. Each
 * further failure doubles the wait, up to `maxMs`.
 */
export interface AttemptRule {
  readonly free: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Returns the time from which the server accepts the next attempt. */
export function nextAttemptAt({ free, firstMs, maxMs }: AttemptRule, { failures, failedAt }: AttemptRecord): Instant {
  if (failures < free) return failedAt;
  return toInstant(failedAt + Math.min(maxMs, firstMs * 2 ** Math.min(failures - free, 30)));
}
