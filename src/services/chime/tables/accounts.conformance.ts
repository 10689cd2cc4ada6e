import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { BOB, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type AccountRecord, accounts } from './accounts.ts';

export function conformance({ within, fresh }: Suite): void {
  const account = (accountId: AccountId, chimeAccountId: string, more: Partial<AccountRecord> = {}): AccountRecord => ({
    accountId,
    chimeAccountId,
    name: `account ${chimeAccountId}`,
    accountType: 'Team',
    createdAt: NOON,
    document: { DefaultLicense: 'Pro', SupportedLicenses: ['Basic', 'Pro'] },
    ...more,
  });

  describe('chime accounts', () => {
    test('accounts: get returns an account of one AWS account; put changes all but its ID and its creation', async () => {
      const accountId = fresh();
      const one = account(accountId, 'a');
      const changed = { ...one, name: 'other', accountType: 'EnterpriseLWA', disabledAt: instant(NOON + 1) } as const;
      const read = await within(async (tx) => {
        await tx.of(accounts).add(one);
        return [
          await tx.of(accounts).get(accountId, 'a'),
          await tx.of(accounts).get(BOB, 'a'),
          await tx.of(accounts).put({ ...changed, createdAt: instant(NOON + 9) }),
          await tx.of(accounts).put({ ...changed, chimeAccountId: 'b' }),
          await tx.of(accounts).get(accountId, 'a'),
          await tx.of(accounts).remove(accountId, 'a'),
          await tx.of(accounts).remove(accountId, 'a'),
        ];
      });
      assert.deepEqual(read, [one, undefined, 'changed', 'absent', changed, 'removed', 'absent']);
    });

    test('accounts: find returns an account of any AWS account', async () => {
      const accountId = fresh();
      const one = account(accountId, `${accountId} found`);
      const read = await within(async (tx) => {
        await tx.of(accounts).add(one);
        return [await tx.of(accounts).find(one.chimeAccountId), await tx.of(accounts).find(`${accountId} unknown`)];
      });
      assert.deepEqual(read, [one, undefined]);
    });

    test('accounts: list returns the newest first, then by descending ID, without disabled accounts', async () => {
      const accountId = fresh();
      const created = (chimeAccountId: string, ms: number, more: Partial<AccountRecord> = {}) =>
        account(accountId, chimeAccountId, { createdAt: instant(NOON + ms), ...more });
      const read = await within(async (tx) => {
        for (const each of [created('b', 1), created('d', 2, { disabledAt: NOON }), created('a', 1), created('c', 2)])
          await tx.of(accounts).add(each);
        const ids = async (...[limit, after]: [number, AccountRecord?]) =>
          (await tx.of(accounts).list(accountId, limit, after)).map(({ chimeAccountId }) => chimeAccountId);
        const lists = [await ids(9), await ids(1, created('c', 2)), await ids(9, created('b', 1)), await ids(9, created('a', 1))];
        // The lists of disabled accounts have those of all AWS accounts.
        await tx.of(accounts).remove(accountId, 'd');
        return lists;
      });
      assert.deepEqual(read, [['c', 'b', 'a'], ['b'], ['a'], []]);
    });

    test('accounts: firstDisabled returns the account that was disabled first, and listDisabled those after a time, newest first', async () => {
      const accountId = fresh();
      const disabled = (chimeAccountId: string, ms: number) => account(accountId, chimeAccountId, { disabledAt: instant(ms) });
      const read = await within(async (tx) => {
        for (const each of [disabled('a', 7), disabled('b', 5), account(accountId, 'c')]) await tx.of(accounts).add(each);
        const first = async (ms: number) => (await tx.of(accounts).firstDisabled(instant(ms)))?.chimeAccountId;
        const before = [await first(4), await first(5), await first(9)];
        const listed = async (ms: number, limit: number) =>
          (await tx.of(accounts).listDisabled(instant(ms), limit)).map(({ chimeAccountId }) => chimeAccountId);
        const lists = [await listed(4, 9), await listed(5, 9), await listed(0, 1), await listed(7, 9)];
        for (const id of ['a', 'b', 'c']) await tx.of(accounts).remove(accountId, id);
        return [before, lists];
      });
      assert.deepEqual(read, [
        [undefined, 'b', 'b'],
        [['a', 'b'], ['a'], ['a'], []],
      ]);
    });
  });
}
