import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON } from '#store/conformance-fixtures.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { HOLDER_MS, turns } from './holder.ts';

const YEAR_MS = 365 * 86_400_000;

test('turns: a server that dies while its clock is ahead, or ends its turn then, does not stop the delivery', async () => {
  const store = await openSqlite(':memory:', { now: () => NOON });
  const take = (id: string, now: number) => store.transaction((tx) => turns(id).take(tx, instant(now)));
  assert.equal(await take('first', NOON + YEAR_MS), true);
  assert.equal(await take('second', NOON), true);
  assert.equal(await take('third', NOON + HOLDER_MS - 1), false);
  await store.transaction((tx) => turns('second').end(tx, NOON + YEAR_MS));
  assert.equal(await take('third', NOON), true);
  await store.transaction((tx) => turns('third').end(tx, NOON + 3_600_000));
  assert.equal(await take('third', NOON + 3_599_999), false);
  await store.close();
});
