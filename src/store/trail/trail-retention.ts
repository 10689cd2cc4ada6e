import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { countOf, instant as instantColumn, int, type Row, table, textOf } from '../table.ts';
import { digestOfUnaltered, NOT_ALTERED, TRAIL_ALTERED } from './trail-altered.ts';
import { TRAIL_RUN } from './trail-blocks.ts';
import { intactFactsOf, type RecordFacts } from './trail-heads.ts';
import { type Pack, packUpdate, countOf as recordCount, TRAIL_PACK } from './trail-pack.ts';
import { noteRemoved, removedFrom } from './trail-removed.ts';

/**
 * Retention of the trail: how long the records of an account stay, and the statements that delete them (Decision 0024).
 * `server/core/trail-retention.ts` decides what to delete and when.
 */

/**
 * Bounds of a retention, in days. Source: CloudTrail model, CreateEventDataStore, RetentionPeriod. AWS's event history
 * itself always has 90 days.
 */
export const RETENTION_DAYS = { min: 7, max: 3_653 } as const;

/** Accounts with a retention of their own. All other accounts have the retention of the server's settings. */
export const TRAIL_RETENTION = table('trail_retention', {
  columns: { accountId: textOf<AccountId>(), days: int },
  key: ['accountId'],
  indexes: [['days']],
});

/** Accounts with old records that a trail has not delivered yet. `position` is the first pack with such a record. */
export const TRAIL_HOLD = table('trail_hold', { columns: { accountId: textOf<AccountId>(), position: int }, key: ['accountId'] });

/** Deleted records that no event in the trail reports yet: their number, and the times of the first and the last one. */
export const TRAIL_DELETION = table('trail_deletion', {
  columns: { accountId: textOf<AccountId>(), records: int, oldest: instantColumn, newest: instantColumn },
  key: ['accountId'],
});
export type Deletion = Row<typeof TRAIL_DELETION>;

/** Place of a pack in the order of packs. */
export interface PackPlace {
  readonly position: number;
  readonly eventId: string;
}

/** A pack without its documents. */
export interface PackFacts extends PackPlace {
  /** Absent if someone altered the facts in the database, so that they cannot be read. */
  readonly records: readonly RecordFacts[] | undefined;
  /** Length of the facts as stored, in UTF-16 code units. */
  readonly length: number;
}

/** A run of the index. */
export type IndexRun = Row<typeof TRAIL_RUN>;

export interface TrailRetention {
  /** Returns the days of the accounts with a retention of their own. */
  daysOf(accountIds: readonly AccountId[]): Promise<ReadonlyMap<AccountId, number>>;
  /** Returns the time of the oldest readable record of an account. `defaultDays` is the retention of the settings. */
  startOf(accountId: AccountId, defaultDays: number, now: Instant): Promise<Instant>;
  /** Returns at most `limit` different retentions that accounts have, in ascending order. */
  differentDays(limit: number): Promise<readonly number[]>;
  set(accountId: AccountId, days: number): Promise<void>;
  /** Gives an account the retention of the settings. */
  unset(accountId: AccountId): Promise<void>;
  /** Returns a page of the accounts with a retention of their own, in the order of their IDs. */
  page(after: string, limit: number): Promise<readonly Row<typeof TRAIL_RETENTION>[]>;
  /** Returns the position of the oldest pack that is not known as altered, or `undefined` if there are no such packs. */
  oldestPosition(): Promise<number | undefined>;
  /** Returns packs after a place and before a position, the oldest first. Does not read documents. */
  packs(after: PackPlace, before: number, limit: number): Promise<readonly PackFacts[]>;
  /**
   * Deletes records of a pack, and everything that belongs to them. `isDeleted` reports for the index of a record
   * whether to delete it. This is the only function that deletes records. Whatever else is stored for a record is
   * deleted here, and whatever must outlive a record is kept here: the hashes that its chain needs (`trail-removed.ts`).
   *
   * Returns 'altered' and deletes nothing if someone altered the pack in the database, as its chain or its format shows.
   */
  deleteRecords(pack: PackPlace, isDeleted: (index: number) => boolean): Promise<'deleted' | 'rewritten' | 'altered'>;
  /** Stores that a pack was found altered and stays. Returns 'exists' if this is known. */
  keepAltered(pack: PackPlace, foundAt: Instant): Promise<'added' | 'exists'>;
  /** Returns the positions of packs that are known as altered, from one position to another, both included. */
  alteredBetween(first: number, last: number): Promise<ReadonlySet<number>>;
  /** Adds to the deleted records that the next event of the account reports. */
  addDeletion(deletion: Deletion): Promise<void>;
  /** Removes and returns unreported deletions of at most `limit` accounts. */
  takeDeletions(limit: number): Promise<readonly Deletion[]>;
  hasDeletions(): Promise<boolean>;
  /** Stores that a pack has a record of an account that a trail has not delivered. Keeps a lower position. */
  hold(accountId: AccountId, position: number): Promise<void>;
  /** Returns a page of the held accounts, in the order of their IDs. */
  holds(after: string, limit: number): Promise<readonly Row<typeof TRAIL_HOLD>[]>;
  release(accountId: AccountId): Promise<void>;
  /** Returns runs of the index that end after one position and before another, the oldest first. */
  indexRuns(after: number, before: number, limit: number): Promise<readonly IndexRun[]>;
  hasPack(run: IndexRun): Promise<boolean>;
  /**
   * Deletes a run, so that no look-up reads it. Its blocks remain. Call `deleteBlocks` until it returns 'done'.
   * A merge of the run fails and begins again with other runs. Its result then ends at a later run, so the blocks that it
   * wrote before are never mixed with others. The next start of a server deletes them.
   */
  deleteRun(run: IndexRun): Promise<void>;
  /** Deletes at most `limit` blocks of a deleted run. */
  deleteBlocks(run: Pick<IndexRun, 'level' | 'lastPosition'>, limit: number): Promise<'more' | 'done'>;
}

/** Number of accounts that one statement selects. */
const ACCOUNTS_PAGE = 32;

const SELECT_DAYS = `
  SELECT ${TRAIL_RETENTION.names} FROM trail_retention
  WHERE account_id IN (${Array.from({ length: ACCOUNTS_PAGE }, (_, i) => `$${i + 1}`).join(', ')})`;
const SELECT_DIFFERENT = 'SELECT DISTINCT days FROM trail_retention ORDER BY days LIMIT $1';
const SELECT_OLDEST = `SELECT position AS oldest FROM trail_pack WHERE ${NOT_ALTERED} ORDER BY position LIMIT 1`;
const SELECT_ALTERED = 'SELECT position FROM trail_altered WHERE position >= $1 AND position <= $2';
const SELECT_HEADS = `
  SELECT position, event_id, heads FROM trail_pack
  WHERE position >= $1 AND NOT (position = $1 AND event_id <= $2) AND position < $3 ORDER BY position, event_id LIMIT $4`;
const SELECT_PACK = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE position = $1 AND event_id = $2`;
const DELETE_PACK = 'DELETE FROM trail_pack WHERE position = $1 AND event_id = $2';
const ADD_DELETION = `
  INSERT INTO trail_deletion (account_id, records, oldest_ms, newest_ms) VALUES ($1, $2, $3, $4)
  ON CONFLICT (account_id) DO UPDATE SET records = trail_deletion.records + excluded.records,
    oldest_ms = CASE WHEN excluded.oldest_ms < trail_deletion.oldest_ms THEN excluded.oldest_ms ELSE trail_deletion.oldest_ms END,
    newest_ms = CASE WHEN excluded.newest_ms > trail_deletion.newest_ms THEN excluded.newest_ms ELSE trail_deletion.newest_ms END`;
const COUNT_DELETIONS = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM trail_deletion LIMIT 1) AS first';
const HOLD = `
  INSERT INTO trail_hold (account_id, position) VALUES ($1, $2)
  ON CONFLICT (account_id) DO UPDATE SET position = excluded.position WHERE excluded.position < trail_hold.position`;
const SELECT_RUNS = `
  SELECT ${TRAIL_RUN.names} FROM trail_run WHERE last_position > $1 AND last_position < $2 ORDER BY last_position LIMIT $3`;
const COUNT_PACKS = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM trail_pack WHERE position >= $1 AND position <= $2 LIMIT 1) AS first';
const SELECT_BLOCKS = `
  SELECT first_key, first_position FROM trail_block WHERE level = $1 AND last_position = $2 ORDER BY first_key, first_position LIMIT $3`;
const DELETE_BLOCKS = 'DELETE FROM trail_block WHERE level = $1 AND last_position = $2 AND (first_key, first_position) <= ($3, $4)';

/** Creates the repository of one transaction. */
export function trailRetention(sql: Sql): TrailRetention {
  async function daysOf(accountIds: readonly AccountId[]): Promise<ReadonlyMap<AccountId, number>> {
    const days = new Map<AccountId, number>();
    for (let from = 0; from < accountIds.length; from += ACCOUNTS_PAGE) {
      const page = accountIds.slice(from, from + ACCOUNTS_PAGE);
      const filled = Array.from({ length: ACCOUNTS_PAGE }, (_, each) => page[each] ?? (page[0] as AccountId));
      for (const row of await TRAIL_RETENTION.rows(sql, SELECT_DAYS, filled)) days.set(row.accountId, row.days);
    }
    return days;
  }

  return {
    daysOf,
    async startOf(accountId, defaultDays, now) {
      const days = (await TRAIL_RETENTION.get(sql, accountId))?.days ?? defaultDays;
      return instant(now - days * DAY_MS);
    },
    differentDays: async (limit) => (await sql.rows<{ readonly days: number }>(SELECT_DIFFERENT, [limit])).map(({ days }) => days),
    set: (accountId, days) => TRAIL_RETENTION.put(sql, { accountId, days }),
    async unset(accountId) {
      await TRAIL_RETENTION.remove(sql, accountId);
    },
    page: (after, limit) => TRAIL_RETENTION.page(sql, [], [after], limit),
    oldestPosition: async () => (await sql.row<{ readonly oldest: number }>(SELECT_OLDEST))?.oldest,
    async packs(after, before, limit) {
      const rows = await sql.rows<{ readonly position: number; readonly event_id: string; readonly heads: string }>(SELECT_HEADS, [
        after.position,
        after.eventId,
        before,
        limit,
      ]);
      return rows.map(({ position, event_id, heads }) => ({
        position,
        eventId: event_id,
        records: intactFactsOf(heads),
        length: heads.length,
      }));
    },
    async deleteRecords({ position, eventId }, isDeleted) {
      const pack = (await TRAIL_PACK.row(sql, SELECT_PACK, [position, eventId])) as Pack;
      const removed = await removedFrom(sql, pack);
      const digest = await digestOfUnaltered(sql, pack, removed);
      if (digest === undefined) return 'altered';
      await noteRemoved(sql, pack, isDeleted, removed, digest);
      if (Array.from({ length: recordCount(pack) }, (_, index) => index).every(isDeleted)) {
        await sql.run(DELETE_PACK, [position, eventId]);
        return 'deleted';
      }
      const { text, values } = packUpdate(pack, (index) => !isDeleted(index));
      await sql.run(text, values);
      return 'rewritten';
    },
    keepAltered: ({ position, eventId }, foundAt) => TRAIL_ALTERED.add(sql, { position, eventId, foundAt }),
    async alteredBetween(first, last) {
      const rows = await sql.rows<{ readonly position: number }>(SELECT_ALTERED, [first, last]);
      return new Set(rows.map(({ position }) => position));
    },
    async addDeletion({ accountId, records, oldest, newest }) {
      await sql.run(ADD_DELETION, [accountId, records, oldest, newest]);
    },
    async takeDeletions(limit) {
      const deletions = await TRAIL_DELETION.page(sql, [], [''], limit);
      for (const { accountId } of deletions) await TRAIL_DELETION.remove(sql, accountId);
      return deletions;
    },
    hasDeletions: async () => (await countOf(sql, COUNT_DELETIONS, [])) > 0,
    async hold(accountId, position) {
      await sql.run(HOLD, [accountId, position]);
    },
    holds: (after, limit) => TRAIL_HOLD.page(sql, [], [after], limit),
    async release(accountId) {
      await TRAIL_HOLD.remove(sql, accountId);
    },
    indexRuns: (after, before, limit) => TRAIL_RUN.rows(sql, SELECT_RUNS, [after, before, limit]),
    hasPack: async ({ firstPosition, lastPosition }) => (await countOf(sql, COUNT_PACKS, [firstPosition, lastPosition])) > 0,
    async deleteRun({ lastPosition }) {
      await TRAIL_RUN.remove(sql, lastPosition);
    },
    async deleteBlocks({ level, lastPosition }, limit) {
      const run = [level, lastPosition] as const;
      const blocks = await sql.rows<{ readonly first_key: number; readonly first_position: number }>(SELECT_BLOCKS, [...run, limit]);
      const last = blocks.at(-1);
      if (last !== undefined) await sql.run(DELETE_BLOCKS, [...run, last.first_key, last.first_position]);
      return blocks.length < limit ? 'done' : 'more';
    },
  };
}
