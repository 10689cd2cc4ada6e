import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSignedHeaders } from './signed-headers.ts';

// biome-ignore format: a table
const LISTS: readonly [name: string, list: string, read: { readonly names: readonly string[]; readonly sorted: boolean } | undefined][] = [
  // case                     the list                        result      
  ['one name',                'host',                         { names: ['host'], sorted: true }],
  ['names in order',          'host;x-amz-date',              { names: ['host', 'x-amz-date'], sorted: true }],
  ['a name and its prefix',      'x-a;x-a-b',                 { names: ['x-a', 'x-a-b'], sorted: true }],
  ['names out of order',      'x-amz-date;host',              { names: ['x-amz-date', 'host'], sorted: false }],
  ['a name twice',            'host;host',                    { names: ['host', 'host'], sorted: false }],
  ['an empty string',         '',                             undefined],
  ['an empty name',           'host;;x-amz-date',             undefined],
  ['a semicolon at the end',  'host;',                        undefined],
  ['a capital',               'Host',                         undefined],
  ['a space',                 'host; x-amz-date',             undefined],
  ['4097 characters',         'h'.repeat(4097),               undefined],
];

for (const [name, list, expected] of LISTS) {
  const kind = expected === undefined ? 'invalid' : expected.sorted ? 'sorted' : 'unsorted';
  test(`readSignedHeaders: a list with ${name} is ${kind}, also on a second call`, () => {
    for (let time = 0; time < 2; time++) {
      const read = readSignedHeaders(list);
      assert.deepEqual(read && { names: read.lines.map((line) => line.name), sorted: read.sorted }, expected);
    }
  });
}

test('readSignedHeaders: a list that was dropped from the cache is parsed again with the same result', () => {
  const before = readSignedHeaders('host;x-amz-date');
  for (let i = 0; i < 1000; i++) readSignedHeaders(`host;x-${i}`);
  assert.deepEqual(readSignedHeaders('host;x-amz-date'), before);
});
