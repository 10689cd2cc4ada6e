/**
 * Measures the time from the start command to the response to the first signed request, and the resident memory after
 * that response. All starts use an existing data folder. The very first start is measured separately, because Node has
 * no cached compiled code then. Command: `npm run bench start`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, signed, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);

const first = await startProcess('belfry');
await first.stop();
/**
 * Environment with a compile cache that is empty at the first start. Node writes the cache when the server of the first
 * start exits.
 */
const env = { ...process.env, NODE_COMPILE_CACHE: mkdtempSync(join(tmpdir(), 'belfry-compiled-')) };

async function start(): Promise<{ readonly ms: number; readonly cpuMs: number; readonly residentMiB: number }> {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=4', 'bin/belfry.mjs', 'start', '--data', first.dataFolder, '--http', '127.0.0.1:0', '--https', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'inherit'], env },
  );
  const welcome = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString()));
    child.once('exit', (code) => reject(new Error(`belfry start exited with ${code}`)));
  });
  const server = { ...first, endpoint: /http:\/\/\S+/.exec(welcome)?.[0] as string };
  const request = signed(server, 'GET', '/meetings/00000000-0000-4000-8000-000000000000');
  const answer = await fetch(server.endpoint + request.path, { headers: request.headers });
  const ms = performance.now() - began;
  if (answer.status !== 404) throw new Error(`expected status 404, got ${answer.status}: ${await answer.text()}`);
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const cpuMs = cpuMsOf(child.pid as number);
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGINT');
  });
  return { ms, cpuMs, residentMiB: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024 };
}

/** Returns the CPU time of a process in milliseconds. The kernel counts hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

const veryFirst = await start();
const rounds = [];
for (let round = 0; round < ROUNDS; round++) rounds.push(await start());
console.log(
  `start to first signed answer: ${Math.round(median(rounds.map(({ ms }) => ms)))} ms, CPU ${Math.round(median(rounds.map(({ cpuMs }) => cpuMs)))} ms (medians of ${ROUNDS}), resident then: ${Math.round(median(rounds.map(({ residentMiB }) => residentMiB)))} MiB; the very first: ${Math.round(veryFirst.ms)} ms, ${Math.round(veryFirst.residentMiB)} MiB`,
);
