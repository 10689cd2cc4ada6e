/** Paths of tiles and bundles of entries, and the encoding of bundles. Source: C2SP tlog-tiles 0.1.0. */
import { TILE_WIDTH } from './merkle.ts';

/** Most bytes of an entry, because its length is encoded in two bytes. Source: C2SP tlog-tiles 0.1.0, "Log entries". */
export const ENTRY_BYTES_MAX = 65_535;

/** Largest level of a tile. Source: C2SP tlog-tiles 0.1.0, "Merkle Tree". */
const LEVEL_MAX = 63;

/** A tile, or a bundle of entries. */
export interface TileAddress {
  /** Level of the tile, 0 to 63. A bundle has the level `entries`. */
  readonly level: number | 'entries';
  readonly index: number;
  /** Number of hashes or entries, 1 to 256. */
  readonly width: number;
}

/**
 * Returns the path of a tile below the prefix of a log.
 *
 *     { level: 0, index: 1234067, width: 256 }      → 'tile/0/x001/x234/067'
 *     { level: 'entries', index: 0, width: 17 }     → 'tile/entries/000.p/17'
 */
export function formatTilePath({ level, index, width }: TileAddress): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) as string[];
  const path = groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Accepts at most six groups of digits. `parseTilePath` checks that the path is the only one of its tile. */
const PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** Returns the tile of a path, or undefined if the path is not exactly one that `formatTilePath` returns. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, level, groups, width] = PATH.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  const address: TileAddress = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const isInRange = Number.isSafeInteger(address.index) && address.width >= 1 && address.width <= TILE_WIDTH;
  const isKnownLevel = address.level === 'entries' || address.level <= LEVEL_MAX;
  return isInRange && isKnownLevel && formatTilePath(address) === path ? address : undefined;
}

/**
 * Returns a bundle: each entry after its length in two bytes, big-endian.
 *
 * @throws RangeError  there are more than 256 entries, or an entry has more than 65,535 bytes
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Buffer {
  if (entries.length > TILE_WIDTH) throw new RangeError(`a bundle has at most ${TILE_WIDTH} entries, not ${entries.length}`);
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > ENTRY_BYTES_MAX) throw new RangeError(`an entry has ${entry.length} bytes; the maximum is ${ENTRY_BYTES_MAX}`);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/**
 * Returns the `width` entries of a bundle.
 *
 * @throws RangeError  the bundle ends within an entry, or has fewer or more entries
 */
export function decodeEntryBundle(bundle: Uint8Array, width: number): Buffer[] {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.length);
  const entries: Buffer[] = [];
  let at = 0;
  while (entries.length < width) {
    const end = at + 2 <= bytes.length ? at + 2 + bytes.readUInt16BE(at) : bytes.length + 1;
    if (end > bytes.length) throw new RangeError(`the bundle ends within entry ${entries.length} of ${width}`);
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (at !== bytes.length) throw new RangeError(`the bundle has bytes after its ${width} entries`);
  return entries;
}
