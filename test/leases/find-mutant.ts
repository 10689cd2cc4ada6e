/**
 * Runs schedules until one breaks the guarantee, and prints its seed and violation, or `none`. Runs with a built-in fault
 * (`mutant.ts`).
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
