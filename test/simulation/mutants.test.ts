import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SERVER_MUTANTS, STORE_MUTANTS } from './mutants.ts';

const MUTANT = fileURLToPath(new URL('./mutant.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SEEDS = '200';

/** Faults with which the search also repeats the failing run with fewer calls. With each of the others, that would take several seconds. */
const SHORTENED: ReadonlySet<string> = new Set(['a connection released twice', 'a success without a record']);

/** Runs the seeds with a fault built in. Resolves to the output of the simulation. */
function simulateWith(name: string, simulation: 'store' | 'server', from = 1): Promise<string> {
  const options = ['--from', `${from}`, '--seeds', SEEDS, ...(SHORTENED.has(name) ? [] : ['--whole'])];
  const args = ['--import', MUTANT, MAIN, simulation, ...options];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...process.env, SIMULATION_MUTANT: name } }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe('Simulations with a fault built in: the search finds each fault', { concurrency: 2 }, () => {
  for (const [simulation, mutants] of [
    ['store', STORE_MUTANTS],
    ['server', SERVER_MUTANTS],
  ] as const) {
    for (const [name, { violation, from }] of Object.entries(mutants)) {
      test(`Simulation of the ${simulation}: the search finds the fault "${name}"`, async () => {
        const printed = await simulateWith(name, simulation, from);
        assert.match(printed, /^seed \d+: /);
        assert.match(printed, violation);
        assert.equal(/^with the first \d+ calls: /m.test(printed), SHORTENED.has(name), printed);
      });
    }
  }
});
