/**
 * Local CA: certificates that clients accept, names for which the CA cannot issue certificates, and renewal of the CA.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { DAY_MS } from '#core/duration.ts';
import { openConnections } from '#server/edge/connections.ts';
import { CONNECTION_LIMITS, listen } from '#server/edge/listener.ts';
import { localAuthority, serverCertificate } from '#server/edge/local-ca.ts';
import { tlsMaterial } from '#server/edge/tls.ts';
import type { TlsMaterial } from '#server/edge/tls-material.ts';
import { TRANSFER_LIMITS } from '#server/edge/transfer-limits.ts';
import { openObjectFiles } from '#server/object-files.ts';
import { readSettings } from '#server/settings.ts';
import { startServerProcess } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';

const run = promisify(execFile);
const NOW = Date.now();

/** Issues the certificates of a data folder for a public URL. Returns the certificates, and the logged lines. */
async function issue(dataFolder: string, { publicUrl = 'https://belfry.example.org', now = NOW } = {}) {
  const lines: string[] = [];
  const material = await tlsMaterial(readSettings(['--data', dataFolder, '--public-url', publicUrl], {}), now, (line) => lines.push(line));
  return { material, lines, ca: readFileSync(join(dataFolder, 'tls', 'ca.pem'), 'utf8') };
}

/** Returns the outcome of `openssl verify` with the strict checks of a client. */
function verify(ca: string, server: string, name: string, now = NOW + 3_600_000): string {
  const folder = newFolder('ca');
  writeFileSync(join(folder, 'ca.pem'), ca);
  writeFileSync(join(folder, 'server.pem'), server);
  const check = /^[0-9.]+$|:/.test(name) ? ['-verify_ip', name] : ['-verify_hostname', name];
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-attime', String(Math.floor(now / 1000)), ...check];
  try {
    execFileSync('openssl', [...args, '-CAfile', join(folder, 'ca.pem'), join(folder, 'server.pem')], { stdio: 'pipe' });
    return 'ok';
  } catch (error) {
    return /error \d+ at \d+ depth lookup: ([^\n]*)/.exec(String((error as { stderr: Buffer }).stderr))?.[1] ?? String(error);
  }
}

/** Signs a certificate with the key of the CA, as an attacker with a stolen key can. */
function forge(dataFolder: string, subject: string, extensions: string): TlsMaterial {
  const folder = newFolder('ca');
  const file = (name: string) => join(folder, name);
  const tls = (name: string) => join(dataFolder, 'tls', name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', file('key'), '-subj', subject, '-out', file('csr'));
  writeFileSync(
    file('ext'),
    `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n${extensions}`,
  );
  const signer = ['-CA', tls('ca.pem'), '-CAkey', tls('ca.key'), '-CAserial', file('serial'), '-CAcreateserial'];
  openssl('x509', '-req', '-in', file('csr'), ...signer, '-days', '30', '-extfile', file('ext'), '-out', file('cert'));
  return { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
}

const folder = newFolder('ca');
const { material, ca, lines } = await issue(folder);

test('Local CA: a new CA expires within two years and can certify only servers, and nothing is logged', () => {
  assert.deepEqual(lines, []);
  const certificate = new X509Certificate(ca);
  assert.ok(certificate.validToDate.getTime() - NOW <= 730 * DAY_MS);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
});

for (const name of ['localhost', '127.0.0.1', '::1', 'belfry.example.org']) {
  test(`Local CA: OpenSSL with strict checks accepts the certificate for ${name}`, () => {
    assert.equal(verify(ca, material.cert, name), 'ok');
  });
}

// biome-ignore format: a table
const FORGED: readonly (readonly [what: string, subject: string, extensions: string, name: string, outcome: string])[] = [
  ['the name of another site',       '/CN=Belfry',      'subjectAltName=DNS:www.example.com',                 'www.example.com',    'permitted subtree violation'],
  ['a name with the same ending',    '/CN=Belfry',      'subjectAltName=DNS:notbelfry.example.org',           'notbelfry.example.org', 'permitted subtree violation'],
  ['the domain of its name',         '/CN=Belfry',      'subjectAltName=DNS:example.org',                     'example.org',        'permitted subtree violation'],
  ['a wildcard',                     '/CN=Belfry',      'subjectAltName=DNS:*.example.com',                   'www.example.com',        'permitted subtree violation'],
  ['its own name and another',       '/CN=Belfry',      'subjectAltName=DNS:localhost,DNS:www.example.com',   'localhost',          'permitted subtree violation'],
  ['another address',                '/CN=Belfry',      'subjectAltName=IP:192.0.2.1',                        '192.0.2.1',          'permitted subtree violation'],
  ['another IPv6 address',           '/CN=Belfry',      'subjectAltName=IP:2001:db8::1',                      '2001:db8::1',        'permitted subtree violation'],
  ['another site in the subject',    '/CN=www.example.com', '',                                               'www.example.com',    'permitted subtree violation'],
  ['any loopback address',           '/CN=Belfry',      'subjectAltName=IP:127.9.9.9',                        '127.9.9.9',          'ok'],
];

for (const [what, subject, extensions, name, outcome] of FORGED) {
  test(`Local CA: a certificate for ${what}, signed with the CA's key, is ${outcome === 'ok' ? 'accepted' : 'rejected'}`, () => {
    assert.equal(verify(ca, forge(folder, subject, extensions).cert, name), outcome);
  });
}

test('Local CA: certificates for mail or code are rejected', () => {
  const { cert } = forge(folder, '/CN=Belfry', 'subjectAltName=DNS:localhost\nextendedKeyUsage=emailProtection,codeSigning');
  assert.match(verify(ca, cert, 'localhost'), /un(supported|suitable) certificate purpose/);
});

/** Returns the error of a Node client, or undefined if the handshake succeeds. */
async function nodeHandshake(port: number, trusted: string, servername: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca: trusted, servername }, () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

const PYTHON = `
import socket, ssl, sys
port, ca, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
try:
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname=name):
        print("ok")
except ssl.SSLCertVerificationError as error:
    print(error.verify_message)
`;

import { newFolder } from '../kit/folder.ts';

test('Local CA: Node and Python accept the server, and reject a certificate for another site', async () => {
  const forged = forge(folder, '/CN=Belfry', 'subjectAltName=DNS:www.example.com');
  const trusted = join(folder, 'tls', 'ca.pem');
  for (const [served, name, node, python] of [
    [material, 'belfry.example.org', undefined, 'ok'],
    [material, 'localhost', undefined, 'ok'],
    [forged, 'www.example.com', 'PERMITTED_SUBTREE_VIOLATION', 'permitted subtree violation'],
  ] as const) {
    const server = createServer({ cert: served.cert, key: served.key });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { readonly port: number };
    const error = await nodeHandshake(port, ca, name);
    assert.ok(error === node || (node !== undefined && error !== undefined), String(error));
    assert.equal((await run('python3', ['-c', PYTHON, String(port), trusted, name])).stdout.trim(), python);
    server.close();
  }
});

test('Local CA: the AWS CLI accepts the certificate of the server', async () => {
  const server = await startTestServer();
  const { httpsEndpoint, caFile, credentials, accountId } = server;
  const env = {
    PATH: process.env['PATH'] ?? '',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  for (const endpoint of [httpsEndpoint, httpsEndpoint.replace('127.0.0.1', 'localhost')]) {
    const args = ['--endpoint-url', endpoint, '--ca-bundle', caFile, '--region', 'us-east-1', '--query', 'Account', '--output', 'text'];
    assert.equal((await run('aws', [...args, 'sts', 'get-caller-identity'], { env })).stdout.trim(), accountId);
  }
});

test('Local CA: the CA is renewed with the same key more than a year before it expires', async () => {
  const dataFolder = newFolder('ca');
  const first = await issue(dataFolder);
  const later = NOW + 300 * DAY_MS;
  const same = await issue(dataFolder, { now: later });
  assert.deepEqual([same.ca === first.ca, same.material.cert === first.material.cert, same.lines], [true, true, []]);
  const due = NOW + 310 * DAY_MS;
  const second = await issue(dataFolder, { now: due });
  assert.notEqual(second.ca, first.ca);
  assert.match(
    second.lines.join('\n'),
    /^renewed the local CA; copy '\S+ca\.pem' to the clients before the old certificate expires on 20\d\d-\d\d-\d\d$/,
  );
  for (const trusted of [first.ca, second.ca]) {
    assert.equal(verify(trusted, second.material.cert, 'belfry.example.org', due), 'ok');
    assert.equal(verify(trusted, second.material.cert, 'belfry.example.org', due + 396 * DAY_MS), 'ok', 'until the certificate expires');
  }
});

test("Local CA: the server's certificate is renewed 30 days before it expires", async () => {
  const dataFolder = newFolder('ca');
  await issue(dataFolder);
  const second = await issue(dataFolder, { now: NOW + 310 * DAY_MS });
  assert.equal((await issue(dataFolder, { now: NOW + (310 + 300) * DAY_MS })).material.cert, second.material.cert);
  const third = await issue(dataFolder, { now: NOW + (310 + 368) * DAY_MS });
  assert.notEqual(third.material.cert, second.material.cert);
  assert.equal(verify(third.ca, third.material.cert, 'localhost', NOW + (310 + 368) * DAY_MS), 'ok');
});

test('Local CA: a new name in the settings renews the CA, and a log line says that clients need the new CA', async () => {
  const dataFolder = newFolder('ca');
  await issue(dataFolder);
  const { lines, ca, material } = await issue(dataFolder, { publicUrl: 'https://other.example.org' });
  assert.match(
    lines.join('\n'),
    /^renewed the local CA, because it did not permit 'other\.example\.org'; copy '\S+ca\.pem' to the clients, because/,
  );
  assert.equal(verify(ca, material.cert, 'other.example.org'), 'ok');
});

test('Local CA: if the name of the machine changes, the CA remains, and the certificate lacks the new name', async () => {
  const dataFolder = newFolder('ca');
  mkdirSync(join(dataFolder, 'tls'));
  const lines: string[] = [];
  const options = { file: (name: string) => join(dataFolder, 'tls', name), required: ['localhost'], now: NOW, days: 730, renewBelow: 427 };
  const first = await localAuthority({ ...options, names: ['localhost', 'pod-1'], report: assert.fail });
  const names = ['localhost', 'pod-2'];
  const second = await localAuthority({ ...options, names, report: (line) => lines.push(line) });
  assert.deepEqual([second.certificate.serialNumber, lines], [first.certificate.serialNumber, []]);
  const { cert } = await serverCertificate(second, { names, now: NOW, days: 397 });
  assert.equal(new X509Certificate(cert).subjectAltName, 'DNS:localhost');
});

test('Local CA: the server replaces an unrestricted CA of an earlier version, and logs the replacement', async () => {
  const dataFolder = newFolder('ca');
  const tls = (name: string) => join(dataFolder, 'tls', name);
  mkdirSync(join(dataFolder, 'tls'), { mode: 0o700 });
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '3650',
      '-subj',
      '/CN=Belfry local CA on old',
      '-keyout',
      tls('ca.key'),
      '-out',
      tls('ca.pem'),
    ],
    { stdio: 'pipe' },
  );
  const [oldCa, oldKey] = [readFileSync(tls('ca.pem'), 'utf8'), readFileSync(tls('ca.key'), 'utf8')];
  const { cert, key } = forge(dataFolder, '/CN=Belfry', 'subjectAltName=DNS:localhost');
  writeFileSync(tls('server.pem'), cert);
  writeFileSync(tls('server.key'), key);
  writeFileSync(
    tls('server.json'),
    JSON.stringify({ names: ['localhost', '127.0.0.1', '::1', (await import('node:os')).hostname()], endsAtMs: NOW + 390 * DAY_MS }),
  );
  const server = await startServerProcess({}, dataFolder);
  assert.match(
    server.written(),
    /^belfry: \S+ warning replaced the local CA, which could sign for any name until 20\d\d-\d\d-\d\d; copy '\S+ca\.pem' to the clients, and remove the old certificate from their trusted roots$/m,
  );
  assert.notEqual(readFileSync(tls('ca.key'), 'utf8'), oldKey);
  const port = Number(new URL(server.httpsEndpoint).port);
  assert.equal(await nodeHandshake(port, readFileSync(tls('ca.pem'), 'utf8'), 'localhost'), undefined);
  assert.notEqual(await nodeHandshake(port, oldCa, 'localhost'), undefined);
});

test('Local CA: a running listener uses a renewed certificate for new connections', async () => {
  const parts = {
    bodyMaxBytes: 1,
    answer: () => assert.fail('no request is sent'),
    refuse: () => assert.fail('no request is sent'),
    admit: () => assert.fail('no request is sent'),
    refuseBody: () => assert.fail('no request is sent'),
    bodies: openObjectFiles(newFolder('ca')),
    transferLimits: TRANSFER_LIMITS,
    reportBody: () => assert.fail('no request is sent'),
    upgrade: () => assert.fail('no request is sent'),
    probe: () => undefined,
    connections: openConnections(CONNECTION_LIMITS),
    limits: CONNECTION_LIMITS,
    isTrusted: () => false,
    proxyProtocol: false,
  };
  const listener = await listen({ host: '127.0.0.1', port: 0 }, material, parts);
  const port = Number(new URL(listener.endpoint).port);
  const served = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  assert.equal(await served(), new X509Certificate(material.cert).fingerprint256);
  const dataFolder = newFolder('ca');
  const other = await issue(dataFolder);
  listener.renewTls({ cert: other.material.cert + other.ca, key: other.material.key });
  await assert.rejects(served(), 'the other CA is not trusted');
  listener.renewTls(material);
  assert.equal(await served(), new X509Certificate(material.cert).fingerprint256);
  await listener.close();
});
