/** Reads whole records of a window of the trail, in the order of commits. */
import type { Sql } from '../sql.ts';
import type { DecisionsPlace } from './trail-decisions.ts';
import { type DecidedRow, decisionsOf } from './trail-pack.ts';

/** Records of some packs. */
export interface RecordsPage {
  readonly records: readonly DecidedRow[];
  /** Number of packs whose facts are not in the format of the server, because someone changed them in the database. */
  readonly unreadable: number;
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

/**
 * Yields the records of the packs after a place and before a position, with their decision contexts, in pages of at most `limit` packs.
 * Reads the next page while the caller uses a page, so two pages are in memory.
 */
export async function* recordsInWindow(sql: Sql, after: DecisionsPlace, before: number, limit: number): AsyncGenerator<RecordsPage> {
  const pageAfter = ({ position, eventId }: DecisionsPlace) => sql.rows<PackRow>(SELECT, [position, eventId, before, limit]);
  for (let reading: ReturnType<typeof pageAfter> | undefined = pageAfter(after); reading !== undefined; ) {
    const packs: readonly PackRow[] = await reading;
    const last = packs.length < limit ? undefined : packs.at(-1);
    reading = last && pageAfter({ position: last.position, eventId: last.event_id });
    // The caller can stop early, for example with an error. No statement may then remain on the connection.
    const isRead = Promise.allSettled([reading]);
    try {
      yield decodedPage(packs);
    } finally {
      await isRead;
    }
  }
}

function decodedPage(packs: readonly PackRow[]): RecordsPage {
  const records: DecidedRow[] = [];
  let unreadable = 0;
  for (const { heads, documents, contexts } of packs) {
    try {
      records.push(...decisionsOf({ heads, documents, ...(contexts !== null && { contexts }) }));
    } catch {
      unreadable++;
    }
  }
  return { records, unreadable };
}
