/** Finds the place of a record in the chain of its writer, in a number of reads that does not depend on the number of records. */
import type { Sql } from '../sql.ts';
import { type ChainPlace, START_OF_CHAIN } from './trail-chain-reads.ts';
import type { ChainOrder } from './trail-writers.ts';

/** Begin of a pack, or of a pack with deleted records. */
interface Start {
  readonly position: number;
  /** Number of the first record. */
  readonly number: number;
}

const SELECT_BOUNDS = `
  SELECT w.first_position AS first, p.position AS last FROM trail_writer w JOIN trail_log_writer p ON p.writer = w.id WHERE w.id = $1`;
const selectFrom = (table: 'trail_pack' | 'trail_removed'): string =>
  `SELECT position, first_number AS number FROM ${table} WHERE writer = $1 AND position >= $2 AND position <= $3 ORDER BY position LIMIT 1`;
const PACK_FROM = selectFrom('trail_pack');
const REMOVED_FROM = selectFrom('trail_removed');
const SELECT_PACK_OF = `
  SELECT position, first_number AS number FROM trail_pack WHERE writer = $1 AND first_number <= $2 ORDER BY first_number DESC LIMIT 1`;

/**
 * Returns the place before the pack that has a record, for `chainSince`. `undefined` if the transparency log has no record of the writer.
 * Numbers and positions of a writer increase together, so a search by halves needs at most 53 reads of each table.
 */
export async function placeBefore(sql: Sql, order: ChainOrder, writer: string, number: number): Promise<ChainPlace | undefined> {
  const bounds = await sql.row<{ readonly first: number | null; readonly last: number }>(SELECT_BOUNDS, [writer]);
  if (bounds === undefined) return undefined;
  const search = (statement: string) =>
    lastStart((from, to) => sql.row<Start>(statement, [writer, from, to]), number, bounds.first ?? 0, bounds.last);
  // On PostgreSQL the packs of many writers are mixed, so a search by position would read those of others.
  const pack = order === 'first_number' ? await sql.row<Start>(SELECT_PACK_OF, [writer, number]) : await search(PACK_FROM);
  const removed = await search(REMOVED_FROM);
  const start = [pack, removed].reduce((one, other) => ((other?.position ?? -1) > (one?.position ?? -1) ? other : one));
  return start === undefined ? START_OF_CHAIN : { position: start.position - 1, number: start.number - 1 };
}

/** Returns the last start whose number is at most `number`. `firstFrom` returns the first start between two positions. */
async function lastStart(
  firstFrom: (from: number, to: number) => Promise<Start | undefined>,
  number: number,
  first: number,
  last: number,
): Promise<Start | undefined> {
  let found: Start | undefined;
  for (let [from, to] = [first, last]; from <= to; ) {
    const middle = from + Math.floor((to - from) / 2);
    const start = await firstFrom(middle, to);
    if (start === undefined || start.number > number) to = middle - 1;
    else {
      found = start;
      from = start.position + 1;
    }
  }
  return found;
}
