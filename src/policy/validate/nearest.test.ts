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

test('editDistance: a distance above the limit returns the limit', () => {
  assert.equal(editDistance('kitten', 'sitting', 2), 2);
});

test('nearest: returns the closest candidate in any case, or undefined for distant or overlong names', () => {
  assert.equal(nearest('GETMETING', ['GetMeeting', 'GetMeetings', 'ListMeetings']), 'GetMeeting');
  assert.equal(nearest('xyzzy', ['GetMeeting']), undefined);
  assert.equal(nearest('a'.repeat(81), ['a'.repeat(81)]), undefined);
});
