import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, json, numbered, type Row, table, text } from '#store/table.ts';

/** Event of a pack: its time in milliseconds since the first event of the pack, and its message. */
export type PackedEvent = readonly [afterFirstMs: number, message: string];

/**
 * Log events in packs. A pack has events of one stream, request and minute, in the order of their times (Decision 0035).
 */
export const LOG_PACK = table('log_pack', {
  columns: {
    /** Number that the engine assigns. It orders events with the same time. */
    packId: numbered(),
    groupId: text,
    streamId: text,
    streamName: text,
    firstAt: instant,
    lastAt: instant,
    ingestedAt: instant,
    /** Bytes of the messages, and 26 for each event. */
    bytes: int,
    events: json<readonly PackedEvent[]>(),
  },
  key: ['packId'],
  indexes: [
    ['groupId', 'firstAt', 'packId'],
    ['streamId', 'firstAt', 'packId'],
    ['streamId', 'lastAt', 'packId'],
  ],
  clustered: false,
});
export type LogPackRecord = Row<typeof LOG_PACK>;

/** Pack without its events. */
export type PackHead = Omit<LogPackRecord, 'events'>;

/** Place in the order of packs: the first or last time of a pack, and its ID. */
export interface PackPlace {
  readonly at: number;
  readonly packId: number;
}

/** Packs to read: those of a group or of a stream, after a place and until a time. */
export interface PackRange {
  readonly of: 'group' | 'stream';
  readonly id: string;
  /** Place after which the packs begin. Backward, the place before which they begin. */
  readonly from: PackPlace;
  /** Forward: packs begin before this time. Backward: packs end at this time or later. */
  readonly until: number;
  readonly limit: number;
}

export interface LogPacks {
  add(pack: Omit<LogPackRecord, 'packId'>): Promise<void>;
  /** Returns the ID of the newest pack of a stream that begins at a time. */
  newest(streamId: string, firstAt: Instant): Promise<number | undefined>;
  /** Returns packs in the order of their first times. */
  forward(range: PackRange): Promise<readonly PackHead[]>;
  /** Returns packs of a stream, latest last time first. */
  backward(range: PackRange): Promise<readonly PackHead[]>;
  /** Returns the events of at most `BODIES_MAX` packs, by the ID of the pack. */
  events(packIds: readonly number[]): Promise<ReadonlyMap<number, readonly PackedEvent[]>>;
  /** Deletes at most `limit` packs of a group or stream, oldest first, that end before a time. Returns the number of deleted packs. */
  removeBefore(of: 'group' | 'stream', id: string, before: Instant, limit: number): Promise<number>;
  /** Returns the sum of the bytes of at most `limit` packs of a group after a place, and the place of the last pack. */
  measure(groupId: string, from: PackPlace, limit: number): Promise<{ readonly bytes: number; readonly last: PackPlace | undefined }>;
}

/** Maximum number of packs whose events are read by one statement. */
export const BODIES_MAX = 16;

const HEAD = 'pack_id, group_id, stream_id, stream_name, first_at_ms, last_at_ms, ingested_at_ms, bytes';
const forwardOf = (column: string) => `SELECT ${HEAD}, '[]' AS events FROM log_pack
  WHERE ${column} = $1 AND (first_at_ms, pack_id) > ($2, $3) AND first_at_ms < $4 ORDER BY first_at_ms, pack_id LIMIT $5`;
const FORWARD = { group: forwardOf('group_id'), stream: forwardOf('stream_id') } as const;
const BACKWARD = `SELECT ${HEAD}, '[]' AS events FROM log_pack
  WHERE stream_id = $1 AND (last_at_ms, pack_id) < ($2, $3) AND last_at_ms >= $4 ORDER BY last_at_ms DESC, pack_id DESC LIMIT $5`;
const EVENTS = `SELECT pack_id, events FROM log_pack WHERE pack_id IN (${Array.from({ length: BODIES_MAX }, (_, i) => `$${i + 1}`).join(', ')})`;
// A pack spans less than a minute, so packs that end before a time also begin before it.
const removeOf = (column: string) => `DELETE FROM log_pack WHERE pack_id IN (SELECT pack_id FROM log_pack
  WHERE ${column} = $1 AND first_at_ms < $2 AND last_at_ms < $2 ORDER BY first_at_ms, pack_id LIMIT $3)`;
const REMOVE = { group: removeOf('group_id'), stream: removeOf('stream_id') } as const;
const MEASURE = `SELECT pack_id, first_at_ms, bytes FROM log_pack
  WHERE group_id = $1 AND (first_at_ms, pack_id) > ($2, $3) ORDER BY first_at_ms, pack_id LIMIT $4`;

const NEWEST = 'SELECT pack_id FROM log_pack WHERE stream_id = $1 AND first_at_ms = $2 ORDER BY first_at_ms DESC, pack_id DESC LIMIT 1';

export function logPacks(sql: Sql): LogPacks {
  return {
    add: (pack) => LOG_PACK.insert(sql, pack),
    async newest(streamId, firstAt) {
      const row = await sql.row<{ readonly pack_id: number }>(NEWEST, [streamId, firstAt]);
      return row && Number(row.pack_id);
    },
    forward: ({ of, id, from, until, limit }) => LOG_PACK.rows(sql, FORWARD[of], [id, from.at, from.packId, until, limit]),
    backward: ({ id, from, until, limit }) => LOG_PACK.rows(sql, BACKWARD, [id, from.at, from.packId, until, limit]),
    async events(packIds) {
      const [first] = packIds;
      if (first === undefined) return new Map();
      // A shorter list is filled with its first ID, because the statement has a fixed number of parameters.
      const values = Array.from({ length: BODIES_MAX }, (_, i) => packIds[i] ?? first);
      const rows = await sql.rows<{ readonly pack_id: number; readonly events: string }>(EVENTS, values);
      return new Map(rows.map(({ pack_id, events }) => [Number(pack_id), JSON.parse(events) as readonly PackedEvent[]]));
    },
    removeBefore: (of, id, before, limit) => sql.run(REMOVE[of], [id, before, limit]),
    async measure(groupId, from, limit) {
      const rows = await sql.rows<{ readonly pack_id: number; readonly first_at_ms: number; readonly bytes: number }>(MEASURE, [
        groupId,
        from.at,
        from.packId,
        limit,
      ]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return {
        bytes: rows.reduce((sum, { bytes }) => sum + Number(bytes), 0),
        last: last && { at: Number(last.first_at_ms), packId: Number(last.pack_id) },
      };
    },
  };
}
