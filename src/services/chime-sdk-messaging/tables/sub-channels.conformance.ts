import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { channelMessages } from './channel-messages.ts';
import { added, channel, members, membership, message, standing } from './conformance-fixtures.ts';
import { memberships } from './memberships.ts';
import { standings } from './standings.ts';
import { subChannels } from './sub-channels.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('sub-channels', () => {
    test('sub-channels: membershipCount is the number of members, and move() does not move moderators', async () => {
      const here = channel(fresh(), 'a');
      const counts = (found: readonly { readonly subChannelId: string; readonly membershipCount: number }[]) =>
        found.map(({ subChannelId, membershipCount }) => `${subChannelId}:${membershipCount}`);
      const read = await within(async (tx) => {
        await added(tx, here);
        for (const id of ['s1', 's2']) await tx.of(subChannels).add(here.channelKey, id);
        for (const member of ['user/a', 'user/b', 'user/c', 'user/d'])
          await tx.of(memberships).add(membership(here, member, { subChannelId: 's1' }));
        await tx.of(standings).add(standing(here, 'moderator', 'user/a'));
        await tx.of(memberships).add(membership(here, 'user/a', { subChannelId: 's2' }));
        const before = counts(await tx.of(subChannels).smallest(here.channelKey, 9));
        const moved = await tx.of(memberships).move(here.channelKey, 's1', 's2', 2, instant(NOON + 1));
        const after = counts(await tx.of(subChannels).list(here.channelKey, 9));
        await tx.of(memberships).remove(here.channelKey, 's1', 'user/d');
        const one = await tx.of(subChannels).get(here.channelKey, 's1');
        const updated = (await tx.of(memberships).get(here.channelKey, 's2', 'user/b'))?.updatedAt;
        const all = members(
          await tx.of(memberships).list(here.channelKey, undefined, 'DEFAULT', 9, { subChannelId: 's1', member: 'user/a' }),
        );
        await tx.of(memberships).removeMember(here.appInstanceId, 'user/a');
        await tx.of(standings).removeMember(here.appInstanceId, 'user/a');
        const forgotten = counts(await tx.of(subChannels).list(here.channelKey, 9));
        await tx.of(subChannels).remove(here.channelKey, 's1');
        return {
          before,
          moved,
          after,
          one,
          updated,
          all,
          forgotten,
          left: counts(await tx.of(subChannels).list(here.channelKey, 9, 's1')),
        };
      });
      assert.deepEqual(read, {
        before: ['s2:1', 's1:4'],
        moved: ['user/b', 'user/c'],
        after: ['s1:2', 's2:3'],
        one: { channelKey: here.channelKey, subChannelId: 's1', membershipCount: 1 },
        updated: NOON + 1,
        all: ['user/a', 'user/b', 'user/c'],
        forgotten: ['s1:0', 's2:2'],
        left: ['s2:2'],
      });
    });

    test('channel messages: inSubChannels returns a message of any sub-channel of one channel', async () => {
      const [here, other] = [channel(fresh(), 'a'), channel(fresh(), 'b')];
      const read = await within(async (tx) => {
        for (const { channelKey } of [here, other]) for (const id of ['s1', 's2']) await tx.of(subChannels).add(channelKey, id);
        const inSecond = message(here, 'm', { subChannelId: 's2' });
        await tx.of(channelMessages).add(inSecond);
        await tx.of(channelMessages).add(message(other, 'n', { subChannelId: 's1' }));
        const find = (id: string) => tx.of(channelMessages).inSubChannels(here.channelKey, id);
        return [(await find('m'))?.subChannelId, await find('n'), await find('unknown')];
      });
      assert.deepEqual(read, ['s2', undefined, undefined]);
    });
  });
}
