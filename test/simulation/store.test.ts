import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, findFailure } from './search.ts';
import { type StoreRun, simulateStore } from './store-simulation.ts';

const SEEDS = 200;

test(`Store simulation: ${SEEDS} seeded runs violate no guarantee of the PostgreSQL engine`, async (t) => {
  const sum = { acknowledged: 0, refused: 0, failed: 0, unknown: 0 };
  const failure = await findFailure(
    async (seed, calls) => {
      const run = await simulateStore(seed, calls);
      for (const [outcome, count] of Object.entries(run.outcomes)) sum[outcome as keyof StoreRun['outcomes']] += count;
      return run;
    },
    1,
    SEEDS,
  );
  assert.equal(failure && describeFailure('store', failure), undefined);
  t.diagnostic(JSON.stringify(sum));
  for (const [outcome, count] of Object.entries(sum)) assert.ok(count > SEEDS, `${outcome}: ${count}`);
});

test('Store simulation: the same seed gives the same history, and a shorter run has the same beginning', async () => {
  for (const seed of [3, 8]) {
    const { history } = await simulateStore(seed);
    assert.deepEqual((await simulateStore(seed)).history, history);
    const { history: prefix } = await simulateStore(seed, 20);
    const common = history.filter((line, i) => prefix[i] === line);
    assert.ok(common.length >= 8, `${common.length} responses in common`);
  }
});
