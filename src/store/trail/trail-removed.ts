import { type Instant, instant } from '#core/instant.ts';
import { sha256 } from '#core/sha256.ts';
import type { Sql } from '../sql.ts';
import { bytes, int, type Row, table, text } from '../table.ts';
import { packDigest } from './trail-chain.ts';
import { type Pack, recordsOf } from './trail-pack.ts';

/**
 * Hashes of deleted records. They let a check of the chain pass over deleted records, and contain what their leaves in the
 * transparency log need. A hash reveals nothing, because each record has a random event ID that is deleted with it.
 */
export const TRAIL_REMOVED = table('trail_removed', {
  columns: {
    /** Position of the pack. */
    position: int,
    writer: text,
    /** Number of the first record of the pack, and number of its records, as committed. */
    firstNumber: int,
    count: int,
    /** Link after the pack. */
    link: bytes,
    /** Digest of the content of the pack, as committed. */
    digest: bytes,
    /** Deleted records, in any order: for each its index in the pack (1 byte), time (8 bytes) and SHA-256 (32 bytes). */
    records: bytes,
  },
  key: ['position', 'writer'],
  indexes: [['writer', 'position']],
});
export type RemovedPack = Row<typeof TRAIL_REMOVED>;

const ENTRY_BYTES = 41;

/** Facts of a deleted record. `index` is its index in the pack, as committed. */
export interface RemovedRecord {
  readonly index: number;
  readonly at: Instant;
  /** SHA-256 of the record's document. */
  readonly sha256: Uint8Array;
}

/** Returns the SHA-256 of a record's document in UTF-8. */
export function documentHash(document: string): Uint8Array {
  return sha256(document);
}

/** Returns the hashes of deleted records of a pack, if there are some. */
export async function removedFrom(sql: Sql, { position, writer }: Pick<Pack, 'position' | 'writer'>): Promise<RemovedPack | undefined> {
  return writer === undefined ? undefined : await TRAIL_REMOVED.get(sql, position, writer);
}

/** Returns the deleted records of a pack, in the order of their indexes. */
export function removedRecords({ records }: Pick<RemovedPack, 'records'>): readonly RemovedRecord[] {
  const entries = Buffer.from(records.buffer, records.byteOffset, records.length);
  const removed: RemovedRecord[] = [];
  for (let begin = 0; begin + ENTRY_BYTES <= entries.length; begin += ENTRY_BYTES) {
    const at = instant(Number(entries.readBigUInt64BE(begin + 1)));
    removed.push({ index: entries[begin] as number, at, sha256: new Uint8Array(entries.subarray(begin + 9, begin + ENTRY_BYTES)) });
  }
  return removed.sort((one, other) => one.index - other.index);
}

function toEntry({ index, at, sha256 }: RemovedRecord): Uint8Array {
  const entry = Buffer.alloc(ENTRY_BYTES);
  entry[0] = index;
  entry.writeBigUInt64BE(BigInt(at), 1);
  entry.set(sha256, 9);
  return entry;
}

/** Returns the indexes that the remaining records of a pack had when it was committed. `count` is the number of committed records. */
export function remainingIndexes(count: number, removed: readonly RemovedRecord[]): readonly number[] {
  const gone = new Set(removed.map(({ index }) => index));
  return Array.from({ length: count }, (_, index) => index).filter((index) => !gone.has(index));
}

/**
 * Stores the hashes of records of a pack that are about to be deleted. `isDeleted` reports for the index of a remaining
 * record whether it is deleted. `before` has the hashes of records that were deleted earlier, and `digest` is that of the pack as committed. Does nothing
 * for a pack that has no writer yet.
 *
 * Writes: one row for each pack, which later deletions from the same pack extend.
 */
export async function noteRemoved(
  sql: Sql,
  pack: Pack,
  isDeleted: (index: number) => boolean,
  before?: RemovedPack,
  digest: Uint8Array = before?.digest ?? packDigest(pack),
): Promise<void> {
  const { position, writer, firstNumber, link } = pack;
  if (writer === undefined || firstNumber === undefined || link === undefined) return;
  const removed = before === undefined ? [] : removedRecords(before);
  const rows = recordsOf(pack);
  const count = before?.count ?? rows.length;
  const indexes = remainingIndexes(count, removed);
  const entries = rows.flatMap(({ at, document }, i) =>
    isDeleted(i) ? [toEntry({ index: indexes[i] as number, at, sha256: documentHash(document) })] : [],
  );
  await TRAIL_REMOVED.put(sql, {
    position,
    writer,
    firstNumber,
    count,
    link,
    digest,
    records: Buffer.concat([before?.records ?? new Uint8Array(), ...entries]),
  });
}
