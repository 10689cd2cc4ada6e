import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedFetch, isInternal } from './guarded-fetch.ts';

// biome-ignore format: a table
const ADDRESSES: readonly [address: string, internal: boolean][] = [
  ['127.0.0.1', true],        ['10.1.2.3', true],          ['172.31.255.255', true],   ['192.168.0.1', true],
  ['169.254.169.254', true],  ['100.64.0.1', true],        ['0.0.0.0', true],          ['224.0.0.1', true],
  ['255.255.255.255', true],  ['198.18.0.1', true],        ['8.8.8.8', false],         ['172.32.0.1', false],
  ['::1', true],              ['::', true],                ['fe80::1', true],          ['fd00::1', true],
  ['::ffff:127.0.0.1', true], ['::ffff:8.8.8.8', true],    ['64:ff9b::7f00:1', true],  ['2002:7f00:1::', true],
  ['2001:0:1::1', true],      ['ff02::1', true],           ['2606:4700::1111', false], ['localhost', true], ['', true],
];

for (const [address, internal] of ADDRESSES) {
  test(`isInternal: '${address}' is ${internal ? 'internal' : 'public'}`, () => assert.equal(isInternal(address), internal));
}

// biome-ignore format: a table
const NEVER_FETCHED: readonly [name: string, url: string, message: RegExp][] = [
  ['plain HTTP',                          'http://idp.example/',            /must be an https URL/],
  ['another scheme',                      'file:///etc/passwd',             /must be an https URL/],
  ['credentials in the URL',              'https://a:b@idp.example/',       /must be an https URL/],
  ['a string without a scheme',           'idp.example',                    /must be an https URL/],
  ['a loopback address',                  'https://127.0.0.1:1/',           /internal address/],
  ['a loopback address in hex',           'https://0x7f000001:1/',          /internal address/],
  ['a loopback address in one number',    'https://2130706433:1/',          /internal address/],
  ['an IPv6 loopback address',            'https://[::1]:1/',               /internal address/],
  ['an IPv4-mapped IPv6 address',         'https://[::ffff:127.0.0.1]:1/',  /internal address/],
  ['the metadata service',                'https://169.254.169.254/',       /internal address/],
  ['a name of a loopback address',        'https://localhost:1/',           /internal address/],
];

for (const [name, url, message] of NEVER_FETCHED) {
  test(`guardedFetch: ${name} is rejected`, async () => {
    await assert.rejects(guardedFetch({ allowedInternalHosts: ['localhost:2'] })(url, { thumbprints: [] }), { message });
  });
}
