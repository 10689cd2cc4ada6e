import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { trailRow } from '../conformance-fixtures.ts';
import { openSqlite } from './sqlite.ts';
import { nodeSqlite, type SqliteDriver, type SqliteOpen } from './sqlite-driver.ts';
import { dataFolders } from './sqlite-fixture.ts';

const freshFolder = dataFolders();

describe('openSqlite', () => {
  test('openSqlite: a committed value is present after closing and opening again', async () => {
    const folder = freshFolder();
    const first = await openSqlite(folder);
    await first.transaction((tx) => tx.meta.put('kept', 'yes'));
    await first.close();
    const second = await openSqlite(folder);
    assert.equal(await second.transaction((tx) => tx.meta.get('kept')), 'yes');
    await second.close();
  });

  test('openSqlite: only the owner can read the created data folder', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    await store.close();
  });

  test('openSqlite: a second opening of the folder is rejected until the first one has closed', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    await assert.rejects(openSqlite(folder), /another process uses the data folder/);
    await store.close();
    await (await openSqlite(folder)).close();
  });

  test('openSqlite: a database of a newer program is rejected, and the folder is unlocked again', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    await store.transaction((tx) => tx.sql.run("INSERT INTO schema_version (version, title) VALUES (1000, 'from the future')"));
    await store.close();
    await assert.rejects(openSqlite(folder), /schema version 1000/);
    await assert.rejects(openSqlite(folder), /schema version 1000/);
  });

  test('openSqlite: a library that can lose commits is rejected', async () => {
    const old: SqliteOpen = (path) => {
      const driver = nodeSqlite(path);
      const prepare: SqliteDriver['prepare'] = (text) => ({
        ...driver.prepare(text),
        ...(text.includes('sqlite_version') && { all: () => [{ v: '3.51.2' }] }),
      });
      return { ...driver, prepare };
    };
    await assert.rejects(openSqlite(freshFolder(), { open: old }), /SQLite 3\.51\.2 can lose commits/);
  });

  test('openSqlite: new records follow the stored ones, even if the clock was set back', async () => {
    const folder = freshFolder();
    const positionsAt = async (now: number): Promise<unknown[]> => {
      const store = await openSqlite(folder, { now: () => now });
      await store.transaction((tx) => tx.trail.append(trailRow(String(now), now)));
      const { rows } = await store.transaction((tx) => tx.trail.since(0, 10));
      await store.close();
      return rows.map(({ eventId }) => eventId);
    };
    await positionsAt(2_000_000);
    assert.deepEqual(await positionsAt(1_000_000), ['2000000', '1000000']);
  });
});
