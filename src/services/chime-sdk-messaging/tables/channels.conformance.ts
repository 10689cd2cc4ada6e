import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { ChannelMessageRecord, MessageRange } from '#store/channel-messages.ts';
import type { ChannelRecord, MembershipRecord, Standing, StandingRecord } from '#store/channels.ts';
import { BOB, NOON, type Suite } from '#store/conformance-fixtures.ts';
import type { Tx } from '#store/store.ts';

export function conformance({ within, fresh }: Suite): void {
  let made = 0;
  const channel = (accountId: AccountId, channelId: string, more: Partial<ChannelRecord> = {}): ChannelRecord => ({
    accountId,
    region: 'us-east-1',
    appInstanceId: `app of ${accountId}`,
    channelId,
    channelKey: `key-${String(++made).padStart(6, '0')}`,
    privacy: 'PRIVATE',
    createdAt: NOON,
    updatedAt: NOON,
    tags: [],
    document: { name: channelId, mode: 'RESTRICTED', createdBy: 'user/ada' },
    ...more,
  });
  const membership = (here: ChannelRecord, member: string, more: Partial<MembershipRecord> = {}): MembershipRecord => ({
    channelKey: here.channelKey,
    subChannelId: '',
    member,
    appInstanceId: here.appInstanceId,
    type: 'DEFAULT',
    invitedBy: 'user/ada',
    createdAt: NOON,
    updatedAt: NOON,
    ...more,
  });
  const standing = (here: ChannelRecord, what: Standing, member: string): StandingRecord => ({
    channelKey: here.channelKey,
    standing: what,
    member,
    appInstanceId: here.appInstanceId,
    createdBy: 'user/ada',
    createdAt: NOON,
  });
  const message = (here: ChannelRecord, messageId: string, more: Partial<ChannelMessageRecord> = {}): ChannelMessageRecord => ({
    channelKey: here.channelKey,
    subChannelId: '',
    messageId,
    createdAt: NOON,
    sender: 'user/ada',
    document: `"${messageId}"`,
    ...more,
  });
  const ids = (found: readonly ChannelRecord[]) => found.map(({ channelId }) => channelId);
  const members = (found: readonly { readonly member: string }[]) => found.map(({ member }) => member);
  const added = async ({ channels }: Tx, ...records: readonly ChannelRecord[]) => {
    for (const record of records) assert.equal(await channels.add(record), 'added');
  };

  describe('channels', () => {
    test('channels: one is read back as it was added, by id in its own account and region, and by key', async () => {
      const full = channel(fresh(), 'a', {
        lastMessageAt: instant(NOON + 1),
        expiresAt: instant(NOON + 2),
        flowId: 'flow',
        tags: [{ key: 'k', value: 'v' }],
      });
      const { accountId, region, appInstanceId } = full;
      const read = await within(async (tx) => {
        await added(tx, full);
        return [
          await tx.channels.get(accountId, region, appInstanceId, 'a'),
          await tx.channels.getByKey(full.channelKey),
          await tx.channels.get(BOB, region, appInstanceId, 'a'),
          await tx.channels.get(accountId, 'eu-central-1', appInstanceId, 'a'),
          await tx.channels.get(accountId, region, 'another', 'a'),
        ];
      });
      assert.deepEqual(read, [full, full, undefined, undefined, undefined]);
    });

    test('channels: an id is taken once in an app instance; the first stays', async () => {
      const first = channel(fresh(), 'a');
      const read = await within(async (tx) => {
        await added(tx, first, channel(first.accountId, 'a', { appInstanceId: `another of ${first.accountId}` }));
        return [await tx.channels.add(channel(first.accountId, 'a')), await tx.channels.getByKey(first.channelKey)];
      });
      assert.deepEqual(read, ['exists', first]);
    });

    test('channels: what may change changes, and nothing else; tags and the last message on their own', async () => {
      const first = channel(fresh(), 'a', { expiresAt: instant(NOON + 9), flowId: 'flow' });
      const document = { name: 'new', mode: 'UNRESTRICTED', createdBy: 'user/ada' };
      const tags = [{ key: 'k', value: 'v' }];
      const read = await within(async (tx) => {
        await added(tx, first);
        const { expiresAt: _, flowId: __, ...without } = first;
        await tx.channels.put({ ...without, privacy: 'PUBLIC', updatedAt: instant(NOON + 1), document });
        const changed = await tx.channels.getByKey(first.channelKey);
        await tx.channels.setTags(first.channelKey, tags);
        await tx.channels.touch(first.channelKey, instant(NOON + 2), instant(NOON + 3));
        return { without, changed, after: await tx.channels.getByKey(first.channelKey) };
      });
      const changed = { ...read.without, updatedAt: NOON + 1, document };
      assert.deepEqual(read.changed, changed);
      assert.deepEqual(read.after, { ...changed, tags, lastMessageAt: NOON + 2, expiresAt: NOON + 3 });
    });

    test('channels: lists are in the order of ids, page by page, of one privacy or one flow where that is asked', async () => {
      const accountId = fresh();
      const app = `app of ${accountId}`;
      const read = await within(async (tx) => {
        await added(tx, channel(accountId, 'c'), channel(accountId, 'a', { privacy: 'PUBLIC', flowId: 'f' }), channel(accountId, 'B'));
        await added(
          tx,
          channel(accountId, 'd', { privacy: 'PUBLIC' }),
          channel(accountId, 'x', { appInstanceId: 'elsewhere', flowId: 'f' }),
        );
        const { channels } = tx;
        return [
          ids(await channels.list(app, undefined, 9)),
          ids(await channels.list(app, undefined, 2, 'B')),
          ids(await channels.list(app, 'PUBLIC', 9)),
          ids(await channels.list(app, 'PRIVATE', 9, 'B')),
          ids(await channels.listOfFlow(app, 'f', 9)),
          ids(await channels.listOfFlow(app, 'f', 9, 'a')),
          ids(await channels.listAll(2, { appInstanceId: app, channelId: 'a' })),
        ];
      });
      assert.deepEqual(read, [['B', 'a', 'c', 'd'], ['a', 'c'], ['a', 'd'], ['c'], ['a'], [], ['c', 'd']]);
    });

    test('channels: what was to go is listed the earliest first, and what has no end never', async () => {
      const accountId = fresh();
      const read = await within(async (tx) => {
        await added(tx, channel(accountId, 'late', { expiresAt: instant(3) }), channel(accountId, 'now', { expiresAt: instant(2) }));
        await added(tx, channel(accountId, 'first', { expiresAt: instant(1) }), channel(accountId, 'never'));
        return [ids(await tx.channels.listExpired(instant(2), 9)), ids(await tx.channels.listExpired(instant(2), 1))];
      });
      assert.deepEqual(read, [['first', 'now'], ['first']]);
    });

    test('channels: one that was removed is found by nothing, and made again it has nothing of the old', async () => {
      const first = channel(fresh(), 'a');
      const again = channel(first.accountId, 'a');
      const app = first.appInstanceId;
      const read = await within(async (tx) => {
        const { channels, channelMessages } = tx;
        await added(tx, first);
        await channels.addMembership(membership(first, 'user/ada'));
        await channels.addStanding(standing(first, 'moderator', 'user/ada'));
        await channelMessages.add(message(first, 'm'));
        await channels.remove(first);
        await added(tx, again);
        return [
          await channels.get(first.accountId, first.region, app, 'a'),
          await channels.listMembershipsOf(app, 'user/ada', 9),
          await channels.listStandingsOf(app, 'moderator', 'user/ada', 9),
          await channels.countMemberships(again.channelKey, 9),
          await channelMessages.get(again.channelKey, '', 'm'),
        ];
      });
      assert.deepEqual(read, [again, [], [], 0, undefined]);
    });

    test('channels: what was removed is given back bit by bit, until there is no more', async () => {
      const gone = channel(fresh(), 'gone');
      const stays = channel(gone.accountId, 'stays');
      await within(async (tx) => {
        await added(tx, gone, stays);
        for (const here of [gone, stays]) {
          for (const id of ['1', '2', '3']) await tx.channelMessages.add(message(here, id));
          await tx.channels.addMembership(membership(here, 'user/ada'));
          await tx.channels.addStanding(standing(here, 'banned', 'user/bob'));
        }
        await tx.channels.remove(gone);
      });
      let runs = 0;
      while ((await within(({ channels }) => channels.purge(2))) === 'more') runs++;
      const left = await within(async ({ channels, channelMessages }) => [
        await channelMessages.get(gone.channelKey, '', '1'),
        await channels.getMembership(gone.channelKey, '', 'user/ada'),
        await channels.getStanding(gone.channelKey, 'banned', 'user/bob'),
        (await channelMessages.get(stays.channelKey, '', '1'))?.messageId,
        (await channels.getMembership(stays.channelKey, '', 'user/ada'))?.member,
      ]);
      assert.deepEqual(left, [undefined, undefined, undefined, '1', 'user/ada']);
      assert.ok(runs >= 3, 'five rows at two a time');
    });

    test('channels: those are found whom all of some members are in, and with exactly, nobody else', async () => {
      const accountId = fresh();
      const app = `app of ${accountId}`;
      const [both, more, one] = [channel(accountId, 'both'), channel(accountId, 'more'), channel(accountId, 'one')];
      const read = await within(async (tx) => {
        await added(tx, both, more, one);
        for (const [here, ...those] of [
          [both, 'user/ada', 'user/bob'],
          [more, 'user/ada', 'user/bob', 'user/carol'],
          [one, 'user/ada'],
        ] as const) {
          for (const member of those) await tx.channels.addMembership(membership(here, member));
        }
        const found = async (exactly: boolean, limit: number, after: string | undefined, ...those: readonly string[]) =>
          ids(await tx.channels.search(app, those, exactly, limit, after));
        return [
          await found(false, 9, undefined, 'user/ada', 'user/bob'),
          await found(true, 9, undefined, 'user/ada', 'user/bob'),
          await found(true, 9, undefined, 'user/ada'),
          await found(false, 1, both.channelKey, 'user/ada'),
          await found(false, 9, undefined, 'user/nobody'),
        ];
      });
      assert.deepEqual(read, [['both', 'more'], ['both'], ['one'], ['more'], []]);
    });

    test('channels: a search counts hidden members only if they are the one that sees', async () => {
      const accountId = fresh();
      const app = `app of ${accountId}`;
      const here = channel(accountId, 'here');
      const read = await within(async (tx) => {
        await added(tx, here);
        for (const member of ['user/ada', 'user/bob']) await tx.channels.addMembership(membership(here, member));
        await tx.channels.addMembership({ ...membership(here, 'user/eve'), type: 'HIDDEN' });
        const found = async (exactly: boolean, seenBy: string | undefined, ...those: readonly string[]) =>
          (await tx.channels.search(app, those, exactly, 9, undefined, seenBy)).length;
        return [
          await found(true, 'user/ada', 'user/ada', 'user/bob'),
          await found(true, undefined, 'user/ada', 'user/bob'),
          await found(false, 'user/ada', 'user/ada', 'user/eve'),
          await found(false, 'user/ada', 'user/eve'),
          await found(true, 'user/eve', 'user/ada', 'user/bob', 'user/eve'),
          await found(false, undefined, 'user/eve'),
        ];
      });
      assert.deepEqual(read, [1, 0, 0, 0, 1, 1]);
    });

    test('memberships: one is read back as it was added; a second time it exists and the first stays', async () => {
      const here = channel(fresh(), 'a');
      const full = membership(here, 'user/ada', { preferences: '{}', readMarkerAt: instant(NOON + 1) });
      const read = await within(async (tx) => {
        await added(tx, here);
        const { channels } = tx;
        return [
          await channels.addMembership(full),
          await channels.addMembership(membership(here, 'user/ada', { type: 'HIDDEN' })),
          await channels.getMembership(here.channelKey, '', 'user/ada'),
          await channels.getMembership(here.channelKey, '', 'user/bob'),
          await channels.membershipsOf(here, 'user/ada'),
        ];
      });
      assert.deepEqual(read, ['added', 'exists', full, undefined, [full]]);
    });

    test('memberships: they are listed by type in the order of members, changed, counted no further than asked, and removed', async () => {
      const here = channel(fresh(), 'a');
      const changed = membership(here, 'user/b', { updatedAt: instant(NOON + 1), preferences: '{"a":1}', readMarkerAt: instant(NOON + 2) });
      const read = await within(async (tx) => {
        await added(tx, here);
        const { channels } = tx;
        for (const member of ['user/c', 'bot/z', 'user/b']) await channels.addMembership(membership(here, member));
        await channels.addMembership(membership(here, 'user/hidden', { type: 'HIDDEN' }));
        const list = async (type: string, limit: number, member?: string) =>
          members(
            await channels.listMemberships(here.channelKey, undefined, type, limit, member ? { subChannelId: '', member } : undefined),
          );
        await channels.putMembership({ ...changed, type: 'HIDDEN' });
        return [
          await list('DEFAULT', 9),
          await list('DEFAULT', 1, 'bot/z'),
          await list('HIDDEN', 9),
          members(await channels.listMemberships(here.channelKey, '', 'DEFAULT', 9, { subChannelId: '', member: 'bot/z' })),
          await channels.getMembership(here.channelKey, '', 'user/b'),
          await channels.countMemberships(here.channelKey, 9),
          await channels.countMemberships(here.channelKey, 2),
          await channels.removeMembership(here.channelKey, '', 'user/b'),
          await channels.removeMembership(here.channelKey, '', 'user/b'),
        ];
      });
      const order = ['bot/z', 'user/b', 'user/c'];
      assert.deepEqual(read, [order, ['user/b'], ['user/hidden'], order.slice(1), changed, 4, 2, 'removed', 'absent']);
    });

    test("memberships: a member's are listed in the order of channels, and forgotten with all else of the member", async () => {
      const accountId = fresh();
      const app = `app of ${accountId}`;
      const [first, second, third] = [channel(accountId, '1'), channel(accountId, '2'), channel(accountId, '3')];
      const read = await within(async (tx) => {
        await added(tx, first, second, third);
        const { channels } = tx;
        for (const here of [third, first, second]) await channels.addMembership(membership(here, 'user/ada'));
        await channels.addMembership(membership(first, 'user/bob'));
        await channels.addStanding(standing(second, 'moderator', 'user/ada'));
        const keys = async (limit: number, channelKey?: string) =>
          (await channels.listMembershipsOf(app, 'user/ada', limit, channelKey ? { channelKey, subChannelId: '' } : undefined)).map(
            (each) => each.channelKey,
          );
        const before = [await keys(9), await keys(1, first.channelKey)];
        await channels.forgetMember(app, 'user/ada');
        return [
          ...before,
          await keys(9),
          await channels.listStandingsOf(app, 'moderator', 'user/ada', 9),
          (await channels.getMembership(first.channelKey, '', 'user/bob'))?.member,
        ];
      });
      const keys = [first.channelKey, second.channelKey, third.channelKey];
      assert.deepEqual(read, [keys, [second.channelKey], [], [], 'user/bob']);
    });

    test('standings: moderators and the banned are told apart, listed, counted and removed', async () => {
      const here = channel(fresh(), 'a');
      const other = channel(here.accountId, 'b');
      const read = await within(async (tx) => {
        await added(tx, here, other);
        const { channels } = tx;
        const first = standing(here, 'moderator', 'user/ada');
        const outcomes = [await channels.addStanding(first), await channels.addStanding({ ...first, createdBy: 'user/bob' })];
        for (const member of ['user/c', 'user/b']) await channels.addStanding(standing(here, 'banned', member));
        await channels.addStanding(standing(other, 'banned', 'user/b'));
        return [
          ...outcomes,
          (await channels.getStanding(here.channelKey, 'moderator', 'user/ada'))?.createdBy,
          await channels.getStanding(here.channelKey, 'banned', 'user/ada'),
          members(await channels.listStandings(here.channelKey, 'banned', 9)),
          members(await channels.listStandings(here.channelKey, 'banned', 9, 'user/b')),
          (await channels.listStandingsOf(here.appInstanceId, 'banned', 'user/b', 9)).map((each) => each.channelKey),
          (await channels.listStandingsOf(here.appInstanceId, 'banned', 'user/b', 9, here.channelKey)).map((each) => each.channelKey),
          await channels.countStandings(here.channelKey, 'banned', 9),
          await channels.countStandings(here.channelKey, 'banned', 1),
          await channels.removeStanding(here.channelKey, 'banned', 'user/b'),
          await channels.removeStanding(here.channelKey, 'banned', 'user/b'),
        ];
      });
      const both = [here.channelKey, other.channelKey];
      const lists = [['user/b', 'user/c'], ['user/c'], both, [other.channelKey]];
      assert.deepEqual(read, ['added', 'exists', 'user/ada', undefined, ...lists, 2, 1, 'removed', 'absent']);
    });

    test('sub-channels: they count their members; those who are no moderators move', async () => {
      const here = channel(fresh(), 'a');
      const counts = (found: readonly { readonly subChannelId: string; readonly membershipCount: number }[]) =>
        found.map(({ subChannelId, membershipCount }) => `${subChannelId}:${membershipCount}`);
      const read = await within(async (tx) => {
        await added(tx, here);
        const { channels } = tx;
        for (const id of ['s1', 's2']) await channels.addSubChannel(here.channelKey, id);
        for (const member of ['user/a', 'user/b', 'user/c', 'user/d'])
          await channels.addMembership(membership(here, member, { subChannelId: 's1' }));
        await channels.addStanding(standing(here, 'moderator', 'user/a'));
        await channels.addMembership(membership(here, 'user/a', { subChannelId: 's2' }));
        const before = counts(await channels.smallestSubChannels(here.channelKey, 9));
        const moved = await channels.moveMembers(here.channelKey, 's1', 's2', 2, instant(NOON + 1));
        const after = counts(await channels.listSubChannels(here.channelKey, 9));
        await channels.removeMembership(here.channelKey, 's1', 'user/d');
        const one = await channels.getSubChannel(here.channelKey, 's1');
        const updated = (await channels.getMembership(here.channelKey, 's2', 'user/b'))?.updatedAt;
        const all = members(
          await channels.listMemberships(here.channelKey, undefined, 'DEFAULT', 9, { subChannelId: 's1', member: 'user/a' }),
        );
        await channels.forgetMember(here.appInstanceId, 'user/a');
        const forgotten = counts(await channels.listSubChannels(here.channelKey, 9));
        await channels.removeSubChannel(here.channelKey, 's1');
        return {
          before,
          moved,
          after,
          one,
          updated,
          all,
          forgotten,
          left: counts(await channels.listSubChannels(here.channelKey, 9, 's1')),
        };
      });
      assert.deepEqual(read, {
        before: ['s2:1', 's1:4'],
        moved: ['user/b', 'user/c'],
        after: ['s1:2', 's2:3'],
        one: { subChannelId: 's1', membershipCount: 1 },
        updated: NOON + 1,
        all: ['user/a', 'user/b', 'user/c'],
        forgotten: ['s1:0', 's2:2'],
        left: ['s2:2'],
      });
    });

    test('sub-channels: the messages of one that was removed are given back, and no others', async () => {
      const here = channel(fresh(), 'a');
      await within(async (tx) => {
        await added(tx, here);
        for (const id of ['s1', 's2']) {
          await tx.channels.addSubChannel(here.channelKey, id);
          await tx.channelMessages.add(message(here, 'm', { subChannelId: id }));
        }
        await tx.channels.removeSubChannel(here.channelKey, 's1');
      });
      while ((await within(({ channels }) => channels.purge(5))) === 'more');
      const left = await within(async ({ channels, channelMessages }) => [
        await channelMessages.get(here.channelKey, 's1', 'm'),
        (await channelMessages.get(here.channelKey, 's2', 'm'))?.messageId,
        await channels.getSubChannel(here.channelKey, 's1'),
      ]);
      assert.deepEqual(left, [undefined, 'm', undefined]);
    });

    test('messages: one is read back as it was added, in its own channel; its document changes; it is removed', async () => {
      const here = channel(fresh(), 'a');
      const full = message(here, 'm', { onlyFor: 'user/bob' });
      const read = await within(async ({ channelMessages }) => {
        const kept = await channelMessages.add(full);
        const found = [await channelMessages.get(here.channelKey, '', 'm'), await channelMessages.get('another', '', 'm')];
        await channelMessages.put({ ...full, document: '{}' });
        const changed = await channelMessages.get(here.channelKey, '', 'm');
        await channelMessages.remove(full);
        return [kept, ...found, changed, await channelMessages.get(here.channelKey, '', 'm')];
      });
      assert.deepEqual(read, [full, full, undefined, { ...full, document: '{}' }, undefined]);
    });

    test('messages: those of one moment stand in the order in which they were kept, each at a time of its own', async () => {
      const here = channel(fresh(), 'a');
      const times = await within(async ({ channelMessages }) => {
        const kept: number[] = [];
        for (const [id, at] of [
          ['z', NOON],
          ['y', NOON],
          ['x', NOON - 5],
          ['w', NOON + 9],
        ] as const) {
          kept.push((await channelMessages.add(message(here, id, { createdAt: instant(at) }))).createdAt - NOON);
        }
        return kept;
      });
      assert.deepEqual(times, [0, 1, 2, 9]);
    });

    test('messages: pages go either way, within the times asked for, and leave out what is for others', async () => {
      const here = channel(fresh(), 'a');
      const range: MessageRange = {
        channelKey: here.channelKey,
        subChannelId: '',
        reader: 'user/bob',
        notBefore: NOON,
        notAfter: instant(NOON + 100),
        order: 'ASCENDING',
      };
      const read = await within(async ({ channelMessages }) => {
        for (const [id, at, more] of [
          ['1', 0, {}],
          ['2', 10, { onlyFor: 'user/bob' }],
          ['3', 20, { onlyFor: 'user/carol' }],
          ['4', 30, { onlyFor: '', sender: 'user/bob' }],
          ['5', 40, {}],
        ] as const) {
          await channelMessages.add(message(here, id, { createdAt: instant(NOON + at), ...more }));
        }
        const list = async (more: Partial<MessageRange>, limit: number, at?: number, messageId = '') =>
          (
            await channelMessages.list(
              { ...range, ...more },
              limit,
              at === undefined ? undefined : { createdAt: instant(NOON + at), messageId },
            )
          ).map((each) => each.messageId);
        return [
          await list({}, 9),
          await list({}, 2, 10, '2'),
          await list({ order: 'DESCENDING' }, 9),
          await list({ order: 'DESCENDING' }, 1, 30, '4'),
          await list({ notBefore: instant(NOON + 10), notAfter: instant(NOON + 30) }, 9),
          await list({ reader: 'user/dora' }, 9),
          await list({ subChannelId: 's' }, 9),
        ];
      });
      assert.deepEqual(read, [['1', '2', '4', '5'], ['4', '5'], ['5', '4', '2', '1'], ['2'], ['2', '4'], ['1', '5'], []]);
    });

    test('messages: those before a moment are removed, no more at once than asked', async () => {
      const here = channel(fresh(), 'a');
      const read = await within(async ({ channelMessages }) => {
        for (const at of [0, 1, 2, 3]) await channelMessages.add(message(here, String(at), { createdAt: instant(NOON + at) }));
        const removed = async (limit: number) => channelMessages.removeBefore(here.channelKey, '', instant(NOON + 3), limit);
        return [await removed(2), await removed(9), await removed(9), (await channelMessages.get(here.channelKey, '', '3'))?.messageId];
      });
      assert.deepEqual(read, [2, 1, 0, '3']);
    });
  });
}
