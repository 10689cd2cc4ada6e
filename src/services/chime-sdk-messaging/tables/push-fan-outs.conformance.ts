import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type PushFanOut, pushFanOuts } from './push-fan-outs.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('push fan-outs', () => {
    test('push fan-outs: due returns rows in the order of their times, and advance moves a row behind the others', async () => {
      const accountId = fresh();
      const row = (id: string, dueAt: number): PushFanOut => ({
        ...{ id: `${accountId} ${id}`, accountId, region: 'us-east-1', appInstanceId: 'app', channelId: 'c', channelKey: 'k' },
        ...{ subChannelId: '', afterMember: 'user/', attributes: { type: ['Room'] }, createdAt: NOON, dueAt: instant(NOON + dueAt) },
        notification: { Title: 'news', channelArn: 'channel', messageId: 'm' },
      });
      const rows = [row('a', 3), row('b', 1), { ...row('c', 2), onlyFor: 'user/ada' }];
      await within(async (tx) => {
        assert.equal(tx.of(pushFanOuts).hasAdded(), false);
        for (const each of rows) await tx.of(pushFanOuts).add(each);
        assert.equal(tx.of(pushFanOuts).hasAdded(), true);
      });
      const due = (now: number) =>
        within(async (tx) => (await tx.of(pushFanOuts).due(instant(NOON + now), 100)).filter((each) => each.accountId === accountId));
      assert.deepEqual(await due(2), [rows[1], rows[2]]);
      await within((tx) => tx.of(pushFanOuts).advance({ id: `${accountId} b`, afterMember: 'user/bert', dueAt: instant(NOON + 4) }));
      await within((tx) => tx.of(pushFanOuts).remove(`${accountId} c`));
      assert.deepEqual(
        (await due(9)).map(({ id, afterMember }) => [id.split(' ').at(-1), afterMember]),
        [
          ['a', 'user/'],
          ['b', 'user/bert'],
        ],
      );
      await within(async (tx) => {
        for (const id of ['a', 'b']) await tx.of(pushFanOuts).remove(`${accountId} ${id}`);
      });
    });
  });
}
