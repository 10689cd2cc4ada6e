/** Events in archives. */
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, numbered, type Row, table, text } from '#store/table.ts';

export const ARCHIVED_EVENT = table('archived_event', {
  columns: {
    position: numbered(),
    /** Random ID of the archive. An archive that is deleted and created again has another ID. */
    archiveId: text,
    /** Time at which the bus accepted the event. Replays select by it. */
    at: instant,
    /** Number of UTF-8 bytes of `event`. */
    bytes: int,
    event: text,
  },
  key: ['position'],
  clustered: false,
  indexes: [['archiveId', 'at', 'position']],
});
export type ArchivedEventRecord = Row<typeof ARCHIVED_EVENT>;

/** Place of an event in the order of its archive. */
export interface ArchivePosition {
  readonly at: Instant;
  readonly position: number;
}

/** Maximum number of events that `size` counts. It takes about 10 ms. */
export const COUNTED_MAX = 100_000;

export interface ArchivedEvents {
  append(event: Omit<ArchivedEventRecord, 'position'>): Promise<void>;
  /** Returns events of an archive with times before `end`, in the order of times and positions, after a position. */
  between(archiveId: string, after: ArchivePosition, end: Instant, limit: number): Promise<readonly ArchivedEventRecord[]>;
  /** Returns the number and the bytes of an archive's events. Counts at most `COUNTED_MAX` events. */
  size(archiveId: string): Promise<{ readonly count: number; readonly bytes: number }>;
  /** Deletes the oldest events of an archive with times before `before`, at most `limit`. Returns their number. */
  remove(archiveId: string, before: Instant, limit: number): Promise<number>;
}

const BETWEEN = `
  SELECT * FROM archived_event WHERE archive_id = $1 AND (at_ms, position) > ($2, $3) AND at_ms < $4 ORDER BY at_ms, position LIMIT $5`;
const SIZE = `
  SELECT COUNT(*) AS count, SUM(bytes) AS bytes FROM (SELECT bytes FROM archived_event WHERE archive_id = $1 LIMIT $2) AS counted`;
const REMOVE = `
  DELETE FROM archived_event WHERE position IN (
    SELECT position FROM archived_event WHERE archive_id = $1 AND at_ms < $2 ORDER BY at_ms, position LIMIT $3)`;

/** Creates the repository of one transaction. */
export function archivedEvents(sql: Sql): ArchivedEvents {
  return {
    append: (event) => ARCHIVED_EVENT.insert(sql, event),
    between: (archiveId, { at, position }, end, limit) => ARCHIVED_EVENT.rows(sql, BETWEEN, [archiveId, at, position, end, limit]),
    async size(archiveId) {
      const found = await sql.row<{ readonly count: number; readonly bytes: number | null }>(SIZE, [archiveId, COUNTED_MAX]);
      return { count: Number(found?.count ?? 0), bytes: Number(found?.bytes ?? 0) };
    },
    remove: (archiveId, before, limit) => sql.run(REMOVE, [archiveId, before, limit]),
  };
}
