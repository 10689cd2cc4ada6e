import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { decodeContexts } from './context-codec.ts';
import type { StoredContext } from './decision-context.ts';
import { factsOf, type RecordFacts } from './trail-pack.ts';

/** Place of a pack (a row with several records): its position, and the ID of its first record. */
export interface DecisionsPlace {
  readonly position: number;
  readonly eventId: string;
}

/** Place before the first pack of a position. */
export function placeBefore(position: number): DecisionsPlace {
  return { position, eventId: '' };
}

/** Facts of a record, with its decision context. */
export interface DecidedFacts extends RecordFacts {
  readonly context: StoredContext | undefined;
}

/** Decisions of some packs, in the order of commits, and the place of the last pack. There are no more packs if `place` is undefined. */
export interface DecisionsPage {
  readonly decisions: readonly DecidedFacts[];
  readonly place: DecisionsPlace | undefined;
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

/** Packs with decision contexts as they are stored, and the place of the last pack that was read. */
export interface RawDecisions {
  readonly packs: readonly { readonly heads: string; readonly contexts: string }[];
  readonly place: DecisionsPlace | undefined;
}

/**
 * Reads at most `limit` packs after a place and before a position, as they are stored, so that a thread can decode them. Omits packs without
 * decision contexts.
 */
export async function rawDecisionsAfter(sql: Sql, after: DecisionsPlace, before: number, limit: number): Promise<RawDecisions> {
  const packs = await sql.rows<PackRow>(SELECT, [after.position, after.eventId, before, limit]);
  return {
    packs: packs.flatMap(({ heads, contexts }) => (contexts === null ? [] : [{ heads, contexts }])),
    place: placeOf(packs, limit),
  };
}

function placeOf(packs: readonly PackRow[], limit: number): DecisionsPlace | undefined {
  const last = packs.length < limit ? undefined : packs.at(-1);
  return last && { position: last.position, eventId: last.event_id };
}

/**
 * Reads the decisions of at most `limit` packs after a place and before a position. Does not read the documents of the records.
 *
 * @throws Error  a newer version of the program wrote the contexts
 */
export async function decisionsAfter(sql: Sql, after: DecisionsPlace, before: number, limit: number): Promise<DecisionsPage> {
  const packs = await sql.rows<PackRow>(SELECT, [after.position, after.eventId, before, limit]);
  const decisions: DecidedFacts[] = [];
  for (const { heads, contexts } of packs) {
    const facts = factsOf(heads);
    const decoded = contexts === null ? undefined : decodeContexts(contexts, timesOf(facts));
    for (const [i, each] of facts.entries()) decisions.push({ ...each, context: decoded?.[i] });
  }
  return { decisions, place: placeOf(packs, limit) };
}

function timesOf(facts: readonly RecordFacts[]): readonly Instant[] {
  return facts.map(({ at }) => at);
}
