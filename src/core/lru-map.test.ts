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

test('lruMap: replacing the value of an entry keeps the other entries and marks the entry as used', () => {
  const map = lruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [3, undefined, 4]);
});

test('lruMap: after random operations, the entries and their order equal those of a simple array', () => {
  const map = lruMap<number, number>(5);
  let expected: (readonly [key: number, value: number])[] = [];
  let seed = 1;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let i = 0; i < 5_000; i++) {
    const key = random(9);
    const present = expected.find(([each]) => each === key);
    const others = expected.filter((each) => each !== present);
    switch (random(8)) {
      case 0:
        map.delete(key);
        expected = others;
        break;
      case 1:
      case 2:
      case 3:
        map.set(key, i);
        expected = [...others.slice(-4), [key, i]];
        break;
      default:
        assert.equal(map.get(key), present?.[1]);
        if (present !== undefined) expected = [...others, present];
    }
    if (i % 1_000 === 999) {
      map.clear();
      expected = [];
    }
    assert.equal(map.size, expected.length);
  }
});

test('lruMap: `removed` receives deleted and displaced entries, but not replaced values or cleared entries', () => {
  const removed: (readonly [key: string, value: number])[] = [];
  const map = lruMap<string, number>(2, (key, value) => removed.push([key, value]));
  map.set('a', 1);
  map.set('a', 2);
  map.set('b', 3);
  map.set('c', 4);
  map.delete('absent');
  map.delete('b');
  map.clear();
  assert.deepEqual(removed, [
    ['a', 2],
    ['b', 3],
  ]);
});
