import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { countOf, type PackContent, recordsOf, TRAIL_PACK } from './trail-pack.ts';
import { documentHash, type RemovedPack, type RemovedRecord, remainingIndexes, removedRecords, TRAIL_REMOVED } from './trail-removed.ts';
import type { ChainOrder } from './trail-writers.ts';

/** Reads the chains of trail records, with the hashes of deleted records. */

/** Place in the chain of a writer. `START_OF_CHAIN` is before its first pack. */
export interface ChainPlace {
  /** Position of the last pack that was read. */
  readonly position: number;
  /** Last number that was read. The end of a writer has a number too. */
  readonly number: number;
}
export const START_OF_CHAIN: ChainPlace = { position: -1, number: 0 };

/** A pack of a chain. */
export interface ChainedPack {
  /** Absent in a pack that is older than chains and not numbered yet. `firstNumber` and `link` are then absent too. */
  readonly writer: string | undefined;
  readonly firstNumber: number | undefined;
  readonly link: Uint8Array | undefined;
  readonly position: number;
  /** Number of records, as committed. 0 at the end of a writer. */
  readonly count: number;
  /** Remaining records. Absent if all records are deleted. */
  readonly content: (PackContent & { readonly contexts?: string | undefined }) | undefined;
  /** Hashes of deleted records, and the digest of the pack as committed. Absent if no record is deleted. */
  readonly removed: { readonly digest: Uint8Array; readonly link: Uint8Array; readonly records: readonly RemovedRecord[] } | undefined;
}

/** A record of a chain. `document` is absent if the record is deleted. */
export interface ChainedRecord {
  readonly number: number;
  readonly at: Instant;
  readonly eventId?: string;
  /** Document, or SHA-256 of the deleted document. */
  readonly body: { readonly document: string } | { readonly sha256: Uint8Array };
}

/** Returns the records of a pack in the order of their numbers. A pack without a writer has none. */
export function chainedRecords({ firstNumber, count, content, removed }: ChainedPack): readonly ChainedRecord[] {
  if (firstNumber === undefined) return [];
  if (removed === undefined && content !== undefined)
    return recordsOf(content).map(({ at, eventId, document }, i) => ({ number: firstNumber + i, at, eventId, body: { document } }));
  const gone = removed?.records ?? [];
  const indexes = remainingIndexes(count, gone);
  const remaining = (content === undefined ? [] : recordsOf(content)).map(
    ({ at, eventId, document }, i): ChainedRecord => ({ number: firstNumber + (indexes[i] as number), at, eventId, body: { document } }),
  );
  const deleted = gone.map(({ index, at, sha256 }): ChainedRecord => ({ number: firstNumber + index, at, body: { sha256 } }));
  return [...remaining, ...deleted].sort((one, other) => one.number - other.number);
}

/** Returns the SHA-256 of the document of a record, for its leaf (`core/trail-leaf.ts`). Takes about 2 µs for a document of 1 KB. */
export function hashOf({ body }: ChainedRecord): Uint8Array {
  return 'document' in body ? documentHash(body.document) : body.sha256;
}

type StoredPack = ReturnType<typeof TRAIL_PACK.rows> extends Promise<readonly (infer Pack)[]> ? Pack : never;

/** Returns the number of records of a pack, or 0 if an attacker replaced the facts with other text. Its link then does not match. */
function countOrNone(content: PackContent): number {
  try {
    return countOf(content);
  } catch {
    return 0;
  }
}

function toChained(pack: StoredPack | undefined, removed: RemovedPack | undefined): ChainedPack {
  const of = (pack ?? removed) as StoredPack | RemovedPack;
  const content = pack && { heads: pack.heads, documents: pack.documents, contexts: pack.contexts };
  return {
    writer: of.writer,
    firstNumber: of.firstNumber,
    link: of.link,
    position: of.position,
    count: removed?.count ?? countOrNone(content as PackContent),
    content,
    removed: removed && { digest: removed.digest, link: removed.link, records: removedRecords(removed) },
  };
}

/**
 * Joins packs and rows of deleted records, both in the order of positions. Returns those before `end`, a position.
 */
function joined(packs: readonly StoredPack[], removed: readonly RemovedPack[], end: number): readonly ChainedPack[] {
  const keyOf = ({ position, writer }: StoredPack | RemovedPack): string => `${position} ${writer}`;
  const rest = new Map(removed.map((each) => [keyOf(each), each]));
  const chained: ChainedPack[] = [];
  for (const pack of packs) {
    chained.push(toChained(pack, rest.get(keyOf(pack))));
    rest.delete(keyOf(pack));
  }
  for (const each of rest.values()) chained.push(toChained(undefined, each));
  return chained.filter(({ position }) => position < end).sort((one, other) => one.position - other.position);
}

const selectSince = (order: ChainOrder): string =>
  `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE writer = $1 AND ${order} > $2 AND position <= $4 ORDER BY ${order} LIMIT $3`;
const SINCE = { position: selectSince('position'), first_number: selectSince('first_number') } as const;
const SELECT_REMOVED_SINCE = `
  SELECT ${TRAIL_REMOVED.names} FROM trail_removed WHERE writer = $1 AND position > $2 AND position <= $4 ORDER BY position LIMIT $3`;

/** Number of packs of all writers that one call reads in the order of positions, so that a writer without packs does not cost a read of all. */
const SCANNED_PACKS = 256;
const SELECT_SCAN_END = `SELECT position FROM trail_pack WHERE position > $1 ORDER BY position LIMIT 1 OFFSET ${SCANNED_PACKS - 1}`;
const SELECT_LAST = 'SELECT MAX(position) AS position FROM trail_pack';

/** Packs of a writer after a place. */
export interface ChainPage {
  readonly packs: readonly ChainedPack[];
  /** Place for the next call: of the last pack, or behind the packs of other writers if there is no pack. */
  readonly place: ChainPlace;
  /** False if later packs of the writer can exist. */
  readonly isEnd: boolean;
}

/**
 * Returns at most `limit` packs of a writer after a place, in the order of their numbers. The numbers of a writer are committed in order,
 * so no later record has a place before this one.
 */
export async function chainSince(sql: Sql, order: ChainOrder, writer: string, after: ChainPlace, limit: number): Promise<ChainPage> {
  const scan = order === 'position' ? await sql.row<{ readonly position: number }>(SELECT_SCAN_END, [after.position]) : undefined;
  const scanEnd = scan?.position ?? Number.MAX_SAFE_INTEGER;
  const from = order === 'position' ? after.position : after.number;
  const packs = await TRAIL_PACK.rows(sql, SINCE[order], [writer, from, limit, scanEnd]);
  const removed = await TRAIL_REMOVED.rows(sql, SELECT_REMOVED_SINCE, [writer, after.position, limit, scanEnd]);
  // A list that ends at the limit says nothing about later positions.
  const ends = [packs, removed].map((each) => (each.length < limit ? Number.POSITIVE_INFINITY : (each.at(-1)?.position ?? 0) + 1));
  const chained = joined(packs, removed, Math.min(...ends)).slice(0, limit);
  const isEnd = scan === undefined && chained.length < limit;
  const last = chained.at(-1);
  if (last === undefined) {
    if (order !== 'position') return { packs: [], place: after, isEnd };
    // New records are always at the end of the trail, so the next call can start behind the packs of other writers.
    const end = scan ?? (await sql.row<{ readonly position: number | null }>(SELECT_LAST));
    return { packs: [], place: { ...after, position: Math.max(after.position, end?.position ?? 0) }, isEnd };
  }
  const first = last.firstNumber as number;
  return { packs: chained, place: { position: last.position, number: Math.max(first, first + last.count - 1) }, isEnd };
}

const SELECT_PAGE = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE position >= $1 ORDER BY position, event_id LIMIT $2`;
const SELECT_REMOVED_PAGE = `SELECT ${TRAIL_REMOVED.names} FROM trail_removed WHERE position >= $1 ORDER BY position, writer LIMIT $2`;

/**
 * Returns the packs of all writers from a position on, in the order of positions, and the position of the next page.
 * `next` is absent after the last page. The packs of each writer are in the order of their numbers.
 * Reads about `limit` packs, or more if more packs have one position.
 */
export async function chainPage(
  sql: Sql,
  from: number,
  limit: number,
): Promise<{ readonly packs: readonly ChainedPack[]; readonly next?: number }> {
  for (let size = limit; ; size *= 2) {
    const packs = await TRAIL_PACK.rows(sql, SELECT_PAGE, [from, size]);
    const removed = await TRAIL_REMOVED.rows(sql, SELECT_REMOVED_PAGE, [from, size]);
    // The limit may separate packs of one position, so a full list counts only up to the position before its last one.
    const ends = [packs, removed].map((each) => (each.length < size ? Number.POSITIVE_INFINITY : (each.at(-1)?.position ?? 0)));
    const end = Math.min(...ends);
    if (end > from) return { packs: joined(packs, removed, end), ...(Number.isFinite(end) && { next: end }) };
  }
}
