/** Started with a mutant built in: tries schedules until one breaks the promise, and prints its seed, or `none`. */
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
