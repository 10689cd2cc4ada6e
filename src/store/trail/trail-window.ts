/** Reads whole records of a window of the trail, in the order of commits. */
import type { Sql } from '../sql.ts';
import type { DecisionsPlace } from './trail-decisions.ts';
import { type DecidedRow, decisionsOf } from './trail-pack.ts';

/** Records of some packs, and the place of the last pack. There are no more packs if `place` is undefined. */
export interface RecordsPage {
  readonly records: readonly DecidedRow[];
  /** Number of packs whose facts are not in the format of the server, because someone changed them in the database. */
  readonly unreadable: number;
  readonly place: DecisionsPlace | undefined;
}

interface PackRow {
  readonly position: number;
  readonly event_id: string;
  readonly heads: string;
  readonly documents: string;
  readonly contexts: string | null;
}

const SELECT = `
  SELECT position, event_id, heads, documents, contexts FROM trail_pack
  WHERE (position, event_id) > ($1, $2) AND position < $3 ORDER BY position, event_id LIMIT $4`;

/** Reads the records of at most `limit` packs after a place and before a position, with their decision contexts. */
export async function recordsInWindow(sql: Sql, after: DecisionsPlace, before: number, limit: number): Promise<RecordsPage> {
  const packs = await sql.rows<PackRow>(SELECT, [after.position, after.eventId, before, limit]);
  const records: DecidedRow[] = [];
  let unreadable = 0;
  for (const { heads, documents, contexts } of packs) {
    try {
      records.push(...decisionsOf({ heads, documents, ...(contexts !== null && { contexts }) }));
    } catch {
      unreadable++;
    }
  }
  const last = packs.length < limit ? undefined : packs.at(-1);
  return { records, unreadable, place: last && { position: last.position, eventId: last.event_id } };
}
