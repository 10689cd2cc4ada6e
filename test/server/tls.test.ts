import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { ChimeSDKMeetingsClient, CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { newFolder } from '../kit/folder.ts';
import { startThatEnds } from '../kit/process.ts';
import { bytesOf, exchange, signedHeaders } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';

const server = await startTestServer();
const { hostname, port, host } = new URL(server.httpsEndpoint);
const ca = readFileSync(server.caFile);

/** Returns the outcome of a handshake: the negotiated version and suite, or the error code. */
function handshake(options: ConnectionOptions): Promise<{ version: string | null; suite: string } | string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({ host: hostname, port: Number(port), ca, ...options }, () => {
      resolve({ version: socket.getProtocol(), suite: socket.getCipher().standardName });
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

for (const version of ['TLSv1', 'TLSv1.1'] as const) {
  test(`INF-2: a client that supports only ${version} is rejected`, async () => {
    // With a higher SECLEVEL, OpenSSL in the client would not send a ClientHello of this version.
    const outcome = await handshake({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });
    assert.equal(outcome, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });
}

test('INF-2, INF-3: TLS 1.2 and 1.3 are supported, with forward secrecy', async () => {
  assert.match(JSON.stringify(await handshake({ maxVersion: 'TLSv1.2' })), /"TLSv1.2","suite":"TLS_ECDHE_ECDSA_/);
  assert.match(JSON.stringify(await handshake({})), /"TLSv1.3","suite":"TLS_AES_/);
});

// biome-ignore format: a table
for (const [what, ciphers] of [
  ['RSA key exchange', 'AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA'],
  ['no encryption',    'NULL:eNULL'],
  ['no certificate',   'aNULL'],
  ['CBC suites',       'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256'],
  ['a shared key',     'PSK'],
] as const) {
  test(`INF-3: a client that supports only ${what} is rejected`, async () => {
    const outcome = await handshake({ maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });
    assert.match(String(outcome), /ERR_SSL_(SSLV3_ALERT_HANDSHAKE_FAILURE|SSL\/TLS_ALERT_HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE)/);
  });
}

test('BELFRY_PUBLIC_URL: meetings name this URL, and the certificate is valid for its host', async () => {
  const found = await startTestServer({ BELFRY_PUBLIC_URL: 'https://belfry.example.org:8443' });
  const request = { ClientRequestToken: 'found', MediaRegion: 'us-east-1', ExternalMeetingId: 'elsewhere' };
  const { Meeting } = await new ChimeSDKMeetingsClient(found.client()).send(new CreateMeetingCommand(request));
  assert.ok(Meeting?.MediaPlacement?.SignalingUrl?.startsWith('wss://belfry.example.org:8443/'), Meeting?.MediaPlacement?.SignalingUrl);
  const outcome = await handshake({
    port: Number(new URL(found.httpsEndpoint).port),
    servername: 'belfry.example.org',
    ca: readFileSync(found.caFile),
  });
  assert.equal(typeof outcome, 'object', String(outcome));
});

test('INF-3: the certificate is valid only with ca.pem and only for the names of this machine', async () => {
  for (const servername of ['localhost']) assert.equal(typeof (await handshake({ servername })), 'object');
  assert.equal(typeof (await handshake({})), 'object', 'by address');
  assert.equal(await handshake({ servername: 'elsewhere.example' }), 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.match(String(await handshake({ ca: [] })), /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_/);
});

test('INF-7: records have the TLS version and suite, and nothing about TLS for plain HTTP', async () => {
  const plain = { method: 'GET', target: '/meetings/00000000-0000-4000-8000-000000000000' };
  const by = { credentials: server.credentials, signingName: 'chime' };
  const secured = await exchange(server.httpsEndpoint, bytesOf(plain, signedHeaders(server.httpsEndpoint, plain, by)), server.caFile);
  const open = await exchange(server.endpoint, bytesOf(plain, signedHeaders(server.endpoint, plain, by)));
  const events = await everyEvent(new CloudTrailClient(server.client()));
  const of = (id: string | undefined) => events.find((event) => event.document.requestID === id)?.document;
  assert.deepEqual(of(secured.headers['x-amzn-requestid'])?.tlsDetails, {
    tlsVersion: 'TLSv1.3',
    cipherSuite: 'TLS_AES_128_GCM_SHA256',
    clientProvidedHostHeader: host,
  });
  assert.deepEqual(
    Object.keys(of(open.headers['x-amzn-requestid']) ?? {}).filter((name) => name === 'tlsDetails' || name === 'requestID'),
    ['requestID'],
  );
});

test('INF-4: the probe `health` needs no signature, and returns only the status and the version', async () => {
  for (const [endpoint, caFile] of [[server.endpoint], [server.httpsEndpoint, server.caFile]] as const) {
    const reply = await exchange(endpoint, `GET /_belfry/health HTTP/1.1\r\nhost: ${new URL(endpoint).host}\r\n\r\n`, caFile);
    assert.equal(reply.status, 200);
    assert.deepEqual(Object.keys(JSON.parse(reply.body.toString())), ['status', 'version']);
  }
});

test('INF-8: only the owner can read the secret files', () => {
  const mode = (...path: string[]) => (statSync(join(server.dataFolder, ...path)).mode & 0o777).toString(8);
  for (const path of [
    ['operator.key'],
    ['aws', 'credentials'],
    ['aws', 'config'],
    ['tls', 'ca.key'],
    ['tls', 'server.key'],
    ['control', 'belfry.sock'],
  ]) {
    assert.equal(mode(...path), '600', path.join('/'));
  }
  for (const folder of ['aws', 'tls', 'control']) assert.equal(mode(folder), '700', folder);
});

test('INF-8: with a wrong operator key the server does not start, and the error says what to do', async () => {
  const dataFolder = newFolder('key');
  const first = await startTestServer({}, dataFolder);
  await first.stop();
  const other = await startTestServer();
  writeFileSync(join(dataFolder, 'operator.key'), readFileSync(join(other.dataFolder, 'operator.key')), { mode: 0o600 });
  const { status, written } = await startThatEnds(['--data', dataFolder, '--http', '127.0.0.1:0', '--https', 'off']);
  assert.equal(status, 2);
  assert.match(
    written,
    /could not start: .*the operator key in .* does not belong to this database; restore the operator\.key of this database/,
  );
  assert.doesNotMatch(written, /listening/);
});

test('INF-8: a second server on the same data folder does not start', async () => {
  const { status, written } = await startThatEnds(['--data', server.dataFolder, '--http', '127.0.0.1:0', '--https', 'off']);
  assert.equal(status, 2);
  assert.match(written, /could not start: /);
});

// biome-ignore format: a table
for (const [what, args, environment, text] of [
  ['an unknown flag',             ['--htpp', '127.0.0.1:0'],     {},                              /unknown flag '--htpp'/],
  ['an unknown setting',          [],                            { BELFRY_HTPP: 'x' },            /unknown setting 'BELFRY_HTPP'/],
  ['plain HTTP on all addresses', ['--http', '0.0.0.0:0'],       {},                              /is not a loopback address/],
  ['a name that is not loopback', ['--http', 'example.com:80'],  {},                              /is not a loopback address/],
  ['an address in use',           ['--http', new URL(server.endpoint).host, '--https', 'off'], {}, /could not start: .*EADDRINUSE/],
] as const) {
  test(`INF-1: with ${what} the server does not start, and prints the reason`, async () => {
    const dataFolder = newFolder('refused');
    const { status, written } = await startThatEnds(['--data', dataFolder, ...args], environment);
    assert.equal(status, 2);
    assert.match(written, text);
    assert.doesNotMatch(written, /listening/);
  });
}
