import assert from 'node:assert/strict';
import test from 'node:test';
import { editDistance, nearest } from './nearest.ts';

// biome-ignore format: a table
const DISTANCES: readonly (readonly [from: string, to: string, distance: number])[] = [
  ['',       '',        0],
  ['',       'ab',      2],
  ['chime',  'chime',   0],
  ['chmie',  'chime',   1],
  ['kitten', 'sitting', 3],
  ['abc',    'xyz',     3],
];

for (const [from, to, distance] of DISTANCES) {
  test(`editDistance: '${from}' and '${to}' have distance ${distance} in both directions`, () => {
    assert.equal(editDistance(from, to, 99), distance);
    assert.equal(editDistance(to, from, 99), distance);
  });
}

const BUDGET = { stepsLeft: Number.POSITIVE_INFINITY };

test('editDistance: the result is at most the limit', () => {
  assert.equal(editDistance('kitten', 'sitting', 2), 2);
});

test('nearest: returns the most similar candidate, ignoring case, or undefined if none is similar', () => {
  assert.equal(nearest('GETMETING', ['GetMeeting', 'GetMeetings', 'ListMeetings'], BUDGET), 'GetMeeting');
  assert.equal(nearest('xyzzy', ['GetMeeting'], BUDGET), undefined);
  assert.equal(nearest('a'.repeat(81), ['a'.repeat(81)], BUDGET), undefined);
});
