/** Builds the fault that `SIMULATION_MUTANT` names into a program that is started with `--import` of this file. */
import { buildIn } from '../mutant.ts';
import { STORE_MUTANTS } from './mutants.ts';

const mutant = STORE_MUTANTS[process.env['SIMULATION_MUTANT'] ?? ''];
if (mutant === undefined) throw new Error('SIMULATION_MUTANT names no mutant.');
buildIn(mutant);
