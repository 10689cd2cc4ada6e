import { decide, linkStack, compilePolicy } from '#policy/engine.ts';
import { policyOf, requestOf, searchWorst, type Genome } from '/work/wt/matcher/test/hostile/worst-policies-search.ts';
const by = process.argv[2];
const tries = Number(process.argv[3] ?? 2000);
function run(genome: Genome, n = 1) {
  const { action, resource, context } = requestOf(genome);
  const text = policyOf(genome, 6144);
  const stack = linkStack({ identity: Array.from({length:n}, (_, i) => ({ policyId: 'p'+i, policy: compilePolicy(text) })) });
  return (budget?: any) => (decide as any)(stack, { action, resources: [resource], context }, budget);
}
const ms = (genome: Genome, n = 1) => { const go = run(genome, n); go(); let best = 1e9; for (let i = 0; i < 2; i++) { const t = performance.now(); go(); best = Math.min(best, performance.now() - t);} return best; };
const steps = (genome: Genome) => { const b = { stepsLeft: 1e15 }; run(genome)(b); return 1e15 - b.stepsLeft; };
for (let seed = 1; seed <= 4; seed++) {
  const t = performance.now();
  const found = searchWorst(seed, tries, by === 'ms' ? (g) => ms(g) : steps);
  console.log(seed, by, found.cost, 'one', ms(found.genome).toFixed(2), 'ten', ms(found.genome, 10).toFixed(2), JSON.stringify(found.genome), `${((performance.now()-t)/1000).toFixed(1)} s`);
}
