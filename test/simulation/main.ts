/**
 * `npm run simulate`: runs a simulation with many seeds, and stops at the first failure. A seed is the number that
 * determines all random choices of a run. Then repeats the failing run with only its first calls. Prints the seed, and
 * the smallest number of calls with which the run fails.
 *
 *     npm run simulate -- --seeds 10000 --from 1
 *     npm run simulate -- store --from 17 --seeds 1 --calls 12
 *     npm run simulate -- server --whole        does not search the smallest number of calls
 */
import { parseArgs } from 'node:util';
import { describeFailure, findFailure, type Simulate } from './search.ts';
import { simulateServers } from './server-simulation.ts';
import { simulateStore } from './store-simulation.ts';

const SIMULATIONS: Readonly<Record<string, Simulate>> = { store: simulateStore, server: simulateServers };

/** Number of seeds between two lines of progress. */
const PROGRESS = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    calls: { type: 'string' },
    whole: { type: 'boolean' },
  },
});
const from = Number(values.from);
const end = from + Number(values.seeds);
const calls = values.calls === undefined ? undefined : Number(values.calls);

for (const name of positionals.length > 0 ? positionals : Object.keys(SIMULATIONS)) {
  const simulate = SIMULATIONS[name];
  if (simulate === undefined) throw new Error(`unknown simulation '${name}' (simulations: ${Object.keys(SIMULATIONS).join(', ')})`);
  for (let first = from; first < end; first += PROGRESS) {
    const next = Math.min(first + PROGRESS, end);
    const counts: Record<string, number> = {};
    const failure = await findFailure(
      async (seed, prefix = calls) => {
        const run = await simulate(seed, prefix);
        for (const [outcome, count] of Object.entries(run.outcomes)) counts[outcome] = (counts[outcome] ?? 0) + count;
        return run;
      },
      first,
      next - first,
      values.whole !== true,
    );
    if (failure !== undefined) {
      console.log(describeFailure(name, failure));
      process.exit(1);
    }
    console.log(`${name}: seeds ${first} to ${next - 1} passed: ${JSON.stringify(counts)}`);
  }
}
