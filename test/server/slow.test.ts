import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { after, test } from 'node:test';
import { CONNECTION_LIMITS, type ConnectionLimits } from '#server/edge/listener.ts';
import { STEP_BYTES } from '#server/edge/reading.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { newFolder } from '../kit/folder.ts';
import { type Connection, connect, errorCodeOf, exchange, type Reply } from '../kit/raw.ts';
import { replayedAtStop } from '../kit/replay.ts';
import { until } from '../kit/until.ts';

/**
 * Slow clients. Some tests wait until the server ends a connection, and their server has short time limits. A busy machine may exceed these
 * with any request. So a test whose requests must be complete in time uses a server with the default time limits.
 */

const UNDER_WAY_BYTES = 1_000_000;
const MEMORY = { underWayMaxBytes: UNDER_WAY_BYTES, sourceSharePercent: 100 };
const SHORT = { headersTimeoutMs: 150, requestTimeoutMs: 300, checkingIntervalMs: 50, keepAliveMs: 200 };

/** Starts a server, and stops it after the tests. */
async function start(limits: Partial<ConnectionLimits>) {
  const settings = readSettings([], {
    BELFRY_DATA: newFolder('slow'),
    BELFRY_HTTP: '127.0.0.1:0',
    BELFRY_HTTPS: 'off',
    BELFRY_METRICS: 'off',
  });
  const { ready, stop, counts } = await startServer(settings, assert.fail, { limits: { ...MEMORY, ...limits } });
  const replay = replayedAtStop(settings.database);
  after(async () => {
    await stop();
    await replay();
  });
  return {
    endpoint: ready.listeners[0]?.endpoint as string,
    counts,
    until: (holds: (now: ReturnType<typeof counts>) => boolean) =>
      until(
        () => holds(counts()),
        () => JSON.stringify(counts()),
      ),
  };
}

const hasty = await start(SHORT);
const patient = await start({});

/** Smallest number of bytes that the server counts for a request whose head it has read. */
const HELD_BYTES = 4_096;
/** Returns the head of a request with a body of this size, which has no valid signature. */
const head = (size: number) => `POST /meetings HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`;
const HEALTH = 'GET /_belfry/health HTTP/1.1\r\nhost: a\r\n\r\n';
const RESOURCE = 'GET /meetings/x HTTP/1.1\r\nhost: a\r\n\r\n';

/**
 * Opens a connection to the server with short limits, sends bytes and waits for the response. Repeats this if the server ended the connection
 * as an idle one, because the bytes came too late.
 */
async function answered(sent: string): Promise<{ connection: Connection; reply: Reply }> {
  for (;;) {
    const connection = await connect(hasty.endpoint);
    connection.write(sent);
    const reply = await connection.reply().catch(() => undefined);
    if (reply !== undefined) return { connection, reply };
  }
}

/** Sends a complete request to the server with short limits until it arrives in time. */
async function answeredInTime(request: string): Promise<{ connection: Connection; reply: Reply }> {
  for (;;) {
    const { connection, reply } = await answered(request);
    if (reply.status !== 408) return { connection, reply };
  }
}

// biome-ignore format: a table
for (const [what, sent] of [
  ['headers that never end',                    `POST /meetings HTTP/1.1\r\nhost: a\r\nx: `],
  ['a body that is missing',                    `POST /meetings HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n`],
  ['a body that is incomplete',                 `POST /meetings HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc`],
  ['chunks that never end',                     `POST /meetings HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`],
] as const) {
  test(`Slow clients: ${what} are RequestTimeout, and the connection ends`, async () => {
    const { connection, reply } = await answered(sent);
    assert.deepEqual([errorCodeOf(reply), reply.status], ['RequestTimeout', 408]);
    await connection.closed;
  });
}

test('Slow clients: single bytes do not extend the time limit', async () => {
  const connection = await connect(hasty.endpoint);
  connection.write(head(100_000));
  const drip = setInterval(() => connection.write('x'), 20);
  try {
    await connection.closed;
  } finally {
    clearInterval(drip);
  }
});

test('Slow clients: an idle connection is closed, whether it was used before or not', async () => {
  const unused = await connect(hasty.endpoint);
  const { connection: used, reply } = await answeredInTime(HEALTH);
  assert.equal(reply.status, 200);
  await Promise.all([used.closed, unused.closed]);
});

test('Slow clients: a hundred slow clients do not prevent responses to other clients', async () => {
  const slow = await Promise.all(Array.from({ length: 100 }, () => connect(patient.endpoint)));
  for (const each of slow) each.write(head(10));
  await patient.until(({ bytes }) => bytes >= 100 * HELD_BYTES);
  assert.equal((await exchange(patient.endpoint, HEALTH)).status, 200);
  for (const each of slow) each.close();
  await patient.until(({ connections }) => connections === 0);
});

test('Slow clients: if incomplete bodies reach the limit for bytes in memory, further requests are 503', async () => {
  const slow = await Promise.all(Array.from({ length: 4 }, () => connect(patient.endpoint)));
  const replies = slow.map((each) => {
    each.write(head(400_001));
    each.write('x'.repeat(400_000));
    return each.reply();
  });
  let refused = 0;
  for (const reply of replies) {
    void reply.then(({ status }) => {
      if (status === 503) refused++;
    });
  }
  // The limit for bytes in memory is large enough for two of the four bodies. The last byte completes these two requests.
  await until(
    () => refused === 2,
    () => `${refused} requests are 503`,
  );
  for (const each of slow) each.write('x');
  assert.deepEqual((await Promise.all(replies)).map(({ status }) => status).sort(), [403, 403, 503, 503]);
  for (const each of slow) each.close();
  await patient.until(({ bytes }) => bytes === 0);
  const after = await exchange(patient.endpoint, `${head(400_000)}${'x'.repeat(400_000)}`);
  assert.deepEqual([errorCodeOf(after), after.status], ['MissingAuthenticationTokenException', 403]);
});

test('Slow clients: after the time limit, the memory of a body is freed, even if the connection is open', async () => {
  const server = await start({ ...SHORT, headersTimeoutMs: 5_000, requestTimeoutMs: 5_000 });
  const { hostname, port } = new URL(server.endpoint);
  // Two incomplete bodies leave no room for a third body within the limit for bytes in memory. The two clients do not
  // close their connections, and do not read the responses. So the connections remain open for a long time.
  const slow = await Promise.all(
    [1, 2].map(async () => {
      const socket = createConnection({ host: hostname, port: Number(port), allowHalfOpen: true });
      socket.on('error', () => {}).write(`${head(400_001)}${'x'.repeat(400_000)}`);
      await once(socket, 'connect');
      return socket;
    }),
  );
  await server.until(({ bytes }) => bytes > 800_000);
  await server.until(({ bytes }) => bytes === 0);
  assert.equal(server.counts().connections, 2);
  assert.equal((await exchange(server.endpoint, `${head(400_000)}${'x'.repeat(400_000)}`)).status, 403);
  for (const socket of slow) socket.destroy();
});

test('Slow clients: if a connection ends, the memory of its unanswered pipelined requests is freed', async () => {
  const connection = await connect(patient.endpoint);
  connection.write(RESOURCE.repeat(100));
  await connection.reply();
  connection.close();
  await patient.until(({ bytes, requests, sources }) => bytes === 0 && requests === 0 && sources === 0);
});

test('Slow clients: hundreds of requests in one write all get responses, a few at a time', async () => {
  const connection = await connect(patient.endpoint);
  const times = 400;
  connection.write(RESOURCE.repeat(times));
  const statuses: number[] = [];
  let most = 0;
  while (statuses.length < times) {
    most = Math.max(most, patient.counts().requests);
    statuses.push((await connection.reply()).status);
  }
  assert.deepEqual(statuses, Array(times).fill(403));
  const { requestsOfConnectionMax } = CONNECTION_LIMITS;
  assert.ok(most < requestsOfConnectionMax + STEP_BYTES / RESOURCE.length, `${most} requests wait`);
  connection.close();
});
