/** Builds the fault named by the environment variable `SIMULATION_MUTANT` into a program. Load this file with `--import`. */
import { buildIn } from '../mutant.ts';
import { SERVER_MUTANTS, STORE_MUTANTS } from './mutants.ts';

const name = process.env['SIMULATION_MUTANT'] ?? '';
const mutant = STORE_MUTANTS[name] ?? SERVER_MUTANTS[name];
if (mutant === undefined) throw new Error('SIMULATION_MUTANT names no mutant.');
buildIn(mutant);
