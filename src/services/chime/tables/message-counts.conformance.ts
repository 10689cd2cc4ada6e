import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { ALICE, type Suite } from '#store/conformance-fixtures.ts';
import { messageCounts } from './message-counts.ts';
import { type UserRecord, users } from './users.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('chime message counts', () => {
    test('message counts: messages of members are counted by day and user, and others are not', async () => {
      const account = fresh();
      const user = (userId: string, isMember: boolean): UserRecord => ({
        ...{ chimeAccountId: account, userId: `${account} ${userId}`, accountId: ALICE, email: `${userId}@${account}`, isMember },
        ...{ registrationStatus: 'Registered', userType: 'PrivateUser', licenseType: 'Pro', document: { PrimaryEmail: userId } },
      });
      const read = await within(async (tx) => {
        await tx.of(users).add([user('ada', true), user('bob', true), user('gone', false)]);
        const counts = tx.of(messageCounts);
        const count = (userId: string, at: number) => counts.count(ALICE, `${account} ${userId}`, instant(at));
        await count('ada', 2 * DAY_MS + 5);
        await count('ada', 2 * DAY_MS + 4);
        await count('ada', 3 * DAY_MS - 1);
        await count('ada', 3 * DAY_MS);
        await count('bob', 2 * DAY_MS);
        await count('gone', 2 * DAY_MS);
        await count('unknown', 2 * DAY_MS);
        const ids = [`${account} ada`, `${account} gone`];
        const days = (await counts.days(account, { first: 2, last: 3 })).toSorted((a, b) => a.day - b.day);
        const one = await counts.days(account, { first: 3, last: 9 });
        const ofUsers = [...(await counts.ofUsers(account, ids, { first: 0, last: 2 }))];
        const last = [await counts.lastOf(account, `${account} ada`), await counts.lastOf(account, `${account} gone`)];
        const removed = [await counts.removeSome(account, 2), await counts.removeSome(account, 9), await counts.removeSome(account, 9)];
        return { days, one: one.length, ofUsers, last, removed };
      });
      assert.deepEqual(read, {
        days: [
          { day: 2, messages: 4, writers: 2 },
          { day: 3, messages: 1, writers: 1 },
        ],
        one: 1,
        ofUsers: [[`${account} ada`, 3]],
        last: [instant(3 * DAY_MS), undefined],
        removed: [2, 1, 0],
      });
    });
  });
}
