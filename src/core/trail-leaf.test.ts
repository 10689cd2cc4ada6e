import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTrailLeaf, encodeTrailLeaf, TRAIL_LEAF_BYTES, type TrailLeaf } from './trail-leaf.ts';

const LEAF: TrailLeaf = {
  writer: '00112233445566778899aabbccddeeff',
  number: 2 ** 40 + 5,
  at: Date.UTC(2026, 10, 29),
  sha256: Uint8Array.from({ length: 32 }, (_, i) => 255 - i),
};

test('trail leaf: the bytes are the version, writer, number, time and hash, and decode to the same leaf', () => {
  const bytes = encodeTrailLeaf(LEAF);
  assert.equal(bytes.length, TRAIL_LEAF_BYTES);
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    `01${LEAF.writer}${LEAF.number.toString(16).padStart(16, '0')}${LEAF.at.toString(16).padStart(16, '0')}${Buffer.from(LEAF.sha256).toString('hex')}`,
  );
  assert.deepEqual(decodeTrailLeaf(bytes), LEAF);
});

test('trail leaf: members outside their range and other bytes are rejected', () => {
  // biome-ignore format: a table
  for (const wrong of [
    { writer: 'ABC' }, { writer: LEAF.writer.toUpperCase() }, { number: 0 }, { number: 1.5 }, { number: 2 ** 53 }, { at: -1 }, { sha256: new Uint8Array(31) },
  ])
    assert.throws(() => encodeTrailLeaf({ ...LEAF, ...wrong }), RangeError, JSON.stringify(wrong));
  const bytes = encodeTrailLeaf(LEAF);
  for (const other of [bytes.slice(1), new Uint8Array(TRAIL_LEAF_BYTES), Uint8Array.from([2, ...bytes.slice(1)])])
    assert.throws(() => decodeTrailLeaf(other), RangeError);
});
