import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { group, NOON, type Suite, trailRow } from './conformance-fixtures.ts';
import type { Sql } from './sql.ts';
import type { Store, StoreOptions, Tx } from './store.ts';

/** Declares the tests that every engine must pass: those of transactions and SQL here, then `suites`. `open` returns an empty store. */
export function storeConformance(
  engine: string,
  open: (options: StoreOptions) => Promise<Store>,
  suites: readonly ((suite: Suite) => void)[],
): void {
  describe(`store, ${engine}`, () => {
    let store: Store;
    let now = NOON as number;
    let account = 0;
    before(async () => {
      store = await open({ now: () => now });
    });
    after(() => store.close());
    const within = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.transaction(work);
    /** An account no other test has written to. */
    const fresh = (): AccountId => String(++account).padStart(12, '0') as AccountId;

    describe('transaction', () => {
      test('transaction: what work answers is what it resolves to', async () => {
        assert.equal(await within(async () => 42), 42);
      });

      test('transaction: work that throws leaves nothing behind, and its error comes out as thrown', async () => {
        const error = new Error('no');
        const failing = within(async (tx) => {
          await tx.meta.put('left behind', 'yes');
          await tx.trail.append(trailRow('left-behind', NOON));
          throw error;
        });
        await assert.rejects(failing, (thrown) => thrown === error);
        assert.equal(await within((tx) => tx.meta.get('left behind')), undefined);
      });

      test('transaction: of several at once, those that throw take nothing of the others with them', async () => {
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

      test('transaction: many at once that read and then write one value lose no change', async () => {
        await within((tx) => tx.meta.put('sum', '0'));
        await Promise.all(
          Array.from({ length: 25 }, () => within(async (tx) => tx.meta.put('sum', String(Number(await tx.meta.get('sum')) + 1)))),
        );
        assert.equal(await within((tx) => tx.meta.get('sum')), '25');
      });

      test('transaction: a write skew does not happen', async () => {
        await within(async (tx) => {
          await tx.meta.put('on call: ann', 'yes');
          await tx.meta.put('on call: ben', 'yes');
        });
        const leave = (who: string, other: string) =>
          within(async (tx) => {
            if ((await tx.meta.get(`on call: ${other}`)) === 'yes') await tx.meta.put(`on call: ${who}`, 'no');
          });
        await Promise.all([leave('ann', 'ben'), leave('ben', 'ann')]);
        const left = await within(async (tx) => [await tx.meta.get('on call: ann'), await tx.meta.get('on call: ben')]);
        assert.deepEqual(left.toSorted(), ['no', 'yes']);
      });

      test('transaction: after a statement that failed nothing more is done, even where its error was caught', async () => {
        const failing = within(async (tx) => {
          await tx.meta.put('before the failure', 'yes');
          await tx.sql.run('INSERT INTO no_such_table VALUES (1)').catch(() => {});
          return 'kept nevertheless';
        });
        await assert.rejects(failing, /no_such_table/);
        const going = within(async (tx) => {
          await tx.sql.run("INSERT INTO counter (name, value) VALUES ('identity', 0)").catch(() => {});
          await tx.meta.put('after the failure', 'yes');
        });
        await assert.rejects(going);
        assert.deepEqual(await within(async (tx) => [await tx.meta.get('before the failure'), await tx.meta.get('after the failure')]), [
          undefined,
          undefined,
        ]);
      });

      test('transaction: it cannot be used after its end', async () => {
        const leaked = await within(async (tx) => ({ tx }));
        await assert.rejects(leaked.tx.meta.get('anything'), /after its end/);
      });

      test('of: a repository is opened once in each transaction', async () => {
        let opened = 0;
        const names = (sql: Sql) => ({ number: ++opened, count: () => sql.rows('SELECT name FROM meta') });
        const seen = await within(async (tx) => {
          await tx.of(names).count();
          return tx.of(names).number;
        });
        assert.deepEqual([seen, await within(async (tx) => tx.of(names).number)], [1, 2]);
      });

      test('afterCommit: told after the commit and before the transaction resolves', async () => {
        const heard: string[] = [];
        await within(async (tx) => {
          tx.afterCommit(() => heard.push('committed'));
          heard.push('worked');
        }).then(() => heard.push('resolved'));
        assert.deepEqual(heard, ['worked', 'committed', 'resolved']);
      });

      test('afterCommit: never told where the transaction failed', async () => {
        let told = false;
        const failing = within(async (tx) => {
          await tx.meta.put('x', 'y');
          tx.afterCommit(() => {
            told = true;
          });
          throw new Error('no');
        });
        await assert.rejects(failing);
        assert.equal(told, false);
      });
    });

    describe('sql', () => {
      test('sql: a parameter is bound by its number, wherever and however often it stands', async () => {
        const row = await within((tx) =>
          tx.sql.row<{ value: string }>('SELECT value FROM meta WHERE name = $2 AND name <> $1 AND name = $2', ['a', 'sum']),
        );
        assert.equal(row?.value, '25');
      });

      test('sql: whole numbers up to 2^53 - 1 come back as numbers', async () => {
        const row = await within(async (tx) => {
          await tx.sql.run('INSERT INTO counter (name, value) VALUES ($1, $2)', ['large', Number.MAX_SAFE_INTEGER]);
          return tx.sql.row<{ value: number }>("SELECT value FROM counter WHERE name = 'large'");
        });
        assert.equal(row?.value, Number.MAX_SAFE_INTEGER);
      });

      test('sql: text is ordered by its bytes', async () => {
        const accountId = fresh();
        const names = ['a', 'B', 'é', 'm', 'Z', 'n', '\u{ffee}', '\u{1f514}'];
        await within(async (tx) => {
          for (const name of names) await tx.identity.put(accountId, 'group', name, group(name));
        });
        const listed = await within((tx) => tx.identity.list(accountId, 'group'));
        assert.deepEqual(
          listed.map(({ key }) => key),
          ['B', 'Z', 'a', 'm', 'n', 'é', '\u{ffee}', '\u{1f514}'],
        );
      });
    });

    const setClock = (moment: number): void => {
      now = Math.max(now, moment);
    };
    for (const suite of suites) suite({ within, fresh, setClock });
  });
}
