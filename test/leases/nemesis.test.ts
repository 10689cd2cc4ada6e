import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from './nemesis.ts';

test('nemesis: despite faults, servers honor granted permissions and do not honor withdrawn permissions', async () => {
  const found = await campaign({ seconds: 10, leaseMilliseconds: 600, servers: 2, seed: 20_261_122 });
  assert.deepEqual(found.forbidden, []);
  assert.equal(found.forgotten, 0);
  // Checks that the campaign tested something: permissions were withdrawn, and faults made servers unavailable.
  assert.ok(found.withdrawals > 0 && found.faults > 0 && found.unavailable > 0, JSON.stringify({ ...found, took: [] }));
});
