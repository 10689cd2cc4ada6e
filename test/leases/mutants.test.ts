import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MUTANTS } from './mutants.ts';

const run = promisify(execFile);
const MUTANT = fileURLToPath(new URL('./mutant.ts', import.meta.url));
const FIND = fileURLToPath(new URL('./find-mutant.ts', import.meta.url));

/**
 * Fault in the function `withdrawing` of the lease. The simulation does not call this function, so it cannot find the
 * fault. The test of real processes in `nemesis.ts` finds the fault.
 */
const NOT_SIMULATED = 'no wait';

describe('the lease with a fault built in: a simulated schedule breaks the guarantee', { concurrency: 2 }, () => {
  for (const name of Object.keys(MUTANTS).filter((each) => each !== NOT_SIMULATED)) {
    test(`the lease with the fault "${name}": a simulated schedule breaks the guarantee`, async () => {
      const { stdout } = await run(process.execPath, ['--import', MUTANT, FIND], { env: { ...process.env, LEASE_MUTANT: name } });
      assert.match(stdout, /^seed \d+: at \d+ ms server\d (honors|does not know) key\d+/);
    });
  }
});
