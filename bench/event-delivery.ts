import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { openVault } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { eventRouter } from '#delivery/events/event-router.ts';
import { outgoingDelivery } from '#delivery/outgoing/outgoing-delivery.ts';
import { apiDestinationSender } from '#delivery/outgoing/targets/api-destinations.ts';
import { awsClients } from '#delivery/outgoing/targets/aws-clients.ts';
import { targetAttempts } from '#delivery/outgoing/targets/prepare.ts';
import { systemClock } from '#server/core/clock.ts';
import { busEvents } from '#services/events/tables/bus-events.ts';
import { eventBuses } from '#services/events/tables/event-buses.ts';
import { eventText } from '#services/kit/bus-event.ts';
import { emitterOf } from '#services/kit/events.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { median } from './load.ts';

/**
 * Delivers events from a bus to an API destination on this machine over HTTPS: router, queue, request, removal. Compares with a loop that posts
 * the same bodies with the same number of concurrent requests, each on a connection of its own. The receiver runs in another thread. Command: `node bench/event-delivery.ts [--events 2000]`.
 */
const { values: settings } = parseArgs({
  options: { events: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '3' } },
});
const count = Number(settings.events);
const ACCOUNT = '111122223333' as AccountId;
const BUS = { accountId: ACCOUNT, region: 'us-east-1', busName: 'default' };
const CONCURRENT = 16;

const certificates = mkdtempSync(join(tmpdir(), 'belfry-bench-tls-'));
const [keyFile, certificateFile] = [join(certificates, 'key.pem'), join(certificates, 'cert.pem')];
const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
execFileSync('openssl', ['req', ...options, '-keyout', keyFile, '-out', certificateFile], { stdio: 'ignore' });
const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certificateFile, 'utf8')];
rmSync(certificates, { recursive: true, force: true });

const receiver = new Worker(new URL('./lib-https-receiver.ts', import.meta.url), { workerData: { key, cert } });
const message = <T>(): Promise<T> => new Promise((resolve) => receiver.once('message', resolve));
const host = `127.0.0.1:${(await message<{ readonly port: number }>()).port}`;
const url = `https://${host}/events`;
// Only this process connects to this receiver.
process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';

const bodyOf = (n: number): string => {
  const members = {
    id: `event-${n}`,
    detailType: 'order',
    source: 'shop',
    account: ACCOUNT,
    time: instant(Date.now()),
    region: 'us-east-1',
  };
  return eventText({ ...members, resources: [], detail: JSON.stringify({ n, text: 'x'.repeat(500) }) });
};

/** Events per second, and CPU time of this thread for one event. */
interface Measured {
  readonly rate: number;
  readonly cpuMicroseconds: number;
}

/** Measures until the receiver has all events. */
async function measured(start: () => void): Promise<Measured> {
  receiver.postMessage(count);
  await message();
  const done = message();
  const began = performance.now();
  const cpu = process.threadCpuUsage();
  start();
  await done;
  const { user, system } = process.threadCpuUsage(cpu);
  return { rate: (count * 1000) / (performance.now() - began), cpuMicroseconds: (user + system) / count };
}

function post(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } }, (response) => {
      response.resume();
      response.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function plainLoop(): Promise<Measured> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await post(bodyOf(next++));
  };
  return measured(() => void Promise.all(Array.from({ length: CONCURRENT }, work)));
}

let transactions = 0;

async function belfry(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  const store = await openSqlite(join(folder, 'data'));
  const arn = `arn:aws:events:us-east-1:${ACCOUNT}:api-destination/hook/1`;
  const now = instant(Date.now());
  await store.transaction(async (tx) => {
    await tx
      .of(eventBuses)
      .addBus({ ...BUS, tags: [], createdAt: now, modifiedAt: now, version: 1, rules: 1, archives: 0, patternsCost: 0 });
    const rule = { ...BUS, ruleName: 'shop' };
    await tx.of(eventBuses).putRule({ ...rule, state: 'ENABLED', eventPattern: '{"source":["shop"]}', tags: [], createdAt: now, cost: 0 });
    await tx.of(eventBuses).putTarget({ ...rule, targetId: 'hook', targetArn: arn, target: { Id: 'hook', Arn: arn } });
    for (let n = 0; n < count; n++) await tx.of(busEvents).append({ ...BUS, event: bodyOf(n), at: now });
  });
  const parameters = { headers: {}, query: {}, body: {} };
  const authorization = { kind: 'apiKey', name: 'x-api-key', value: 'key' } as const;
  const report = (line: string): void => console.error(line);
  let id = 0;
  const newId = (): string => `id-${++id}`;
  const delivery = outgoingDelivery({
    store: {
      transaction: (work) => {
        transactions += 1;
        return store.transaction(work);
      },
    },
    clock: systemClock,
    newId,
    workIn: (tx, now) => emitterOf([])({ tx, now, newId }),
    random: (bytes) => new Uint8Array(bytes),
    limits: { lane: { messages: 1e6, bytes: 1e10 }, account: { messages: 1e6, bytes: 1e10 } },
    prepare: targetAttempts({
      store,
      vault: openVault(() => [new Uint8Array(32)]),
      clients: awsClients(),
      decideRole: async () => 'allowed',
      now: systemClock.wall,
      logGroups: () => Promise.reject(new Error('there are no log groups')),
      destination: async () => ({ url, method: 'POST', ratePerSecond: 1e6, isActive: true, authorization, parameters }),
      authorization: async () => undefined,
      destinations: apiDestinationSender({ now: systemClock.wall, after: systemClock.after, internalHosts: [host] }),
      internalHosts: [],
      webhookUrl: async () => undefined,
      sendMail: async () => ({ kind: 'sent' }),
      report,
    }),
    onEnded: () => {},
    sources: [eventRouter({ now: systemClock.wall, newId, decideRole: async () => 'allowed', metrics: { count() {} }, lost() {}, report })],
    shared: false,
    isOpen: () => true,
    report,
  });
  try {
    return await measured(delivery.start);
  } finally {
    await delivery.stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const results: Record<'loop' | 'belfry', Measured[]> = { loop: [], belfry: [] };
for (let round = 0; round < Number(settings.rounds); round++) {
  results.loop.push(await plainLoop());
  results.belfry.push(await belfry());
}
await receiver.terminate();
const middle = (of: keyof typeof results, member: keyof Measured) => median(results[of].map((each) => each[member]));
for (const [unit, member] of [
  ['events a second to one HTTPS receiver', 'rate'],
  ['µs of CPU of the sending thread an event', 'cpuMicroseconds'],
] as const) {
  const [loop, own] = [middle('loop', member), middle('belfry', member)];
  console.log(`${unit}: ${own.toFixed(0)}, plain loop ${loop.toFixed(0)}, ratio ${(own / loop).toFixed(2)}`);
}
console.log(`transactions an event: ${(transactions / (count * Number(settings.rounds))).toFixed(2)}`);
