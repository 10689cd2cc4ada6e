/** Connections of the delivery to receivers: which are used again, and whose TLS sessions are resumed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { exchange } from '#delivery/outgoing/targets/post.ts';
import { connections } from '#delivery/targets/connections.ts';
import { tlsMaterial } from '#server/edge/tls.ts';
import { readSettings } from '#server/settings.ts';
import { newFolder } from '../kit/folder.ts';

async function material() {
  const folder = newFolder('connections');
  const { key, cert } = await tlsMaterial(readSettings(['--data', folder, '--public-url', 'https://localhost'], {}), Date.now(), () => {});
  return { key, cert, ca: readFileSync(join(folder, 'tls', 'ca.pem'), 'utf8') };
}
const [trusted, unknown] = [await material(), await material()];
setDefaultCACertificates([trusted.ca]);

/** Starts a receiver. Returns its port, and a function that returns the number of its connections. */
async function listen(server: Server & { closeAllConnections(): void }) {
  let opened = 0;
  server.on('connection', () => opened++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, opened: () => opened };
}

const ok: RequestListener = (incoming, response) => {
  incoming.resume().on('end', () => response.end('{}'));
};

const sender = (url: string, use: 'kept' | 'once') => {
  const own = connections(use);
  return async () =>
    (
      await exchange({
        ...{ url: new URL(url), method: 'POST', body: '{}', allowInternal: true, timeoutMs: 10_000, connections: own },
        headers: use === 'once' ? { connection: 'close' } : {},
      })
    ).status;
};

for (const [use, expected] of [
  ['kept', 1],
  ['once', 3],
] as const) {
  test(`connections, ${use}: three requests open ${expected} connections`, async () => {
    const { port, opened } = await listen(createServer(ok));
    const send = sender(`http://127.0.0.1:${port}`, use);
    assert.deepEqual([await send(), await send(), await send(), opened()], [200, 200, 200, expected]);
  });
}

test('connections, once: each connection after the first resumes the TLS session, whose certificate was verified', async () => {
  const resumed: boolean[] = [];
  const server = createTlsServer(trusted, (incoming, response) => {
    resumed.push((incoming.socket as TLSSocket).isSessionReused());
    ok(incoming, response);
  });
  const { port } = await listen(server);
  const send = sender(`https://localhost:${port}`, 'once');
  for (let i = 0; i < 3; i++) assert.equal(await send(), 200);
  assert.deepEqual(resumed, [false, true, true]);
});

test('connections: a certificate of an unknown authority is refused each time', async () => {
  let requests = 0;
  const server = createTlsServer(unknown, (incoming, response) => {
    requests++;
    ok(incoming, response);
  });
  const { port } = await listen(server);
  for (const use of ['kept', 'once'] as const) {
    const send = sender(`https://localhost:${port}`, use);
    for (let i = 0; i < 2; i++) await assert.rejects(send(), { code: /SELF_SIGNED|UNABLE_TO/ });
  }
  assert.equal(requests, 0);
});

test('connections, kept: a request on a connection that the host closes without a response is sent again', async () => {
  let requests = 0;
  const server = createServer((incoming, response) => {
    if (++requests === 2) incoming.socket.destroy();
    else ok(incoming, response);
  });
  const { port, opened } = await listen(server);
  const send = sender(`http://127.0.0.1:${port}`, 'kept');
  assert.deepEqual([await send(), await send(), requests, opened()], [200, 200, 3, 2]);
});

test('connections, kept: a host that closes every connection gets a request at most twice', async () => {
  let requests = 0;
  const server = createServer((incoming, response) => {
    if (++requests > 1) incoming.socket.destroy();
    else ok(incoming, response);
  });
  const { port } = await listen(server);
  const send = sender(`http://127.0.0.1:${port}`, 'kept');
  await send();
  await assert.rejects(send(), { code: 'ECONNRESET' });
  assert.equal(requests, 3);
});

test('connections, kept: a connection to an internal address is not used by a request that may not reach it', async () => {
  const { port, opened } = await listen(createTlsServer(trusted, ok));
  const own = connections('kept');
  const send = (allowInternal: boolean) =>
    exchange({
      ...{ url: new URL(`https://localhost:${port}`), method: 'POST', body: '{}', headers: {}, timeoutMs: 10_000 },
      ...{ allowInternal, connections: own },
    });
  assert.equal((await send(true)).status, 200);
  await assert.rejects(send(false), /internal address/);
  assert.equal(opened(), 1);
});
