import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { simulateServers } from './server-simulation.ts';

const SEEDS = 200;
const PROCESSES = 2;
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

const run = promisify(execFile);

test(`Server simulation: in ${SEEDS} seeded runs, responses, trail and state never contradict the model`, async (t) => {
  const share = SEEDS / PROCESSES;
  const printed = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, i) => {
      const args = [MAIN, 'server', '--from', `${1 + i * share}`, '--seeds', `${share}`];
      // If the process fails, the error contains its whole output.
      const { stdout } = await run(process.execPath, args).catch((error: { stdout: string; stderr: string }) => {
        throw new Error(error.stdout + error.stderr);
      });
      return stdout;
    }),
  );
  const sum: Record<string, number> = {};
  for (const line of printed) {
    t.diagnostic(line.trim());
    for (const [outcome, count] of Object.entries(JSON.parse(line.slice(line.indexOf('{'))) as Record<string, number>))
      sum[outcome] = (sum[outcome] ?? 0) + count;
  }
  for (const outcome of ['done', 'refused', 'unknown']) assert.ok((sum[outcome] ?? 0) > 2 * SEEDS, JSON.stringify(sum));
  assert.ok((sum['frames'] ?? 0) > SEEDS / 4, JSON.stringify(sum));
});

test('Server simulation: two runs with the same seed have the same history', async () => {
  for (const seed of [2, 5, 11]) assert.deepEqual((await simulateServers(seed)).history, (await simulateServers(seed)).history);
});
