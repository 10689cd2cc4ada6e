import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { topItems } from './top-items.ts';

test('topItems: the items are the first ones of a stable sort, for any list and limit', () => {
  const item = fc.record({ rank: fc.integer({ min: 0, max: 5 }), id: fc.nat() });
  fc.assert(
    fc.property(fc.array(item), fc.integer({ min: 1, max: 10 }), (items, limit) => {
      const top = topItems<(typeof items)[number]>(limit, (a, b) => b.rank - a.rank);
      for (const each of items) top.add(each);
      assert.deepEqual(top.items(), items.toSorted((a, b) => b.rank - a.rank).slice(0, limit));
      assert.equal(top.total(), items.length);
    }),
  );
});
