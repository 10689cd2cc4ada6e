import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Suite } from '#store/conformance-fixtures.ts';
import { added, channel, members, membership } from './conformance-fixtures.ts';
import { memberships } from './memberships.ts';

export function conformance({ within, fresh }: Suite): void {
  test('memberships: page returns members of all types in one sub-channel, and bots only bots of an existing channel', async () => {
    const here = channel(fresh(), 'a');
    const there = channel(here.accountId, 'b');
    const read = await within(async (tx) => {
      await added(tx, here, there);
      const keys = ['user/c', 'bot/z', 'bot', 'bot0', 'user/b', 'bot/a', 'Bot/c'];
      for (const member of keys)
        await tx.of(memberships).add(membership(here, member, { type: member === 'user/b' ? 'HIDDEN' : 'DEFAULT' }));
      await tx.of(memberships).add(membership(here, 'bot/s', { subChannelId: 's' }));
      await tx.of(memberships).add(membership(there, 'bot/t'));
      const page = async (limit: number, after: string) => members(await tx.of(memberships).page(here.channelKey, '', limit, after));
      const bots = async (subChannelId: string, limit: number, channelId = 'a') =>
        members(await tx.of(memberships).bots({ appInstanceId: here.appInstanceId, channelId, subChannelId }, limit));
      return [
        await page(9, 'user/'),
        await page(1, 'user/b'),
        await page(9, 'user/c'),
        await bots('', 9),
        await bots('', 1),
        await bots('s', 9),
        await bots('', 9, 'unknown'),
      ];
    });
    assert.deepEqual(read, [['user/b', 'user/c'], ['user/c'], [], ['bot/a', 'bot/z'], ['bot/a'], ['bot/s'], []]);
  });
}
