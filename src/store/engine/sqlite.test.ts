import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { trailRow } from '../conformance-fixtures.ts';
import type { Tx } from '../store.ts';
import { openSqlite } from './sqlite.ts';
import { nodeSqlite, type SqliteDriver, type SqliteOpen } from './sqlite-driver.ts';

const base = mkdtempSync(join(tmpdir(), 'belfry-sqlite-'));
after(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;
const freshFolder = (): string => join(base, `data${++folders}`);

/** Node's SQLite, with every text it runs told first; `hear` may throw what a disk would. */
function heard(hear: (text: string) => void): SqliteOpen {
  return (path) => {
    const driver = nodeSqlite(path);
    const prepare: SqliteDriver['prepare'] = (text) => {
      const statement = driver.prepare(text);
      return {
        ...statement,
        run(values) {
          hear(text);
          return statement.run(values);
        },
      };
    };
    return path.endsWith('lock.db') ? driver : { ...driver, prepare };
  };
}

describe('openSqlite', () => {
  test('openSqlite: what was committed is there after closing and opening again', async () => {
    const folder = freshFolder();
    const first = await openSqlite(folder);
    await first.transaction((tx) => tx.meta.put('kept', 'yes'));
    await first.close();
    const second = await openSqlite(folder);
    assert.equal(await second.transaction((tx) => tx.meta.get('kept')), 'yes');
    await second.close();
  });

  test('openSqlite: the data folder is made for its owner alone', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    await store.close();
  });

  test('openSqlite: a second opening of the folder is refused until the first has closed', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    await assert.rejects(openSqlite(folder), /another process uses the data folder/);
    await store.close();
    await (await openSqlite(folder)).close();
  });

  test('openSqlite: a database of a newer program is refused, and the folder is free again', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    await store.transaction((tx) => tx.sql.run("INSERT INTO schema_version (version, title) VALUES (1000, 'from the future')"));
    await store.close();
    await assert.rejects(openSqlite(folder), /schema version 1000/);
    await assert.rejects(openSqlite(folder), /schema version 1000/);
  });

  test('openSqlite: a library that can lose commits is refused', async () => {
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

  test('openSqlite: the trail goes on after what is kept, even where the clock was set back', async () => {
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

describe('group commit', () => {
  test('group commit: transactions that wait together share commits, sixteen at most each', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: heard((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.transaction((tx) => tx.meta.put(`k${i}`, 'v'))));
    assert.equal(texts.filter((text) => text === 'COMMIT').length, 3);
    await store.close();
  });

  test('group commit: nobody is answered before a sync that began after his commit has ended, and all in commit order', async () => {
    const syncs: ((error: Error | null) => void)[] = [];
    let held = false;
    const store = await openSqlite(freshFolder(), { syncLog: (done) => (held ? void syncs.push(done) : done(null)) });
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const turns = async () => {
      for (let i = 0; i < 50; i++) await turn();
    };
    held = true;
    const told: string[] = [];
    const put = (key: string) => store.transaction((tx) => tx.meta.put(key, 'v')).then(() => told.push(key));
    const first = put('first');
    await turns();
    const second = put('second');
    await turns();
    const third = put('third');
    const reader = store.transaction((tx) => tx.meta.get('third')).then((value) => told.push(`read ${value}`));
    await turns();
    // Two are under way; the third waits for its turn, and so does who has read what it wrote.
    assert.deepEqual([syncs.length, told], [2, []]);
    syncs[1]?.(null);
    await turns();
    assert.deepEqual(told, []);
    syncs[0]?.(null);
    await Promise.all([first, second]);
    await turns();
    assert.deepEqual([syncs.length, told], [3, ['first', 'second']]);
    syncs[2]?.(null);
    await Promise.all([third, reader]);
    assert.deepEqual(told, ['first', 'second', 'third', 'read v']);
    held = false;
    await store.close();
  });

  test('group commit: a sync that fails stops the store, and nobody is told', async () => {
    let fatal: unknown;
    let broken = false;
    const store = await openSqlite(freshFolder(), {
      fatal: (error) => {
        fatal = error;
      },
      syncLog: (done) => done(broken ? new Error('the disk is gone') : null),
    });
    broken = true;
    let told = false;
    void store
      .transaction((tx) => tx.meta.put('k', 'v'))
      .then(
        () => {
          told = true;
        },
        () => undefined,
      );
    for (let i = 0; i < 50; i++) await new Promise<void>((resolve) => setImmediate(resolve));
    assert.match(String(fatal), /the disk is gone/);
    assert.equal(told, false);
    await assert.rejects(
      store.transaction((tx) => tx.meta.get('k')),
      /has stopped/,
    );
  });

  test('group commit: a group that only reads begins nothing and commits nothing', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: heard((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.all(Array.from({ length: 5 }, () => store.transaction((tx) => tx.meta.get('k'))));
    assert.deepEqual(texts, []);
    await store.close();
  });

  test('group commit: what only records has no savepoint', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: heard((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.all(Array.from({ length: 5 }, (_, i) => store.transaction((tx) => tx.trail.append(trailRow(`e${i}`, 0)))));
    assert.deepEqual(
      texts.filter((text) => !text.startsWith('INSERT')),
      ['BEGIN IMMEDIATE', 'COMMIT'],
    );
    await store.close();
  });

  test('group commit: committed in the order of asking, and told in it', async () => {
    const store = await openSqlite(':memory:');
    const told: number[] = [];
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.transaction(async (tx) => tx.afterCommit(() => told.push(i)))));
    assert.deepEqual(told, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await store.close();
  });

  // biome-ignore format: a table
  for (const [name, failing, resultCode] of [
    ['COMMIT fails',            'COMMIT',             5],
    ['a savepoint fails',       'SAVEPOINT member',   1],
    ['taking back fails',       'ROLLBACK TO member', 1],
    ['the disk fails',          'INSERT',             10],
    ['the disk is full',        'INSERT',             13],
    ['the file is damaged',     'INSERT',             11],
  ] as const) {
    test(`group commit: where ${name} the process is to stop, everyone in the group hears an error, and nothing is answered after it`, async () => {
      let armed = false;
      const error = Object.assign(new Error('the disk'), { errcode: resultCode });
      const fatal: unknown[] = [];
      const open = heard((text) => {
        if (armed && text.startsWith(failing)) throw error;
      });
      const folder = freshFolder();
      const store = await openSqlite(folder, { open, fatal: (reason) => fatal.push(reason) });
      armed = true;
      const told: string[] = [];
      const outcomes = await Promise.allSettled([
        store.transaction(async (tx) => {
          await tx.meta.put('a', '1');
          tx.afterCommit(() => told.push('a'));
        }),
        store.transaction(async (tx) => {
          await tx.meta.put('b', '1');
          throw new Error('taken back');
        }),
        store.transaction((tx) => tx.meta.get('a')),
      ]);
      assert.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected', 'rejected']);
      assert.deepEqual([fatal, told], [[error], []]);
      await assert.rejects(store.transaction((tx) => tx.meta.get('a')), /has stopped/);
      await store.close();
    });
  }

  test('group commit: work that awaits something else is given up and taken back, and stops nobody', async () => {
    const store = await openSqlite(':memory:');
    const never = async (tx: Tx): Promise<void> => {
      await tx.meta.put('stuck', 'yes');
      await new Promise(() => {});
    };
    const outcomes = await Promise.allSettled([
      store.transaction((tx) => tx.meta.put('before', 'yes')),
      store.transaction(never),
      store.transaction(never),
      store.transaction((tx) => tx.meta.put('behind', 'yes')),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    const read = await store.transaction(async ({ meta }) => [await meta.get('before'), await meta.get('stuck'), await meta.get('behind')]);
    assert.deepEqual(read, ['yes', undefined, 'yes']);
    await store.close();
  });

  test('group commit: a failing constraint stops nobody', async () => {
    const fatal: unknown[] = [];
    const store = await openSqlite(':memory:', { fatal: (reason) => fatal.push(reason) });
    const twice = store.transaction((tx) => tx.sql.run("INSERT INTO counter (name, value) VALUES ('identity', 0)"));
    await assert.rejects(twice, /UNIQUE/);
    assert.equal(await store.transaction(async () => 'alive'), 'alive');
    assert.deepEqual(fatal, []);
    await store.close();
  });

  test('group commit: closing waits for what was asked, and refuses what comes after', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    const asked = store.transaction((tx) => tx.meta.put('last', 'yes'));
    const closing = store.close();
    await assert.rejects(
      store.transaction((tx) => tx.meta.get('last')),
      /closed/,
    );
    await Promise.all([asked, closing]);
    const again = await openSqlite(folder);
    assert.equal(await again.transaction((tx) => tx.meta.get('last')), 'yes');
    await again.close();
  });
});
