import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Synchronization of Chime accounts with their directories. */
export const CHIME_DIRECTORY_SYNC = table('chime_directory_sync', {
  columns: {
    chimeAccountId: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    /** Time of the next turn. While a server has the turn, it is the time at which another server may take it. */
    dueAt: instant,
    /** ID of the turn that a server has taken. Another one replaces it. */
    turnId: optional(text),
    /** Last user that the current run has read. Absent between two runs. */
    afterUserId: optional(text),
    /** End of the last run that read all users. */
    syncedAt: optional(instant),
    /** Reason why the last run failed. */
    problem: optional(text),
  },
  key: ['chimeAccountId'],
  indexes: [{ columns: ['dueAt'] }],
});
export type DirectorySyncRecord = Row<typeof CHIME_DIRECTORY_SYNC>;

/**
 * Synchronization of Chime accounts with their directories.
 *
 *     stored: (a, due at 5), (b, due at 3), (c, due at 9)
 *     due(5, 10) → b, a
 */
export interface DirectorySyncs {
  get(chimeAccountId: string): Promise<DirectorySyncRecord | undefined>;
  /** Adds a synchronization, or replaces that of the account. */
  put(sync: DirectorySyncRecord): Promise<void>;
  remove(chimeAccountId: string): Promise<void>;
  /** Returns synchronizations that are due at `now`, those that have waited longest first. */
  due(now: Instant, limit: number): Promise<readonly DirectorySyncRecord[]>;
  /** Begins the run of an account again at `now`. An account without a directory does not change. */
  restart(chimeAccountId: string, now: Instant): Promise<void>;
}

const { names } = CHIME_DIRECTORY_SYNC;
const DUE = `SELECT ${names} FROM chime_directory_sync WHERE due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2`;
const RESTART = 'UPDATE chime_directory_sync SET due_at_ms = $2, turn_id = NULL, after_user_id = NULL WHERE chime_account_id = $1';

/** Creates the repository of one transaction. */
export function directorySyncs(sql: Sql): DirectorySyncs {
  return {
    get: (chimeAccountId) => CHIME_DIRECTORY_SYNC.get(sql, chimeAccountId),
    put: (sync) => CHIME_DIRECTORY_SYNC.put(sql, sync),
    async remove(chimeAccountId) {
      await CHIME_DIRECTORY_SYNC.remove(sql, chimeAccountId);
    },
    due: (now, limit) => CHIME_DIRECTORY_SYNC.rows(sql, DUE, [now, limit]),
    async restart(chimeAccountId, now) {
      await sql.run(RESTART, [chimeAccountId, now]);
    },
  };
}
