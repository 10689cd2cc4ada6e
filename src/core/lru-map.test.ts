import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lruMap } from './lru-map.ts';

test('lruMap: a new entry replaces the least recently used one', () => {
  const map = lruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [1, undefined, 3, 2]);
});

test('lruMap: replacing an entry keeps the others and marks it as used', () => {
  const map = lruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [3, undefined, 4]);
});
