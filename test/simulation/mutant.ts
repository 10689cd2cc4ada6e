/** Builds the fault that `SIMULATION_MUTANT` names into a program that is started with `--import` of this file. */
import { buildIn } from '../mutant.ts';
import { SERVER_MUTANTS, STORE_MUTANTS } from './mutants.ts';

const name = process.env['SIMULATION_MUTANT'] ?? '';
const mutant = STORE_MUTANTS[name] ?? SERVER_MUTANTS[name];
if (mutant === undefined) throw new Error('SIMULATION_MUTANT names no mutant.');
buildIn(mutant);
