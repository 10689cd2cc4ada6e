import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainAddress, sourceOf } from './source-address.ts';

// biome-ignore format: a table
const CASES: readonly [title: string, address: string, source: string][] = [
  // title                                      address                        source
  ['an IPv4 address is its own source',         '192.0.2.7',                   '192.0.2.7'],
  ['an IPv6 address is its /64',                '2001:db8:0:1:2:3:4:5',        '2001:db8:0:1::/64'],
  ['groups lose leading zeros',                 '2001:0DB8:0000:0001::9',      '2001:db8:0:1::/64'],
  ['compressed groups count as zeros',          '2001:db8::9',                 '2001:db8:0:0::/64'],
  ['the loopback address has a /64',            '::1',                         '0:0:0:0::/64'],
  ['a trailing :: is complete',                 '2001:db8:1:2::',              '2001:db8:1:2::/64'],
  ['a zone is not part of the source',          'fe80::1%eth0',                'fe80:0:0:0::/64'],
  ['an embedded IPv4 address is two groups',    '64:ff9b::192.0.2.7',          '64:ff9b:0:0::/64'],
  ['an IPv4-mapped address is IPv4',            '::ffff:192.0.2.7',            '192.0.2.7'],
  ['an IPv4-mapped address in hexadecimal, too', '::ffff:c000:207',            '192.0.2.7'],
  ['other text stays as it is',                 '',                            ''],
];

for (const [title, address, source] of CASES) {
  test(`sourceOf: ${title}`, () => {
    assert.equal(sourceOf(address), source);
  });
}

// biome-ignore format: a table
for (const [title, text, plain] of [
  ['IPv4 stays as it is',                  '192.0.2.7',               '192.0.2.7'],
  ['IPv6 is compressed and in lower case', '2001:0DB8:0:0:0:0:0:1',   '2001:db8::1'],
  ['IPv4-mapped IPv6 is IPv4',             '0:0:0:0:0:FFFF:c000:207', '192.0.2.7'],
  ['IPv4 with a leading zero is refused',  '192.0.2.07',              undefined],
  ['a name is refused',                    'localhost',               undefined],
  ['brackets are refused',                 '[::1]',                   undefined],
] as const) {
  test(`plainAddress: ${title}`, () => assert.equal(plainAddress(text), plain));
}
