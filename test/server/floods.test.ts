/** Floods from one source (client address): requests that the server parses in one turn of the event loop, and the delay of other clients. */
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { STEP_BYTES, WORK_OF_SOURCE } from '#server/edge/reading.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { type Connection, connect, exchange } from '../kit/raw.ts';

const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-floods-'));
const settings = readSettings([], { BELFRY_DATA: dataFolder, BELFRY_HTTP: '127.0.0.1:0', BELFRY_HTTPS: '127.0.0.1:0' });
const { ready, stop, counts } = await startServer(settings, assert.fail);
const [http = '', https = ''] = ready.listeners.map(({ endpoint }) => endpoint);
const caFile = join(dataFolder, 'tls', 'ca.pem');
after(async () => {
  await stop();
  rmSync(dataFolder, { recursive: true, force: true });
});

const SMALLEST = 'GET / HTTP/1.1\r\nhost:a\r\n\r\n';
const HEALTH = 'GET /_belfry/health HTTP/1.1\r\nhost:a\r\n\r\n';
/** Number of bytes of one flood, more than the server receives in one read. */
const BYTES = 131_072;
const CONNECTIONS = 8;

/** Counts the requests that Node's HTTP parser parses in each turn of the event loop. `end` returns the maximum of all turns. */
function countingParsed() {
  let parsed = 0;
  let most = 0;
  let total = 0;
  let counting = true;
  const count = () => {
    parsed += 1;
    total += 1;
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

/** Reads and discards all responses. Their number varies, because the server ends connections with too many health probes. */
function readAll({ socket }: Connection): void {
  socket.removeAllListeners('data').on('data', () => {});
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

// biome-ignore format: a table
const FLOODS: readonly [what: string, endpoint: string, request: string][] = [
  ['requests of the smallest size',           http,  SMALLEST],
  ['requests of the smallest size over TLS',  https, SMALLEST],
  ['health probes',                           http,  HEALTH],
];
for (const [what, endpoint, request] of FLOODS) {
  test(`Floods: the server parses only a few ${what} of one source in a turn`, async () => {
    const flooding = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(endpoint, caFile)));
    const parsed = countingParsed();
    for (const connection of flooding) {
      readAll(connection);
      connection.write(request.repeat(Math.ceil(BYTES / request.length)));
    }
    await until(() => parsed.total() > 4 * WORK_OF_SOURCE || counts().connections === 0);
    const most = parsed.end();
    // Between two turns of this test, the server's event loop may complete part of a second turn.
    const perTurn = WORK_OF_SOURCE + Math.ceil(STEP_BYTES / request.length);
    assert.ok(most <= 2 * perTurn, `${most} requests in a turn`);
    for (const connection of flooding) connection.close();
    await until(() => counts().connections === 0);
  });
}

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
    await until(() => counts().requests > 64);
    const from = parsed.total();
    const reply = await exchange(http, 'GET /meetings/x HTTP/1.1\r\nhost: a\r\n\r\n', undefined, localAddress);
    const meanwhile = parsed.total() - from;
    ended = true;
    parsed.end();
    for (const connection of flooding) connection.close();
    await until(() => counts().connections === 0);
    assert.equal(reply.status, 403);
    assert.ok(meanwhile < 65_536 / SMALLEST.length, `${meanwhile} requests of the flood came first`);
  });
}
