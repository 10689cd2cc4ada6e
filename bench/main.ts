/**
 * Runs all benchmarks (`npm run bench`) or the named ones (`npm run bench NAME …`). Each benchmark prints the figures
 * of Belfry and of the programs with which Belfry is compared. The rounds of Belfry and of these programs alternate.
 * `docs/performance.md` has the latest figures, and describes the machine.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const PARTS: ReadonlySet<string> = new Set([
  'chat.ts',
  'chat-clients.ts',
  'chain.ts',
  'core-time.ts',
  'main.ts',
  'load.ts',
  'server-process.ts',
  'syncs.ts',
]);
const all = readdirSync('bench').filter((file) => file.endsWith('.ts') && !PARTS.has(file) && !file.startsWith('lib-'));
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.includes(`${name}.ts`));
if (unknown.length > 0) {
  console.error(`bench: unknown benchmark '${unknown.join("', '")}' (benchmarks: ${all.map((file) => file.slice(0, -3)).join(', ')})`);
  process.exit(2);
}
let failed = 0;
for (const file of all.filter((each) => named.length === 0 || named.includes(each.slice(0, -3)))) {
  console.log(`\n== ${file.slice(0, -3)}`);
  if (spawnSync(process.execPath, ['--expose-gc', `bench/${file}`], { stdio: 'inherit' }).status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
