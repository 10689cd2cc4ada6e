import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kamailioArguments, kamailioConfig, kamailioTlsConfig, type SipProxy } from './kamailio-config.ts';

const PROXY: SipProxy = {
  folder: '/var/lib/belfry-sip',
  udp: { host: '192.0.2.1', port: 5060 },
  tcp: { host: '192.0.2.1', port: 5060 },
  tls: { host: '192.0.2.1', port: 5061 },
  decisions: { host: '127.0.0.1', port: 5070 },
  token: 'a-token-of-the-decision-listener',
  hep: { host: '127.0.0.1', port: 5071 },
  privateNetworks: ['10.0.0.0/24'],
  carrierNetworks: ['198.51.100.7'],
  requestsPerSecond: 100,
  callMaxSeconds: 14_400,
};

// biome-ignore format: a table
const UNSAFE: readonly [title: string, change: Partial<SipProxy>, message: RegExp][] = [
  ['no address',                   { udp: undefined, tcp: undefined, tls: undefined },           /no address/],
  ['a host name as address',       { udp: { host: 'sip.example.com', port: 5060 } },             /not an IPv4 address/],
  ['a line break in the address',  { tls: { host: '192.0.2.1\nchildren=0', port: 5061 } },       /not an IPv4 address/],
  ['a quote in the public name',   { advertised: 'a"b' },                                        /not a host name/],
  ['a line break in that name',    { advertised: 'sip.example.com\nlisten=udp:0.0.0.0' },        /not a host name/],
  ['a token that ends a string',   { token: 'abcdefghijklmnopqrst")\n' },                        /token/],
  ['a token that names a host',    { token: 'abcdefghijklmnop@192.0.2.9' },                      /token/],
  ['a short token',                { token: 'abc' },                                             /token/],
  ['a relative folder',            { folder: 'data/sip' },                                       /absolute path/],
  ['a space in the folder',        { folder: '/var/lib/belfry sip' },                            /absolute path/],
  ['a variable in the folder',     { folder: '/var/$var(x)' },                                   /absolute path/],
  ['a network that is code',       { privateNetworks: ['10.0.0.0/8") || (1'] },                  /not an IPv4 network/],
  ['a carrier that is code',       { carrierNetworks: ['","0.0.0.0/0'] },                        /not an IPv4 network/],
];

for (const [title, change, message] of UNSAFE)
  test(`kamailioConfig: ${title} is refused`, () => {
    assert.throws(() => kamailioConfig({ ...PROXY, ...change }), { message });
  });

test('kamailioConfig: an error never quotes the token', () => {
  const token = 'secret secret secret';
  assert.throws(
    () => kamailioConfig({ ...PROXY, token }),
    ({ message }: Error) => !message.includes('secret'),
  );
});

test('kamailioConfig: the token is in one line, and in no argument of the process', () => {
  const lines = kamailioConfig(PROXY)
    .split('\n')
    .filter((line) => line.includes(PROXY.token));
  assert.deepEqual(lines, [
    'modparam("http_client", "httpcon", "belfry=>https://sip:a-token-of-the-decision-listener@127.0.0.1:5070/sip")',
  ]);
  assert.ok(!kamailioArguments(PROXY.folder).join(' ').includes(PROXY.token));
  assert.ok(!kamailioTlsConfig(PROXY.folder).includes(PROXY.token));
});

test('kamailioConfig: only the addresses that are set are opened, with the public name', () => {
  const listens = (proxy: SipProxy) =>
    kamailioConfig(proxy)
      .split('\n')
      .filter((line) => line.startsWith('listen='));
  assert.deepEqual(listens({ ...PROXY, tcp: undefined, advertised: 'sip.example.com' }), [
    'listen=udp:192.0.2.1:5060 advertise sip.example.com:5060',
    'listen=tls:192.0.2.1:5061 advertise sip.example.com:5061',
  ]);
});

test('kamailioTlsConfig: certificates of routes are checked, and certificates of clients are not requested', () => {
  const [server = '', client = ''] = kamailioTlsConfig(PROXY.folder).split('[client:default]');
  assert.match(client, /verify_certificate = yes\nrequire_certificate = yes\nca_list = \/var\/lib\/belfry-sip\/route-ca.pem/);
  assert.match(server, /verify_certificate = no\nrequire_certificate = no/);
});
