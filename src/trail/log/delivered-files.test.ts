import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DeliveredFileError, deliveredRecords, recordsOfFile } from './delivered-files.ts';

const RECORDS = ['{"a":"x,{\\"}","b":{"c":[1,2]}}', '{"a":"é"}', '{"n":null}'];
const FILE = gzipSync(`{"Records":[${RECORDS.join(',')}]}`);

test('recordsOfFile: returns the bytes of each record', () => {
  assert.deepEqual(
    recordsOfFile(FILE).map((bytes) => Buffer.from(bytes).toString()),
    RECORDS,
  );
  assert.deepEqual(recordsOfFile(gzipSync('{"Records":[]}')), []);
});

// biome-ignore format: a table
const WRONG: readonly (readonly [title: string, file: Uint8Array, message: RegExp])[] = [
  ['a second gzip member',  Buffer.concat([FILE, gzipSync('{"Records":[{"forged":1}]}')]), /^it has bytes after its end$/],
  ['bytes after the end',   Buffer.concat([FILE, Buffer.from('x')]),                       /^it has bytes after its end$/],
  ['a missing end',         FILE.subarray(0, -12),                                         /^it /],
  ['a changed checksum',    Buffer.concat([FILE.subarray(0, -8), Buffer.alloc(8)]),        /^its checksum is wrong$/],
  ['other JSON',            gzipSync('[]'),                                                /^it is not a list of records$/],
  ['an incomplete record',  gzipSync('{"Records":[{"a":{]}'),                              /^its records are incomplete$/],
  ['no gzip file',          Buffer.from('{"Records":[]} and more'),                        /^it is not a gzip file/],
];
for (const [title, file, message] of WRONG)
  test(`recordsOfFile: rejects ${title}`, () =>
    assert.throws(
      () => recordsOfFile(file),
      (error) => error instanceof DeliveredFileError && message.test(error.message),
    ));

test('deliveredRecords: names the first record of a file that the trail does not have', () => {
  const delivered = deliveredRecords();
  delivered.add('one', FILE);
  delivered.add('other', gzipSync(`{"Records":[${RECORDS[0]}]}`));
  for (const record of [RECORDS[0], RECORDS[1], 'unrelated']) delivered.found(hash('sha256', record as string, 'buffer'));
  assert.deepEqual(delivered.missing().problems, ["delivered file 'one': record 3 is not in the trail"]);
  delivered.found(hash('sha256', RECORDS[2] as string, 'buffer'));
  assert.deepEqual([delivered.missing().problems, delivered.count()], [[], 4]);
});

test('deliveredRecords: records before an accepted restore are notes, later ones are problems', () => {
  const delivered = deliveredRecords();
  const record = (time: string) => `{"userIdentity":{"userName":"\\"eventTime\\":\\"1970"},"eventTime":"${time}","eventName":"a"}`;
  delivered.add('one', gzipSync(`{"Records":[${record('2026-11-29T01:00:00Z')},${record('2026-11-29T03:00:00Z')},{"no":"time"}]}`));
  delivered.add('two', gzipSync(`{"Records":[${record('2026-11-29T02:00:00Z')}]}`));
  assert.deepEqual(delivered.missing('2026-11-29T02:00:00.000Z'), {
    problems: ["delivered file 'one': record 2 is not in the trail"],
    notes: [
      "delivered file 'one' is the only copy of 1 record before the accepted restore",
      "delivered file 'two' is the only copy of 1 record before the accepted restore",
    ],
  });
});
