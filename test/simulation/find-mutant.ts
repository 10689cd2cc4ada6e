/** Searches the fault that `mutant.ts` builds in, and prints the failure or `none`. */
import { describeFailure, findFailure } from './search.ts';
import { simulateStore } from './store-simulation.ts';

const SEEDS = 200;

const failure = await findFailure(simulateStore, 1, SEEDS);
console.log(failure === undefined ? 'none' : describeFailure('store', failure));
