/** `belfry start` as an operator uses it: ports in use, changed addresses, the log, and signals to `npm start`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { askControl, type ControlRequest } from '#server/operator/ask-control.ts';
import { newFolder } from '../kit/folder.ts';
import { freePort } from '../kit/free-port.ts';
import { listed } from '../kit/listed.ts';
import { belfry, startAndStop, startServerProcess, startThatEnds } from '../kit/process.ts';
import { replayedAtEnd } from '../kit/replay.ts';
import { until } from '../kit/until.ts';

/** Listens on a free port until the tests of the file end, so that no server can use the port. Returns the port. */
async function usedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return (server.address() as { port: number }).port;
}

test('belfry start: the error for a port in use names the flag of its listener', async () => {
  const port = await usedPort();
  // biome-ignore format: a table
  for (const [flags, named] of [
    [['--http', `127.0.0.1:${port}`, '--https', 'off'],            '--http (BELFRY_HTTP)'],
    [['--http', '127.0.0.1:0', '--https', `127.0.0.1:${port}`],    '--https (BELFRY_HTTPS)'],
  ] as const) {
    const { status, written } = await startThatEnds(['--data', newFolder('cli'), ...flags]);
    const reason = `listen EADDRINUSE: address already in use 127.0.0.1:${port}`;
    assert.equal(written, `belfry: could not start: ${reason}; set ${named} to another port, or stop the other program\n`);
    assert.equal(status, 2);
  }
});

test('belfry start: if the address changes, the server updates the endpoint in the profiles that it wrote', async () => {
  const folder = newFolder('cli');
  const config = join(folder, 'aws', 'config');
  const ports = [await freePort(), await freePort()];
  const endpoints = () => [...readFileSync(config, 'utf8').matchAll(/^endpoint_url = (.*)$/gm)].map(([, url]) => url);
  await startAndStop(['--data', folder, '--http', `127.0.0.1:${ports[0]}`, '--https', 'off']);
  assert.deepEqual(endpoints(), [`http://127.0.0.1:${ports[0]}`]);

  // A changed address does not change the endpoint of a profile that the operator added.
  writeFileSync(config, `${readFileSync(config, 'utf8')}\n[profile own]\nendpoint_url = https://chime.example.org\n`);
  await startAndStop(['--data', folder, '--http', `127.0.0.1:${ports[1]}`, '--https', 'off']);
  assert.deepEqual(endpoints(), [`http://127.0.0.1:${ports[1]}`, 'https://chime.example.org']);

  await startAndStop(['--data', folder, '--http', 'off', '--https', `127.0.0.1:${ports[0]}`]);
  assert.deepEqual(endpoints(), [`https://127.0.0.1:${ports[0]}`, 'https://chime.example.org']);
  assert.match(readFileSync(config, 'utf8'), new RegExp(`^ca_bundle = ${folder}/tls/ca\\.pem$`, 'm'));
});

test('belfry start: log lines have the time and a level', async () => {
  const server = await startServerProcess();
  const [{ 'ACCOUNT ID': accountId = '' } = {}] = listed((await belfry(['account', 'list', '--data', server.dataFolder])).stdout);
  const { status } = await belfry(['account', 'restore-administrator', '--account-id', accountId, '--data', server.dataFolder]);
  assert.equal(status, 0);
  await until(() => server.written().includes('break-glass'), server.written);
  const lines = server
    .written()
    .split('\n')
    .filter((line) => / (?:info|warning|error) /.test(line));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^belfry: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning break-glass: /);
});

test('Control socket: the error for an unknown command lists the known commands', async () => {
  const { dataFolder } = await startServerProcess();
  const reply = await askControl(dataFolder, { command: 'account delete' } as unknown as ControlRequest);
  assert.deepEqual(reply, {
    ok: false,
    error:
      "unknown command 'account delete' (commands: account create, account list, account restore-administrator, account make-standalone, operator-key rotate, operator-key forget-old, trail unproven, trail target add, trail target list, trail target remove, endpoint add, endpoint list, endpoint remove, bucket remove-policy, numbers import, numbers list, numbers remove, chime import, chime disabled-accounts, chime restore-account, trail retention, trail set-retention, trail restored, server list, server remove)",
  });
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`npm start: ${signal} to npm ends the server`, async () => {
    const folder = newFolder('cli');
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^BELFRY_|^NODE_TEST_CONTEXT$|^npm_/.test(name)),
    );
    const npm = spawn('npm', ['start', '--', '--data', folder, '--http', '127.0.0.1:0', '--https', 'off'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let written = '';
    npm.stdout.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
    await until(
      () => written.includes('get-caller-identity'),
      () => written,
    );
    const ended = replayedAtEnd(`file:${folder}`);
    npm.kill(signal);
    await once(npm, 'exit');
    // `account list` succeeds until the server has stopped and deleted the socket for commands of the operator.
    await until(
      async () => (await belfry(['account', 'list', '--data', folder])).status !== 0,
      () => 'the server still runs',
    );
    ended();
    assert.match((await belfry(['account', 'list', '--data', folder])).stderr, /no server is running on the data folder/);
  });
}
