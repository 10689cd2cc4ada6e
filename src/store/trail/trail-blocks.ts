import type { Sql } from '../sql.ts';
import { bytes, int, type Row, table } from '../table.ts';

/** Tables of the trail's index, and the format of its entries (Decision 0020). */

/** Runs that are complete. */
export const TRAIL_RUN = table('trail_run', {
  columns: {
    /** Position of the last and of the first pack. */
    lastPosition: int,
    firstPosition: int,
    /** 0: written from packs. Otherwise merged from runs of the level below. */
    level: int,
  },
  key: ['lastPosition'],
  clustered: false,
});

/** Entries of the runs, in blocks. A block is written once, or again with the same entries. */
export const TRAIL_BLOCK = table('trail_block', {
  columns: {
    level: int,
    /** `lastPosition` of the run. */
    lastPosition: int,
    /** Key and position of the first entry. In blocks from before version 14 of the schema, the position is 0. */
    firstKey: int,
    firstPosition: int,
    /** Entries in ascending order of key and position, each once: a key (4 bytes) and a position (8 bytes, a double). */
    entries: bytes,
  },
  key: ['level', 'lastPosition', 'firstKey', 'firstPosition'],
  clustered: false,
});

/** Number of entries in a block. A block of 1,920 bytes is in the row on both engines. */
export const BLOCK_ENTRIES = 160;
const ENTRY_BYTES = 12;

/** Number of blocks that one statement inserts. */
const BLOCKS_OF_INSERT = 10;
const PUT_BLOCKS = `
  INSERT INTO trail_block (${TRAIL_BLOCK.names})
  VALUES ${Array.from({ length: BLOCKS_OF_INSERT }, (_, i) => `($${5 * i + 1}, $${5 * i + 2}, $${5 * i + 3}, $${5 * i + 4}, $${5 * i + 5})`).join(', ')}
  ON CONFLICT (level, last_position, first_key, first_position) DO UPDATE SET entries = excluded.entries`;

/** Factor of a key in a number that also has its place. 32 bits of the key and 21 of the place are exact in a double. */
const PLACES = 2 ** 21;

/** Entries in any order. Entry `i` has the key `keys[i]` and the position `positions[i]`. */
export interface Entries {
  readonly keys: number[];
  readonly positions: number[];
}

export function noEntries(): Entries {
  return { keys: [], positions: [] };
}

/** Appends the entries of a block, in their order. */
export function readEntries(block: Uint8Array, { keys, positions }: Entries): void {
  const view = viewOf(block);
  for (let offset = 0; offset < view.byteLength; offset += ENTRY_BYTES) {
    keys.push(view.getUint32(offset));
    positions.push(view.getFloat64(offset + 4));
  }
}

/** Returns the positions of a key in a block up to `last`, in ascending order. 'more': earlier blocks can have earlier positions. */
export function positionsOf(
  block: Uint8Array,
  key: number,
  last: number,
): { readonly positions: readonly number[]; readonly more: boolean } {
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
  for (let i = low; i < count && view.getUint32(i * ENTRY_BYTES) === key; i++) {
    const position = view.getFloat64(i * ENTRY_BYTES + 4);
    if (position <= last) positions.push(position);
  }
  return { positions, more: low === 0 && positions.length > 0 };
}

/** A block to write. */
export type Block = Row<typeof TRAIL_BLOCK>;

/** Divides the entries of one run into blocks. */
export interface RunBlocks {
  /** Adds entries, which follow all entries before them, and returns the blocks that are full. The entries of one key are in the order of positions. */
  add(entries: Entries): readonly Block[];
  /** Returns the last block, if it has entries. */
  end(): readonly Block[];
}

/** Creates the blocks of a run. They depend only on the entries, not on how many of them each call adds. */
export function runBlocks(level: number, lastPosition: number): RunBlocks {
  let view = new DataView(new ArrayBuffer(BLOCK_ENTRIES * ENTRY_BYTES));
  let count = 0;
  let previousKey = -1;
  let previousPosition = -1;

  function take(): Block {
    const entries = new Uint8Array(view.buffer, 0, count * ENTRY_BYTES);
    const block = { level, lastPosition, firstKey: view.getUint32(0), firstPosition: view.getFloat64(4), entries };
    view = new DataView(new ArrayBuffer(BLOCK_ENTRIES * ENTRY_BYTES));
    count = 0;
    return block;
  }

  return {
    add({ keys, positions }) {
      const full: Block[] = [];
      if (keys.length >= PLACES) throw new Error(`the entries of a part of the trail index are too many to sort: ${keys.length}`);
      const order = new Float64Array(keys.length);
      // Sorting doubles is ten times as fast as sorting with a comparison.
      for (let i = 0; i < keys.length; i++) order[i] = (keys[i] as number) * PLACES + i;
      order.sort();
      for (let i = 0; i < order.length; i++) {
        const value = order[i] as number;
        const key = Math.floor(value / PLACES);
        const position = positions[value - key * PLACES] as number;
        // Packs of several servers can have one position.
        if (key === previousKey && position === previousPosition) continue;
        previousKey = key;
        previousPosition = position;
        view.setUint32(count * ENTRY_BYTES, key);
        view.setFloat64(count * ENTRY_BYTES + 4, position);
        if (++count === BLOCK_ENTRIES) full.push(take());
      }
      return full;
    },
    end: () => (count === 0 ? [] : [take()]),
  };
}

/** Writes blocks, or the same blocks again. Inserts several with one statement, which costs a third for each on SQLite. */
export async function putBlocks(sql: Sql, blocks: readonly Block[]): Promise<void> {
  const inserted = blocks.length - (blocks.length % BLOCKS_OF_INSERT);
  for (let i = 0; i < inserted; i += BLOCKS_OF_INSERT) {
    const values = blocks
      .slice(i, i + BLOCKS_OF_INSERT)
      .flatMap(({ level, lastPosition, firstKey, firstPosition, entries }) => [level, lastPosition, firstKey, firstPosition, entries]);
    await sql.run(PUT_BLOCKS, values);
  }
  for (const block of blocks.slice(inserted)) await TRAIL_BLOCK.put(sql, block);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
