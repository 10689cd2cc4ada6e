import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { trailRow } from '../conformance-fixtures.ts';
import { openSqlite } from './sqlite.ts';
import { nodeSqlite, type SqliteDriver, type SqliteOpen } from './sqlite-driver.ts';
import { dataFolders } from './sqlite-fixture.ts';

const freshFolder = dataFolders();

describe('openSqlite', () => {
  test('openSqlite: a committed value is still present after the database was closed and opened again', async () => {
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

  test('openSqlite: the log restarts under continuous writes, after checkpoints in another thread', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    const value = 'x'.repeat(40_000);
    const WRITTEN = 1_600 * value.length;
    for (let i = 0; i < 1_600; i++) await store.transaction((tx) => tx.meta.put(`k${i % 20}`, value));
    assert.ok(statSync(join(folder, 'belfry.db-wal')).size < WRITTEN / 2);
    await store.close();
    assert.ok(!existsSync(join(folder, 'belfry.db-wal')));
    assert.ok(statSync(join(folder, 'belfry.db')).size > 20 * value.length);
  });

  test('openSqlite: a transaction waits while another connection has the lock for writing for a moment', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder, { fatal: (error) => assert.fail(error as Error) });
    const code = `
      const { DatabaseSync } = require('node:sqlite');
      const { parentPort, workerData } = require('node:worker_threads');
      const db = new DatabaseSync(workerData);
      db.exec('BEGIN IMMEDIATE');
      parentPort.postMessage('locked');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      db.exec('ROLLBACK');
      db.close();`;
    const worker = new Worker(code, { eval: true, workerData: join(folder, 'belfry.db') });
    const exited = once(worker, 'exit');
    await once(worker, 'message');
    await store.transaction((tx) => tx.meta.put('waited', 'yes'));
    assert.equal(await store.transaction((tx) => tx.meta.get('waited')), 'yes');
    await exited;
    await store.close();
  });

  test('openSqlite: an open folder cannot be opened a second time until it is closed', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    await assert.rejects(openSqlite(folder), /another process uses the data folder/);
    await store.close();
    await (await openSqlite(folder)).close();
  });

  test('openSqlite: a database that a newer version migrated is rejected, and its folder is unlocked', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    await store.transaction((tx) => tx.sql.run("INSERT INTO schema_version (version, title) VALUES (1000, 'from the future')"));
    await store.close();
    await assert.rejects(openSqlite(folder), /schema version 1000/);
    await assert.rejects(openSqlite(folder), /schema version 1000/);
  });

  test('openSqlite: an SQLite version that can lose commits is rejected', async () => {
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

  test('openSqlite: new trail records follow the stored ones, even if the clock was set back', async () => {
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
