import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trailRow } from '../conformance-fixtures.ts';
import type { Tx } from '../store.ts';
import { StoreUnwritable } from '../unwritable.ts';
import { openSqlite } from './sqlite.ts';
import { dataFolders, observedSqlite } from './sqlite-fixture.ts';

const freshFolder = dataFolders();

/** Waits until pending callbacks have run. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe('group commit', () => {
  test('group commit: waiting transactions share commits, at most sixteen transactions per commit', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: observedSqlite((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.transaction((tx) => tx.meta.put(`k${i}`, 'v'))));
    assert.equal(texts.filter((text) => text === 'COMMIT').length, 3);
    await store.close();
  });

  test('group commit: all reads of a group are in one transaction, which begins before the first read', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: observedSqlite((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.all(Array.from({ length: 5 }, () => store.transaction((tx) => tx.meta.get('k'))));
    await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        store.transaction(async (tx) => {
          assert.equal(await tx.meta.get('k'), undefined);
          await tx.trail.append(trailRow(`e${i}`, 0));
        }),
      ),
    );
    assert.deepEqual(
      texts.map((text) => text.split(' ').slice(0, 3).join(' ')),
      ['BEGIN IMMEDIATE', 'COMMIT', 'BEGIN IMMEDIATE', 'INSERT INTO trail_writer', 'INSERT INTO trail_pack', 'COMMIT'],
    );
    await store.close();
  });
});

describe('group commit: the trail records of a group are written together', () => {
  test('group commit: a transaction that writes only trail records has no savepoint', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: observedSqlite((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.all(Array.from({ length: 5 }, (_, i) => store.transaction((tx) => tx.trail.append(trailRow(`e${i}`, 0)))));
    assert.deepEqual(
      texts.filter((text) => !text.startsWith('INSERT')),
      ['BEGIN IMMEDIATE', 'COMMIT'],
    );
    await store.close();
  });

  test('group commit: the trail records of successful transactions share one row, in transaction order', async () => {
    const texts: string[] = [];
    const store = await openSqlite(freshFolder(), { open: observedSqlite((text) => texts.push(text)) });
    texts.length = 0;
    await Promise.allSettled(
      Array.from({ length: 16 }, (_, i) =>
        store.transaction(async (tx) => {
          await tx.trail.append(trailRow(`e${i}`, 0));
          if (i === 7) throw new Error('failed');
        }),
      ),
    );
    assert.deepEqual(
      texts.map((text) => text.split(' ').slice(0, 3).join(' ')),
      ['BEGIN IMMEDIATE', 'INSERT INTO trail_writer', 'INSERT INTO trail_pack', 'COMMIT'],
    );
    const { rows } = await store.transaction((tx) => tx.trail.since(0, 1));
    assert.deepEqual(
      rows.map(({ eventId }) => eventId),
      [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((i) => `e${i}`),
    );
    await store.close();
  });

  // biome-ignore format: a table
  for (const [condition, writesFirst, expected] of [
    ['that only read before',  false, ['e0', 'e1']],
    ['that wrote before',      true,  []],
  ] as const) {
    test(`group commit: a transaction ${condition} a look-up finds ${expected.length} records of its group`, async () => {
      const store = await openSqlite(freshFolder());
      const record = (eventId: string) => store.transaction((tx) => tx.trail.append(trailRow(eventId, 0)));
      let found: readonly string[] = [];
      const look = () => store.transaction(async (tx) => {
        if (writesFirst) await tx.meta.put('k', 'v');
        found = (await tx.trail.since(0, 9)).rows.map(({ eventId }) => eventId);
        await tx.meta.put('l', 'v');
        throw new Error('failed');
      });
      const [, , failed] = await Promise.allSettled([record('e0'), record('e1'), look(), record('e2')]);
      assert.equal(failed.status, 'rejected');
      assert.deepEqual(found, expected);
      const { rows } = await store.transaction((tx) => tx.trail.since(0, 9));
      assert.deepEqual(rows.map(({ eventId }) => eventId).toSorted(), ['e0', 'e1', 'e2']);
      assert.equal(await store.transaction((tx) => tx.meta.get('k')), undefined);
      await store.close();
    });
  }

  test('group commit: afterCommit functions run in the order in which the transactions were started', async () => {
    const store = await openSqlite(':memory:');
    const called: number[] = [];
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.transaction(async (tx) => tx.afterCommit(() => called.push(i)))));
    assert.deepEqual(called, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await store.close();
  });

  test('group commit: close() waits for running transactions and rejects later ones', async () => {
    const folder = freshFolder();
    const store = await openSqlite(folder);
    const running = store.transaction((tx) => tx.meta.put('last', 'yes'));
    const closing = store.close();
    await assert.rejects(
      store.transaction((tx) => tx.meta.get('last')),
      /closed/,
    );
    await Promise.all([running, closing]);
    const again = await openSqlite(folder);
    assert.equal(await again.transaction((tx) => tx.meta.get('last')), 'yes');
    await again.close();
  });
});

describe('group commit: responses wait for a sync of the log', () => {
  test('group commit: responses wait for a sync that began after their commit, and are in commit order', async () => {
    const syncs: ((error: Error | null) => void)[] = [];
    let held = false;
    const store = await openSqlite(freshFolder(), { syncLog: (done) => (held ? void syncs.push(done) : done(null)) });
    held = true;
    const responses: string[] = [];
    const put = (key: string) => store.transaction((tx) => tx.meta.put(key, 'v')).then(() => responses.push(key));
    const first = put('first');
    await turns();
    const second = put('second');
    await turns();
    const third = put('third');
    const reader = store.transaction((tx) => tx.meta.get('third')).then((value) => responses.push(`read ${value}`));
    await turns();
    // Two syncs are running. The third change waits for the next sync. The transaction that read the changed value also
    // waits for the next sync.
    assert.deepEqual([syncs.length, responses], [2, []]);
    syncs[1]?.(null);
    await turns();
    assert.deepEqual(responses, []);
    syncs[0]?.(null);
    await Promise.all([first, second]);
    await turns();
    assert.deepEqual([syncs.length, responses], [3, ['first', 'second']]);
    syncs[2]?.(null);
    await Promise.all([third, reader]);
    assert.deepEqual(responses, ['first', 'second', 'third', 'read v']);
    held = false;
    await store.close();
  });

  test('group commit: a failed sync stops the store, and no caller gets a response', async () => {
    let fatal: unknown;
    let broken = false;
    const store = await openSqlite(freshFolder(), {
      fatal: (error) => {
        fatal = error;
      },
      syncLog: (done) => done(broken ? new Error('the disk is gone') : null),
    });
    broken = true;
    let responded = false;
    void store
      .transaction((tx) => tx.meta.put('k', 'v'))
      .then(
        () => {
          responded = true;
        },
        () => undefined,
      );
    await turns();
    assert.match(String(fatal), /the disk is gone/);
    assert.equal(responded, false);
    await assert.rejects(
      store.transaction((tx) => tx.meta.get('k')),
      /has stopped/,
    );
  });
});

describe('group commit: a group that does not fit on the disk is lost, and the store continues', () => {
  // biome-ignore format: a table
  for (const [name, failing, resultCode] of [
    ['the first write',               'INSERT INTO meta',       13],
    ['a savepoint',                   'SAVEPOINT member',       13],
    ['the rollback of a member',      'ROLLBACK TO member',    778],
    ['the trail records',             'INSERT INTO trail_pack', 778],
    ['COMMIT on a full disk',         'COMMIT',                 13],
    ['COMMIT on a read-only disk',    'COMMIT',                778],
    ['COMMIT without shared memory',  'COMMIT',               4874],
  ] as const) {
    test(`group commit: an error of ${name} rejects the transactions that wrote, and runs those that read again`, async () => {
      let armed = false;
      let hasWritten = false;
      const open = observedSqlite((text) => {
        if (text.startsWith('BEGIN')) hasWritten = false;
        hasWritten ||= text.startsWith('INSERT');
        // A COMMIT without changes does not touch the disk.
        if (armed && hasWritten && text.startsWith(failing)) throw Object.assign(new Error('the disk'), { errcode: resultCode });
      });
      const store = await openSqlite(freshFolder(), { open, fatal: (reason) => assert.fail(String(reason)) });
      await store.transaction((tx) => tx.trail.append(trailRow('e1', 0)));
      const called: string[] = [];
      const group = () =>
        Promise.allSettled([
          store.transaction((tx) => tx.meta.get('b')),
          store.transaction(async (tx) => {
            await tx.meta.put('a', '1');
            await tx.trail.append(trailRow('e2', 0));
            tx.afterCommit(() => called.push('a'));
          }),
          store.transaction(async (tx) => {
            await tx.meta.put('b', '1');
            throw new Error('rolled back');
          }),
          store.transaction((tx) => tx.meta.get('a')),
        ]);
      armed = true;
      const [before, wrote, undone, after] = await group();
      assert.deepEqual([before, after], [{ status: 'fulfilled', value: undefined }, { status: 'fulfilled', value: undefined }]);
      for (const outcome of [wrote, undone]) assert.ok(outcome?.status === 'rejected');
      assert.ok(wrote?.status === 'rejected' && wrote.reason instanceof StoreUnwritable, String(wrote));
      assert.deepEqual(called, []);
      armed = false;
      const outcomes = await group();
      assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
      assert.deepEqual([outcomes[3], called], [{ status: 'fulfilled', value: '1' }, ['a']]);
      // The numbers of the records have no hole.
      const numbers = await store.transaction((tx) => tx.sql.rows('SELECT first_number FROM trail_pack ORDER BY position'));
      assert.deepEqual(numbers.map((row) => Number(Object.values(row as object)[0])), [1, 2]);
      await store.close();
    });
  }

  test('group commit: a work that catches the error of a full disk is rejected', async () => {
    let armed = false;
    const open = observedSqlite((text) => {
      if (armed && text.startsWith('INSERT INTO meta')) throw Object.assign(new Error('the disk'), { errcode: 13 });
    });
    const store = await openSqlite(freshFolder(), { open, fatal: (reason) => assert.fail(String(reason)) });
    armed = true;
    await assert.rejects(
      store.transaction((tx) => tx.meta.put('a', '1').catch(() => undefined)),
      StoreUnwritable,
    );
    armed = false;
    assert.equal(await store.transaction((tx) => tx.meta.get('a')), undefined);
    await store.close();
  });

  test('group commit: the store closes on a full disk, and the next one ends the writer', async () => {
    let armed = false;
    const folder = freshFolder();
    const open = observedSqlite((text) => {
      if (armed) throw Object.assign(new Error(text), { errcode: 13 });
    });
    const store = await openSqlite(folder, { open, fatal: (reason) => assert.fail(String(reason)) });
    await store.transaction((tx) => tx.trail.append(trailRow('e1', 0)));
    const closing = store.close();
    armed = true;
    await closing;
    const next = await openSqlite(folder);
    const ended = await next.transaction((tx) => tx.sql.rows('SELECT ended_number FROM trail_writer WHERE ended_number IS NULL'));
    assert.deepEqual(ended, []);
    await next.close();
  });
});

describe('group commit: errors of the file stop the store, and errors of work do not', () => {
  // biome-ignore format: a table
  for (const [name, failing, resultCode] of [
    ['COMMIT',                        'COMMIT',             5],
    ['a savepoint',                   'SAVEPOINT member',   1],
    ['the rollback of a member',      'ROLLBACK TO member', 1],
    ['a write to the disk',           'INSERT',             10],
    ['a start on a full disk',        'BEGIN IMMEDIATE',    13],
    ['a write to a damaged file',     'INSERT',             11],
  ] as const) {
    test(`group commit: an error of ${name} stops the store, and all open and later transactions are rejected`, async () => {
      let armed = false;
      const error = Object.assign(new Error('the disk'), { errcode: resultCode });
      const fatal: unknown[] = [];
      const open = observedSqlite((text) => {
        if (armed && text.startsWith(failing)) throw error;
      });
      const store = await openSqlite(freshFolder(), { open, fatal: (reason) => fatal.push(reason) });
      armed = true;
      const called: string[] = [];
      const outcomes = await Promise.allSettled([
        store.transaction(async (tx) => {
          await tx.meta.put('a', '1');
          tx.afterCommit(() => called.push('a'));
        }),
        store.transaction(async (tx) => {
          await tx.meta.put('b', '1');
          throw new Error('rolled back');
        }),
        store.transaction((tx) => tx.meta.get('a')),
      ]);
      assert.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected', 'rejected']);
      assert.deepEqual([fatal, called], [[error], []]);
      await assert.rejects(store.transaction((tx) => tx.meta.get('a')), /has stopped/);
      await store.close();
    });
  }

  test('group commit: work that awaits something outside its transaction is aborted, other work is not', async () => {
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

  test('group commit: a violated constraint does not stop the store', async () => {
    const fatal: unknown[] = [];
    const store = await openSqlite(':memory:', { fatal: (reason) => fatal.push(reason) });
    const twice = store.transaction((tx) => tx.sql.run("INSERT INTO counter (name, value) VALUES ('identity', 0)"));
    await assert.rejects(twice, /UNIQUE/);
    assert.equal(await store.transaction(async () => 'alive'), 'alive');
    assert.deepEqual(fatal, []);
    await store.close();
  });
});
