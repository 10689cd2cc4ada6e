import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequenceOf } from './frame-sequence.ts';

const [a, b, c] = ['a', 'b', 'c'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

test('FrameSequence: the sequence contains the bytes of its frames in order', () => {
  const sequence = sequenceOf(a).followedBy(b).followedBy(a).followedBy(c);
  assert.deepEqual([sequence.bytes, String(sequence.toBuffer())], [4, 'abac']);
});

test('FrameSequence: the same frames in the same order are one sequence object with one buffer', () => {
  const first = sequenceOf(a);
  const [b1, c1, b2, c2] = [b, c, b, c].map((frame) => first.followedBy(frame));
  assert.ok(b1 === b2 && c1 === c2 && b1 !== c1);
  assert.equal(b1?.toBuffer(), b2?.toBuffer());
  assert.deepEqual([String(b1?.toBuffer()), String(c1?.toBuffer())], ['ab', 'ac']);
});

test('FrameSequence: the bytes of a single frame are not copied', () => {
  assert.equal(sequenceOf(a).toBuffer(), a);
});
