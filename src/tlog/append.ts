/** Appends entries to the tree. This module has no storage: it returns the tiles that change. */
import { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash, perfectSubtree, perfectSubtrees } from './hash.ts';
import { readTile, TILE_WIDTH, type TileReader, tileLevels, tileWidth } from './merkle.ts';
import { ENTRY_BYTES_MAX } from './tile-path.ts';

/** Most entries that one call of `appendEntries` accepts. It limits the memory of a call to a few megabytes. */
export const APPEND_ENTRIES_MAX = 65_536;

/** Size and root of a tree. */
export interface TreeHead {
  /** Number of leaves. */
  readonly size: number;
  /** Root hash, 32 bytes. */
  readonly root: Uint8Array;
}

/** Tree without leaves, with which a log starts. */
export const EMPTY_TREE: TreeHead = { size: 0, root: EMPTY_ROOT };

/** A tile that an append created or extended. */
export interface ChangedTile {
  readonly level: number;
  readonly index: number;
  /** All hashes of the tile, 32 bytes each, 1 to 256 hashes. They begin with the hashes that the tile had before. */
  readonly hashes: Uint8Array;
}

/** Result of an append. */
export interface Appended extends TreeHead {
  /** Tiles to write, each once: levels from 0, in each level from left to right. */
  readonly tiles: readonly ChangedTile[];
}

/**
 * Computes the tree that results from appending entries. Writes nothing. Reads only the right edge of the tree: at most
 * one tile per level.
 *
 * How a store uses it, in one transaction:
 *
 * 1. It checks its lease, reads `head` (size and root), and reads the entries to append.
 * 2. `appendEntries(head, entries, read)`, where `read` reads tiles in the same transaction.
 * 3. It writes each tile of `tiles` over the row of the same level and index, and the new size and root with
 *    compare-and-set on `head.size` and its fencing number. The entries themselves are its own rows, by leaf index.
 * 4. It commits. Only after the commit is on disk does it sign a checkpoint of the new head.
 *
 * The same head and entries always have the same result, so a transaction may run again.
 *
 * @throws RangeError  there are more than 65,536 entries, or an entry has more than 65,535 bytes
 * @throws Error       the tiles of the right edge do not have the root `head.root`, so the stored tree is damaged
 */
export async function appendEntries(head: TreeHead, entries: readonly Uint8Array[], read: TileReader): Promise<Appended> {
  if (entries.length > APPEND_ENTRIES_MAX) throw new RangeError(`${entries.length} entries; the maximum is ${APPEND_ENTRIES_MAX}`);
  const tooLong = entries.find((entry) => entry.length > ENTRY_BYTES_MAX);
  if (tooLong !== undefined) throw new RangeError(`an entry has ${tooLong.length} bytes; the maximum is ${ENTRY_BYTES_MAX}`);
  const edge = await readEdge(head, read);
  const tiles: ChangedTile[][] = [];

  function push(level: number, hash: Buffer): void {
    const tile = (edge[level] ??= { index: 0, hashes: [] });
    tile.hashes.push(hash);
    if (tile.hashes.length < TILE_WIDTH) return;
    const hashes = Buffer.concat(tile.hashes);
    (tiles[level] ??= []).push({ level, index: tile.index, hashes });
    edge[level] = { index: tile.index + 1, hashes: [] };
    push(level + 1, perfectSubtree(hashes));
  }
  const widths = edge.map((tile) => tile.hashes.length);
  const indexes = edge.map((tile) => tile.index);
  for (const entry of entries) push(0, leafHash(entry));
  edge.forEach(({ index, hashes }, level) => {
    const isUnchanged = indexes[level] === index && widths[level] === hashes.length;
    if (hashes.length > 0 && !isUnchanged) (tiles[level] ??= []).push({ level, index, hashes: Buffer.concat(hashes) });
  });
  return { size: head.size + entries.length, root: rootOfEdge(edge), tiles: tiles.flat() };
}

/** Incomplete last tile of a level. `hashes` is empty if the level has only full tiles. */
interface EdgeTile {
  readonly index: number;
  readonly hashes: Buffer[];
}

/** Reads the incomplete last tile of each level, one after the other, because they can be on one connection. */
async function readEdge({ size, root }: TreeHead, read: TileReader): Promise<EdgeTile[]> {
  const edge: EdgeTile[] = [];
  for (let level = 0; level < tileLevels(size); level++) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = tileWidth(level, index, size);
    const bytes = width === 0 ? Buffer.alloc(0) : Buffer.from(await readTile(read, level, index, width));
    edge.push({ index, hashes: Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)) });
  }
  if (Buffer.compare(rootOfEdge(edge), root) !== 0) throw new Error(`the stored tiles do not have the root of the tree of ${size} leaves`);
  return edge;
}

/** Returns the root of a tree: each hash of a level covers more leaves than all hashes of lower levels together. */
function rootOfEdge(edge: readonly EdgeTile[]): Buffer {
  const subtrees = edge.toReversed().flatMap(({ hashes }) => (hashes.length === 0 ? [] : perfectSubtrees(Buffer.concat(hashes))));
  return subtrees.length === 0 ? EMPTY_ROOT : subtrees.reduceRight((right, left) => nodeHash(left, right));
}
