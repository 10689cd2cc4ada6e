import type { Sql } from '../sql.ts';
import { bytes, countOf, int, table } from '../table.ts';
import { parseKeys } from './trail-keys.ts';

/**
 * Index of the trail (Decision 0020), written after the records, in transactions of its own. It consists of *runs*: sorted lists of the
 * keys of successive packs, with the positions of the packs. A run is written once, so no record changes a page in the middle of a
 * tree. When there are many small runs, the oldest of them become one large run. A look-up seeks its key in each run.
 */

/** Runs that are complete. */
export const TRAIL_RUN = table('trail_run', {
  columns: {
    /** Position of the last and of the first pack. */
    lastPosition: int,
    firstPosition: int,
    /** 0: written from packs. 1: merged from runs of level 0. */
    level: int,
  },
  key: ['lastPosition'],
  clustered: false,
});

/** Entries of the runs, in blocks. */
export const TRAIL_INDEX = table('trail_index', {
  columns: {
    level: int,
    /** `lastPosition` of the run. */
    lastPosition: int,
    /** Key of the first entry. All entries of a key are in one block. */
    firstKey: int,
    /** Entries in ascending order: a key (4 bytes) and a position (8 bytes, a double). */
    entries: bytes,
  },
  key: ['level', 'lastPosition', 'firstKey'],
  clustered: false,
});

/** Number of keys and number of packs that fill a run of level 0. A run is written when the new packs reach either number. */
const FULL_RUN = { keys: 4_096, packs: 1_024 };

/** Maximum number of packs with one position: one of each server. */
const SAME_POSITION_MAX = 64;

/** Number of small runs that a merge combines, and number of small runs (`at`) at which a merge begins. */
const MERGE = { runs: 64, at: 96 };

/** Number of parts of the key space. A merge writes one part in each transaction, so that it does not delay others. No block crosses parts. */
const PARTS = 16;
const PART_KEYS = 2 ** 32 / PARTS;

/** Number of entries in a block. A block can have more, because all entries of its last key are in it. */
const BLOCK_ENTRIES = 160;
const ENTRY_BYTES = 12;

const SELECT_END = 'SELECT MAX(last_position) AS last FROM trail_run';
const SELECT_NEXT_END = 'SELECT MIN(last_position) AS last FROM trail_run WHERE last_position >= $1';
const SELECT_KEYS = 'SELECT position, keys FROM trail_pack WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3';
const COUNT_SMALL = 'SELECT COUNT(*) AS count FROM trail_run WHERE level = 0';
const SELECT_SMALL = 'SELECT last_position, first_position FROM trail_run WHERE level = 0 ORDER BY last_position LIMIT $1';
const SELECT_PART = `
  SELECT i.entries FROM trail_run r JOIN trail_index i ON i.level = 0 AND i.last_position = r.last_position
  WHERE r.level = 0 AND r.last_position >= $1 AND r.last_position <= $2 AND i.first_key >= $3 AND i.first_key < $4
  ORDER BY r.last_position, i.first_key`;
const DELETE_RUNS = 'DELETE FROM trail_run WHERE level = 0 AND last_position >= $1 AND last_position <= $2';
const DELETE_BLOCKS = 'DELETE FROM trail_index WHERE level = 0 AND last_position >= $1 AND last_position <= $2';
/** Selects the newest runs before a position, each with the only block that can contain the key. */
const SELECT_BLOCKS = `
  SELECT r.last_position, r.first_position,
    (SELECT i.entries FROM trail_index i WHERE i.level = r.level AND i.last_position = r.last_position AND i.first_key <= $1
      ORDER BY i.first_key DESC LIMIT 1) AS entries
  FROM trail_run r WHERE r.last_position < $2 AND r.last_position >= $3 ORDER BY r.last_position DESC LIMIT $4`;

/** Returns the position up to which packs are in runs, or -1. */
export async function indexedUpTo(sql: Sql): Promise<number> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_END))?.last ?? -1;
}

/** Returns the end of the first run that ends at or after a position, or the position. */
export async function runEndFrom(sql: Sql, position: number): Promise<number> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_NEXT_END, [position]))?.last ?? position;
}

/** A run, with the positions of its packs that have a key, in ascending order. */
export interface RunHits {
  readonly lastPosition: number;
  readonly firstPosition: number;
  readonly positions: readonly number[];
}

/** Returns the newest runs that end before `position` and at or after `from`, with their hits. */
export async function hitsBefore(sql: Sql, key: number, position: number, from: number, limit: number): Promise<readonly RunHits[]> {
  const rows = await sql.rows<{ readonly last_position: number; readonly first_position: number; readonly entries: Uint8Array | null }>(
    SELECT_BLOCKS,
    [key, position, from, limit],
  );
  return rows.map(({ last_position, first_position, entries }) => ({
    lastPosition: last_position,
    firstPosition: first_position,
    positions: entries === null ? [] : positionsOf(entries, key),
  }));
}

/**
 * Writes the next run of level 0 from packs before `settled`, a position below which no further record appears.
 * 'more': the next packs may be enough for another run. Tests have smaller runs.
 */
export async function writeRun(sql: Sql, settled: number, full = FULL_RUN): Promise<'more' | 'done'> {
  const packs = await sql.rows<{ readonly position: number; readonly keys: string }>(SELECT_KEYS, [
    await indexedUpTo(sql),
    settled,
    full.packs + SAME_POSITION_MAX,
  ]);
  const entries: Entries = { keys: [], positions: [] };
  const firstPosition = packs[0]?.position as number;
  for (const [i, { position, keys }] of packs.entries()) {
    for (const key of parseKeys(keys)) {
      entries.keys.push(key);
      entries.positions.push(position);
    }
    if (entries.keys.length < full.keys && i + 1 < full.packs) continue;
    // Packs of several servers can have one position. A run has all of them.
    if (packs[i + 1]?.position === position) continue;
    for (const block of blocksOf(entries)) await TRAIL_INDEX.put(sql, { level: 0, lastPosition: position, ...block });
    await TRAIL_RUN.insert(sql, { lastPosition: position, firstPosition, level: 0 });
    return 'more';
  }
  return 'done';
}

/** Runs a transaction. */
type Transact = <T>(work: (tx: { readonly sql: Sql }) => Promise<T>) => Promise<T>;

/** Merges the oldest runs of level 0, if there are many. 'more': call it again. Runs several transactions. Tests merge fewer runs. */
export async function mergeRuns(transaction: Transact, { runs, at } = MERGE): Promise<'more' | 'done'> {
  const small = await transaction(async ({ sql }) =>
    (await countOf(sql, COUNT_SMALL, [])) < at
      ? []
      : sql.rows<{ readonly last_position: number; readonly first_position: number }>(SELECT_SMALL, [runs]),
  );
  const [first, last] = [small[0], small.at(-1)];
  if (first === undefined || last === undefined) return 'done';
  const range = [first.last_position, last.last_position] as const;
  for (let part = 0; part < PARTS; part++) {
    await transaction(async ({ sql }) => {
      const entries: Entries = { keys: [], positions: [] };
      const rows = await sql.rows<{ readonly entries: Uint8Array }>(SELECT_PART, [...range, part * PART_KEYS, (part + 1) * PART_KEYS]);
      for (const row of rows) readEntries(row.entries, entries);
      for (const block of blocksOf(entries)) await TRAIL_INDEX.put(sql, { level: 1, lastPosition: last.last_position, ...block });
    });
  }
  await transaction(async ({ sql }) => {
    // Another server may have merged the same runs. Then it wrote the same blocks.
    if ((await sql.run(DELETE_RUNS, range)) !== small.length) throw new Error('another server merged the runs of the trail');
    await sql.run(DELETE_BLOCKS, range);
    await TRAIL_RUN.insert(sql, { lastPosition: last.last_position, firstPosition: first.first_position, level: 1 });
  });
  return 'more';
}

/** Entries in any order. Entry `i` has the key `keys[i]` and the position `positions[i]`. */
interface Entries {
  readonly keys: number[];
  readonly positions: number[];
}

/** Sorts entries and returns them in blocks. Entries of one key keep their order. */
function blocksOf({ keys, positions }: Entries): readonly { readonly firstKey: number; readonly entries: Uint8Array }[] {
  // 32 bits of the key and 21 of the place are exact in a double. Sorting doubles is ten times as fast as sorting with a comparison.
  const order = new Float64Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[i] = (keys[i] as number) * 2 ** 21 + i;
  order.sort();
  const blocks: { firstKey: number; entries: Uint8Array }[] = [];
  let begin = 0;
  for (let i = 0; i < order.length; i++) {
    const key = Math.floor((order[i] as number) / 2 ** 21);
    const next = i + 1 < order.length ? Math.floor((order[i + 1] as number) / 2 ** 21) : -1;
    const isEnd =
      next === -1 || (next !== key && (i + 1 - begin >= BLOCK_ENTRIES || Math.floor(next / PART_KEYS) !== Math.floor(key / PART_KEYS)));
    if (!isEnd) continue;
    const entries = new DataView(new ArrayBuffer((i + 1 - begin) * ENTRY_BYTES));
    for (let at = begin; at <= i; at++) {
      const value = order[at] as number;
      const entryKey = Math.floor(value / 2 ** 21);
      const offset = (at - begin) * ENTRY_BYTES;
      entries.setUint32(offset, entryKey);
      entries.setFloat64(offset + 4, positions[value - entryKey * 2 ** 21] as number);
    }
    blocks.push({ firstKey: entries.getUint32(0), entries: new Uint8Array(entries.buffer) });
    begin = i + 1;
  }
  return blocks;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Reads the entries of a block and appends them to `keys` and `positions`. */
function readEntries(block: Uint8Array, { keys, positions }: Entries): void {
  const view = viewOf(block);
  for (let offset = 0; offset < view.byteLength; offset += ENTRY_BYTES) {
    keys.push(view.getUint32(offset));
    positions.push(view.getFloat64(offset + 4));
  }
}

/** Returns the positions of a key in a block, by binary search. */
function positionsOf(block: Uint8Array, key: number): readonly number[] {
  const view = viewOf(block);
  const count = view.byteLength / ENTRY_BYTES;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (view.getUint32(middle * ENTRY_BYTES) < key) low = middle + 1;
    else high = middle;
  }
  const positions: number[] = [];
  for (let i = low; i < count && view.getUint32(i * ENTRY_BYTES) === key; i++) positions.push(view.getFloat64(i * ENTRY_BYTES + 4));
  return positions;
}
