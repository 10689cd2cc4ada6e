/**
 * `npm run hostile`: runs every hostile workload for a long time. `npm run hostile -- --seconds 60 --seed 7 'worst policies'` runs only one.
 *
 * Prints each measured figure with its limit, and exits with 1 if a figure exceeds its limit.
 */
import { parseArgs } from 'node:util';
import { WORKLOADS } from './workloads.ts';

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !WORKLOADS.some((workload) => workload.name === name));
if (unknown.length > 0) {
  console.error(`belfry: unknown workload '${unknown.join("', '")}' (workloads: ${WORKLOADS.map(({ name }) => name).join(', ')})`);
  process.exit(2);
}
const seconds = Number(values.seconds);
const seed = Number(values.seed);
let failed = false;
console.log(`seed ${seed}, ${seconds} s each`);
for (const workload of WORKLOADS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  console.log(`\n== ${workload.name}`);
  for (const { what, value, unit, most } of await workload.run({ seconds, seed })) {
    const over = most !== undefined && value > most;
    failed ||= over;
    const limit = most === undefined ? '' : ` (at most ${most})${over ? ' EXCEEDED' : ''}`;
    console.log(`${what}: ${Math.round(value * 1000) / 1000} ${unit}${limit}`);
  }
}
process.exit(failed ? 1 : 0);
