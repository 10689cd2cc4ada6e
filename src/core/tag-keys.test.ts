import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ambiguousTagKeys, tagContextOf, withStoredSpellings } from './tag-keys.ts';

// biome-ignore format: a table
const AMBIGUOUS: readonly (readonly [keys: readonly string[], ambiguous: readonly string[]])[] = [
  [[],                                  []],
  [['Team'],                            []],
  [['Team', 'stage'],                   []],
  [['Team', 'stage', 'TEAM', 'team'],   ['team']],
  [['k', '\u212a'],                     ['k']],
  [['i', '\u0131'],                     []],
  [['__proto__', '__PROTO__'],          ['__proto__']],
];
for (const [keys, ambiguous] of AMBIGUOUS) {
  test(`ambiguousTagKeys: the ambiguous keys of ${JSON.stringify(keys)} are ${JSON.stringify(ambiguous)}`, () => {
    assert.deepEqual(ambiguousTagKeys(keys), ambiguous);
  });
}

test('tagContextOf: keys are in lower case, and ambiguous keys are absent', () => {
  const tags = Object.fromEntries([
    ['Team', 'red'],
    ['team', 'blue'],
    ['Stage', 'Test'],
    ['__proto__', 'x'],
  ]);
  assert.deepEqual(tagContextOf('aws:resourcetag/', tags), [
    ['aws:resourcetag/stage', 'Test'],
    ['aws:resourcetag/__proto__', 'x'],
  ]);
});

test('withStoredSpellings: adds the stored key that differs only in case', () => {
  assert.deepEqual(withStoredSpellings(['team', 'new'], ['Team', 'Stage']), ['team', 'new', 'Team']);
  assert.deepEqual(withStoredSpellings(['Team'], ['Team', 'Stage']), ['Team']);
});
