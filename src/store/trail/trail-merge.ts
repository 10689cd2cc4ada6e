import type { Sql } from '../sql.ts';
import { countOf } from '../table.ts';
import {
  BLOCK_ENTRIES,
  type Block,
  type Entries,
  noEntries,
  putBlocks,
  type RunBlocks,
  readEntries,
  runBlocks,
  TRAIL_RUN,
} from './trail-blocks.ts';

/**
 * Merges of the runs of the trail's index (Decision 0020): the oldest runs of a level become one run of the next level. A merge runs in parts
 * of some thousand entries, each in a transaction of a few milliseconds, so that it delays no caller for long.
 *
 * Invariant (same blocks): the blocks of a merge depend only on its runs, which never change. After a crash, and if two servers merge the
 * same runs, the merge writes the same blocks again. A part writes only if all runs of the merge exist.
 */

/** Number of runs that a merge combines, and number of runs of a level at which a merge begins. */
export interface MergeSizes {
  readonly runs: number;
  readonly at: number;
}

const MERGE: MergeSizes = { runs: 32, at: 32 };

/** Number of blocks of each run that a part reads. With 32 runs, a part has about 15,000 entries. */
const PART_BLOCKS = 3;

const SELECT_LEVELS = 'SELECT level, COUNT(*) AS count FROM trail_run GROUP BY level ORDER BY level';
const SELECT_OLDEST = 'SELECT last_position, first_position FROM trail_run WHERE level = $1 ORDER BY last_position LIMIT $2';
const COUNT_RUNS = 'SELECT COUNT(*) AS count FROM trail_run WHERE level = $1 AND last_position >= $2 AND last_position <= $3';
const SELECT_BLOCKS = `
  SELECT first_key, first_position, entries FROM trail_block
  WHERE level = $1 AND last_position = $2 AND (first_key, first_position) > ($3, $4) ORDER BY first_key, first_position LIMIT $5`;
const DELETE_RUNS = 'DELETE FROM trail_run WHERE level = $1 AND last_position >= $2 AND last_position <= $3';
const DELETE_SMALL = 'DELETE FROM trail_block WHERE level = $1 AND last_position >= $2 AND last_position <= $3';
const DELETE_BLOCKS = 'DELETE FROM trail_block WHERE level = $1 AND last_position = $2 AND first_key >= $3 AND first_key < $4';
/**
 * Selects the next run that has blocks, and whether it is needed: it exists, or a merge writes it. The last of the runs that are merged ends at
 * the position of the merged run.
 */
const SELECT_NEXT_RUN = `
  SELECT b.level, b.last_position,
    (SELECT COUNT(*) FROM trail_run r WHERE r.last_position = b.last_position AND (r.level = b.level OR r.level = b.level - 1)) AS runs
  FROM trail_block b WHERE (b.level, b.last_position) > ($1, $2) ORDER BY b.level, b.last_position LIMIT 1`;

/** Number of possible keys. */
const KEYS = 2 ** 32;

/** Runs a transaction. It may run the work more than once. */
type Transact = <T>(work: (tx: { readonly sql: Sql }) => Promise<T>) => Promise<T>;

/** A run that is merged, with its entries that were read but not merged yet. */
interface Input {
  readonly lastPosition: number;
  /** Start of the block that was read last. */
  after: readonly [firstKey: number, firstPosition: number];
  entries: Entries;
  /** True if all blocks were read. */
  ended: boolean;
}

interface BlockRow {
  readonly first_key: number;
  readonly first_position: number;
  readonly entries: Uint8Array;
}

interface Merge {
  readonly level: number;
  readonly firstPosition: number;
  /** Runs, the oldest first. All positions of a run are before those of the next run. */
  readonly inputs: readonly Input[];
  /** `level`, and the `lastPosition` of the first and of the last run. */
  readonly range: readonly [level: number, first: number, last: number];
  readonly output: RunBlocks;
  /** Blocks that the next part writes. */
  blocks: readonly Block[];
}

/** Number of runs of a level. */
interface Level {
  readonly level: number;
  readonly count: number;
}

/** Blocks of a merged run, of which those from `fromKey` still exist. */
interface Merged {
  readonly level: number;
  readonly lastPosition: number;
  fromKey: number;
}

/** Merges of one process. */
export interface Merges {
  /** Reports whether there is something to merge, for a call of `part`. */
  due(sql: Sql): Promise<boolean>;
  /**
   * Runs a part of a merge, that of the lowest level first, in a transaction of its own. If it rejects, the merge begins again with the next
   * call. Returns true if further parts are due.
   */
  part(): Promise<boolean>;
}

/** Creates the merges of a process. Their state is in memory, a few hundred kilobytes for each level. Tests merge fewer runs. */
export function merging(transaction: Transact, { runs, at } = MERGE): Merges {
  const merges = new Map<number, Merge>();
  let merged: Merged[] | undefined;
  let fullLevel: number | undefined;

  const isDue = (): boolean => fullLevel !== undefined || merged === undefined || merged.length > 0;

  async function due(sql: Sql): Promise<boolean> {
    fullLevel = (await sql.rows<Level>(SELECT_LEVELS)).find(({ count }) => count >= at)?.level;
    return isDue();
  }

  async function partOfMerge(level: number): Promise<void> {
    const merge = merges.get(level) ?? (await begin(transaction, level, runs));
    merges.delete(level);
    if (!isRead(merge)) {
      await runPart(transaction, merge);
      merges.set(level, merge);
      return;
    }
    await transaction(async ({ sql }) => {
      await end(sql, merge);
      await due(sql);
    });
    if (level > 0) merged = merge.inputs.map(({ lastPosition }) => ({ level, lastPosition, fromKey: 0 }));
  }

  return {
    due,
    async part() {
      // Another process may have ended before it deleted all blocks.
      merged ??= [...(await transaction(({ sql }) => blocksWithoutRun(sql)))];
      const [old] = merged;
      if (old !== undefined) {
        old.fromKey = await transaction(({ sql }) => deleteBlocks(sql, old));
        if (old.fromKey >= KEYS) merged.shift();
      } else if (fullLevel !== undefined) await partOfMerge(fullLevel);
      return isDue();
    },
  };
}

/** Returns the runs that were merged, but still have blocks. */
async function blocksWithoutRun(sql: Sql): Promise<readonly Merged[]> {
  const found: Merged[] = [];
  for (let after: readonly [level: number, lastPosition: number] = [-1, -1]; ; ) {
    const row = await sql.row<{ readonly level: number; readonly last_position: number; readonly runs: number }>(SELECT_NEXT_RUN, after);
    if (row === undefined) return found;
    after = [row.level, row.last_position];
    if (row.runs === 0) found.push({ level: row.level, lastPosition: row.last_position, fromKey: 0 });
  }
}

/** Deletes some hundred blocks. Returns the key from which further blocks exist. */
async function deleteBlocks(sql: Sql, { level, lastPosition, fromKey }: Merged): Promise<number> {
  const toKey = Math.min(fromKey + KEYS / MERGE.runs ** (level - 1), KEYS);
  await sql.run(DELETE_BLOCKS, [level, lastPosition, fromKey, toKey]);
  return toKey;
}

async function begin(transaction: Transact, level: number, runs: number): Promise<Merge> {
  const rows = await transaction(({ sql }) =>
    sql.rows<{ readonly last_position: number; readonly first_position: number }>(SELECT_OLDEST, [level, runs]),
  );
  const [first, last] = [rows[0], rows.at(-1)];
  // Fewer runs remain if another server has just merged them.
  if (first === undefined || last === undefined || rows.length < runs) throw new Error('another server merged the runs of the trail');
  return {
    level,
    firstPosition: first.first_position,
    inputs: rows.map(({ last_position }) => ({ lastPosition: last_position, after: [-1, 0], entries: noEntries(), ended: false })),
    range: [level, first.last_position, last.last_position],
    output: runBlocks(level + 1, last.last_position),
    blocks: [],
  };
}

/** Reports whether all entries of a merge are in blocks. */
function isRead({ inputs }: Merge): boolean {
  return inputs.every(({ ended, entries }) => ended && entries.keys.length === 0);
}

/** Writes the blocks of the entries that were read before, and reads further entries. */
async function runPart(transaction: Transact, merge: Merge): Promise<void> {
  const { inputs, output, range } = merge;
  const read = inputs.filter(({ ended, entries }) => !ended && entries.keys.length < PART_BLOCKS * BLOCK_ENTRIES);
  const blocks = await transaction(async ({ sql }) => {
    requireRuns(await countOf(sql, COUNT_RUNS, range), merge);
    await putBlocks(sql, merge.blocks);
    const rows: (readonly BlockRow[])[] = [];
    for (const { lastPosition, after } of read)
      rows.push(await sql.rows<BlockRow>(SELECT_BLOCKS, [merge.level, lastPosition, ...after, PART_BLOCKS]));
    return rows;
  });
  // The state changes only here, because a transaction may run more than once.
  for (const [i, input] of read.entries()) {
    for (const row of blocks[i] ?? []) {
      readEntries(row.entries, input.entries);
      input.after = [row.first_key, row.first_position];
    }
    input.ended = (blocks[i] ?? []).length < PART_BLOCKS;
  }
  merge.blocks = output.add(takeComplete(inputs));
  if (isRead(merge)) merge.blocks = [...merge.blocks, ...output.end()];
}

/** Writes the last blocks and replaces the runs by the merged run. The blocks of large runs are deleted later. */
async function end(sql: Sql, merge: Merge): Promise<void> {
  const { level, range, firstPosition, blocks } = merge;
  await putBlocks(sql, blocks);
  requireRuns(await sql.run(DELETE_RUNS, range), merge);
  if (level === 0) await sql.run(DELETE_SMALL, range);
  await TRAIL_RUN.insert(sql, { lastPosition: range[2], firstPosition, level: level + 1 });
}

/** @throws Error  another server merged the runs. It wrote the same blocks */
function requireRuns(count: number, { inputs }: Merge): void {
  if (count !== inputs.length) throw new Error('another server merged the runs of the trail');
}

/** Removes the entries that precede all entries not read yet, and returns them. The entries of each key are in the order of positions. */
function takeComplete(inputs: readonly Input[]): Entries {
  // The last entry that was read limits them: all runs have been read up to it.
  let limitKey = Number.POSITIVE_INFINITY;
  let limitRun = -1;
  for (const [run, { entries, ended }] of inputs.entries()) {
    const last = entries.keys.at(-1) as number;
    if (!ended && last < limitKey) {
      limitKey = last;
      limitRun = run;
    }
  }
  const complete = noEntries();
  for (const [run, input] of inputs.entries()) {
    const { keys, positions } = input.entries;
    // All entries of `limitKey` in older runs are read, and precede the limit. Those in newer runs may follow entries that are not read yet.
    const below = run <= limitRun ? limitKey + 1 : limitKey;
    let count = 0;
    while (count < keys.length && (keys[count] as number) < below) {
      complete.keys.push(keys[count] as number);
      complete.positions.push(positions[count] as number);
      count++;
    }
    input.entries = { keys: keys.slice(count), positions: positions.slice(count) };
  }
  return complete;
}
