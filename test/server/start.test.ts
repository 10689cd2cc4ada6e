import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newFolder } from '../kit/folder.ts';
import { freePort } from '../kit/free-port.ts';
import { startAndStop, startServerProcess, startThatEnds } from '../kit/process.ts';
import { bytesOf, connect, exchange, type Reply, signedHeaders } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** Tests the start of a server with unusual folders, after interrupted starts, and with unusable addresses and files. */

test('First start: the printed commands can be pasted, whatever the name of the data folder', async () => {
  const dataFolder = join(newFolder('start'), "it's dátá (1)");
  mkdirSync(dataFolder);
  const server = await startServerProcess({}, dataFolder);
  await server.stop();
  const lines = /export[\s\S]*AWS_PROFILE=belfry/.exec(server.written())?.[0] as string;
  const printed = execFileSync('bash', ['-euc', `${lines}\ncat "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE"`], { encoding: 'utf8' });
  assert.ok(printed.includes('[profile belfry]') && printed.includes(server.credentials.accessKeyId));
});

// biome-ignore format: a table
for (const [what, files] of [
  ['no expiry of the certificate',              { 'server.json': '' }],
  ['only the key of the CA',                    { 'ca.key': '', 'ca.pem': undefined, 'server.json': undefined }],
  ['a new key with an old certificate', { 'server.key': 'x', 'server.json': undefined }],
] as const) {
  test(`Start: the server starts after an interrupted creation of certificates that left ${what}`, async () => {
    const first = await startTestServer({}, newFolder('start'));
    await first.stop();
    for (const [name, text] of Object.entries(files)) {
      const path = join(first.dataFolder, 'tls', name);
      if (text === undefined) rmSync(path);
      else writeFileSync(path, text, { mode: 0o600 });
    }
    const second = await startTestServer({}, first.dataFolder);
    assert.match(second.httpsEndpoint, /^https:/);
  });
}

test('Start: a stop right after the start logs no warning or error, even if the server looks for files without an object', async () => {
  const dataFolder = newFolder('start');
  const args = ['--data', dataFolder, '--http', '127.0.0.1:0', '--https', 'off'];
  for (const files of [0, 2_000]) {
    for (let i = 0; i < files; i++) {
      const id = i.toString(16).padStart(32, '0');
      mkdirSync(join(dataFolder, 'objects', '00'), { recursive: true, mode: 0o700 });
      writeFileSync(join(dataFolder, 'objects', '00', id), '');
    }
    const { status, written } = await startAndStop(args);
    assert.equal(status, 0);
    assert.doesNotMatch(written, / (warning|error) /);
  }
});

test('First profile: if the server listens on all addresses, the host of the endpoint is localhost', async () => {
  const port = await freePort();
  const server = await startTestServer({ BELFRY_HTTP: 'off', BELFRY_HTTPS: `0.0.0.0:${port}` }, newFolder('start'));
  const config = readFileSync(join(server.dataFolder, 'aws', 'config'), 'utf8');
  assert.equal(/^endpoint_url = (\S+)$/m.exec(config)?.[1], `https://localhost:${port}`);
  assert.equal(server.endpoint, `https://localhost:${port}`);
  const health = `GET /_belfry/health HTTP/1.1\r\nhost: localhost:${port}\r\n\r\n`;
  assert.equal((await exchange(server.endpoint, health, server.caFile)).status, 200);
});

test('First profile: the profile names the local CA only if the CA signed the certificate', async () => {
  const first = await startTestServer({}, newFolder('start'));
  const own = (name: string) => join(first.dataFolder, 'tls', name);
  const bundleOf = async (environment: Readonly<Record<string, string>>) => {
    const { dataFolder, stop } = await startTestServer({ BELFRY_HTTP: 'off', ...environment }, newFolder('start'));
    await stop();
    return /^ca_bundle = (.*)$/m.exec(readFileSync(join(dataFolder, 'aws', 'config'), 'utf8'))?.[1];
  };
  assert.match((await bundleOf({})) ?? '', /tls\/ca\.pem$/);
  assert.equal(await bundleOf({ BELFRY_TLS_CERTIFICATE: own('server.pem'), BELFRY_TLS_KEY: own('server.key') }), undefined);
});

test('Start: an error is printed as one line without a stack trace', async () => {
  const { endpoint, dataFolder } = await startServerProcess();
  const folder = newFolder('start');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const key = join(dataFolder, 'tls', 'ca.key');
  const certificate = join(dataFolder, 'tls', 'server.pem');
  const free = ['--http', '127.0.0.1:0', '--https', 'off'];
  const secure = ['--http', 'off', '--https', '127.0.0.1:0'];
  // biome-ignore format: a table
  for (const [args, text] of [
    [['--data', dataFolder, ...free],                                                                       /another process uses the data folder/],
    [['--data', file, ...free],                                                                             /EEXIST/],
    [['--data', '', ...free],                                                                               /BELFRY_DATA is empty/],
    [['--data', folder, '--http', new URL(endpoint).host, '--https', 'off'],                                /EADDRINUSE/],
    [['--data', folder, ...secure, '--tls-certificate', join(folder, 'nowhere.pem'), '--tls-key', key],     /nowhere\.pem/],
    [['--data', folder, ...secure, '--tls-certificate', certificate, '--tls-key', key],                     /mismatch/],
    [['--data', folder, ...free, '--database', 'postgres://nobody@127.0.0.1:1/nothing'],                    /ECONNREFUSED/],
  ] as const) {
    const { status, written } = await startThatEnds(args);
    assert.match(written, new RegExp(`^belfry: [^\n]*${text.source}[^\n]*\n$`));
    assert.equal(status, 2);
  }
  assert.ok(!existsSync(join(folder, 'aws')), 'a start whose address is in use leaves no profile');
});

test('First start: no account is created before every listener is open, however long that takes', async () => {
  const { endpoint } = await startServerProcess();
  const folder = newFolder('start');
  // Delays `listen` by four seconds, and the address is already in use. The core's thread must not create the account
  // while the main thread waits for `listen`.
  const slowly = `import { Server } from 'node:net';
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) { return typeof args[0] === 'number' ? void setTimeout(() => listen.apply(this, args), 4000) : listen.apply(this, args); };`;
  const { status, written } = await startThatEnds(['--data', folder, '--http', new URL(endpoint).host, '--https', 'off'], {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(slowly)}`,
  });
  assert.match(written, /EADDRINUSE/);
  assert.deepEqual([status, existsSync(join(folder, 'aws')), existsSync(join(folder, 'first-start'))], [2, false, true]);
});

test('Start: if the profiles cannot be updated, the server stops completely, and can be started again', async () => {
  const first = await startTestServer({}, newFolder('start'));
  await first.stop();
  const config = join(first.dataFolder, 'aws', 'config');
  rmSync(config);
  mkdirSync(config);
  await assert.rejects(startTestServer({}, first.dataFolder), /EISDIR/);
  rmSync(config, { recursive: true });
  await startTestServer({}, first.dataFolder);
});

test('Start: a request that arrives during the start waits until the start has ended', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const first = await startTestServer({ BELFRY_HTTP: address }, newFolder('start'));
  await first.stop();
  const { endpoint } = first;
  const body = JSON.stringify({ ClientRequestToken: 'early', ExternalMeetingId: 'early', MediaRegion: 'us-east-1' });
  const plain = { method: 'POST', target: '/meetings', body };
  const bytes = bytesOf(plain, signedHeaders(endpoint, plain, { credentials: first.credentials, signingName: 'chime' }));
  const starting = startTestServer({ BELFRY_HTTP: address }, first.dataFolder);
  let early: Reply | undefined;
  while (early === undefined) early = await exchange(endpoint, bytes).catch(() => undefined);
  await starting;
  const { Meeting } = JSON.parse(early.body.toString()) as { Meeting: { MediaPlacement: { SignalingUrl: string } } };
  assert.ok(Meeting.MediaPlacement.SignalingUrl.startsWith(endpoint.replace('http', 'ws')), Meeting.MediaPlacement.SignalingUrl);
});

test('Stop: after two SIGTERMs the server responds to running requests and stops completely', async () => {
  const server = await startServerProcess();
  const busy = await connect(server.endpoint);
  busy.write(`POST /meetings HTTP/1.1\r\nhost: ${new URL(server.endpoint).host}\r\ncontent-length: 2\r\n\r\n{`);
  const health = `GET /_belfry/health HTTP/1.1\r\nhost: ${new URL(server.endpoint).host}\r\n\r\n`;
  await exchange(server.endpoint, health);
  process.kill(server.pid, 'SIGTERM');
  await until(
    async () => (await exchange(server.endpoint, health).catch(() => undefined)) === undefined,
    () => 'the server still accepts requests',
  );
  const status = server.stop();
  busy.write('}');
  assert.equal((await busy.reply()).status, 403);
  assert.equal(await status, 0);
  assert.ok(!existsSync(join(server.dataFolder, 'control', 'belfry.sock')));
});
