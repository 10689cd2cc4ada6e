/**
 * Measures decisions for the most expensive known policies and requests: `node bin/node24.mjs bench/worst-policies.ts [seed] [tries]`.
 * Also searches for policies and requests that are more expensive. Exits with 1 if a measurement exceeds its limit.
 */

import { tenPolicies } from '../test/hostile/legal-policies.ts';
import { WORST_GENOMES } from '../test/hostile/worst-genomes.ts';
import { stackOf, stepsMax, stepsOf, timesOf } from '../test/hostile/worst-policies.ts';
import { searchWorst } from '../test/hostile/worst-policies-search.ts';

const seed = Number(process.argv[2] ?? 1);
const tries = Number(process.argv[3] ?? 2000);
const found = searchWorst(seed, tries, (genome) => stepsOf(stackOf(genome, tenPolicies), genome));
console.log(`worst of ${tries} tries, seed ${seed}: ${found.cost} steps for ten policies (at most ${stepsMax(found.genome, 61_440)})`);
console.log(JSON.stringify(found.genome));

let failed = false;
for (const [name, genome] of [...WORST_GENOMES, ['the worst that the search found', found.genome] as const]) {
  const figures = timesOf([genome], 15);
  console.log(`${name}: ${figures.map(({ value, most }) => `${value.toFixed(2)} ms (at most ${most})`).join(', ')}`);
  failed ||= figures.some(({ value, most = value }) => value > most);
}
process.exit(failed ? 1 : 0);
