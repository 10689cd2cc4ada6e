/**
 * Leaf of the transparency log for one trail record: a structure of fixed size, which contains no part of the record.
 * Owns the bytes only. The store numbers the records, and `tlog` hashes the leaves.
 *
 * The leaf does not repeat the record's `eventID`. Its 122 random bits make the hash of a deleted record unguessable.
 */

import { writeUint64 } from './uint64.ts';

/** Version of the format, and the first byte of each leaf. */
const VERSION = 1;

/** Size of a leaf in bytes: version (1), writer (16), number (8), time (8), SHA-256 (32). */
export const TRAIL_LEAF_BYTES = 65;

const WRITER = /^[0-9a-f]{32}$/;
const HASH_BYTES = 32;

export interface TrailLeaf {
  /** ID of the writer: 32 lower-case hexadecimal digits. */
  readonly writer: string;
  /** Number of the record among the records of its writer, from 1 on without gaps. */
  readonly number: number;
  /** Time of the record, in milliseconds since the epoch. */
  readonly at: number;
  /** SHA-256 of the record's JSON document in UTF-8. */
  readonly sha256: Uint8Array;
}

/**
 * Returns the bytes of a leaf. Integers are unsigned, with the most significant byte first.
 *
 * @throws RangeError  a member is outside its range
 */
export function encodeTrailLeaf({ writer, number, at, sha256 }: TrailLeaf): Uint8Array {
  if (!WRITER.test(writer)) throw new RangeError('the writer of a trail leaf must have 32 hexadecimal digits');
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`invalid number of a trail record: '${number}'`);
  if (!Number.isSafeInteger(at) || at < 0) throw new RangeError(`invalid time of a trail record: '${at}'`);
  if (sha256.length !== HASH_BYTES) throw new RangeError('the hash of a trail leaf must have 32 bytes');
  const bytes = Buffer.allocUnsafe(TRAIL_LEAF_BYTES);
  bytes[0] = VERSION;
  bytes.write(writer, 1, 'hex');
  writeUint64(bytes, number, 17);
  writeUint64(bytes, at, 25);
  bytes.set(sha256, 33);
  return bytes;
}

/**
 * Returns the members of a leaf.
 *
 * @throws RangeError  the bytes are not a leaf of this version
 */
export function decodeTrailLeaf(leaf: Uint8Array): TrailLeaf {
  if (leaf.length !== TRAIL_LEAF_BYTES || leaf[0] !== VERSION) throw new RangeError('the bytes are not a trail leaf of version 1');
  const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length);
  const number = Number(bytes.readBigUInt64BE(17));
  const at = Number(bytes.readBigUInt64BE(25));
  if (!Number.isSafeInteger(number) || number < 1 || !Number.isSafeInteger(at))
    throw new RangeError('the trail leaf has an invalid number or time');
  return { writer: bytes.toString('hex', 1, 17), number, at, sha256: new Uint8Array(bytes.subarray(33)) };
}
