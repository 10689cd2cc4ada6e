import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { trailRow } from '#store/conformance-fixtures.ts';
import { filesOf, logFileContent, logFileKey } from './log-file.ts';

const PLACE = { accountId: '111122223333' as AccountId, region: 'eu-west-1', now: instant(Date.UTC(2026, 0, 2, 3, 4, 59, 999)) };

// biome-ignore format: a table
const KEYS: readonly [title: string, more: { prefix?: string; organizationId?: string }, start: string][] = [
  ['a trail of an account',     {},                                            'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02/'],
  ['a prefix',                  { prefix: 'p/q' },                             'p/q/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02/'],
  ['a trail of an organization', { organizationId: 'o-abc', prefix: 'p' },     'p/AWSLogs/o-abc/111122223333/CloudTrail/eu-west-1/2026/01/02/'],
];

for (const [title, more, start] of KEYS) {
  test(`LOG-9: key of a log file, ${title}`, () => {
    // Bytes of 248 and more are not used, because they would make some characters more frequent.
    let byte = 240;
    const key = logFileKey({ ...PLACE, ...more }, (count) => Uint8Array.from({ length: count }, () => byte++ % 256));
    assert.equal(key, `${start}111122223333_CloudTrail_eu-west-1_20260102T0304Z_23456789ABCDEFGH.json.gz`);
  });
}

test('log file: the bytes of the records are unchanged, and the hash is that of the uncompressed bytes', async () => {
  const documents = ['{"a":"é\\u0000","b":1.0}', '{ "eventID" : "2" }', '{"c":"\u{1f600}"}'];
  const rows = documents.map((document, i) => trailRow(`${i}`, [50, 20, 70][i] as number, { document }));
  const { body, hash, oldest, newest } = await logFileContent(rows);
  const text = gunzipSync(body);
  assert.equal(text.toString('utf8'), `{"Records":[${documents.join(',')}]}`);
  assert.equal(hash, createHash('sha256').update(text).digest('hex'));
  assert.deepEqual([oldest, newest], [20, 70]);
});

test('log file: each record is complete, whatever the number of bytes of its last characters', async () => {
  const ends = ['', 'é', '€', '\u{1f600}', 'aé', 'a€€', '€\u{1f600}', '\ud800'].flatMap((end) => [end, `${end}x`]);
  for (const [i, end] of ends.entries()) {
    const documents = ['"a"', `"${'b'.repeat(i)}${end}"`];
    const { body } = await logFileContent(documents.map((document, at) => trailRow(`${at}`, at, { document })));
    assert.equal(gunzipSync(body).toString('utf8'), `{"Records":[${documents.join(',')}]}`.toWellFormed());
  }
});

test('log file: records that are too long for one file are divided, in order', () => {
  const rows = [3, 4, 4, 12, 1].map((length, i) => trailRow(`${i}`, 0, { document: 'x'.repeat(length) }));
  const ids = (max: number) => filesOf(rows, max).map((file) => file.map(({ eventId }) => eventId));
  assert.deepEqual(ids(7), [['0', '1'], ['2', '3'], ['4']]);
  assert.deepEqual(ids(100), [['0', '1', '2', '3', '4']]);
  assert.deepEqual(filesOf([]), []);
});
