/** Events that buses have accepted, until the router has passed them to the targets of rules. */
import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, json, numbered, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Replay that an event belongs to. */
export interface ReplayOf {
  readonly replayName: string;
  /** ARNs of the rules that receive the event. Absent: all rules of the bus. */
  readonly ruleArns?: readonly string[];
}

export const BUS_EVENT = table('bus_event', {
  columns: {
    /** Number that the database assigns at the insert, as for channel events (Decision 0014). */
    position: numbered(),
    /** Owner of the bus. The account in `event` can be another one. */
    accountId: textOf<AccountId>(),
    region: text,
    busName: text,
    /** The complete event as JSON, as targets receive it: `{"version":"0","id":…,"detail":{…}}`. */
    event: text,
    /** Number of UTF-8 bytes of `event`. */
    bytes: int,
    /** Time at which the bus accepted the event: `aws.events.event.ingestion-time`. */
    at: instant,
    replay: optional(json<ReplayOf>()),
  },
  key: ['position'],
  indexes: [['accountId', 'position', 'bytes']],
  clustered: false,
});
export type BusEventRecord = Row<typeof BUS_EVENT>;

/**
 * Accounts for whose buses too many events wait. The router adds and removes them. Operations read only this table, so that transactions
 * that append events do not read what others append.
 */
export const FULL_EVENT_ACCOUNT = table('full_event_account', { columns: { accountId: textOf<AccountId>() }, key: ['accountId'] });

/** Events that wait, and their bytes. */
export interface WaitingEvents {
  readonly events: number;
  readonly bytes: number;
}

export interface BusEvents {
  /** Returns whether the transaction appended events. */
  hasAppended(): boolean;
  append(event: Omit<BusEventRecord, 'position' | 'bytes'>): Promise<void>;
  /** Returns the first account after `after` that has waiting events, in the order of IDs. */
  nextAccount(after: string): Promise<AccountId | undefined>;
  /** Returns the oldest events of an account after a position, in the order of their positions, at most `limit`. */
  next(accountId: AccountId, after: number, limit: number): Promise<readonly BusEventRecord[]>;
  /** Deletes events that were routed. At most 64 positions in one statement. */
  remove(positions: readonly number[]): Promise<void>;
  /** Counts the waiting events of an account, up to `most`. */
  waiting(accountId: AccountId, most: number): Promise<WaitingEvents>;
  /** Returns accounts for which too many events wait, in the order of IDs, after `after`. */
  full(after: string, limit: number): Promise<readonly AccountId[]>;
  setFull(accountId: AccountId, isFull: boolean): Promise<void>;
}

/** Number of parameters of the DELETE. It is constant, so that the statement is prepared only once. */
const AMONG_MAX = 64;
const DELETE_AMONG = `DELETE FROM bus_event WHERE position IN (${Array.from({ length: AMONG_MAX }, (_, i) => `$${i + 1}`).join(', ')})`;
const NEXT_ACCOUNT = 'SELECT MIN(account_id) AS account FROM bus_event WHERE account_id > $1';
const NEXT = `SELECT ${BUS_EVENT.names} FROM bus_event WHERE account_id = $1 AND position > $2 ORDER BY position LIMIT $3`;
const WAITING = `
  SELECT COUNT(*) AS events, COALESCE(SUM(bytes), 0) AS bytes FROM (
    SELECT bytes FROM bus_event WHERE account_id = $1 ORDER BY position LIMIT $2) AS counted`;

/** Creates the repository of one transaction. */
export function busEvents(sql: Sql): BusEvents {
  let appended = false;
  return {
    hasAppended: () => appended,
    async append(event) {
      appended = true;
      await BUS_EVENT.insert(sql, { ...event, bytes: Buffer.byteLength(event.event) });
    },
    async nextAccount(after) {
      return (await sql.row<{ readonly account: AccountId | null }>(NEXT_ACCOUNT, [after]))?.account ?? undefined;
    },
    next: (accountId, after, limit) => BUS_EVENT.rows(sql, NEXT, [accountId, after, limit]),
    async remove(positions) {
      for (let from = 0; from < positions.length; from += AMONG_MAX) {
        const part = positions.slice(from, from + AMONG_MAX);
        const values = Array.from({ length: AMONG_MAX }, (_, i) => part[i] ?? (part[0] as number));
        await sql.run(DELETE_AMONG, values);
      }
    },
    async waiting(accountId, most) {
      const found = await sql.row<WaitingEvents>(WAITING, [accountId, most]);
      return { events: Number(found?.events ?? 0), bytes: Number(found?.bytes ?? 0) };
    },
    async full(after, limit) {
      return (await FULL_EVENT_ACCOUNT.page(sql, [], [after], limit)).map(({ accountId }) => accountId);
    },
    async setFull(accountId, isFull) {
      if (isFull) await FULL_EVENT_ACCOUNT.put(sql, { accountId });
      else await FULL_EVENT_ACCOUNT.remove(sql, accountId);
    },
  };
}
