/**
 * `npm run simulate`: runs many seeds, and prints the first failure with its shortest prefix of calls.
 *
 *     npm run simulate -- --seeds 10000 --from 1
 *     npm run simulate -- store --from 17 --seeds 1 --calls 12
 */
import { parseArgs } from 'node:util';
import { describeFailure, findFailure, type Simulate } from './search.ts';
import { simulateStore } from './store-simulation.ts';

const SIMULATIONS: Readonly<Record<string, Simulate>> = { store: simulateStore };

/** Seeds between two lines of progress. */
const PROGRESS = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' }, calls: { type: 'string' } },
});
const [from, seeds] = [Number(values.from), Number(values.seeds)];
const calls = values.calls === undefined ? undefined : Number(values.calls);

for (const name of positionals.length > 0 ? positionals : Object.keys(SIMULATIONS)) {
  const simulate = SIMULATIONS[name];
  if (simulate === undefined) throw new Error(`unknown simulation '${name}' (simulations: ${Object.keys(SIMULATIONS).join(', ')})`);
  for (let first = from; first < from + seeds; first += PROGRESS) {
    const failure = await findFailure((seed, prefix = calls) => simulate(seed, prefix), first, Math.min(PROGRESS, from + seeds - first));
    if (failure !== undefined) {
      console.log(describeFailure(name, failure));
      process.exit(1);
    }
    console.log(`${name}: seeds ${first} to ${Math.min(first + PROGRESS, from + seeds) - 1}: passed`);
  }
}
