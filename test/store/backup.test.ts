import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupSqlite } from '#store/engine/backup.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { newFolder } from '../kit/folder.ts';
import { aftermath, assertUnharmed, startLoad } from './crash.ts';

const folder = newFolder('backup');

// Requirement RES-3: a consistent backup of a running server.
test('backupSqlite: under load, a copy has all changes acknowledged before the backup, and none is partial', async () => {
  const load = startLoad(join(folder, 'data'), 0);
  await load.atLeast(1_000);
  const before = [...load.acknowledged];
  backupSqlite(join(folder, 'data'), join(folder, 'copy'));
  assert.equal(statSync(join(folder, 'copy', 'belfry.db')).mode & 0o777, 0o600);
  await load.atLeast(before.length + 100);
  await load.kill();
  const store = await openSqlite(join(folder, 'copy'));
  assertUnharmed(await aftermath(store, before));
  await store.close();
});

test('backupSqlite: a target folder with a database is an error, and its database is unchanged', async () => {
  const target = join(folder, 'taken');
  const store = await openSqlite(target);
  await store.transaction((tx) => tx.meta.put('mine', 'yes'));
  await store.close();
  assert.throws(() => backupSqlite(join(folder, 'data'), target), /already has a database; specify a new folder/);
  const again = await openSqlite(target);
  assert.equal(await again.transaction((tx) => tx.meta.get('mine')), 'yes');
  await again.close();
});

test('backupSqlite: a source folder without a database is an error', () => {
  assert.throws(() => backupSqlite(join(folder, 'nowhere'), join(folder, 'copy of nothing')), /there is no SQLite database/);
});
