/** A transparency log in memory, which stores one row per tile as a database does. */
import { type Appended, appendEntries, EMPTY_TREE, type TreeHead } from '#tlog/append.ts';
import { formatCheckpoint } from '#tlog/checkpoint.ts';
import { type TileReader, treeRoot } from '#tlog/merkle.ts';
import { formatNote, signText } from '#tlog/note.ts';
import { createSigningKey, type SigningKey } from '#tlog/note-key.ts';

/** A log that a test fills. */
export interface MemoryLog {
  readonly signingKey: SigningKey;
  readonly read: TileReader;
  /** Hashes of each tile by `LEVEL/INDEX`. */
  readonly tiles: Map<string, Uint8Array>;
  head(): TreeHead;
  append(entries: readonly Uint8Array[]): Promise<Appended>;
  /** Returns the checkpoint of the first `size` leaves, signed by the log. */
  checkpoint(size: number): Promise<string>;
}

/** Creates an empty log. Two logs with one key are two forks. */
export function memoryLog(signingKey = createSigningKey('log.example/1', 'log')): MemoryLog {
  const tiles = new Map<string, Uint8Array>();
  let head: TreeHead = EMPTY_TREE;
  const read: TileReader = async (level, index, width) => {
    const tile = tiles.get(`${level}/${index}`);
    if (tile === undefined || width < 1) throw new Error(`no tile ${level}/${index}`);
    return tile;
  };
  return {
    signingKey,
    read,
    tiles,
    head: () => head,
    async append(entries) {
      const appended = await appendEntries(head, entries, read);
      for (const { level, index, hashes } of appended.tiles) tiles.set(`${level}/${index}`, hashes);
      head = appended;
      return appended;
    },
    async checkpoint(size) {
      const text = formatCheckpoint({ origin: signingKey.key.name, size, root: await treeRoot(read, size) });
      return formatNote({ text, signatures: [signText(signingKey, text, 0)] });
    },
  };
}

/** Returns `count` different entries. The first one has the number `from`. */
export function entriesOf(count: number, from = 0): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`entry ${from + i}`));
}
