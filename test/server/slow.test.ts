import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { after, test } from 'node:test';
import { CONNECTION_LIMITS } from '#server/edge/listener.ts';
import { STEP_BYTES } from '#server/edge/reading.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { newFolder } from '../kit/folder.ts';
import { connect, errorCodeOf, exchange } from '../kit/raw.ts';
import { replayedAtStop } from '../kit/replay.ts';
import { until } from '../kit/until.ts';

/** Slow clients. The time limits of the server are short, and each test waits until the server ends the connection. */

const UNDER_WAY_BYTES = 1_000_000;
const dataFolder = newFolder('slow');
const settings = readSettings([], { BELFRY_DATA: dataFolder, BELFRY_HTTP: '127.0.0.1:0', BELFRY_HTTPS: 'off' });
const { ready, stop, counts } = await startServer(settings, assert.fail, {
  limits: {
    headersTimeoutMs: 150,
    requestTimeoutMs: 300,
    checkingIntervalMs: 50,
    keepAliveMs: 200,
    underWayMaxBytes: UNDER_WAY_BYTES,
    sourceSharePercent: 100,
  },
});
const endpoint = ready.listeners[0]?.endpoint as string;
const { host } = new URL(endpoint);

const replay = replayedAtStop(settings.database);
after(async () => {
  await stop();
  await replay();
});

const untilCounts = (holds: (now: ReturnType<typeof counts>) => boolean) =>
  until(
    () => holds(counts()),
    () => JSON.stringify(counts()),
  );

// biome-ignore format: a table
for (const [what, sent] of [
  ['headers that never end',                    `POST /meetings HTTP/1.1\r\nhost: ${host}\r\nx: `],
  ['a body that is missing',                    `POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 10\r\n\r\n`],
  ['a body that is incomplete',                 `POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 10\r\n\r\nabc`],
  ['chunks that never end',                     `POST /meetings HTTP/1.1\r\nhost: ${host}\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`],
] as const) {
  test(`Slow clients: ${what} are RequestTimeout, and the connection ends`, async () => {
    const connection = await connect(endpoint);
    connection.write(sent);
    const reply = await connection.reply();
    assert.deepEqual([errorCodeOf(reply), reply.status], ['RequestTimeout', 408]);
    await connection.closed;
  });
}

test('Slow clients: single bytes do not extend the time limit', async () => {
  const connection = await connect(endpoint);
  connection.write(`POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 100000\r\n\r\n`);
  const drip = setInterval(() => connection.write('x'), 20);
  try {
    assert.equal((await connection.reply()).status, 408);
    await connection.closed;
  } finally {
    clearInterval(drip);
  }
});

test('Slow clients: an idle connection is closed, whether it was used before or not', async () => {
  const [used, unused] = await Promise.all([connect(endpoint), connect(endpoint)]);
  used.write(`GET /_belfry/health HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  assert.equal((await used.reply()).status, 200);
  await Promise.all([used.closed, unused.closed]);
});

test('Slow clients: a hundred slow clients do not prevent responses to other clients', async () => {
  const slow = await Promise.all(Array.from({ length: 100 }, () => connect(endpoint)));
  for (const each of slow) each.write(`POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 10\r\n\r\n`);
  const reply = await exchange(endpoint, `GET /_belfry/health HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  assert.equal(reply.status, 200);
  await Promise.all(slow.map((each) => each.closed));
});

test('Slow clients: if incomplete bodies reach the limit for bytes in memory, further requests are 503', async () => {
  const body = (size: number) => `POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${size}\r\n\r\n`;
  const slow = await Promise.all(Array.from({ length: 4 }, () => connect(endpoint)));
  const outcomes = slow.map(async (each) => {
    each.write(body(400_001));
    each.write('x'.repeat(400_000));
    return (await each.reply()).status;
  });
  // The limit for bytes in memory is large enough for two of the four bodies. These two requests are 408 after the time
  // limit. The other two requests are 503 at once.
  assert.deepEqual((await Promise.all(outcomes)).sort(), [408, 408, 503, 503]);
  await Promise.all(slow.map((each) => each.closed));
  const after = await exchange(endpoint, `${body(400_000)}${'x'.repeat(400_000)}`);
  assert.deepEqual([errorCodeOf(after), after.status], ['MissingAuthenticationTokenException', 403]);
});

test('Slow clients: after the time limit, the memory of a body is freed, even if the connection is open', async () => {
  const { hostname, port } = new URL(endpoint);
  // Two incomplete bodies leave no room for a third body within the limit for bytes in memory. The two clients do not
  // close their connections, and do not read the responses. So the connections remain open for a long time.
  const slow = await Promise.all(
    [1, 2].map(async () => {
      const socket = createConnection({ host: hostname, port: Number(port), allowHalfOpen: true });
      socket.on('error', () => {}).write(`POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 400001\r\n\r\n${'x'.repeat(400_000)}`);
      await once(socket, 'connect');
      return socket;
    }),
  );
  await untilCounts(({ bytes }) => bytes > 800_000);
  await untilCounts(({ bytes }) => bytes === 0);
  assert.equal(counts().connections, 2);
  const body = `POST /meetings HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 400000\r\n\r\n${'x'.repeat(400_000)}`;
  assert.equal((await exchange(endpoint, body)).status, 403);
  for (const socket of slow) socket.destroy();
});

test('Slow clients: if a connection ends, the memory of its unanswered pipelined requests is freed', async () => {
  const connection = await connect(endpoint);
  connection.write(`GET /meetings/x HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(100));
  await connection.reply();
  connection.close();
  await untilCounts(({ bytes, requests, sources }) => bytes === 0 && requests === 0 && sources === 0);
});

test('Slow clients: hundreds of requests in one write all get responses, a few at a time', async () => {
  const connection = await connect(endpoint);
  const request = `GET /meetings/x HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  const times = 400;
  connection.write(request.repeat(times));
  const statuses: number[] = [];
  let most = 0;
  while (statuses.length < times) {
    most = Math.max(most, counts().requests);
    statuses.push((await connection.reply()).status);
  }
  assert.deepEqual(statuses, Array(times).fill(403));
  const { requestsOfConnectionMax } = CONNECTION_LIMITS;
  assert.ok(most < requestsOfConnectionMax + STEP_BYTES / request.length, `${most} requests wait`);
  connection.close();
});
