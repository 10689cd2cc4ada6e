import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingQuote, scanJson } from './json-scan.ts';

// biome-ignore format: a table
const CASES: readonly (readonly [json: string, counts: ReturnType<typeof scanJson>])[] = [
  // json                         counts
  ['',                            { colons: 0, commas: 0, depth: 0 }],
  ['{"a": [1, 2], "a": ":"}',     { colons: 2, commas: 2, depth: 2 }],
  ['[[], {}, [[]]]',              { colons: 0, commas: 2, depth: 3 }],
  [String.raw`["\":,{[", ""]`,    { colons: 0, commas: 1, depth: 1 }],
  [String.raw`["\\", ":"]`,       { colons: 0, commas: 1, depth: 1 }],
  ['["a',                         undefined],
  [String.raw`["a\"`,             undefined],
];
for (const [json, counts] of CASES) {
  test(`scanJson: the counts of ${json === '' ? 'an empty string' : json} are correct`, () => assert.deepEqual(scanJson(json), counts));
}

test('closingQuote: skips escaped quotes', () => {
  assert.equal(closingQuote(String.raw`"a\"\\" "`, 0), 6);
  assert.equal(closingQuote('"', 0), -1);
});

test('scanJson: a string of a million escaped quotes takes linear time', () => {
  const started = performance.now();
  assert.deepEqual(scanJson(`"${'\\"'.repeat(1_000_000)}"`), { colons: 0, commas: 0, depth: 0 });
  assert.ok(performance.now() - started < 2000);
});
