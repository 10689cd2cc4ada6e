import type { Instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';

/** What happened in a channel, or to who may be connected, as it is told to messaging sessions. */
export interface ChannelEventRecord {
  /**
   * Given by the engine as the row is written. Of two events the one whose transaction began after the other's commit has the larger number;
   * numbers of transactions that ran side by side may become visible in any order, and those of what was taken back are never seen.
   */
  readonly number: number;
  readonly appInstanceId: string;
  /** `''` where it is about the app instance or one of its users. */
  readonly channelId: string;
  /** JSON text. */
  readonly document: string;
}

/** What is told to messaging sessions, on whichever server they are: written with what happened, followed by every server, then forgotten. */
export interface ChannelEvents {
  append(event: Omit<ChannelEventRecord, 'number'>, at: Instant): Promise<void>;
  /** The largest number there is; 0 where there is none. */
  last(): Promise<number>;
  /** In the order of numbers. */
  after(number: number, limit: number): Promise<readonly ChannelEventRecord[]>;
  /** Those that are there, in the order of numbers. */
  among(numbers: readonly number[]): Promise<readonly ChannelEventRecord[]>;
  /** Deletes of the `limit` oldest those of before `before`; resolves to how many. */
  forget(before: Instant, limit: number): Promise<number>;
}

interface Row {
  readonly number: number;
  readonly app_instance_id: string;
  readonly channel_id: string;
  readonly document: string;
}

/** Numbers a statement asks for: few texts, and so few plans kept. */
const AMONG_MAX = 64;

const COLUMNS = 'number, app_instance_id, channel_id, document';
const INSERT = 'INSERT INTO channel_event (app_instance_id, channel_id, at_ms, document) VALUES ($1, $2, $3, $4)';
const SELECT_LAST = 'SELECT MAX(number) AS last FROM channel_event';
const SELECT_AFTER = `SELECT ${COLUMNS} FROM channel_event WHERE number > $1 ORDER BY number LIMIT $2`;
const SELECT_AMONG = `
  SELECT ${COLUMNS} FROM channel_event WHERE number IN (${Array.from({ length: AMONG_MAX }, (_, i) => `$${i + 1}`).join(', ')}) ORDER BY number`;
const DELETE_OLDEST = `
  DELETE FROM channel_event WHERE number IN (
    SELECT number FROM (SELECT number, at_ms FROM channel_event ORDER BY number LIMIT $2) AS oldest WHERE at_ms < $1)`;

export function channelEvents(sql: Sql): ChannelEvents {
  return {
    async append({ appInstanceId, channelId, document }, at) {
      await sql.run(INSERT, [appInstanceId, channelId, at, document]);
    },
    last: async () => Number((await sql.row<{ readonly last: number | null }>(SELECT_LAST))?.last ?? 0),
    after: async (number, limit) => (await sql.rows<Row>(SELECT_AFTER, [number, limit])).map(toEvent),
    async among(numbers) {
      const found: ChannelEventRecord[] = [];
      for (let from = 0; from < numbers.length; from += AMONG_MAX) {
        const asked = numbers.slice(from, from + AMONG_MAX);
        const values = Array.from({ length: AMONG_MAX }, (_, i) => asked[i] ?? (asked[0] as number));
        found.push(...(await sql.rows<Row>(SELECT_AMONG, values)).map(toEvent));
      }
      return found.sort((a, b) => a.number - b.number);
    },
    forget: (before, limit) => sql.run(DELETE_OLDEST, [before, limit]),
  };
}

function toEvent(row: Row): ChannelEventRecord {
  return { number: row.number, appInstanceId: row.app_instance_id, channelId: row.channel_id, document: row.document };
}
