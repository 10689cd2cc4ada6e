/** Measures how long the requests of one client delay another client, which calls GetCallerIdentity at the same time. */
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { type HostileRequest, sendHostile } from '../test/hostile/worst-analysis-requests.ts';
import { coreMilliseconds } from '../test/kit/thread-time.ts';
import type { Process } from './load.ts';

/** A request to measure. `send` returns the status and error code. */
export interface DelayCase {
  readonly name: string;
  send(): Promise<string>;
}

/**
 * Longest delay of the client that calls GetCallerIdentity, and the most CPU time of the core thread for one request,
 * in milliseconds.
 */
export interface Worst {
  delayMs: number;
  coreMs: number;
}

/** Number of times that each request is sent. */
const TIMES = 3;

/** Returns a case that sends a hostile request. */
export function hostileCase(server: Process, request: HostileRequest): DelayCase {
  return {
    name: request.name,
    async send() {
      const { status, body } = await sendHostile(server, server.credentials, request);
      const code = /<Code>(\w+)|"code":"(\w+)|"__type":"(\w+)/.exec(body)?.slice(1).find(Boolean) ?? '';
      return `${status} ${code}`.trim();
    },
  };
}

async function identity(server: Process): Promise<number> {
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

/** Returns the CPU time of the core thread for one call of GetCallerIdentity, in milliseconds. */
async function coreMillisecondsOfCall(server: Process): Promise<number> {
  for (let i = 0; i < 200; i++) await identity(server);
  const before = coreMilliseconds(server.pid);
  for (let i = 0; i < 200; i++) await identity(server);
  return (coreMilliseconds(server.pid) - before) / 200;
}

/**
 * Sends each case three times. Prints the longest delay of GetCallerIdentity, the core thread's CPU time for one request, and the time
 * until the response.
 */
export async function measureDelays(server: Process, cases: readonly DelayCase[], worst: Worst): Promise<void> {
  const ofCall = await coreMillisecondsOfCall(server);
  for (const { name, send } of cases) {
    let attacking = true;
    const answers: string[] = [];
    const began = performance.now();
    const cpu = coreMilliseconds(server.pid);
    const attack = (async () => {
      for (let i = 0; i < TIMES; i++) answers.push(await send());
    })().finally(() => {
      attacking = false;
    });
    let longest = 0;
    let calls = 0;
    while (attacking) {
      longest = Math.max(longest, await identity(server));
      calls += 1;
    }
    await attack;
    worst.delayMs = Math.max(worst.delayMs, longest);
    const core = (coreMilliseconds(server.pid) - cpu - calls * ofCall) / TIMES;
    worst.coreMs = Math.max(worst.coreMs, core);
    const each = (performance.now() - began) / TIMES;
    console.log(
      `${longest.toFixed(0).padStart(6)} ms  core ${core.toFixed(0).padStart(5)} ms  ${each.toFixed(0).padStart(6)} ms each  ${[...new Set(answers)].join(', ').padEnd(28)} ${name}`,
    );
  }
}
