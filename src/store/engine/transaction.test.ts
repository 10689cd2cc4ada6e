import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import type { Tx } from '../store.ts';
import { openSqlite } from './sqlite.ts';

test('Run: the transactions of a store share one hidden class of V8, even after different work', async () => {
  setFlagsFromString('--allow-natives-syntax');
  const haveSameClass = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
  const store = await openSqlite(':memory:');
  const used: Tx[] = [];
  for (const work of [
    (tx: Tx) => tx.meta.put('a', 'b'),
    (tx: Tx) => tx.sql.run('DELETE FROM meta'),
    async (tx: Tx) => tx.afterCommit(() => {}),
  ]) {
    await store.transaction(async (tx) => {
      used.push(tx);
      await work(tx);
    });
  }
  assert.deepEqual(
    used.map((tx) => haveSameClass(tx, used[0] as Tx)),
    [true, true, true],
  );
  await store.close();
});
