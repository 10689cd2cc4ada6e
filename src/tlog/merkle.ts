/** The Merkle tree of the log, read from tiles: roots and proofs. `append.ts` adds leaves, and `verify-path.ts` verifies proofs. */
import { EMPTY_ROOT, HASH_BYTES, largestPowerOfTwo, nodeHash, perfectSubtree } from './hash.ts';

/** Height of a tile in levels of the tree. Source: C2SP tlog-tiles 0.1.0, "Merkle Tree". */
const TILE_HEIGHT = 8;
/** Number of hashes of a full tile. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/**
 * Reads one tile: the first `width` hashes of tile `index` of `level`, 32 bytes each.
 *
 * Hash `i` of the tile is the root of the entries from `(index * 256 + i) * 256^level` to before
 * `(index * 256 + i + 1) * 256^level`. A tile only grows: the tile of a smaller tree is the beginning of the tile of a
 * larger tree. So a store needs one row per tile, and the reader may return more hashes than `width`.
 *
 * `width` is from 1 to 256. Rejects if the tile does not exist or has fewer hashes.
 */
export type TileReader = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** Inner nodes of the tree at one size. Reads each tile once, one after the other, because they can be on one connection. */
interface TreeNodes {
  /** Returns the root of the leaves from `first` to before `end`, which RFC 6962 calls MTH(D[first:end]). */
  readonly rangeRoot: (first: number, end: number) => Promise<Buffer>;
}

/**
 * Returns the root of the first `size` leaves. Reads at most 7 tiles.
 *
 * @throws RangeError  `size` is not an integer from 0 to 2^53 − 1
 * @throws Error       a tile is missing or too short
 */
export async function treeRoot(read: TileReader, size: number): Promise<Buffer> {
  requireCount(size);
  return size === 0 ? EMPTY_ROOT : await treeNodes(read, size).rangeRoot(0, size);
}

/** Reports whether a stored tree is, or continues, the tree with a size and a root. It does not if it lacks tiles for this size. */
export async function hasHead(read: TileReader, { size, root }: { readonly size: number; readonly root: Uint8Array }): Promise<boolean> {
  const own = await treeRoot(read, size).catch(() => undefined);
  return own !== undefined && Buffer.compare(own, root) === 0;
}

/**
 * Returns the hashes that prove that leaf `index` is in the tree of `size` leaves, ordered from the leaf to the root.
 * Reads at most 14 tiles.
 *
 * @throws RangeError  `index` is not in the tree
 * @throws Error       a tile is missing or too short
 * Source: RFC 6962, section 2.1.1.
 */
export async function proveInclusion(read: TileReader, index: number, size: number): Promise<Buffer[]> {
  requireCount(size);
  requireCount(index);
  if (index >= size) throw new RangeError(`index ${index} is not in a tree of ${size} leaves`);
  const { rangeRoot } = treeNodes(read, size);
  const proof: Buffer[] = [];
  let [first, end] = [0, size];
  while (end - first > 1) {
    const middle = first + splitOf(end - first);
    if (index < middle) {
      proof.unshift(await rangeRoot(middle, end));
      end = middle;
    } else {
      proof.unshift(await rangeRoot(first, middle));
      first = middle;
    }
  }
  return proof;
}

/**
 * Returns the hashes that prove that the tree of `oldSize` leaves is the beginning of the tree of `size` leaves. Returns
 * no hashes if the sizes are equal, or if the old tree is empty. Reads at most 14 tiles.
 *
 * @throws RangeError  `oldSize` exceeds `size`
 * @throws Error       a tile is missing or too short
 * Source: RFC 6962, section 2.1.2.
 */
export async function proveConsistency(read: TileReader, oldSize: number, size: number): Promise<Buffer[]> {
  requireCount(size);
  requireCount(oldSize);
  if (oldSize > size) throw new RangeError(`a tree of ${oldSize} leaves is not the beginning of a tree of ${size} leaves`);
  if (oldSize === 0) return [];
  const { rangeRoot } = treeNodes(read, size);
  const proof: Buffer[] = [];
  let [first, end] = [0, size];
  while (end !== oldSize) {
    const middle = first + splitOf(end - first);
    if (oldSize <= middle) {
      proof.unshift(await rangeRoot(middle, end));
      end = middle;
    } else {
      proof.unshift(await rangeRoot(first, middle));
      first = middle;
    }
  }
  // If the subtree starts at leaf 0, then its root is the old root, which the verifier has.
  if (first !== 0) proof.unshift(await rangeRoot(first, end));
  return proof;
}

/** Number of hashes of tile `index` of `level` in a tree of `size` leaves: 0 to 256. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return Math.max(0, Math.min(TILE_WIDTH, hashes));
}

/** Number of levels of tiles in a tree of `size` leaves. A tree of 256 leaves has 2, because level 1 has one hash. */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let hashes = size; hashes >= 1; hashes = Math.floor(hashes / TILE_WIDTH)) levels += 1;
  return levels;
}

function treeNodes(read: TileReader, size: number): TreeNodes {
  const tiles = new Map<string, Promise<Uint8Array>>();

  function tile(level: number, index: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    const known = tiles.get(key);
    if (known !== undefined) return known;
    const reading = readTile(read, level, index, tileWidth(level, index, size));
    tiles.set(key, reading);
    return reading;
  }

  /** Returns the root of 2^height leaves, which start at a multiple of this number. */
  async function perfect(first: number, height: number): Promise<Buffer> {
    const level = Math.floor(height / TILE_HEIGHT);
    const hashes = 2 ** (height - level * TILE_HEIGHT);
    const position = first / TILE_WIDTH ** level;
    const index = Math.floor(position / TILE_WIDTH);
    const offset = (position - index * TILE_WIDTH) * HASH_BYTES;
    return perfectSubtree((await tile(level, index)).subarray(offset, offset + hashes * HASH_BYTES));
  }

  return {
    async rangeRoot(first, end) {
      // The perfect subtrees from left to right, which are smaller from each to the next.
      const roots: Buffer[] = [];
      for (let at = first; at < end; ) {
        const leaves = largestPowerOfTwo(end - at);
        roots.push(await perfect(at, Math.log2(leaves)));
        at += leaves;
      }
      return roots.reduceRight((right, left) => nodeHash(left, right));
    },
  };
}

/**
 * Reads a tile and returns exactly its `width` hashes.
 *
 * @throws Error  the tile is too short, or is not a sequence of hashes
 */
export async function readTile(read: TileReader, level: number, index: number, width: number): Promise<Uint8Array> {
  const bytes = await read(level, index, width);
  const [least, most] = [width * HASH_BYTES, TILE_WIDTH * HASH_BYTES];
  if (bytes.length < least || bytes.length > most || bytes.length % HASH_BYTES !== 0)
    throw new Error(`tile ${index} of level ${level} has ${bytes.length} bytes; it must have ${width} hashes of ${HASH_BYTES} bytes`);
  return bytes.subarray(0, least);
}

/** Number of leaves of the left subtree: the largest power of two below `leaves`. `leaves` is at least 2. */
function splitOf(leaves: number): number {
  const power = largestPowerOfTwo(leaves);
  return power === leaves ? power / 2 : power;
}

function requireCount(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`'${value}' is not an integer from 0 to 2^53 - 1`);
}
