import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../../test/kit/until.ts';
import { controlSocket } from './ask-control.ts';
import { type ControlParts, listenForControl } from './control.ts';

const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-control-'));
/** Control socket under test. It gets no parts of a server, because the tests send only unknown commands. */
const control = await listenForControl(dataFolder, {} as ControlParts, { lineMs: 300, graceMs: 100 });
after(() => {
  control.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

/** Opens a connection that the client never ends. */
async function open(): Promise<{ socket: Socket; read: () => string }> {
  const socket = createConnection({ path: controlSocket(dataFolder), allowHalfOpen: true });
  let text = '';
  socket.setEncoding('utf8').on('error', () => {});
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'connect');
  return { socket, read: () => text };
}

async function connections(): Promise<number> {
  return await new Promise((resolve, reject) => control.getConnections((error, count) => (error ? reject(error) : resolve(count))));
}

async function untilEmpty(): Promise<void> {
  await until(
    async () => (await connections()) === 0,
    () => 'the connections do not end',
  );
}

// biome-ignore format: a table
for (const [what, sent] of [
  ['a client that sends nothing',           ''],
  ['a line that never ends',                '{"command":'],
  ['a line of more than 64 KiB',            'x'.repeat(70_000)],
  ['a client that does not close',          '{"command":"x"}\n'],
] as const) {
  test(`Control socket: the server destroys a connection with ${what}`, async () => {
    const { socket } = await open();
    socket.write(sent);
    // A connection that the server destroys with unread data ends with an error.
    await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    await untilEmpty();
    socket.destroy();
  });
}

test('Control socket: a client that sends single bytes does not extend the time limit of a line', async () => {
  const { socket } = await open();
  const drip = setInterval(() => socket.write('x'), 20);
  await untilEmpty();
  clearInterval(drip);
  socket.destroy();
});

test('Control socket: a connection runs at most one command', async () => {
  const { socket, read } = await open();
  socket.write('{"command":"x"}\n{"command":"y"}\n{"command":"z"}\n');
  await untilEmpty();
  assert.equal(read().trim().split('\n').length, 1);
  socket.destroy();
});
