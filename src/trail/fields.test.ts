import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capped, elementWithin, quoted } from './fields.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text);

// biome-ignore format: a table
const TEXTS: readonly [title: string, text: string][] = [
  ['ASCII',                 'x'.repeat(5_000)],
  ['two-byte characters',   'é'.repeat(5_000)],
  ['four-byte characters',  '\u{1f600}'.repeat(5_000)],
  ['quotes',                '"'.repeat(5_000)],
  ['control characters',    '\u0001'.repeat(5_000)],
  ['unpaired surrogates',   '\ud800'.repeat(5_000)],
  ['a megabyte',            'é"\u0001'.repeat(250_000)],
];

for (const [title, text] of TEXTS) {
  test(`quoted: ${title} are cut to a JSON string of at most 1 KB, including escapes`, () => {
    const json = quoted(text);
    const prefix = JSON.parse(json) as string;
    assert.ok(bytesOf(json) <= 1_026 && prefix.length > 80, `${bytesOf(json)} bytes`);
    assert.ok(text.toWellFormed().startsWith(prefix.toWellFormed()));
  });
}

test('quoted: a string within the limit is unchanged', () => {
  for (const text of ['', 'aws-cli/2.31', 'é"\n', 'x'.repeat(1_024)]) assert.equal(JSON.parse(quoted(text)), text);
});

test('capped: a string is cut between two characters, never inside one', () => {
  assert.equal(capped('aé', 2), 'a');
  assert.equal(capped('aé', 3), 'aé');
});

test('elementWithin: an element over the limit is replaced by its size in bytes', () => {
  assert.equal(elementWithin('requestParameters', '{"a":"é"}', 10), '{"a":"é"}');
  assert.deepEqual(JSON.parse(elementWithin('requestParameters', '{"a":"éé"}', 10)), {
    reason: 'requestParameters too large',
    omitted: true,
    originalSize: 12,
  });
});
