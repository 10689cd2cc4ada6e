/**
 * Measures how long one client delays another. One client calls GetCallerIdentity, while another sends the worst requests that the
 * generator of `test/hostile/worst-analysis-requests.ts` finds. Command: `npm run bench delay`. Environment variables: `SEED`, and `ONLY`
 * (part of the name of a request).
 *
 * Prints for each request: the longest delay of GetCallerIdentity, the CPU time of the core thread for one request, and the time until
 * the response. The CPU time bounds the delay, and does not depend on other load of the machine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { hostileRequests, sendHostile } from '../test/hostile/worst-analysis-requests.ts';
import { startProcess } from './load.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const ONLY = process.env['ONLY'] ?? '';
/** Number of times that each request is sent. */
const TIMES = 3;

const server = await startProcess('belfry');

async function identity(): Promise<number> {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const headers = sign(
    {
      method: 'POST',
      target: '/',
      headers: { host: new URL(server.endpoint).host, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    },
    { credentials: server.credentials, region: 'us-east-1', signingName: 'sts', now: instant(Date.now()) },
  );
  const from = performance.now();
  const answer = await fetch(server.endpoint, { method: 'POST', headers, body });
  await answer.text();
  return performance.now() - from;
}

/** Returns the CPU time of the core thread, which is the first worker thread, in milliseconds. Linux only. */
function coreMilliseconds(): number {
  const tasks = `/proc/${server.pid}/task`;
  for (const task of readdirSync(tasks).sort((a, b) => Number(a) - Number(b))) {
    if (readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() !== 'WorkerThread') continue;
    return Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  }
  return Number.NaN;
}

/** Returns the CPU time of the core thread for one call of GetCallerIdentity, in milliseconds. */
async function coreMillisecondsOfCall(): Promise<number> {
  for (let i = 0; i < 200; i++) await identity();
  const before = coreMilliseconds();
  for (let i = 0; i < 200; i++) await identity();
  return (coreMilliseconds() - before) / 200;
}

const ofCall = await coreMillisecondsOfCall();
let worst = 0;
let worstCore = 0;
for (const request of hostileRequests(SEED).filter(({ name }) => name.includes(ONLY))) {
  let attacking = true;
  const answers: string[] = [];
  const began = performance.now();
  const cpu = coreMilliseconds();
  const attack = (async () => {
    for (let i = 0; i < TIMES; i++) {
      const { status, body } = await sendHostile(server, server.credentials, request);
      answers.push(`${status} ${/<Code>(\w+)|"code":"(\w+)|"__type":"(\w+)/.exec(body)?.slice(1).find(Boolean) ?? ''}`.trim());
    }
  })().finally(() => {
    attacking = false;
  });
  let longest = 0;
  let calls = 0;
  while (attacking) {
    longest = Math.max(longest, await identity());
    calls += 1;
  }
  await attack;
  worst = Math.max(worst, longest);
  const core = (coreMilliseconds() - cpu - calls * ofCall) / TIMES;
  worstCore = Math.max(worstCore, core);
  const each = (performance.now() - began) / TIMES;
  console.log(
    `${longest.toFixed(0).padStart(6)} ms  core ${core.toFixed(0).padStart(5)} ms  ${each.toFixed(0).padStart(6)} ms each  ${[...new Set(answers)].join(', ').padEnd(28)} ${request.name}`,
  );
}
console.log(`longest delay of another caller: ${worst.toFixed(0)} ms (at most 100 on an idle machine)`);
console.log(`most CPU of the core thread for one request: ${worstCore.toFixed(0)} ms (at most 100)`);
await server.stop();
