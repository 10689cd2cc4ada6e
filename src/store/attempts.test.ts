import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { nextAttemptAt } from './attempts.ts';

const RULE = { free: 3, firstMs: 1000, maxMs: 10_000 };

// biome-ignore format: a table
const WAITS: readonly (readonly [failures: number, waitMs: number])[] = [
  [1,         0],
  [2,         0],
  [3,      1000],
  [4,      2000],
  [6,      8000],
  [7,    10_000],
  [5000, 10_000],
];

for (const [failures, waitMs] of WAITS) {
  test(`nextAttemptAt: after ${failures} failures the next attempt waits ${waitMs} ms`, () => {
    assert.equal(nextAttemptAt(RULE, { failures, failedAt: instant(5000) }), 5000 + waitMs);
  });
}
