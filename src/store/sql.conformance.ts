import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { group, type Suite } from './conformance-fixtures.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('sql', () => {
    test('sql: a parameter that occurs twice in a statement has the same value each time', async () => {
      const row = await within(async (tx) => {
        await tx.meta.put('bound', 'yes');
        return tx.sql.row<{ value: string }>('SELECT value FROM meta WHERE name = $2 AND name <> $1 AND name = $2', ['a', 'bound']);
      });
      assert.equal(row?.value, 'yes');
    });

    test('sql: integers up to 2^53 - 1 are read as numbers', async () => {
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
}
