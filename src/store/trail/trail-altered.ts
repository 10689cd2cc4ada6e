/**
 * Packs of the trail that someone altered in the database. Retention does not delete them, because they are evidence (Decision 0051). Owns the check
 * of a pack before its deletion, and the list of the packs that stay.
 */
import type { Sql } from '../sql.ts';
import { countOf as countRows, instant, int, table, text } from '../table.ts';
import { decodeContexts } from './context-reader.ts';
import { isSameLink, packDigest, packLink, startLink, TRAIL_WRITER } from './trail-chain.ts';
import { intactFactsOf } from './trail-heads.ts';
import { countOf, type Pack } from './trail-pack.ts';
import { type RemovedPack, removedRecords, TRAIL_REMOVED } from './trail-removed.ts';

/** Altered packs that retention found and kept. */
export const TRAIL_ALTERED = table('trail_altered', {
  columns: { position: int, eventId: text, foundAt: instant },
  key: ['position', 'eventId'],
});

/** SQL condition on `trail_pack`: retention did not find the pack altered. */
export const NOT_ALTERED = `NOT EXISTS (
  SELECT 1 FROM trail_altered WHERE trail_altered.position = trail_pack.position AND trail_altered.event_id = trail_pack.event_id)`;

const COUNT_ALTERED = 'SELECT COUNT(*) AS count FROM trail_altered';

/** Returns the number of altered packs that retention found. */
export function alteredPacks(sql: Sql): Promise<number> {
  return countRows(sql, COUNT_ALTERED, []);
}

/**
 * Returns the digest of a pack as committed. Returns `undefined` if the pack was altered since then, as far as its chain and the format of its content
 * show. `removed` has the hashes of its deleted records.
 */
export async function digestOfUnaltered(sql: Sql, pack: Pack, removed: RemovedPack | undefined): Promise<Uint8Array | undefined> {
  const digest = removed?.digest ?? packDigest(pack);
  return (await isUnaltered(sql, pack, digest, removed)) ? digest : undefined;
}

async function isUnaltered(sql: Sql, pack: Pack, digest: Uint8Array, removed: RemovedPack | undefined): Promise<boolean> {
  const isLinked = await hasItsLink(sql, pack, digest, removed);
  // The digest covers all of a whole pack. Of a pack with deleted records, only the format of the rest can be checked.
  return isLinked === undefined || removed !== undefined ? isLinked !== false && isReadable(pack, removed) : isLinked;
}

/** Reports whether the link of a pack belongs to its content. Returns `undefined` if the link before it is not known. */
async function hasItsLink(sql: Sql, pack: Pack, digest: Uint8Array, removed: RemovedPack | undefined): Promise<boolean | undefined> {
  const { writer, firstNumber, position, link } = pack;
  if (writer === undefined || firstNumber === undefined || link === undefined) return undefined;
  const before = await linkBefore(sql, writer, firstNumber, position);
  if (before === undefined) return undefined;
  const count = removed?.count ?? countOrNone(pack);
  if (count === undefined) return false;
  const expected = packLink(before, { writer, firstNumber, count, position }, digest);
  return isSameLink(expected, link) && (removed === undefined || isSameLink(removed.link, link));
}

/** Returns the number of records of a pack, or `undefined` if someone replaced the heads with other text. */
function countOrNone(pack: Pack): number | undefined {
  try {
    return countOf(pack);
  } catch {
    return undefined;
  }
}

/** Reports whether the content of a pack is in the format of the server, and has as many records as remain. */
function isReadable(pack: Pack, removed: RemovedPack | undefined): boolean {
  const records = intactFactsOf(pack.heads);
  if (records === undefined) return false;
  if (removed !== undefined && records.length + removedRecords(removed).length !== removed.count) return false;
  if (records.reduce((sum, { length }) => sum + length, 0) !== pack.documents.length) return false;
  if (pack.contexts === undefined) return true;
  try {
    return decodeContexts(pack.contexts, records).length === records.length;
  } catch {
    return false;
  }
}

const SELECT_REMOVED_BEFORE = `
  SELECT ${TRAIL_REMOVED.names} FROM trail_removed WHERE writer = $1 AND position < $2 ORDER BY position DESC LIMIT 1`;
const SELECT_NEAR = 'SELECT writer, link FROM trail_pack WHERE position < $1 ORDER BY position DESC LIMIT $2';
/**
 * Numbers of packs before a pack among which the last one of its writer is searched. On SQLite, it is the last pack. On PostgreSQL, other servers have
 * packs in between.
 */
const NEAR = [1, 32] as const;

/**
 * Returns the link of a chain before a pack. Returns `undefined` if the row of the writer, or a pack of the writer near it, does not exist.
 * Usually reads one row, because retention has deleted the pack before.
 */
async function linkBefore(sql: Sql, writer: string, firstNumber: number, position: number): Promise<Uint8Array | undefined> {
  if (firstNumber === 1) {
    const started = await TRAIL_WRITER.get(sql, writer);
    return started && startLink(started);
  }
  const removed = await TRAIL_REMOVED.row(sql, SELECT_REMOVED_BEFORE, [writer, position]);
  if (removed !== undefined && removed.firstNumber + removed.count === firstNumber) return removed.link;
  for (const limit of NEAR) {
    const near = await sql.rows<{ readonly writer: string | null; readonly link: Uint8Array | null }>(SELECT_NEAR, [position, limit]);
    const found = near.find((each) => each.writer === writer);
    if (found !== undefined) return found.link ?? undefined;
  }
  return undefined;
}
