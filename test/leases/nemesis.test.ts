import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from './nemesis.ts';

test('nemesis: with servers cut off, stopped and killed, nothing is honoured after its withdrawal and nothing given is forgotten', async () => {
  const found = await campaign({ seconds: 10, leaseMilliseconds: 600, servers: 2, seed: 20_261_122 });
  assert.deepEqual(found.forbidden, []);
  assert.equal(found.forgotten, 0);
  // Something was tried, and something went wrong.
  assert.ok(found.withdrawals > 0 && found.faults > 0 && found.unavailable > 0, JSON.stringify({ ...found, took: [] }));
});
