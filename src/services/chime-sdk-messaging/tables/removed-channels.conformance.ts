import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Suite } from '#store/conformance-fixtures.ts';
import { channelMessages } from './channel-messages.ts';
import { channels } from './channels.ts';
import { added, channel, membership, message, standing } from './conformance-fixtures.ts';
import { memberships } from './memberships.ts';
import { removedChannels } from './removed-channels.ts';
import { standings } from './standings.ts';
import { subChannels } from './sub-channels.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('removed channels', () => {
    test('removed channels: purge deletes rows in small steps until none is left', async () => {
      const gone = channel(fresh(), 'gone');
      const stays = channel(gone.accountId, 'stays');
      await within(async (tx) => {
        await added(tx, gone, stays);
        for (const here of [gone, stays]) {
          for (const id of ['1', '2', '3']) await tx.of(channelMessages).add(message(here, id));
          await tx.of(memberships).add(membership(here, 'user/ada'));
          await tx.of(standings).add(standing(here, 'banned', 'user/bob'));
        }
        await tx.of(channels).remove(gone);
      });
      let runs = 0;
      while ((await within((tx) => tx.of(removedChannels).purge(2))) === 'more') runs++;
      const left = await within(async (tx) => [
        await tx.of(channelMessages).get(gone.channelKey, '', '1'),
        await tx.of(memberships).get(gone.channelKey, '', 'user/ada'),
        await tx.of(standings).get(gone.channelKey, 'banned', 'user/bob'),
        (await tx.of(channelMessages).get(stays.channelKey, '', '1'))?.messageId,
        (await tx.of(memberships).get(stays.channelKey, '', 'user/ada'))?.member,
      ]);
      assert.deepEqual(left, [undefined, undefined, undefined, '1', 'user/ada']);
      assert.ok(runs >= 3, 'five rows at two a time');
    });

    test('removed channels: purge deletes messages only of the deleted sub-channel', async () => {
      const here = channel(fresh(), 'a');
      await within(async (tx) => {
        await added(tx, here);
        for (const id of ['s1', 's2']) {
          await tx.of(subChannels).add(here.channelKey, id);
          await tx.of(channelMessages).add(message(here, 'm', { subChannelId: id }));
        }
        await tx.of(subChannels).remove(here.channelKey, 's1');
      });
      while ((await within((tx) => tx.of(removedChannels).purge(5))) === 'more');
      const left = await within(async (tx) => [
        await tx.of(channelMessages).get(here.channelKey, 's1', 'm'),
        (await tx.of(channelMessages).get(here.channelKey, 's2', 'm'))?.messageId,
        await tx.of(subChannels).get(here.channelKey, 's1'),
      ]);
      assert.deepEqual(left, [undefined, 'm', undefined]);
    });
  });
}
