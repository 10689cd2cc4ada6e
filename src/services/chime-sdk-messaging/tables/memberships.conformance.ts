import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { added, channel, members, membership, standing } from './conformance-fixtures.ts';
import { memberships } from './memberships.ts';
import { standings } from './standings.ts';

export function conformance(suite: Suite): void {
  several(suite);
  const { within, fresh } = suite;
  test('memberships: get returns a membership as added; a second add of the same member changes nothing', async () => {
    const here = channel(fresh(), 'a');
    const full = membership(here, 'user/ada', { preferences: '{}', readMarkerAt: instant(NOON + 1) });
    const read = await within(async (tx) => {
      await added(tx, here);
      return [
        await tx.of(memberships).add(full),
        await tx.of(memberships).add(membership(here, 'user/ada', { type: 'HIDDEN' })),
        await tx.of(memberships).get(here.channelKey, '', 'user/ada'),
        await tx.of(memberships).get(here.channelKey, '', 'user/bob'),
        await tx.of(memberships).ofMember(here, 'user/ada'),
      ];
    });
    assert.deepEqual(read, ['added', 'exists', full, undefined, [full]]);
  });

  test('memberships: list returns the members of one type, by member key; put does not change the type', async () => {
    const here = channel(fresh(), 'a');
    const changed = membership(here, 'user/b', { updatedAt: instant(NOON + 1), preferences: '{"a":1}', readMarkerAt: instant(NOON + 2) });
    const read = await within(async (tx) => {
      await added(tx, here);
      for (const member of ['user/c', 'bot/z', 'user/b']) await tx.of(memberships).add(membership(here, member));
      await tx.of(memberships).add(membership(here, 'user/hidden', { type: 'HIDDEN' }));
      const list = async (type: string, limit: number, member?: string) =>
        members(await tx.of(memberships).list(here.channelKey, undefined, type, limit, member ? { subChannelId: '', member } : undefined));
      await tx.of(memberships).put({ ...changed, type: 'HIDDEN' });
      return [
        await list('DEFAULT', 9),
        await list('DEFAULT', 1, 'bot/z'),
        await list('HIDDEN', 9),
        members(await tx.of(memberships).list(here.channelKey, '', 'DEFAULT', 9, { subChannelId: '', member: 'bot/z' })),
        await tx.of(memberships).get(here.channelKey, '', 'user/b'),
        await tx.of(memberships).count(here.channelKey, 9),
        await tx.of(memberships).count(here.channelKey, 2),
        await tx.of(memberships).remove(here.channelKey, '', 'user/b'),
        await tx.of(memberships).remove(here.channelKey, '', 'user/b'),
      ];
    });
    const order = ['bot/z', 'user/b', 'user/c'];
    assert.deepEqual(read, [order, ['user/b'], ['user/hidden'], order.slice(1), changed, 4, 2, 'removed', 'absent']);
  });

  test('memberships: latestOfMember sorts by the last message, optionally with unread channels first', async () => {
    const accountId = fresh();
    const at = (channelId: string, minutes: number | undefined) =>
      channel(accountId, channelId, minutes === undefined ? {} : { lastMessageAt: instant(NOON + minutes) });
    const [silent, old, middle, latest] = [at('silent', undefined), at('old', 1), at('middle', 2), at('latest', 3)];
    const found = await within(async (tx) => {
      await added(tx, silent, old, middle, latest);
      await tx.of(memberships).add(membership(silent, 'user/ada'));
      await tx.of(memberships).add(membership(old, 'user/ada'));
      await tx.of(memberships).add(membership(middle, 'user/ada', { readMarkerAt: instant(NOON + 1) }));
      await tx.of(memberships).add(membership(latest, 'user/ada', { readMarkerAt: instant(NOON + 3) }));
      await tx.of(memberships).add(membership(latest, 'user/bob'));
      const keys = async (unreadFirst: boolean, limit: number) =>
        (await tx.of(memberships).latestOfMember(`app of ${accountId}`, 'user/ada', unreadFirst, limit)).map((each) => each.channelKey);
      return [await keys(false, 9), await keys(true, 9), await keys(true, 2)];
    });
    const keys = [
      [latest, middle, old, silent],
      [middle, old, latest, silent],
      [middle, old],
    ];
    assert.deepEqual(
      found,
      keys.map((order) => order.map(({ channelKey }) => channelKey)),
    );
  });

  test('memberships: listOfMember is sorted by channel; removeMember deletes all memberships of a member', async () => {
    const accountId = fresh();
    const app = `app of ${accountId}`;
    const [first, second, third] = [channel(accountId, '1'), channel(accountId, '2'), channel(accountId, '3')];
    const read = await within(async (tx) => {
      await added(tx, first, second, third);
      for (const here of [third, first, second]) await tx.of(memberships).add(membership(here, 'user/ada'));
      await tx.of(memberships).add(membership(first, 'user/bob'));
      await tx.of(standings).add(standing(second, 'moderator', 'user/ada'));
      const keys = async (limit: number, channelKey?: string) =>
        (await tx.of(memberships).listOfMember(app, 'user/ada', limit, channelKey ? { channelKey, subChannelId: '' } : undefined)).map(
          (each) => each.channelKey,
        );
      const before = [await keys(9), await keys(1, first.channelKey)];
      await tx.of(memberships).removeMember(app, 'user/ada');
      await tx.of(standings).removeMember(app, 'user/ada');
      return [
        ...before,
        await keys(9),
        await tx.of(standings).listOfMember(app, 'moderator', 'user/ada', 9),
        (await tx.of(memberships).get(first.channelKey, '', 'user/bob'))?.member,
      ];
    });
    const keys = [first.channelKey, second.channelKey, third.channelKey];
    assert.deepEqual(read, [keys, [second.channelKey], [], [], 'user/bob']);
  });
}

/** Registers the test that adds and reads several memberships. */
function several({ within, fresh }: Suite): void {
  test('memberships: addAll adds the members that are absent, and getSome finds those of a channel', async () => {
    const here = channel(fresh(), 'a');
    const other = channel(here.accountId, 'b');
    const hidden = membership(here, 'user/b', { type: 'HIDDEN' });
    const found = await within(async (tx) => {
      await added(tx, here, other);
      await tx.of(memberships).add(hidden);
      await tx.of(memberships).addAll([membership(here, 'user/a'), membership(here, 'user/b'), membership(other, 'user/c')]);
      return await tx.of(memberships).getSome(here.channelKey, ['user/a', 'user/b', 'user/c']);
    });
    assert.deepEqual(
      found.toSorted((a, b) => (a.member < b.member ? -1 : 1)),
      [membership(here, 'user/a'), hidden],
    );
  });
}
