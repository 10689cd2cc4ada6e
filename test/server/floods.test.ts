/**
 * Floods of requests from one source (client address). Tests how many requests the server parses in one turn of the
 * event loop, and how long other clients wait.
 */
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { STEP_LINES } from '#server/edge/chunked-step.ts';
import { LINE_WORK, STEP_BYTES, WORK_OF_SOURCE } from '#server/edge/reading.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { newFolder } from '../kit/folder.ts';
import { type Connection, connect, exchange } from '../kit/raw.ts';
import { replayedAtStop } from '../kit/replay.ts';
import { until } from '../kit/until.ts';

const dataFolder = newFolder('floods');
const settings = readSettings([], { BELFRY_DATA: dataFolder, BELFRY_HTTP: '127.0.0.1:0', BELFRY_HTTPS: '127.0.0.1:0' });
const { ready, stop, counts } = await startServer(settings, assert.fail);
const [http = '', https = ''] = ready.listeners.map(({ endpoint }) => endpoint);
const caFile = join(dataFolder, 'tls', 'ca.pem');
const replay = replayedAtStop(settings.database);
after(async () => {
  await stop();
  await replay();
});

const untilHolds = (holds: () => boolean) => until(holds, () => JSON.stringify(counts()));

const SMALLEST = 'GET / HTTP/1.1\r\nhost:a\r\n\r\n';
const HEALTH = 'GET /_belfry/health HTTP/1.1\r\nhost:a\r\n\r\n';
/** Number of bytes of one flood, more than the server receives in one read. */
const BYTES = 131_072;
const CONNECTIONS = 8;

/**
 * Counts the requests, or the pieces of their bodies, that Node's HTTP parser parses in each turn of the event loop. Each chunk is at least
 * one piece. `end` returns the maximum of all turns.
 */
function countingParsed(what: 'requests' | 'pieces' = 'requests') {
  let parsed = 0;
  let most = 0;
  let total = 0;
  let counting = true;
  const add = () => {
    parsed += 1;
    total += 1;
  };
  const count = (message: unknown) => {
    if (what === 'requests') {
      add();
      return;
    }
    const { request } = message as { request: IncomingMessage };
    // The parser passes each piece to the request with this method.
    const push = request.push.bind(request);
    request.push = (piece, encoding) => {
      if (piece !== null) add();
      return push(piece, encoding);
    };
  };
  const turn = () => {
    most = Math.max(most, parsed);
    parsed = 0;
    if (counting) setImmediate(turn);
  };
  diagnostics.subscribe('http.server.request.start', count);
  setImmediate(turn);
  return {
    total: () => total,
    end() {
      counting = false;
      diagnostics.unsubscribe('http.server.request.start', count);
      return Math.max(most, parsed);
    },
  };
}

/**
 * Reads and discards all responses. The number of responses varies, because the server ends connections with too many
 * health probes.
 */
function readAll({ socket }: Connection): void {
  socket.removeAllListeners('data').on('data', () => {});
}

// biome-ignore format: a table
const FLOODS: readonly [what: string, endpoint: string, request: string][] = [
  ['requests of the smallest size',           http,  SMALLEST],
  ['requests of the smallest size over TLS',  https, SMALLEST],
  ['health probes',                           http,  HEALTH],
];
for (const [what, endpoint, request] of FLOODS) {
  test(`Floods: the server parses only a few ${what} of one source in one turn of the event loop`, async () => {
    const flooding = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(endpoint, caFile)));
    const parsed = countingParsed();
    for (const connection of flooding) {
      readAll(connection);
      connection.write(request.repeat(Math.ceil(BYTES / request.length)));
    }
    await untilHolds(() => parsed.total() > 4 * WORK_OF_SOURCE || counts().connections === 0);
    const most = parsed.end();
    // The counter is reset in the middle of a turn of the event loop. So one count may include requests of two turns.
    const perTurn = WORK_OF_SOURCE + Math.ceil(STEP_BYTES / request.length);
    assert.ok(most <= 2 * perTurn, `${most} requests in a turn`);
    for (const connection of flooding) connection.close();
    await untilHolds(() => counts().connections === 0);
  });
}

const CHUNKED_HEAD = 'POST /meetings HTTP/1.1\r\nhost:a\r\ntransfer-encoding:chunked\r\n\r\n';
/** Smallest number of bytes that the server counts for a request whose head it has read. */
const HELD_BYTES = 4_096;

test('Floods: the server parses only a few chunks of one source in one turn of the event loop', async () => {
  const flooding = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(http)));
  const parsed = countingParsed('pieces');
  for (const connection of flooding) {
    readAll(connection);
    connection.write(CHUNKED_HEAD);
  }
  await untilHolds(() => counts().bytes >= CONNECTIONS * HELD_BYTES);
  for (const connection of flooding) connection.write('1\r\nx\r\n'.repeat(BYTES / 8));
  await untilHolds(() => parsed.total() > 20 * WORK_OF_SOURCE);
  const most = parsed.end();
  const perTurn = WORK_OF_SOURCE / (2 * LINE_WORK) + STEP_LINES / 2;
  assert.ok(most <= 2 * perTurn, `${most} chunks in a turn`);
  for (const connection of flooding) connection.close();
  await untilHolds(() => counts().connections === 0);
});

test('Floods: the server parses only a few chunks in one turn if they arrive with the heads of their requests', async () => {
  const chunks = Math.floor((STEP_BYTES - CHUNKED_HEAD.length) / 6);
  const flooding = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(http)));
  // After a response, the server reads from all connections in the same turn.
  for (const connection of flooding) {
    connection.write(HEALTH);
    assert.equal((await connection.reply()).status, 200);
  }
  const parsed = countingParsed('pieces');
  for (const connection of flooding) {
    readAll(connection);
    connection.write(CHUNKED_HEAD + '1\r\nx\r\n'.repeat(chunks));
  }
  await untilHolds(() => parsed.total() === CONNECTIONS * chunks);
  const most = parsed.end();
  const perTurn = WORK_OF_SOURCE / (2 * LINE_WORK) + STEP_LINES / 2;
  assert.ok(most <= 2 * perTurn, `${most} chunks in a turn`);
  for (const connection of flooding) connection.close();
  await untilHolds(() => counts().connections === 0);
});

test('Floods: the server parses a body of large chunks in large pieces', async () => {
  const connection = await connect(http);
  const parsed = countingParsed('pieces');
  connection.write(`${CHUNKED_HEAD}${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(24)}0\r\n\r\n`);
  assert.equal((await connection.reply()).status, 403);
  parsed.end();
  assert.ok(parsed.total() <= (24 * 65_536) / 4_096, `${parsed.total()} pieces`);
  connection.close();
});

/** The bound of a step relies on this behavior of Node's parser. */
test("Floods: Node's parser accepts no line feed alone as the end of a line of a chunk", async () => {
  for (const chunk of ['1\nx\r\n', '1\r\nx\n', '1;a=b\nx\r\n', '1\r\nx']) {
    const { status } = await exchange(http, `${CHUNKED_HEAD}${chunk}0\r\n\r\n`);
    assert.equal(status, 400, JSON.stringify(chunk));
  }
});

test('Floods: all pipelined requests of a connection are answered in order, whatever their bodies', async () => {
  const connection = await connect(http);
  const sizes = [0, 1, 3_000, 70_000, 5, 200_000, 2_048];
  const chunked = (body: string) => `${body.replaceAll(/x{1,7}/g, (piece) => `${piece.length}\r\n${piece}\r\n`)}0\r\n\r\n`;
  /** Requests with the expected status. Every third request has a path without a route. */
  const requests = Array.from({ length: 30 }, (_, i) => {
    const size = sizes[i % sizes.length] as number;
    const body = 'x'.repeat(size);
    const head = `POST ${i % 3 === 0 ? '/none' : '/meetings'} HTTP/1.1\r\nhost: a\r\n`;
    const framed = i % 2 === 0 ? `content-length: ${size}\r\n\r\n${body}` : `transfer-encoding: chunked\r\n\r\n${chunked(body)}`;
    return { bytes: head + framed, status: i % 3 === 0 ? 404 : 403 };
  });
  connection.write(requests.map(({ bytes }) => bytes).join(''));
  for (const { status } of requests) assert.equal((await connection.reply()).status, status);
  connection.close();
});

for (const [client, localAddress] of [
  ['another source', '127.0.0.2'],
  ['another connection of the source', '127.0.0.1'],
] as const) {
  test(`Floods: the server parses less than 64 KiB of the flood while ${client} waits`, async () => {
    const flooding = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(http)));
    const parsed = countingParsed();
    let ended = false;
    for (const connection of flooding) {
      readAll(connection);
      const write = () => {
        if (!ended) connection.socket.write(SMALLEST.repeat(BYTES / SMALLEST.length), write);
      };
      write();
    }
    await untilHolds(() => counts().requests > 64);
    const from = parsed.total();
    const reply = await exchange(http, 'GET /meetings/x HTTP/1.1\r\nhost: a\r\n\r\n', undefined, localAddress);
    const meanwhile = parsed.total() - from;
    ended = true;
    parsed.end();
    for (const connection of flooding) connection.close();
    await untilHolds(() => counts().connections === 0);
    assert.equal(reply.status, 403);
    assert.ok(meanwhile < 65_536 / SMALLEST.length, `${meanwhile} requests of the flood came first`);
  });
}
