/** Hashes of RFC 6962: leaves, inner nodes and the empty tree. */
import { sha256 } from '#core/sha256.ts';

/** Length of each hash in bytes. */
export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of nothing. Source: RFC 6962, section 2.1. */
export const EMPTY_ROOT: Buffer = sha256('');

/** Returns the hash of a leaf: SHA-256(00 ‖ entry). Source: RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + entry.length);
  bytes[0] = 0;
  bytes.set(entry, 1);
  return sha256(bytes);
}

/** Returns the hash of an inner node: SHA-256(01 ‖ left ‖ right). Both hashes have 32 bytes. Source: RFC 6962, section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return sha256(bytes);
}

/**
 * Returns the hashes of the perfect subtrees above consecutive hashes, from left to right: one subtree for each bit of
 * the number of hashes, the largest first.
 *
 *     7 hashes → [root of 0 to 3, root of 4 and 5, hash 6]
 *
 * `hashes` has a multiple of 32 bytes.
 */
export function perfectSubtrees(hashes: Uint8Array): Buffer[] {
  const count = hashes.length / HASH_BYTES;
  const subtrees: Buffer[] = [];
  let first = 0;
  for (let width = largestPowerOfTwo(count); width >= 1; width /= 2) {
    if (first + width > count) continue;
    subtrees.push(perfectSubtree(hashes.subarray(first * HASH_BYTES, (first + width) * HASH_BYTES)));
    first += width;
  }
  return subtrees;
}

/** Returns the root above a power of two of consecutive hashes. */
export function perfectSubtree(hashes: Uint8Array): Buffer {
  let row: Buffer[] = Array.from({ length: hashes.length / HASH_BYTES }, (_, i) =>
    Buffer.from(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
  );
  while (row.length > 1) row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i] as Buffer, row[2 * i + 1] as Buffer));
  return row[0] as Buffer;
}

/** Returns the largest power of two that is at most `value`. `value` is at least 1 and at most 2^53 − 1. */
export function largestPowerOfTwo(value: number): number {
  let power = 1;
  while (power * 2 <= value) power *= 2;
  return power;
}
