import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted } from './counted.ts';

test('counted: only 1 has the singular', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => counted(count, 'access key')),
    ['0 access keys', '1 access key', '2 access keys'],
  );
});
