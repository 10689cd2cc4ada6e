import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, findFailure } from './search.ts';
import { simulateServers } from './server-simulation.ts';

/** `npm run simulate` runs more. */
const SEEDS = 100;

test(`Server simulation: in ${SEEDS} seeded runs, responses, trail and state never contradict the model`, async (t) => {
  const sum: Record<string, number> = {};
  const failure = await findFailure(
    async (seed, calls) => {
      const run = await simulateServers(seed, calls);
      for (const [outcome, count] of Object.entries(run.outcomes)) sum[outcome] = (sum[outcome] ?? 0) + count;
      return run;
    },
    1,
    SEEDS,
  );
  assert.equal(failure && describeFailure('server', failure), undefined);
  t.diagnostic(JSON.stringify(sum));
  for (const outcome of ['done', 'refused', 'unknown']) assert.ok((sum[outcome] ?? 0) > 2 * SEEDS, JSON.stringify(sum));
  assert.ok((sum['frames'] ?? 0) > SEEDS / 4, JSON.stringify(sum));
});

test('Server simulation: two runs with the same seed have the same history', async () => {
  for (const seed of [2, 5, 11]) assert.deepEqual((await simulateServers(seed)).history, (await simulateServers(seed)).history);
});
