/**
 * Compares the CPU time of the core thread for one GetMeeting in three servers: without counting, with counting as always, and with
 * counting while a client reads the metrics every second. `ROUNDS` (default 15) and `SECONDS_EACH` (default 2) set the rounds.
 * Then measures the function that counts alone, which the noise of the machine affects less. Bar: counting adds at most 2 %.
 */
import { spawn } from 'node:child_process';
import type { Authenticated } from '#access/authenticate.ts';
import { apiUsage } from '#server/core/api-usage.ts';
import { calledOperation } from '#server/core/call.ts';
import { systemClock } from '#server/core/clock.ts';
import { newDecisionCounts } from '#server/core/figures.ts';
import { newRequestCounts } from '#server/core/request-counts.ts';
import { requestEnds } from '#server/core/request-ends.ts';
import { freePort } from '../test/kit/free-port.ts';
import { compareCoreTimes } from './lib-core-time.ts';
import { startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 2);

const metrics = `127.0.0.1:${await freePort()}`;
const servers = {
  'not counted': await startProcess('belfry', { under: ['env', 'NODE_OPTIONS=--import=./bench/lib-without-counting.ts'] }),
  counted: await startProcess('belfry'),
  'counted and read': await startProcess('belfry', { environment: { BELFRY_METRICS: metrics } }),
};
const reader = spawn('sh', ['-c', `while sleep 1; do curl -s -o /dev/null http://${metrics}/metrics; done`]);
try {
  await compareCoreTimes(servers, { rounds: ROUNDS, seconds: SECONDS });
} finally {
  reader.kill();
  await Promise.all(Object.values(servers).map(({ stop }) => stop()));
}

const CALLS = 5_000_000;
const usage = apiUsage({ store: { transaction: () => Promise.reject() }, clock: systemClock, report: () => {}, isOpen: () => false });
const ends = requestEnds({ clock: systemClock, requests: newRequestCounts(), countCall: usage.count, tracing: false });
const decisions = newDecisionCounts();
const called = calledOperation('chime-sdk-meetings', 'GetMeeting');
const request = { requestId: '', rawHeaders: [], sourceIp: '', receivedAt: systemClock.wall() };
// Only the account and the region are read.
const authenticated = { principal: { accountId: '111122223333' }, region: 'us-east-1' } as Authenticated;
const answer = { status: 200, headers: [], body: '' };
const began = process.threadCpuUsage();
for (let i = 0; i < CALLS; i++) {
  ends.newPhases();
  decisions.count({ effect: 'Allow', by: [] });
  ends.ended({ request, called, authenticated }, answer);
}
const { user, system } = process.threadCpuUsage(began);
console.log(`counting alone: ${((1_000 * (user + system)) / CALLS).toFixed(0)} ns a request`);
