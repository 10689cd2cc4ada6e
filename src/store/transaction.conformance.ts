import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NOON, type Suite, trailRow } from './conformance-fixtures.ts';
import type { Sql } from './sql.ts';

export function conformance(suite: Suite): void {
  describe('transaction', () => atomicity(suite));
  describe('transaction: concurrent transactions do not affect each other', () => isolation(suite));
  describe('transaction: of() creates each repository once, and afterCommit() runs functions after the commit', () => facilities(suite));
}

function atomicity({ within }: Suite): void {
  test('transaction: resolves to the result of the work', async () => {
    assert.equal(await within(async () => 42), 42);
  });

  test('transaction: rejects with the error of the work, and changes nothing', async () => {
    const error = new Error('no');
    const failing = within(async (tx) => {
      await tx.meta.put('left behind', 'yes');
      await tx.trail.append(trailRow('left-behind', NOON));
      throw error;
    });
    await assert.rejects(failing, (thrown) => thrown === error);
    assert.equal(await within((tx) => tx.meta.get('left behind')), undefined);
  });

  test('transaction: concurrent transactions that throw undo only their own changes', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        within(async (tx) => {
          await tx.meta.put(`group ${i}`, 'first');
          await tx.meta.put(`group ${i} again`, 'second');
          if (i % 3 === 0) throw new Error(`member ${i}`);
        }),
      ),
    );
    for (const [i, { status }] of outcomes.entries()) {
      const expected = i % 3 === 0 ? undefined : 'second';
      assert.equal(status, expected === undefined ? 'rejected' : 'fulfilled');
      assert.equal(await within((tx) => tx.meta.get(`group ${i} again`)), expected);
    }
  });

  test('transaction: a failed statement undoes the transaction, even if the work catches its error', async () => {
    const failing = within(async (tx) => {
      await tx.meta.put('before the failure', 'yes');
      await tx.sql.run('INSERT INTO no_such_table VALUES (1)').catch(() => {});
      return 'kept nevertheless';
    });
    await assert.rejects(failing, /no_such_table/);
    const continuing = within(async (tx) => {
      await tx.sql.run("INSERT INTO counter (name, value) VALUES ('identity', 0)").catch(() => {});
      await tx.meta.put('after the failure', 'yes');
    });
    await assert.rejects(continuing);
    assert.deepEqual(await within(async (tx) => [await tx.meta.get('before the failure'), await tx.meta.get('after the failure')]), [
      undefined,
      undefined,
    ]);
  });

  test('transaction: rejects statements after its end', async () => {
    const leaked = await within(async (tx) => ({ tx }));
    await assert.rejects(leaked.tx.meta.get('anything'), /after its end/);
  });
}

function isolation({ within }: Suite): void {
  test('transaction: concurrent increments of one value are all counted', async () => {
    await within((tx) => tx.meta.put('sum', '0'));
    await Promise.all(
      Array.from({ length: 25 }, () => within(async (tx) => tx.meta.put('sum', String(Number(await tx.meta.get('sum')) + 1)))),
    );
    assert.equal(await within((tx) => tx.meta.get('sum')), '25');
  });

  test('transaction: write skew does not occur', async () => {
    await within(async (tx) => {
      await tx.meta.put('on call: ann', 'yes');
      await tx.meta.put('on call: ben', 'yes');
    });
    const leave = (name: string, other: string) =>
      within(async (tx) => {
        if ((await tx.meta.get(`on call: ${other}`)) === 'yes') await tx.meta.put(`on call: ${name}`, 'no');
      });
    await Promise.all([leave('ann', 'ben'), leave('ben', 'ann')]);
    const left = await within(async (tx) => [await tx.meta.get('on call: ann'), await tx.meta.get('on call: ben')]);
    assert.deepEqual(left.toSorted(), ['no', 'yes']);
  });
}

function facilities({ within }: Suite): void {
  test('of(): a repository is created once in each transaction', async () => {
    let opened = 0;
    const names = (sql: Sql) => ({ number: ++opened, count: () => sql.rows('SELECT name FROM meta') });
    const seen = await within(async (tx) => {
      await tx.of(names).count();
      return tx.of(names).number;
    });
    assert.deepEqual([seen, await within(async (tx) => tx.of(names).number)], [1, 2]);
  });

  test('afterCommit(): the function runs after the commit and before the transaction resolves', async () => {
    const order: string[] = [];
    await within(async (tx) => {
      tx.afterCommit(() => order.push('committed'));
      order.push('worked');
    }).then(() => order.push('resolved'));
    assert.deepEqual(order, ['worked', 'committed', 'resolved']);
  });

  test('afterCommit(): the function does not run if the transaction fails', async () => {
    let called = false;
    const failing = within(async (tx) => {
      await tx.meta.put('x', 'y');
      tx.afterCommit(() => {
        called = true;
      });
      throw new Error('no');
    });
    await assert.rejects(failing);
    assert.equal(called, false);
  });
}
