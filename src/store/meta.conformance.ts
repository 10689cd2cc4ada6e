import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Suite } from './conformance-fixtures.ts';

export function conformance({ within }: Suite): void {
  test('meta: put() replaces a value, and add() does not', async () => {
    const read = await within(async ({ meta }) => [
      await meta.get('check value'),
      await meta.add('check value', 'a'),
      await meta.add('check value', 'b'),
      await meta.get('check value'),
      await meta.put('check value', 'c'),
      await meta.get('check value'),
    ]);
    assert.deepEqual(read, [undefined, 'added', 'exists', 'a', undefined, 'c']);
  });
}
