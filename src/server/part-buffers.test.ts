import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partBuffers } from './part-buffers.ts';

const LIMITS = { bytes: 16, count: 3, countOfOwner: 2, waitMs: 60_000 };

/** Returns a function that tells whether a promise has resolved. */
function observed(promise: Promise<unknown>): () => boolean {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  return () => done;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('partBuffers: one owner gets its share, and another owner gets the rest', async () => {
  const buffers = partBuffers(LIMITS);
  const [one, two] = [await buffers.take('a'), await buffers.take('a')];
  const third = buffers.take('a');
  const waits = observed(third);
  const other = await buffers.take('b');
  await turn();
  assert.equal(new Set([one, two, other]).size, 3);
  assert.equal(waits(), false);
  buffers.giveBack('a', two);
  assert.equal(await third, two);
});

test('partBuffers: when a buffer becomes free, the owner that waits longest and may have it is first', async () => {
  const buffers = partBuffers(LIMITS);
  const [one] = [await buffers.take('a'), await buffers.take('a')];
  const other = await buffers.take('b');
  const waiting = { a: observed(buffers.take('a')), b: observed(buffers.take('b')), c: observed(buffers.take('c')) };
  buffers.giveBack('b', other);
  await turn();
  assert.deepEqual([waiting.a(), waiting.b(), waiting.c()], [false, true, false]);
  buffers.giveBack('a', one);
  await turn();
  assert.deepEqual([waiting.a(), waiting.b(), waiting.c()], [true, true, false]);
});

test('partBuffers: an owner that waits too long gets ServiceUnavailable, and its turn is over', async () => {
  const buffers = partBuffers({ ...LIMITS, count: 1, waitMs: 1 });
  const only = await buffers.take('a');
  // The timer of a wait does not keep the process alive.
  const alive = setInterval(() => undefined, 1_000);
  await assert.rejects(buffers.take('b'), { code: 'ServiceUnavailable' });
  clearInterval(alive);
  buffers.giveBack('a', only);
  assert.equal(await buffers.take('c'), only);
});
