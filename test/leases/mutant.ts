/** Builds the fault that `LEASE_MUTANT` names into a program that is started with `--import` of this file. */
import { buildIn } from '../mutant.ts';
import { MUTANTS } from './mutants.ts';

const mutant = MUTANTS[process.env['LEASE_MUTANT'] ?? ''];
if (mutant === undefined) throw new Error('LEASE_MUTANT names no mutant.');
buildIn(mutant);
