import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { firstDisagreement } from './agreement.ts';

const RANDOM_SEED = randomInt(2 ** 30);

// biome-ignore format: a table
const RUNS: readonly [name: string, seed: number, cases: number][] = [
  ['a fixed seed',                20_261_122, 50_000],
  [`random seed ${RANDOM_SEED}`,  RANDOM_SEED, 50_000],
];

for (const [name, seed, cases] of RUNS) {
  test(`engine: the fast path and the explanation agree on ${cases} generated cases with ${name}`, () => {
    assert.equal(firstDisagreement(seed, cases), undefined);
  });
}
