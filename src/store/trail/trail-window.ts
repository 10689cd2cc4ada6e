/** Reads whole records of a window of the trail, in the order of commits. */
import type { Sql } from '../sql.ts';
import type { DecisionsPlace } from './trail-decisions.ts';
import { type DecidedRow, decisionsOf } from './trail-pack.ts';

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
 * Yields the records of each pack after a place and before a position, with their decision contexts. Yields `undefined` for a pack whose facts are
 * not in the format of the server, because someone changed them in the database.
 *
 * Reads `limit` packs with a statement, and the next ones while the caller uses them, so the text of two pages and the records of one pack are in memory.
 */
export async function* recordsInWindow(
  sql: Sql,
  after: DecisionsPlace,
  before: number,
  limit: number,
): AsyncGenerator<readonly DecidedRow[] | undefined> {
  const pageAfter = ({ position, eventId }: DecisionsPlace) => sql.rows<PackRow>(SELECT, [position, eventId, before, limit]);
  for (let reading: ReturnType<typeof pageAfter> | undefined = pageAfter(after); reading !== undefined; ) {
    const packs: readonly PackRow[] = await reading;
    const last = packs.length < limit ? undefined : packs.at(-1);
    reading = last && pageAfter({ position: last.position, eventId: last.event_id });
    // The caller can stop early, for example with an error. No statement may then remain on the connection.
    const isRead = Promise.allSettled([reading]);
    try {
      for (const pack of packs) yield decoded(pack);
    } finally {
      await isRead;
    }
  }
}

function decoded({ heads, documents, contexts }: PackRow): readonly DecidedRow[] | undefined {
  try {
    return decisionsOf({ heads, documents, ...(contexts !== null && { contexts }) });
  } catch {
    return undefined;
  }
}
