import assert from 'node:assert/strict';
import { test } from 'node:test';
import { termSearch } from './search.ts';

/** Returns all texts of two letters with a length. */
function textsOf(length: number): readonly string[] {
  return Array.from({ length: 2 ** length }, (_, bits) => bits.toString(2).padStart(length, '0').replaceAll('0', 'a').replaceAll('1', 'b'));
}

test('termSearch: agrees with String.includes for overlapping terms in long texts', () => {
  const terms = ['a', 'bab', 'abab', 'babb', 'bbbbb', 'abba', 'aabaab', 'x'];
  const search = termSearch(terms);
  const padding = 'c'.repeat(2_000);
  for (const text of textsOf(10)) {
    const long = `${text.slice(0, 5)}${padding}${text}`;
    for (const term of terms) assert.equal(search.contains(long, term), long.includes(term), `${term} in ${text}`);
  }
});

test('termSearch: finds a term of more than 250 characters whose beginning repeats', () => {
  const term = `${'a'.repeat(400)}b${'a'.repeat(400)}`;
  const search = termSearch([term]);
  assert.equal(search.contains(`${'a'.repeat(5_000)}b${'a'.repeat(399)}`, term), false);
  assert.equal(search.contains(`${'a'.repeat(5_000)}b${'a'.repeat(400)}c`, term), true);
});
