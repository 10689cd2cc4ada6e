/**
 * From the command to the first signed answer, on an installed clone with a data folder, and the memory resident then.
 * `npm run bench start`.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { median, signed, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);

const first = await startProcess('belfry');
await first.stop();
const times: number[] = [];
const resident: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['bin/belfry.mjs', 'start', '--data', first.dataFolder, '--http', '127.0.0.1:0', '--https', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const welcome = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString()));
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  const server = { ...first, endpoint: /http:\/\/\S+/.exec(welcome)?.[0] as string };
  const request = signed(server, 'GET', '/meetings/00000000-0000-4000-8000-000000000000');
  const answer = await fetch(server.endpoint + request.path, { headers: request.headers });
  times.push(performance.now() - began);
  if (answer.status !== 404) throw new Error(`answered ${answer.status}: ${await answer.text()}`);
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  resident.push(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
console.log(
  `start to first signed answer: ${Math.round(median(times))} ms (medians of ${ROUNDS}), resident then: ${Math.round(median(resident))} MiB`,
);
