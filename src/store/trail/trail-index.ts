import type { Sql } from '../sql.ts';
import { noEntries, positionsOf, putBlocks, runBlocks, TRAIL_RUN } from './trail-blocks.ts';
import { parseKeys } from './trail-keys.ts';

/**
 * Index of the trail (Decision 0020), written after the records, in transactions of its own. It consists of *runs*: sorted lists of the
 * keys of successive packs, with the positions of the packs. A run is written once, so no record changes a page in the middle of a
 * tree. When a level has many runs, `trail-merge.ts` merges the oldest of them into one run of the next level. A look-up seeks its key
 * in each run.
 */

/** Number of keys and number of packs that fill a run of level 0. A run is written when the new packs reach either number. */
const FULL_RUN = { keys: 4_096, packs: 1_024 };

/** Maximum number of packs with the same position. Each server writes at most one of them. */
const SAME_POSITION_MAX = 64;

const SELECT_END = 'SELECT MAX(last_position) AS last FROM trail_run';
const SELECT_KEYS = 'SELECT position, keys FROM trail_pack WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3';
/** Selects the newest runs before a position, each with the last block that can contain the key up to a position. */
const SELECT_BLOCKS = `
  SELECT r.level, r.last_position, r.first_position,
    (SELECT b.entries FROM trail_block b
      WHERE b.level = r.level AND b.last_position = r.last_position AND (b.first_key, b.first_position) <= ($1, $2)
      ORDER BY b.first_key DESC, b.first_position DESC LIMIT 1) AS entries
  FROM trail_run r WHERE r.last_position < $3 AND r.last_position >= $4 ORDER BY r.last_position DESC LIMIT $5`;
const SELECT_BLOCK = `
  SELECT b.entries FROM trail_block b
  WHERE b.level = $1 AND b.last_position = $2 AND (b.first_key, b.first_position) <= ($3, $4)
  ORDER BY b.first_key DESC, b.first_position DESC LIMIT 1`;

/** Returns the position of the last pack that the runs contain, or -1 if there are no runs. */
export async function indexedUpTo(sql: Sql): Promise<number> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_END))?.last ?? -1;
}

/** A run, with positions of its packs that have a key, in ascending order. */
export interface RunHits {
  readonly level: number;
  readonly lastPosition: number;
  readonly firstPosition: number;
  readonly positions: readonly number[];
  /** True if the run can have earlier positions of the key, which `earlierHits` returns. */
  readonly more: boolean;
}

/** Key to look for, in packs up to the position `last`, and in runs that end at or after the position `from`. */
export interface Wanted {
  readonly key: number;
  readonly last: number;
  readonly from: number;
}

/** Returns the newest runs that end before `position` and at or after `from`, each with its last hits up to `last`. */
export async function hitsBefore(sql: Sql, { key, last, from }: Wanted, position: number, limit: number): Promise<readonly RunHits[]> {
  const rows = await sql.rows<{
    readonly level: number;
    readonly last_position: number;
    readonly first_position: number;
    readonly entries: Uint8Array | null;
  }>(SELECT_BLOCKS, [key, last, position, from, limit]);
  return rows.map(({ level, last_position, first_position, entries }) => ({
    level,
    lastPosition: last_position,
    firstPosition: first_position,
    ...hitsOf(entries, key, last),
  }));
}

/** Returns the hits of a run before those that were read, or undefined if there are none. */
export async function earlierHits(sql: Sql, key: number, hits: RunHits): Promise<RunHits | undefined> {
  const { level, lastPosition, positions, more } = hits;
  const [first] = positions;
  if (!more || first === undefined) return undefined;
  const row = await sql.row<{ readonly entries: Uint8Array }>(SELECT_BLOCK, [level, lastPosition, key, first - 1]);
  return { ...hits, ...hitsOf(row?.entries ?? null, key, first - 1) };
}

function hitsOf(entries: Uint8Array | null, key: number, last: number): Pick<RunHits, 'positions' | 'more'> {
  return entries === null ? { positions: [], more: false } : positionsOf(entries, key, last);
}

/**
 * Writes the next run of level 0 from packs before `settled`, a position below which no further record appears.
 * Returns 'more' if the next packs may be enough for another run. `full` is the size of a run, which is smaller only in
 * tests.
 */
export async function writeRun(sql: Sql, settled: number, full = FULL_RUN): Promise<'more' | 'done'> {
  const packs = await sql.rows<{ readonly position: number; readonly keys: string }>(SELECT_KEYS, [
    await indexedUpTo(sql),
    settled,
    full.packs + SAME_POSITION_MAX,
  ]);
  const entries = noEntries();
  const firstPosition = packs[0]?.position as number;
  for (const [i, { position, keys }] of packs.entries()) {
    for (const key of parseKeys(keys)) {
      entries.keys.push(key);
      entries.positions.push(position);
    }
    if (entries.keys.length < full.keys && i + 1 < full.packs) continue;
    // Packs of several servers can have the same position. All of these packs must be in the same run.
    if (packs[i + 1]?.position === position) continue;
    const blocks = runBlocks(0, position);
    await putBlocks(sql, [...blocks.add(entries), ...blocks.end()]);
    await TRAIL_RUN.insert(sql, { lastPosition: position, firstPosition, level: 0 });
    return 'more';
  }
  return 'done';
}
