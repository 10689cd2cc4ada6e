import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf, readSettings, SETTINGS, SettingError, settingsHelp } from './settings.ts';

test('Settings: a flag overrides an environment variable, and a variable overrides the default', () => {
  const environment = { BELFRY_HTTP: '127.0.0.1:1', BELFRY_REGION: 'eu-central-1', HOME: '/root' };
  const settings = readSettings(['--http', '127.0.0.2:8080', '--https=off'], environment);
  assert.deepEqual(settings.http, { host: '127.0.0.2', port: 8080 });
  assert.equal(settings.https, 'off');
  assert.equal(settings.region, 'eu-central-1');
  assert.match(settings.database, /^file:.*\/data$/);
});

// biome-ignore format: a table
const REFUSED: readonly [what: string, args: string[], environment: Record<string, string>, message: RegExp][] = [
  ['an unknown variable',            [],                                  { BELFRY_HTPP: 'x' },             /^unknown setting 'BELFRY_HTPP' \(settings: BELFRY_DATA,/],
  ['an unknown flag',                ['--port', '1'],                     {},                               /^unknown flag '--port' \(flags: --data,/],
  ['a flag without its value',       ['--http'],                          {},                               /^--http requires a value: HOST:PORT or off/],
  ['plain HTTP beyond loopback',     ['--http', '0.0.0.0:7080'],          {},                               /not a loopback address/],
  ['a proxy that is a name',         ['--trusted-proxies', 'proxy.example'], {},                          /BELFRY_TRUSTED_PROXIES is 'proxy.example'; .*networks/],
  ['a network of every address',     ['--trusted-proxies', '10.0.0.1,0.0.0.0/0'], {},                     /prefix lengths above 0/],
  ['a private SIP host with a port', ['--private-sip-peers', 'pbx:5060'], {},                              /BELFRY_PRIVATE_SIP_PEERS is 'pbx:5060'; .*networks/],
  ['a private SIP network of every address', ['--private-sip-peers', 'pbx,0.0.0.0/0'], {},                 /prefix lengths above 0/],
  ['the PROXY protocol without a proxy', ['--proxy-protocol', 'on'],  {},                                 /it requires BELFRY_TRUSTED_PROXIES/],
  ['a share above 100 percent',      ['--source-share', '101'],           {},                             /whole number from 1 to 100/],
  ['plain HTTP on a name',           ['--http', 'example.com:7080'],      {},                               /not a loopback address/],
  ['a port above 65535',             ['--https', '127.0.0.1:70000'],      {},                               /HOST:PORT/],
  ['an address without a port',      ['--https', '127.0.0.1'],            {},                               /HOST:PORT/],
  ['no listener',                    ['--http=off', '--https=off'],       {},                               /set at least one/],
  ['a database of another kind',     ['--database', 'mysql://x'],         {},                               /file:FOLDER or postgres/],
  ['a database that is not a URL',   ['--database', 'postgres://a:b@c:x/d'], {},                           /file:FOLDER or postgres/],
  ['a database file of another host', ['--database', 'file://host/data'], {},                              /file:FOLDER or postgres/],
  ['a data folder without a name',   [],                                  { BELFRY_DATA: '' },              /BELFRY_DATA is empty; set it to a folder/],
  ['an invalid region',              ['--region', 'Frankfurt'],           {},                               /BELFRY_REGION is 'Frankfurt'; it must be a region such as us-east-1/],
  ['a public URL of plain HTTP',     ['--public-url', 'http://a.example'], {},                              /https:\/\/HOST/],
  ['a public URL with a path',       ['--public-url', 'https://a.example/b'], {},                           /https:\/\/HOST/],
  ['a public URL with a name in it', ['--public-url', 'https://u:p@a.example'], {},                         /https:\/\/HOST/],
  ['a public URL without a scheme',  ['--public-url', 'a.example'],       {},                               /https:\/\/HOST/],
  ['a certificate without its key',  ['--tls-certificate', 'a.pem'],      {},                               /together, or neither/],
  ['an object service without its bucket', ['--objects-endpoint', 'https://s3.example', '--objects-key-file', 'k'], {}, /BELFRY_OBJECTS_BUCKET and .* together, or none/],
  ['an object service with SQLite',  ['--objects-endpoint', 'https://s3.example', '--objects-bucket', 'abc', '--objects-key-file', 'k'], {}, /requires a BELFRY_DATABASE in PostgreSQL/],
  ['an object service with plain HTTP', ['--objects-endpoint', 'http://s3.example'], {},                    /BELFRY_OBJECTS_ENDPOINT must be .*loopback/],
  ['an object service with a path',  ['--objects-endpoint', 'https://s3.example/b'], {},                    /BELFRY_OBJECTS_ENDPOINT must be .*https:\/\/HOST/],
  ['an object service with a password', ['--objects-endpoint', 'https://u:p@s3.example'], {},              /BELFRY_OBJECTS_ENDPOINT must be https:\/\/HOST/],
  ['a prefix of keys without a slash', ['--objects-prefix', 'belfry'],    {},                               /slash at its end/],
  ['a prefix of keys that leads up', ['--objects-prefix', 'a/../'],       {},                               /slash at its end/],
  ['a switch neither on nor off',    [],                                  { BELFRY_GUIDE_2021: 'true' },    /on or off/],
  ['an unknown denial wording',      ['--denial-wording', '2024'],        {},                               /2026 or 2023/],
  ['a limit out of range',           ['--body-max-bytes', '1'],           {},                               /whole number/],
];

for (const [what, args, environment, message] of REFUSED) {
  test(`Settings: ${what} is an error`, () => {
    assert.throws(
      () => readSettings(args, environment),
      (error: unknown) => error instanceof SettingError && message.test(error.message),
    );
  });
}

test('Settings: the database can be a file URL in any notation or a PostgreSQL URL', () => {
  for (const database of [
    'file:data',
    'file:./data',
    'file:/var/lib/belfry',
    'file:///var/lib/belfry',
    'postgres://a:b@c:5432/d',
    'postgresql:///d',
  ])
    assert.equal(readSettings(['--database', database], {}).database, database);
});

test('Settings: plain HTTP on an address other than loopback is allowed for trusted proxies', () => {
  const { http, trustedProxies } = readSettings(['--http', '0.0.0.0:7080', '--trusted-proxies', '10.0.0.0/24, ::1'], {});
  assert.deepEqual([http, trustedProxies], [{ host: '0.0.0.0', port: 7080 }, ['10.0.0.0/24', '::1']]);
});

test('Settings: private SIP peers can be networks, addresses and names', () => {
  const { privateSipPeers } = readSettings(['--private-sip-peers', '10.0.0.0/24, fd00::1,PBX.corp.internal'], {});
  assert.deepEqual(privateSipPeers, ['10.0.0.0/24', 'fd00::1', 'pbx.corp.internal']);
  assert.deepEqual(readSettings([], {}).privateSipPeers, []);
});

test('Settings: plain HTTP on the IPv6 loopback address is allowed', () => {
  assert.deepEqual(readSettings(['--http', '[::1]:7080'], {}).http, { host: '::1', port: 7080 });
});

// biome-ignore format: a table
for (const [host, endpoint] of [
  ['127.0.0.1',        'http://127.0.0.1:7080'],
  ['belfry.localhost', 'http://belfry.localhost:7080'],
  ['::1',              'http://[::1]:7080'],
  ['0.0.0.0',          'http://localhost:7080'],
  ['::',               'http://localhost:7080'],
] as const) {
  test(`endpointOf: a listener on ${host} is reached at ${endpoint}`, () => assert.equal(endpointOf('http', { host, port: 7080 }), endpoint));
}

test('Settings: the error for an invalid database does not quote the value, which may have a password', () => {
  assert.throws(() => readSettings(['--database', 'mysql://ada:secret@db'], {}), {
    message: 'BELFRY_DATABASE must be file:FOLDER or postgres://…',
  });
});

test('Settings: an argument that is not a flag is an error', () => {
  assert.throws(() => readSettings(['8080'], {}), { message: /^unexpected argument '8080' \(flags: --data, --http, / });
});

test('Settings: every default is valid, and an optional setting is absent by default', () => {
  const settings = readSettings([], {});
  assert.deepEqual(
    [settings.publicUrl, settings.tlsKeyFile, settings.drainSeconds, settings.internalIssuers],
    [undefined, undefined, 0, []],
  );
});

// biome-ignore format: a table
for (const [endpoint, value] of [
  ['https://s3.example.com',   'https://s3.example.com'],
  ['https://10.0.0.5:9000/',   'https://10.0.0.5:9000'],
  ['http://127.0.0.1:9000',    'http://127.0.0.1:9000'],
  ['http://[::1]:9000',        'http://[::1]:9000'],
] as const) {
  test(`Settings: the object service can be ${endpoint}`, () => {
    const objects = ['--objects-bucket', 'belfry', '--objects-key-file', '/run/key', '--objects-prefix', 'a/b.c/'];
    const settings = readSettings(['--database', 'postgres:///d', '--objects-endpoint', endpoint, ...objects], {});
    assert.deepEqual([settings.objectsEndpoint, settings.objectsPrefix], [value, 'a/b.c/']);
  });
}

test('Settings: the help has a line with flag, variable and default for every setting', () => {
  assert.equal(settingsHelp().split('\n').length, SETTINGS.length);
  assert.match(settingsHelp(), /^--region +BELFRY_REGION +Region .* \(default us-east-1\)$/m);
});

test('Settings: every setting has a unique variable and flag', () => {
  assert.equal(new Set(SETTINGS.map((row) => row.variable)).size, SETTINGS.length);
  assert.equal(new Set(SETTINGS.map((row) => row.flag)).size, SETTINGS.length);
});
