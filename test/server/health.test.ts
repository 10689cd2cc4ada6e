/**
 * Tests the probes `live`, `ready` and `health`: on SQLite and PostgreSQL, without a lease or database, and while the
 * server drains.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newHealth } from '#server/health.ts';
import { newFolder } from '../kit/folder.ts';
import { startServerProcess } from '../kit/process.ts';
import { bytesOf, connect, signedHeaders } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { startCluster } from '../leases/cluster.ts';
import { databaseProxy } from '../leases/proxy.ts';
import { testPostgres } from '../store/test-postgres.ts';

interface Probe {
  readonly status: number;
  readonly reported: unknown;
}

async function probe(endpoint: string, name: string, method = 'GET'): Promise<Probe | undefined> {
  try {
    const response = await fetch(`${endpoint}/_belfry/${name}`, { method, headers: { connection: 'close' } });
    const text = await response.text();
    return { status: response.status, reported: text === '' ? undefined : JSON.parse(text).status };
  } catch {
    return undefined;
  }
}

/** Repeats the probe `ready` until it returns this status. Sends no other request meanwhile. */
async function readyIs(endpoint: string, status: number): Promise<Probe> {
  let seen: Probe | undefined;
  await until(
    async () => (seen = await probe(endpoint, 'ready'))?.status === status,
    () => `ready is ${seen?.status}, not ${status}`,
  );
  return seen as Probe;
}

test('Health: on a running server, each probe returns 200 to GET and HEAD, and 405 to POST', async () => {
  const { endpoint } = await startTestServer();
  for (const name of ['live', 'ready', 'health', 'ready?verbose=1']) {
    assert.deepEqual(await probe(endpoint, name), { status: 200, reported: 'ok' }, name);
    assert.equal((await probe(endpoint, name, 'HEAD'))?.status, 200);
    assert.equal((await probe(endpoint, name, 'POST'))?.status, 405);
  }
});

for (const cut of ['everything', 'renewals'] as const) {
  test(`Health: without API calls, the readiness probe is 503 while PostgreSQL is unreachable for ${cut}`, async () => {
    const cluster = await startCluster({ servers: 1, leaseMilliseconds: 1_000 });
    try {
      const [member] = cluster.members;
      assert.ok(member);
      await readyIs(member.endpoint(), 200);
      member.proxy.cut(cut);
      assert.equal((await readyIs(member.endpoint(), 503)).reported, 'unavailable');
      assert.deepEqual(await probe(member.endpoint(), 'health'), { status: 503, reported: 'unavailable' });
      assert.deepEqual(await probe(member.endpoint(), 'live'), { status: 200, reported: 'ok' });
      member.proxy.heal();
      await readyIs(member.endpoint(), 200);
    } finally {
      await cluster.stop();
    }
  });
}

test('Health: after PostgreSQL has stopped, the probes `ready` and `health` are 503, and `live` is 200', async () => {
  const cluster = await startCluster({ servers: 1, leaseMilliseconds: 60_000 });
  after(() => cluster.stop().catch(() => undefined));
  const [member] = cluster.members;
  assert.ok(member);
  await readyIs(member.endpoint(), 200);
  // The lease lasts a minute. So the server is unavailable only because it has no database.
  await member.proxy.close();
  assert.equal((await readyIs(member.endpoint(), 503)).reported, 'unavailable');
  assert.deepEqual(await probe(member.endpoint(), 'live'), { status: 200, reported: 'ok' });
});

test('Health: if the core stops reporting, the readiness probe is 503 after the last report has expired', () => {
  let now = 0;
  const health = newHealth(() => now);
  const status = () => health.answer('GET', '/_belfry/ready')?.status;
  assert.equal(status(), 503);
  health.started();
  assert.equal(status(), 503);
  health.coreReadyUntil(2_000);
  assert.equal(status(), 200);
  now = 1_999;
  assert.equal(status(), 200);
  now = 2_000;
  assert.equal(status(), 503);
  assert.equal(health.answer('GET', '/_belfry/live')?.status, 200);
  health.coreReadyUntil(4_000);
  assert.equal(status(), 200);
});

test('Health: on SIGTERM, the readiness probe is 503 while the server still responds, then it stops', async () => {
  const server = await startServerProcess({ BELFRY_DRAIN_SECONDS: '10' });
  await readyIs(server.endpoint, 200);
  const { host } = new URL(server.endpoint);
  const busy = await connect(server.endpoint);
  busy.write(`POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 2\r\n\r\n{`);
  process.kill(server.pid, 'SIGTERM');
  assert.equal((await readyIs(server.endpoint, 503)).reported, 'draining');
  assert.deepEqual(await probe(server.endpoint, 'live'), { status: 200, reported: 'ok' });
  const late = await fetch(`${server.endpoint}/meetings`, { method: 'POST', body: '{}', headers: { connection: 'close' } });
  assert.equal(late.status, 403, 'an unsigned request gets its usual response');
  busy.write('}');
  assert.equal((await busy.reply()).status, 403);
  assert.equal(await server.stop(), 0);
  assert.equal(await probe(server.endpoint, 'live'), undefined);
});

test('Health: without a drain time, the readiness probe is 503 after SIGTERM until all requests end', async () => {
  const database = await testPostgres();
  const proxy = await databaseProxy(database.url);
  after(async () => {
    await proxy.close();
    await database.stop();
  });
  const server = await startServerProcess({ BELFRY_DATABASE: proxy.url }, newFolder('health'), [], database.url);
  await readyIs(server.endpoint, 200);
  proxy.cut('everything');
  const plain = { method: 'GET', target: '/meetings/00000000-0000-4000-8000-000000000000' };
  const headers = signedHeaders(server.endpoint, plain, { credentials: server.credentials, signingName: 'chime' });
  const busy = await connect(server.endpoint);
  busy.write(bytesOf(plain, headers));
  // Waits until the lease has ended, two seconds after its last renewal. By then the request has reached the core's
  // thread.
  assert.equal((await readyIs(server.endpoint, 503)).reported, 'unavailable');
  process.kill(server.pid, 'SIGTERM');
  await until(
    async () => (await probe(server.endpoint, 'ready'))?.reported === 'draining',
    () => 'the server does not drain',
  );
  assert.deepEqual(await probe(server.endpoint, 'live'), { status: 200, reported: 'ok' });
  proxy.heal();
  assert.ok((await busy.reply()).status >= 400);
  assert.equal(await server.stop(), 0);
});
