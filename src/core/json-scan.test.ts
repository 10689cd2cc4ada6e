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

/** A string that counts the characters that its methods read. */
function counted(text: string): { readonly text: string; readonly read: () => number } {
  let read = 0;
  const methods = {
    length: text.length,
    charCodeAt(at: number) {
      read++;
      return text.charCodeAt(at);
    },
    indexOf(sought: string, from: number) {
      const at = text.indexOf(sought, from);
      read += (at < 0 ? text.length : at + 1) - from;
      return at;
    },
  };
  return { text: methods as unknown as string, read: () => read };
}

test('scanJson: the number of steps for a string of escaped quotes is linear', () => {
  for (const quotes of [100, 10_000]) {
    const { text, read } = counted(`"${'\\"'.repeat(quotes)}"`);
    assert.deepEqual(scanJson(text), { colons: 0, commas: 0, depth: 0 });
    assert.ok(read() <= 3 * text.length, `${read()} steps for ${text.length} characters`);
  }
});
