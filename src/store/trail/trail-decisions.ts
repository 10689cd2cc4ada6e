/** Reads the decisions of a window of the trail, in the order of commits, without the documents of the records. */
import type { Sql } from '../sql.ts';
import { decodeContexts } from './context-codec.ts';
import type { StoredContext } from './decision-context.ts';
import { lazyFactsOf, type RecordFacts } from './trail-heads.ts';

/** Place of a pack (a row with several records): its position, and the ID of its first record. */
export interface DecisionsPlace {
  readonly position: number;
  readonly eventId: string;
}

/** Place before the first pack of a position. */
export function placeBefore(position: number): DecisionsPlace {
  return { position, eventId: '' };
}

interface PackRow {
  readonly position: number;
  readonly event_id: string;
  readonly heads: string;
  readonly contexts: string | null;
}

const SELECT = `
  SELECT position, event_id, heads, contexts FROM trail_pack
  WHERE (position, event_id) > ($1, $2) AND position < $3 ORDER BY position, event_id LIMIT $4`;

/** Columns of a pack with the decisions of its records, as they are stored. */
export interface StoredDecisions {
  readonly heads: string;
  /** `null` if no record has a context. */
  readonly contexts: string | null;
}

/** Some packs, in the order of commits, and the place of the last one. There are no more packs if `place` is undefined. */
export interface DecisionsPage {
  readonly packs: readonly StoredDecisions[];
  readonly place: DecisionsPlace | undefined;
}

/** Reads at most `limit` packs after a place and before a position. `decidedRecords` decodes them, in the thread of the caller or another one. */
export async function decisionsAfter(sql: Sql, after: DecisionsPlace, before: number, limit: number): Promise<DecisionsPage> {
  const packs = await sql.rows<PackRow>(SELECT, [after.position, after.eventId, before, limit]);
  const last = packs.length < limit ? undefined : packs.at(-1);
  return { packs, place: last && { position: last.position, eventId: last.event_id } };
}

/** Records of a pack, in the order of their commits. */
export interface DecidedRecords {
  readonly facts: readonly RecordFacts[];
  /** Contexts in the order of `facts`, with `undefined` for a record without a context. Empty if no record has one. */
  readonly contexts: readonly (StoredContext | undefined)[];
}

/**
 * Decodes the decisions of a pack.
 *
 * @throws Error  a newer version of the program wrote the contexts, or they are damaged
 */
export function decidedRecords({ heads, contexts }: StoredDecisions): DecidedRecords {
  const facts = lazyFactsOf(heads);
  return { facts, contexts: contexts === null ? [] : decodeContexts(contexts, facts) };
}
