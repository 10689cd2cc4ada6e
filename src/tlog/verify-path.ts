/** Verification of Merkle proofs. This module needs no tree: a proof, sizes and roots decide. */
import { HASH_BYTES, largestPowerOfTwo, nodeHash } from './hash.ts';

/** Most hashes of a proof in a tree of at most 2^53 − 1 leaves. C2SP's formats allow up to 63. Source: C2SP tlog-witness 1.0.0, "add-checkpoint". */
export const PROOF_HASHES_MAX = 63;

/** Claim that a leaf is in a tree. */
export interface InclusionClaim {
  /** Index of the leaf, from 0. */
  readonly index: number;
  /** Number of leaves of the tree. */
  readonly size: number;
  /** Hash of the leaf, as `leafHash` returns it. */
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
}

/** Claim that a tree is the beginning of a later tree. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Reports whether a proof shows that the leaf is in the tree. The hashes are ordered from the leaf to the root.
 *
 * Returns false for sizes and indexes that are not integers from 0 to 2^53 − 1, and for hashes that do not have 32 bytes.
 * Source: RFC 9162, section 2.1.3.2, which verifies the same trees as RFC 6962.
 */
export function verifyInclusion(claim: InclusionClaim, proof: readonly Uint8Array[]): boolean {
  const { index, size, leaf, root } = claim;
  if (![index, size].every(isCount) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let [node, last] = [index, size - 1];
  let computed: Uint8Array = leaf;
  for (const hash of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      computed = nodeHash(hash, computed);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      computed = nodeHash(computed, hash);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && Buffer.compare(computed, root) === 0;
}

/**
 * Reports whether a proof shows that the old tree is the beginning of the new tree.
 *
 * Trees of the same size need no hashes and equal roots. Returns false if the old tree is empty, because every tree
 * begins with the empty tree and the proof would show nothing. Also returns false for a size that is not an integer
 * from 1 to 2^53 − 1, and for hashes that do not have 32 bytes.
 * Source: RFC 9162, section 2.1.4.2, which verifies the same trees as RFC 6962.
 */
export function verifyConsistency(claim: ConsistencyClaim, proof: readonly Uint8Array[]): boolean {
  const { oldSize, oldRoot, size, root } = claim;
  if (![oldSize, size].every(isCount) || oldSize === 0 || oldSize > size || !areHashes([oldRoot, root, ...proof])) return false;
  if (oldSize === size) return proof.length === 0 && Buffer.compare(oldRoot, root) === 0;
  const [first, ...rest] = oldSize === largestPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  let [node, last] = [oldSize - 1, size - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  let [oldComputed, computed] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldComputed = nodeHash(hash, oldComputed);
      computed = nodeHash(hash, computed);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      computed = nodeHash(computed, hash);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && Buffer.compare(oldComputed, oldRoot) === 0 && Buffer.compare(computed, root) === 0;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= PROOF_HASHES_MAX + 2 && hashes.every((hash) => hash.length === HASH_BYTES);
}
