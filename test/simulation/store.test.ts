import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { STORE_MUTANTS } from './mutants.ts';
import { describeFailure, findFailure } from './search.ts';
import { type StoreRun, simulateStore } from './store-simulation.ts';

const SEEDS = 200;

test(`Store simulation: ${SEEDS} seeds keep every promise of the PostgreSQL engine`, async (t) => {
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

test('Store simulation: a seed has one history, and a prefix of the calls has its beginning', async () => {
  for (const seed of [3, 8]) {
    const { history } = await simulateStore(seed);
    assert.deepEqual((await simulateStore(seed)).history, history);
    const { history: prefix } = await simulateStore(seed, 20);
    const common = history.filter((line, i) => prefix[i] === line);
    assert.ok(common.length >= 8, `${common.length} responses in common`);
  }
});

const run = promisify(execFile);
const MUTANT = fileURLToPath(new URL('./mutant.ts', import.meta.url));
const FIND = fileURLToPath(new URL('./find-mutant.ts', import.meta.url));

describe('Store simulation with a fault built in', { concurrency: 2 }, () => {
  for (const [name, { violation }] of Object.entries(STORE_MUTANTS)) {
    test(`Store simulation: finds ${name}`, async () => {
      const env = { ...process.env, SIMULATION_MUTANT: name };
      const { stdout } = await run(process.execPath, ['--import', MUTANT, FIND], { env });
      assert.match(stdout, /^seed \d+: /);
      assert.match(stdout, violation);
    });
  }
});
