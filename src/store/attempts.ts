import type { AccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Sql } from './store.ts';

/** Wrong passwords or codes in a row. */
export interface AttemptRecord {
  readonly failures: number;
  /** The last of them. */
  readonly failedAt: Instant;
}

/** Failed attempts to prove who one is, by what was attempted (`mfa <serial number>`, `password <user id>`): what is guessed at slows down. */
export interface Attempts {
  of(accountId: AccountId, subject: string): Promise<AttemptRecord | undefined>;
  /** Counts one more; after a day without any it is the first again. */
  fail(accountId: AccountId, subject: string, now: Instant): Promise<void>;
  clear(accountId: AccountId, subject: string): Promise<void>;
}

export const ATTEMPTS_SCHEMA: readonly string[] = [
  `CREATE TABLE failed_attempt (
    account_id {text} NOT NULL, subject {text} NOT NULL, failures {int} NOT NULL, failed_at_ms {int} NOT NULL,
    PRIMARY KEY (account_id, subject)) {clustered}`,
];

const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

const SELECT = 'SELECT failures, failed_at_ms FROM failed_attempt WHERE account_id = $1 AND subject = $2';
const COUNT = `
  INSERT INTO failed_attempt (account_id, subject, failures, failed_at_ms) VALUES ($1, $2, 1, $3)
  ON CONFLICT (account_id, subject) DO UPDATE SET
    failures = CASE WHEN failed_attempt.failed_at_ms < $4 THEN 1 ELSE failed_attempt.failures + 1 END,
    failed_at_ms = excluded.failed_at_ms`;
const DELETE = 'DELETE FROM failed_attempt WHERE account_id = $1 AND subject = $2';

export function attempts(sql: Sql): Attempts {
  return {
    async of(accountId, subject) {
      const row = await sql.row<{ readonly failures: number; readonly failed_at_ms: number }>(SELECT, [accountId, subject]);
      return row && { failures: row.failures, failedAt: instant(row.failed_at_ms) };
    },
    async fail(accountId, subject, now) {
      await sql.run(COUNT, [accountId, subject, now, now - FORGOTTEN_AFTER_MS]);
    },
    async clear(accountId, subject) {
      await sql.run(DELETE, [accountId, subject]);
    },
  };
}

/** How many failures are free, and how long the next ones are waited for: twice as long each time, up to a limit. */
export interface AttemptRule {
  readonly free: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

/** From when on the next attempt is looked at. */
export function nextAttemptAt({ free, firstMs, maxMs }: AttemptRule, { failures, failedAt }: AttemptRecord): Instant {
  if (failures < free) return failedAt;
  return instant(failedAt + Math.min(maxMs, firstMs * 2 ** Math.min(failures - free, 30)));
}
