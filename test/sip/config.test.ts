/** The configuration of Kamailio: `kamailio -c` accepts each combination of settings. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readSettings } from '#server/settings.ts';
import { kamailioArguments, SIP_FILES } from '#server/sip/kamailio-config.ts';
import { writeProxyFolder } from '#server/sip/proxy-folder.ts';
import { sipProxyPart } from '#server/sip/proxy-process.ts';
import { newFolder } from '../kit/folder.ts';
import { belfry, startAndStop } from '../kit/process.ts';
import { freePort } from './proxy.ts';

/** Returns a data folder with the files that the server writes for the SIP proxy, and its settings. */
function dataFolder(): string {
  const folder = newFolder('sip-config');
  mkdirSync(join(folder, 'sip'), { mode: 0o700 });
  const files = {
    token: 'token-of-the-decision-listener-0123456789',
    'ca.pem': 'CA',
    address: '127.0.0.1:5070',
    'hep-address': '127.0.0.1:5071',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'sip', name), text, { mode: 0o600 });
  return folder;
}

const TRANSPORTS = ['UDP', 'TCP', 'TLS'].map((name) => `BELFRY_SIP_${name}`);
const OTHERS: readonly Readonly<Record<string, string>>[] = [
  { BELFRY_SIP_ADVERTISED: 'sip.example.com' },
  { BELFRY_SIP_HEP: '127.0.0.1:5071' },
  { BELFRY_SIP_CARRIERS: '192.0.2.0/28,198.51.100.7', BELFRY_PRIVATE_SIP_PEERS: '10.0.0.0/24,pbx.corp.internal,fd00::/8' },
  { BELFRY_SIP_ROUTE_CA: 'CA' },
];

/** Returns each set of transports without and with all other settings, and all transports with each other setting. They change separate lines. */
function combinations(): readonly Readonly<Record<string, string>>[] {
  const sets = Array.from({ length: 7 }, (_, i) =>
    Object.fromEntries(TRANSPORTS.filter((__, bit) => ((i >> bit) & 1) === 1).map((name) => [name, 'off'])),
  );
  return [...sets, ...sets.map((each) => Object.assign({}, each, ...OTHERS)), ...OTHERS];
}

test('kamailio -c: exits with 0 for each combination of settings', async () => {
  const data = dataFolder();
  const ca = join(data, 'routes.pem');
  const { cert, key } = await certificate(data);
  writeFileSync(ca, cert);
  writeFileSync(join(data, 'key.pem'), key, { mode: 0o600 });
  for (const environment of combinations()) {
    const settings = readSettings([], {
      ...{ BELFRY_DATA: data, BELFRY_SIP: 'unit', BELFRY_SIP_DECISIONS: '127.0.0.1:5070' },
      ...{ BELFRY_SIP_CERTIFICATE: ca, BELFRY_SIP_KEY: join(data, 'key.pem') },
      ...environment,
      ...(environment['BELFRY_SIP_ROUTE_CA'] !== undefined && { BELFRY_SIP_ROUTE_CA: ca }),
    });
    const folder = join(data, 'proxy');
    await writeProxyFolder(settings, folder);
    if (settings.sipTls !== 'off') {
      const cas = readFileSync(join(folder, SIP_FILES.routeCa), 'utf8');
      // Without a file of the operator, the list has the CAs of the system.
      assert.equal(cas === cert, environment['BELFRY_SIP_ROUTE_CA'] !== undefined);
      assert.match(cas, /BEGIN CERTIFICATE/);
    }
    const [, , ...rest] = kamailioArguments(folder);
    await promisify(execFile)('kamailio', ['-c', ...rest]).catch((error) => assert.fail(`${JSON.stringify(environment)}: ${error.stderr}`));
  }
});

test('belfry sip config: the files have mode 0600 in a folder of mode 0700, and a second run keeps the running calls and the records', async () => {
  const data = dataFolder();
  const folder = join(data, 'proxy');
  const environment = { BELFRY_DATA: data, BELFRY_SIP_DECISIONS: '127.0.0.1:5070', BELFRY_SIP_TLS: 'off' };
  const first = await belfry(['sip', 'config', folder], environment);
  assert.deepEqual([first.status, first.stderr], [0, '']);
  assert.match(first.stdout, /kamailio -DD -E -f/);
  assert.ok(!first.stdout.includes('token-of-the-decision-listener'));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const modes = readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]);
  const files = ['calls.sqlite', 'decision-ca.pem', 'kamailio.cfg', 'records.sqlite'];
  assert.deepEqual(Object.fromEntries(modes), { ...Object.fromEntries(files.map((name) => [name, '600'])), run: '700' });
  for (const name of ['calls.sqlite', 'records.sqlite']) writeFileSync(join(folder, name), name);
  // A link that the user of the proxy placed must not make root write elsewhere.
  const other = join(data, 'other');
  writeFileSync(other, 'unchanged');
  symlinkSync(other, join(folder, 'kamailio.cfg.new'));
  assert.equal((await belfry(['sip', 'config', folder], environment)).status, 0);
  assert.equal(readFileSync(other, 'utf8'), 'unchanged');
  for (const name of ['calls.sqlite', 'records.sqlite']) assert.equal(readFileSync(join(folder, name), 'utf8'), name);
});

// biome-ignore format: a table
const WRONG: readonly [title: string, args: readonly string[], environment: Readonly<Record<string, string>>, status: number, stderr: RegExp][] = [
  ['no folder',                  [],                 {},                                          2, /the argument must be FOLDER/],
  ['an invalid setting',         ['PROXY'],          { BELFRY_SIP_UDP: '0.0.0.0:5060' },          2, /BELFRY_SIP_UDP is '0.0.0.0:5060'/],
  ['a folder open to others',    ['OPEN'],           {},                                          1, /other users can access/],
  ['a server that never ran',    ['PROXY'],          { BELFRY_DATA: '/nonexistent' },             1, /does not exist; start the server with BELFRY_SIP_DECISIONS first/],
];

test('belfry sip config: wrong arguments are explained in one line', async () => {
  const data = dataFolder();
  mkdirSync(join(data, 'OPEN'));
  chmodSync(join(data, 'OPEN'), 0o755);
  for (const [title, names, more, status, stderr] of WRONG) {
    const environment = { BELFRY_DATA: data, BELFRY_SIP_DECISIONS: '127.0.0.1:5070', BELFRY_SIP_TLS: 'off', ...more };
    const ran = await belfry(['sip', 'config', ...names.map((name) => join(data, name))], environment);
    assert.equal(ran.status, status, `${title}: ${ran.stderr}`);
    assert.match(ran.stderr, stderr, title);
  }
});

// biome-ignore format: a table
const UNUSABLE: readonly [title: string, address: (used: string) => Readonly<Record<string, string>>, reason: RegExp][] = [
  ['an address that is in use for UDP', (used) => ({ BELFRY_SIP_UDP: used }),                  /BELFRY_SIP_UDP=127\.0\.0\.1:\d+: another process uses it/],
  ['an address that is in use for TCP', (used) => ({ BELFRY_SIP_TCP: used }),                  /BELFRY_SIP_TCP=127\.0\.0\.1:\d+: another process uses it/],
  ['an address of another machine',     () => ({ BELFRY_SIP_UDP: '192.0.2.1:5060' }),          /BELFRY_SIP_UDP=192\.0\.2\.1:5060: this machine does not have/],
];

test('BELFRY_SIP=child: the start names an address that the proxy cannot use', async () => {
  const data = dataFolder();
  const udp = createSocket('udp4');
  const tcp = createServer();
  try {
    await new Promise<void>((done) => void tcp.listen(0, '127.0.0.1', done));
    const { port } = tcp.address() as { readonly port: number };
    await new Promise<void>((done) => void udp.bind(port, '127.0.0.1', done));
    for (const [title, address, reason] of UNUSABLE) {
      const settings = readSettings([], {
        ...{ BELFRY_DATA: data, BELFRY_SIP: 'child', BELFRY_SIP_DECISIONS: '127.0.0.1:5070' },
        ...{ BELFRY_SIP_UDP: 'off', BELFRY_SIP_TCP: 'off', BELFRY_SIP_TLS: 'off', ...address(`127.0.0.1:${port}`) },
      });
      await assert.rejects(async () => await sipProxyPart(settings, () => undefined).start?.(), reason, title);
    }
  } finally {
    udp.close();
    tcp.close();
  }
});

test('BELFRY_SIP=child: the start prints the addresses of the proxy', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const listeners = ['--http', '127.0.0.1:0', '--https', 'off', '--metrics', 'off', '--sip-decisions', '127.0.0.1:0'];
  const proxy = ['--sip', 'child', '--sip-udp', address, '--sip-tcp', address, '--sip-tls', 'off'];
  const { status, written } = await startAndStop(['--data', newFolder('sip-start'), ...listeners, ...proxy]);
  assert.equal(status, 0, written);
  assert.ok(written.includes(`belfry: the SIP proxy listens on udp:${address}, tcp:${address}\n`), written);
});

/** Creates a certificate with the server's own code. */
async function certificate(data: string): Promise<{ readonly cert: string; readonly key: string }> {
  const { tlsMaterial } = await import('#server/edge/tls.ts');
  return await tlsMaterial(readSettings([], { BELFRY_DATA: data }), Date.now(), () => undefined);
}
