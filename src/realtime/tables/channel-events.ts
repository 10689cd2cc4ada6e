import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, numbered, type Row, table, text } from '#store/table.ts';

/**
 * Events for messaging sessions. The transaction that causes an event stores it, every server follows the table, and a sweep deletes old
 * events. Decision 0014.
 */
export const CHANNEL_EVENT = table('channel_event', {
  columns: {
    /**
     * Number that the engine assigns at the insert. If a transaction begins after the commit of another, its events have larger numbers.
     * Numbers of concurrent transactions can become visible in any order. Numbers of rolled-back transactions never become visible.
     */
    number: numbered(),
    appInstanceId: text,
    /** `''`: the event is about the app instance or one of its users. */
    channelId: text,
    at: instant,
    /** JSON text. */
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
  /** Returns events in the order of numbers, starting after `number`. */
  after(number: number, limit: number): Promise<readonly ChannelEventRecord[]>;
  /** Returns the existing events among `numbers`, in the order of numbers. */
  among(numbers: readonly number[]): Promise<readonly ChannelEventRecord[]>;
  /** Checks the `limit` oldest events, and deletes the events from before `before`. Returns the number of deleted events. */
  forget(before: Instant, limit: number): Promise<number>;
}

/** Number of event numbers in one statement. It is constant, so that the statement is prepared only once. */
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
        // Fills the unused parameters with the first number.
        const values = Array.from({ length: AMONG_MAX }, (_, i) => part[i] ?? (part[0] as number));
        found.push(...(await CHANNEL_EVENT.rows(sql, SELECT_AMONG, values)));
      }
      return found.sort((a, b) => a.number - b.number);
    },
    forget: (before, limit) => sql.run(DELETE_OLDEST, [before, limit]),
  };
}
