/**
 * Runs simulated schedules until one of them has a violation: a server with a lease authorizes a call with outdated
 * identity records. Prints the seed and the violation, or `none`. The tests also load `mutant.ts`, which builds a fault
 * into the lease protocol.
 */
import { simulate } from './simulation.ts';

const SCHEDULES = 500;

async function found(): Promise<string> {
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const { broken } = await simulate(seed);
    if (broken !== undefined) return `seed ${seed}: ${broken}`;
  }
  return 'none';
}
console.log(await found());
