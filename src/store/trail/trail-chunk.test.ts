import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFilter, mayHold } from './trail-chunk.ts';

test('filter: contains each of its keys', () => {
  for (const count of [1, 2, 10, 1000, 5000]) {
    const keys = Array.from({ length: count }, (_, i) => `111122223333 us-east-1 EventId ${i}`);
    const filter = makeFilter(new Set(keys));
    assert.ok(keys.every((key) => mayHold(filter, key)));
  }
});

test('filter: of 5,000 keys reports less than 2 % of absent keys', () => {
  const filter = makeFilter(new Set(Array.from({ length: 5000 }, (_, i) => `111122223333 us-east-1 EventId ${i}`)));
  const wrong = Array.from({ length: 10_000 }, (_, i) => `111122223333 us-east-1 ResourceName ${i}`).filter((key) => mayHold(filter, key));
  assert.ok(wrong.length < 200, `${wrong.length} of 10000`);
});
