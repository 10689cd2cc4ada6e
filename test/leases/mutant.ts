/** Builds the fault named by the environment variable `LEASE_MUTANT` into the program. Load this file with `--import`. */
import { buildIn } from '../mutant.ts';
import { MUTANTS } from './mutants.ts';

const mutant = MUTANTS[process.env['LEASE_MUTANT'] ?? ''];
if (mutant === undefined)
  throw new Error(`unknown fault '${process.env['LEASE_MUTANT']}' in LEASE_MUTANT (faults: ${Object.keys(MUTANTS).join(', ')})`);
buildIn(mutant);
