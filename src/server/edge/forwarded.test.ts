import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForwardedClient, forwardedClient } from './forwarded.ts';
import { readNetworks, trusting } from './trusted-proxies.ts';

const isTrusted = trusting(['10.0.0.0/8', '2001:db8:1::/48']);
const client = (address: string, secure = false): ForwardedClient => ({ address, secure });
const FOR = 'X-Forwarded-For';
const PROTO = 'X-Forwarded-Proto';
const STANDARD = 'Forwarded';

// biome-ignore format: a table
const CASES: readonly (readonly [what: string, rawHeaders: readonly string[], outcome: ForwardedClient | 'absent' | 'ambiguous'])[] = [
  ['no header is absent',                            ['Host', 'a'],                                                   'absent'],
  ['X-Forwarded-For alone is not secure',            [FOR, '192.0.2.1'],                                              client('192.0.2.1')],
  ['https is secure, in any case',                   [FOR, '192.0.2.1', PROTO, 'HTTPS'],                              client('192.0.2.1', true)],
  ['wss is secure',                                  [FOR, '192.0.2.1', PROTO, 'wss'],                                client('192.0.2.1', true)],
  ['the right-most untrusted address is used',       [FOR, '198.51.100.9, 192.0.2.1, 10.0.0.2'],                      client('192.0.2.1')],
  ['several lines are one list',                     [FOR, '192.0.2.1', FOR, '10.0.0.2'],                             client('192.0.2.1')],
  ['claims of the client are not read',              [FOR, 'unknown, <script>, 192.0.2.1'],                           client('192.0.2.1')],
  ['if all are trusted, the left-most is used',      [FOR, '10.0.0.3, 10.0.0.2'],                                     client('10.0.0.3')],
  ['a port is dropped',                              [FOR, '192.0.2.1:4711'],                                         client('192.0.2.1')],
  ['IPv6 without brackets is read',                  [FOR, '2001:DB8::1'],                                            client('2001:db8::1')],
  ['IPv6 in brackets with a port is read',           [FOR, '[2001:db8::1]:4711'],                                     client('2001:db8::1')],
  ['a trusted IPv6 proxy is skipped',                [FOR, '192.0.2.1, 2001:db8:1::5'],                               client('192.0.2.1')],
  ['an IPv4-mapped proxy matches its IPv4 network',  [FOR, '192.0.2.1, ::ffff:10.0.0.2'],                             client('192.0.2.1')],
  ['one protocol for each address is read',          [FOR, '192.0.2.1, 10.0.0.2', PROTO, 'https, http'],              client('192.0.2.1', true)],
  ['a claimed protocol is not that of the client',   [FOR, '198.51.100.9, 192.0.2.1', PROTO, 'https, http'],          client('192.0.2.1')],
  ['equal protocols for one address are read',       [FOR, '192.0.2.1', PROTO, 'https,https'],                        client('192.0.2.1', true)],
  ['more protocols than addresses are ambiguous',    [FOR, '192.0.2.1', PROTO, 'https, http'],                        'ambiguous'],
  ['a protocol without an address is ambiguous',     [PROTO, 'https'],                                                'ambiguous'],
  ['an unknown protocol is ambiguous',               [FOR, '192.0.2.1', PROTO, 'gopher'],                             'ambiguous'],
  ['an unknown client is ambiguous',                 [FOR, 'unknown'],                                                'ambiguous'],
  ['an obfuscated client is ambiguous',              [FOR, '_hidden'],                                                'ambiguous'],
  ['an empty list is ambiguous',                     [FOR, ''],                                                       'ambiguous'],
  ['an empty last entry is ambiguous',               [FOR, '192.0.2.1,'],                                             'ambiguous'],
  ['a name is ambiguous',                            [FOR, 'localhost'],                                              'ambiguous'],
  ['IPv4 in brackets is ambiguous',                  [FOR, '[192.0.2.1]'],                                            'ambiguous'],
  ['a zone is ambiguous',                            [FOR, 'fe80::1%eth0'],                                           'ambiguous'],
  ['an address with a leading zero is ambiguous',    [FOR, '192.0.2.01'],                                             'ambiguous'],
  ['Forwarded with address and protocol is read',    [STANDARD, 'for=192.0.2.1;proto=https;by=10.0.0.2'],             client('192.0.2.1', true)],
  ['Forwarded with quoted IPv6 and port is read',    [STANDARD, 'For="[2001:db8::1]:4711"; Proto=http'],              client('2001:db8::1')],
  ['Forwarded: the right-most untrusted hop is used', [STANDARD, 'for=198.51.100.9;proto=http, for=192.0.2.1;proto=https, for=10.0.0.2;proto=http'], client('192.0.2.1', true)],
  ['Forwarded: the protocol of another hop is ignored', [STANDARD, 'for=192.0.2.1, for=10.0.0.2;proto=https'],           client('192.0.2.1')],
  ['Forwarded without for is ambiguous',             [STANDARD, 'proto=https'],                                       'ambiguous'],
  ['Forwarded for unknown is ambiguous',             [STANDARD, 'for=unknown'],                                       'ambiguous'],
  ['Forwarded for an obfuscated node is ambiguous',  [STANDARD, 'for="_gazonk"'],                                     'ambiguous'],
  ['Forwarded with two for is ambiguous',            [STANDARD, 'for=192.0.2.1;for=192.0.2.2'],                       'ambiguous'],
  ['Forwarded: IPv6 without quotes is ambiguous',    [STANDARD, 'for=[2001:db8::1]'],                                 'ambiguous'],
  ['Forwarded: a quote without end is ambiguous',    [STANDARD, 'for="192.0.2.1'],                                    'ambiguous'],
  ['Forwarded: a quote across lines is ambiguous',   [STANDARD, 'for="198.51.100.9', STANDARD, 'for="[2001:db8::1]"'], 'ambiguous'],
  ['Forwarded: an empty element is ambiguous',       [STANDARD, 'for=192.0.2.1,,for=10.0.0.2'],                       'ambiguous'],
  ['both kinds with one client are read',            [STANDARD, 'for=192.0.2.1;proto=https', FOR, '192.0.2.1', PROTO, 'https'], client('192.0.2.1', true)],
  ['both kinds with two clients are ambiguous',      [STANDARD, 'for=198.51.100.9', FOR, '192.0.2.1'],                'ambiguous'],
  ['TLS that only one kind states is not secure',    [STANDARD, 'for=192.0.2.1;proto=https', FOR, '192.0.2.1'],       client('192.0.2.1')],
  ['64 entries are read',                            [FOR, `192.0.2.1${', 10.0.0.2'.repeat(63)}`],                    client('192.0.2.1')],
  ['65 entries are ambiguous',                       [FOR, `192.0.2.1${', 10.0.0.2'.repeat(64)}`],                    'ambiguous'],
  ['65 elements of Forwarded are ambiguous',         [STANDARD, `for=192.0.2.1${', for=10.0.0.2'.repeat(64)}`],       'ambiguous'],
  ['a header over 4,096 characters is ambiguous',    [FOR, `${' '.repeat(4_096)}192.0.2.1`],                          'ambiguous'],
];

for (const [what, rawHeaders, outcome] of CASES) {
  test(`forwardedClient: ${what}`, () => assert.deepEqual(forwardedClient(rawHeaders, isTrusted), outcome));
}

// biome-ignore format: a table
for (const [text, networks] of [
  ['',                                   []],
  ['10.0.0.0/8, 127.0.0.1,2001:db8::/32', ['10.0.0.0/8', '127.0.0.1', '2001:db8::/32']],
  ['0.0.0.0/0',                          undefined],
  ['::/0',                               undefined],
  ['10.0.0.0/33',                        undefined],
  ['10.0.0.0/8/8',                       undefined],
  ['10.0.0.0/',                          undefined],
  ['10.0.0',                             undefined],
  ['fe80::1%eth0',                       undefined],
  ['proxy.example',                      undefined],
  [Array(65).fill('10.0.0.1').join(','), undefined],
] as const) {
  test(`readNetworks: '${text.slice(0, 40)}' is ${networks === undefined ? 'refused' : 'read'}`, () =>
    assert.deepEqual(readNetworks(text), networks));
}

test('trusting: an address matches only networks of its family, and an IPv4-mapped address matches as IPv4', () => {
  const trusts = trusting(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);
  const addresses = ['10.255.0.1', '11.0.0.1', '192.0.2.1', '192.0.2.2', '::ffff:10.0.0.1', '2001:db8::9', '2001:db9::9', 'localhost', ''];
  assert.deepEqual(addresses.filter(trusts), ['10.255.0.1', '192.0.2.1', '::ffff:10.0.0.1', '2001:db8::9']);
  assert.equal(trusting([])('127.0.0.1'), false);
});
