import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, numbered, type Row, table, text } from '#store/table.ts';

/**
 * Events for messaging sessions. A change and its event are stored in one transaction. Every server reads new rows of
 * this table repeatedly. A sweep deletes old events. Decision 0014.
 */
export const CHANNEL_EVENT = table('channel_event', {
  columns: {
    /**
     * Number that the database assigns at the insert. If transaction B begins after the commit of transaction A, the
     * events of B have larger numbers. Events of concurrent transactions can become visible in any order.
     * The numbers of rolled-back transactions remain unused.
     */
    number: numbered(),
    appInstanceId: text,
    /** Channel of the event. `''`: the event is about the app instance or a user of the app instance. */
    channelId: text,
    at: instant,
    /** A `SessionEvent` as JSON. */
    document: text,
  },
  key: ['number'],
  clustered: false,
});
export type ChannelEventRecord = Row<typeof CHANNEL_EVENT>;

export interface ChannelEvents {
  append(event: Omit<ChannelEventRecord, 'number' | 'at'>, at: Instant): Promise<void>;
  /** Returns the largest number. 0: the table is empty. */
  last(): Promise<number>;
  /** Returns at most `limit` events with numbers greater than `number`, in the order of their numbers. */
  after(number: number, limit: number): Promise<readonly ChannelEventRecord[]>;
  /**
   * Returns the events that have one of `numbers`, in the order of their numbers. Numbers without an event are allowed.
   */
  among(numbers: readonly number[]): Promise<readonly ChannelEventRecord[]>;
  /**
   * Examines the `limit` oldest events, and deletes those that are older than `before`. Returns the number of deleted
   * events.
   */
  forget(before: Instant, limit: number): Promise<number>;
}

/** Number of parameters of `SELECT_AMONG`. It is constant, so that the statement is prepared only once. */
const AMONG_MAX = 64;

const SELECT_LAST = 'SELECT MAX(number) AS last FROM channel_event';
const SELECT_AMONG = `
  SELECT * FROM channel_event WHERE number IN (${Array.from({ length: AMONG_MAX }, (_, i) => `$${i + 1}`).join(', ')}) ORDER BY number`;
const DELETE_OLDEST = `
  DELETE FROM channel_event WHERE number IN (
    SELECT number FROM (SELECT number, at_ms FROM channel_event ORDER BY number LIMIT $2) AS oldest WHERE at_ms < $1)`;

export function channelEvents(sql: Sql): ChannelEvents {
  return {
    append: (event, at) => CHANNEL_EVENT.insert(sql, { ...event, at }),
    last: async () => Number((await sql.row<{ readonly last: number | null }>(SELECT_LAST))?.last ?? 0),
    after: (number, limit) => CHANNEL_EVENT.page(sql, [], [number], limit),
    async among(numbers) {
      const found: ChannelEventRecord[] = [];
      for (let from = 0; from < numbers.length; from += AMONG_MAX) {
        const part = numbers.slice(from, from + AMONG_MAX);
        // A shorter list is filled with its first number, because the statement has a fixed number of parameters.
        const values = Array.from({ length: AMONG_MAX }, (_, i) => part[i] ?? (part[0] as number));
        found.push(...(await CHANNEL_EVENT.rows(sql, SELECT_AMONG, values)));
      }
      return found.sort((a, b) => a.number - b.number);
    },
    forget: (before, limit) => sql.run(DELETE_OLDEST, [before, limit]),
  };
}
