import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import type { Answer, Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { SocketNews } from '#realtime/protocol.ts';
import { openSockets, type SocketLimits } from './sockets.ts';

const ADMITTED: Answer = { status: 101, headers: [], body: '' };
const REFUSED: Answer = { status: 403, headers: [], body: '' };
const RECEIVED: Received = {
  requestId: 'r',
  receivedAt: instant(0),
  method: 'GET',
  target: '/connect',
  rawHeaders: [],
  body: new Uint8Array(),
  sourceIp: '',
};

/** Opens the server's sockets behind a listener. `answer` simulates the response of the core to an upgrade request. */
async function open(limits: Partial<SocketLimits> = {}, answer: () => Promise<Answer> = async () => ADMITTED) {
  const news: SocketNews[] = [];
  const looking = new Set<() => void>();
  const sockets = openSockets({
    ask: answer,
    notify(one) {
      news.push(one);
      for (const look of looking) look();
    },
    limits,
  });
  const server = createServer();
  const writes: unknown[] = [];
  server.on('upgrade', (request, connection, head) => {
    const write = connection.write.bind(connection) as (...parameters: unknown[]) => boolean;
    connection.write = (...parameters: unknown[]) => {
      writes.push(parameters[0]);
      return write(...parameters);
    };
    sockets.upgrade(request, connection, head, { ...RECEIVED, sourceIp: request.socket.remoteAddress ?? '' });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  after(async () => {
    await sockets.close();
    server.close();
  });
  return {
    sockets,
    news,
    /** Buffers that were written to connections. */
    writes,
    port,
    connect: (options: object = {}) => new WebSocket(`ws://127.0.0.1:${port}/connect`, options),
    /** Resolves when the core was notified of this event. */
    notified: (wanted: SocketNews) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!news.some((one) => JSON.stringify(one) === JSON.stringify(wanted))) return;
          looking.delete(look);
          resolve();
        };
        looking.add(look);
        look();
      }),
  };
}

/** Resolves when a condition holds. Checks the condition after each message to a client. */
async function until(clients: readonly WebSocket[], condition: () => boolean): Promise<void> {
  const met = Promise.withResolvers<void>();
  const check = () => {
    if (condition()) met.resolve();
  };
  for (const client of clients) client.on('message', check);
  check();
  await met.promise;
}

/** Returns the code with which the server closes a client. */
async function closeCode(client: WebSocket): Promise<number> {
  const [code] = await once(client, 'close');
  return code;
}

test('Sockets: frames arrive as text at their recipients, in the order in which they were sent', async () => {
  const { sockets, connect, notified } = await open();
  const [one, two] = [connect(), connect()];
  const received: string[] = [];
  one.on('message', (data, binary) => received.push(`one ${data} ${binary}`));
  two.on('message', (data, binary) => received.push(`two ${data} ${binary}`));
  await Promise.all([notified({ opened: 1 }), notified({ opened: 2 })]);
  sockets.follow([
    { send: ['a'], to: Uint32Array.of(1) },
    { send: ['b'], to: Uint32Array.of(1, 3) },
  ]);
  sockets.follow([
    { send: ['c'], to: Uint32Array.of(1) },
    { close: { code: 4401, reason: 'no' }, to: [1] },
    { send: ['d'], to: Uint32Array.of(1) },
  ]);
  assert.equal(await closeCode(one), 4401);
  assert.deepEqual(received, ['one a false', 'one b false', 'one c false']);
});

// biome-ignore format: a table
const REFUSALS: readonly (readonly [title: string, status: number, errorType: string | undefined, code: number, reason: string])[] = [
  // answer                       status  error type                       code  reason
  ['an unauthorized request',     403,    'AccessDeniedException',         4401, 'AccessDeniedException'],
  ['an invalid request',          400,    'ValidationException',           4401, 'ValidationException'],
  ['an error without a type',     404,    undefined,                       4401, 'Not authorized'],
  ['a throttled request',         429,    'ThrottlingException',           1013, 'Try again later'],
  ['a server that is not ready',  503,    'ServiceUnavailable',            1013, 'Try again later'],
  ['an internal error',           500,    'InternalFailure',               1011, 'Internal server error'],
];

for (const [title, status, errorType, code, reason] of REFUSALS) {
  test(`Sockets: on ${title}, the socket opens and is closed with ${code}, and the core is not notified`, async () => {
    const headers = errorType === undefined ? [] : ['x-amzn-errortype', errorType];
    const { connect, news } = await open({}, async () => ({ status, headers, body: '' }));
    const client = connect();
    const [closed] = await Promise.all([once(client, 'close'), once(client, 'open')]);
    assert.deepEqual([closed[0], String(closed[1]), news], [code, reason, []]);
  });
}

test('Sockets: if too many bytes wait for a client that does not read, only this client is closed', async () => {
  const { sockets, connect, notified, news } = await open({ waitingMaxBytes: 256 * 1024, closeTimeoutMs: 100 });
  const [slow, quick] = [connect(), connect()];
  let received = 0;
  quick.on('message', () => received++);
  await Promise.all([notified({ opened: 1 }), notified({ opened: 2 })]);
  slow.pause();
  const frame = 'x'.repeat(64 * 1024);
  let sent = 0;
  while (!news.some((one) => 'closed' in one)) {
    sockets.follow([{ send: [frame], to: Uint32Array.of(1, 2) }]);
    sent += 1;
    while (received < sent) await once(quick, 'message');
  }
  assert.deepEqual([received, news.filter((one) => 'closed' in one)], [sent, [{ closed: 1 }]]);
});

test('Sockets: frames of a client are ignored, and a client that sends too large a frame is closed', async () => {
  const { connect, notified } = await open({ frameMaxBytes: 100 });
  const client = connect();
  await Promise.all([notified({ opened: 1 }), once(client, 'open')]);
  client.send('x'.repeat(100));
  client.send('x'.repeat(101));
  assert.equal(await closeCode(client), 1009);
  await notified({ closed: 1 });
});

test('Sockets: a client that does not answer a ping is closed, and a client that answers remains', async () => {
  // The interval is long, because the server also closes a client whose answer it has not read before the next ping.
  const { connect, notified, news } = await open({ pingEveryMs: 1_500 });
  const [silent, alive] = [connect({ autoPong: false }), connect()];
  await Promise.all([notified({ opened: 1 }), notified({ opened: 2 })]);
  assert.equal(await closeCode(silent), 1006);
  await once(alive, 'ping');
  assert.deepEqual(
    news.filter((one) => 'closed' in one),
    [{ closed: 1 }],
  );
});

test('Sockets: the limit on sockets also counts sockets that wait for an answer of the core', async () => {
  const answer = Promise.withResolvers<Answer>();
  const { connect, notified } = await open({ socketsMax: 2, sourceSharePercent: 100 }, () => answer.promise);
  const clients = [connect(), connect(), connect()];
  const [answered] = await Promise.race(clients.map(async (client) => [(await once(client, 'unexpected-response'))[1]]));
  assert.equal(answered.statusCode, 503);
  answer.resolve(ADMITTED);
  await Promise.all([notified({ opened: 1 }), notified({ opened: 2 })]);
});

test('Sockets: the open sockets of one source are limited, and a closed socket no longer counts', async () => {
  const { connect, notified } = await open({ socketsMax: 8, sourceSharePercent: 25 });
  const clients = [connect(), connect()] as const;
  await Promise.all([notified({ opened: 1 }), notified({ opened: 2 })]);
  const [, refused] = await once(connect(), 'unexpected-response');
  assert.equal(refused.statusCode, 503);
  connect({ localAddress: '127.0.0.2' });
  await notified({ opened: 3 });
  clients[0].close();
  await notified({ closed: 1 });
  connect();
  await notified({ opened: 4 });
});

test('Sockets: if a refused client does not close its connection, the server destroys it', async () => {
  const { port } = await open({ closeTimeoutMs: 50 }, async () => REFUSED);
  const socket = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.write(
    'GET /connect HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  socket.resume();
  await once(socket, 'end');
  // The server has ended its side of the connection. The client writes until the server destroys the connection.
  const drip = setInterval(() => socket.write('x'), 10);
  await once(socket, 'error');
  clearInterval(drip);
});

test('Sockets: a client that ends the connection before it is admitted is reported as closed', async () => {
  const answer = Promise.withResolvers<Answer>();
  const { connect, notified, news } = await open({ upgradeTimeoutMs: 50 }, () => answer.promise);
  const client = connect();
  await once(client, 'error');
  answer.resolve(ADMITTED);
  await notified({ closed: 1 });
  assert.deepEqual(news, [{ closed: 1 }]);
});

test('Sockets: close() closes all sockets with a code on which clients reconnect, and refuses new ones', async () => {
  const { sockets, connect, notified } = await open();
  const client = connect();
  await notified({ opened: 1 });
  const code = closeCode(client);
  await sockets.close();
  assert.equal(await code, 1012);
  const [, late] = await once(connect(), 'unexpected-response');
  assert.equal(late.statusCode, 503);
});

test('Sockets: frames sent within 10 ms are one write per socket, and arrive as separate messages', async () => {
  const CLIENTS = 300;
  const { sockets, connect, notified, writes } = await open({ sourceSharePercent: 100 });
  const clients = Array.from({ length: CLIENTS }, () => connect());
  const received = clients.map((client) => {
    const messages: string[] = [];
    client.on('message', (data) => messages.push(String(data)));
    return messages;
  });
  await Promise.all(clients.map((_, i) => notified({ opened: i + 1 })));
  await Promise.all(clients.map((client) => (client.readyState === client.OPEN ? undefined : once(client, 'open'))));
  const all = Uint32Array.from(clients, (_, i) => i + 1);
  writes.length = 0;
  sockets.follow([{ send: ['a', 'b'], to: all }]);
  sockets.follow([
    { send: ['c'.repeat(200)], to: all },
    { send: ['only one'], to: Uint32Array.of(1) },
  ]);
  const last = [...received.keys()].map((i) => (i === 0 ? 4 : 3));
  await until(clients, () => received.every((messages, i) => messages.length === last[i]));
  const expected = ['a', 'b', 'c'.repeat(200)];
  assert.deepEqual(received, [[...expected, 'only one'], ...Array(CLIENTS - 1).fill(expected)]);
  // Checks that each socket has one write, and that sockets with the same messages share one buffer.
  assert.deepEqual([writes.length, new Set(writes).size], [CLIENTS, 2]);

  // Sends three more messages, which are written together 10 ms later.
  for (const text of ['d', 'e', 'f']) sockets.follow([{ send: [text], to: Uint32Array.of(1) }]);
  await until(clients, () => received[0]?.length === 7);
  assert.deepEqual([writes.length, received[0]?.slice(4)], [CLIENTS + 1, ['d', 'e', 'f']]);
  for (const client of clients) client.terminate();
});

test('Sockets: the core is notified when messages with `confirm` were written, once for each socket', async () => {
  const { sockets, connect, notified, news } = await open();
  const client = connect();
  await Promise.all([notified({ opened: 1 }), once(client, 'open')]);
  sockets.follow([
    { send: ['a'], to: Uint32Array.of(1) },
    { send: ['b', 'c'], to: Uint32Array.of(1, 3), confirm: true },
  ]);
  await notified({ written: 1 });
  assert.deepEqual(
    news.filter((one) => 'written' in one),
    [{ written: 1 }],
  );
  client.terminate();
});
