import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callRate } from './call-rate.ts';

/** Attempts in a fixed interval, from the time 0 on. */
// biome-ignore format: a table
const ROWS: readonly [title: string, limit: number, everyMs: number, attempts: number, accepted: number][] = [
  ['3 attempts in 0.3 s, limit 1',           1, 100,  3,  1],
  ['5 attempts a second for 10 s, limit 1',  1, 200, 50, 10],
  ['1 attempt a second for 10 s, limit 1',   1, 1_000, 10, 10],
  ['one millisecond too early, limit 1',     1, 999,  2,  1],
  ['5 attempts a second for 10 s, limit 3',  3, 200, 50, 30],
  ['limit 0',                                0, 100, 10,  0],
];

for (const [title, limit, everyMs, attempts, accepted] of ROWS) {
  test(`Calls per second: ${title}: ${accepted} of ${attempts} are accepted`, () => {
    let now = 0;
    const rate = callRate(() => now);
    let taken = 0;
    for (let i = 0; i < attempts; i++, now += everyMs) if (rate.take('connector', limit)) taken++;
    assert.equal(taken, accepted);
  });
}

test('Calls per second: Voice Connectors are counted separately, and a refused call does not extend the time', () => {
  let now = 0;
  const rate = callRate(() => now);
  assert.deepEqual([rate.take('a', 1), rate.take('b', 1), rate.take('a', 1)], [true, true, false]);
  now = 900;
  assert.equal(rate.take('a', 1), false);
  now = 1_000;
  assert.equal(rate.take('a', 1), true);
});
