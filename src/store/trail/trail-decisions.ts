/** Reads the decisions of a window of the trail, in the order of commits. Reads documents of records only for `documentOf`. */
import type { Sql } from '../sql.ts';
import { decodeContexts } from './context-reader.ts';
import type { StoredContext } from './decision-context.ts';
import { lazyFactsOf, type RecordFacts } from './trail-heads.ts';
import { PACK_NAMES, recordsOf, TRAIL_PACK } from './trail-pack.ts';

/** Place of a pack (a row with several records): its position, and the ID of its first record. */
export interface DecisionsPlace {
  readonly position: number;
  readonly eventId: string;
}

/** Place before the first pack of a position. */
export function placeBefore(position: number): DecisionsPlace {
  return { position, eventId: '' };
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

/** Pack with the decisions of its records, and its key. */
export interface DecisionsPack extends StoredDecisions {
  readonly position: number;
  readonly event_id: string;
}

/** Some packs, in the order of commits, and the place of the last one. There are no more packs if `place` is undefined. */
export interface DecisionsPage {
  readonly packs: readonly DecisionsPack[];
  readonly place: DecisionsPlace | undefined;
}

/** Reads at most `limit` packs after a place and before a position. `decidedRecords` decodes them, in the thread of the caller or another one. */
export async function decisionsAfter(sql: Sql, after: DecisionsPlace, before: number, limit: number): Promise<DecisionsPage> {
  const packs = await sql.rows<DecisionsPack>(SELECT, [after.position, after.eventId, before, limit]);
  const last = packs.length < limit ? undefined : packs.at(-1);
  return { packs, place: last && { position: last.position, eventId: last.event_id } };
}

const SELECT_DOCUMENTS = `SELECT ${PACK_NAMES} FROM trail_pack WHERE position = $1 AND event_id = $2`;

/** Reads the document of a record of a pack, by its index. */
export async function documentOf(sql: Sql, { position, event_id }: DecisionsPack, index: number): Promise<string | undefined> {
  const [pack] = await TRAIL_PACK.rows(sql, SELECT_DOCUMENTS, [position, event_id]);
  return pack && recordsOf(pack)[index]?.document;
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
