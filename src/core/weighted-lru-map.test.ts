import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weightedLruMap } from './weighted-lru-map.ts';

test('weightedLruMap: the least recently used entries make room for the weight of a new one', () => {
  const map = weightedLruMap<string, number>(10);
  map.set('a', 1, 4);
  map.set('b', 2, 4);
  assert.equal(map.get('a'), 1);
  map.set('c', 3, 5);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.weight], [1, undefined, 3, 9]);
  map.set('c', 4, 6);
  assert.deepEqual([map.get('a'), map.get('c'), map.weight], [1, 4, 10]);
});

test('weightedLruMap: an entry that is too heavy is alone until the next one', () => {
  const map = weightedLruMap<string, number>(10);
  map.set('a', 1, 4);
  map.set('b', 2, 20);
  assert.deepEqual([map.get('a'), map.get('b'), map.weight], [undefined, 2, 20]);
  map.set('c', 3, 1);
  assert.deepEqual([map.get('b'), map.get('c'), map.weight], [undefined, 3, 1]);
});
