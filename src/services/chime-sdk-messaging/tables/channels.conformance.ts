import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { BOB, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { channelMessages } from './channel-messages.ts';
import { channels } from './channels.ts';
import { added, channel, ids, membership, message, standing } from './conformance-fixtures.ts';
import { memberships } from './memberships.ts';
import { standings } from './standings.ts';

export function conformance(suite: Suite): void {
  describe('channels', () => single(suite));
  describe('channels: lists', () => lists(suite));
}

/** Tests of adding, reading, changing and deleting one channel. */
function single({ within, fresh }: Suite): void {
  test('channels: get returns a channel as added, by ID in its account and region, and by key', async () => {
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
        await tx.of(channels).get(accountId, region, appInstanceId, 'a'),
        await tx.of(channels).getByKey(full.channelKey),
        await tx.of(channels).get(BOB, region, appInstanceId, 'a'),
        await tx.of(channels).get(accountId, 'eu-central-1', appInstanceId, 'a'),
        await tx.of(channels).get(accountId, region, 'another', 'a'),
      ];
    });
    assert.deepEqual(read, [full, full, undefined, undefined, undefined]);
  });

  test('channels: a second channel with the same ID in an app instance is not added', async () => {
    const first = channel(fresh(), 'a');
    const read = await within(async (tx) => {
      await added(tx, first, channel(first.accountId, 'a', { appInstanceId: `another of ${first.accountId}` }));
      return [await tx.of(channels).add(channel(first.accountId, 'a')), await tx.of(channels).getByKey(first.channelKey)];
    });
    assert.deepEqual(read, ['exists', first]);
  });

  test('channels: put changes only the mutable columns; tags and last message change separately', async () => {
    const first = channel(fresh(), 'a', { expiresAt: instant(NOON + 9), flowId: 'flow' });
    const document = { name: 'new', mode: 'UNRESTRICTED', createdBy: 'user/ada' };
    const tags = [{ key: 'k', value: 'v' }];
    const read = await within(async (tx) => {
      await added(tx, first);
      const { expiresAt: _, flowId: __, ...without } = first;
      await tx.of(channels).put({ ...without, privacy: 'PUBLIC', updatedAt: instant(NOON + 1), document });
      const changed = await tx.of(channels).getByKey(first.channelKey);
      await tx.of(channels).setTags(first.channelKey, tags);
      await tx.of(channels).touch(first.channelKey, instant(NOON + 2), instant(NOON + 3));
      return { without, changed, after: await tx.of(channels).getByKey(first.channelKey) };
    });
    const changed = { ...read.without, updatedAt: NOON + 1, document };
    assert.deepEqual(read.changed, changed);
    assert.deepEqual(read.after, { ...changed, tags, lastMessageAt: NOON + 2, expiresAt: NOON + 3 });
  });

  test('channels: a deleted channel is not found, and a new channel with its ID inherits nothing', async () => {
    const first = channel(fresh(), 'a');
    const again = channel(first.accountId, 'a');
    const app = first.appInstanceId;
    const read = await within(async (tx) => {
      await added(tx, first);
      await tx.of(memberships).add(membership(first, 'user/ada'));
      await tx.of(standings).add(standing(first, 'moderator', 'user/ada'));
      await tx.of(channelMessages).add(message(first, 'm'));
      await tx.of(channels).remove(first);
      await added(tx, again);
      return [
        await tx.of(channels).get(first.accountId, first.region, app, 'a'),
        await tx.of(memberships).listOfMember(app, 'user/ada', 9),
        await tx.of(standings).listOfMember(app, 'moderator', 'user/ada', 9),
        await tx.of(memberships).count(again.channelKey, 9),
        await tx.of(channelMessages).get(again.channelKey, '', 'm'),
      ];
    });
    assert.deepEqual(read, [again, [], [], 0, undefined]);
  });
}

/** Tests of lists. */
function lists({ within, fresh }: Suite): void {
  test('channels: lists are in the order of IDs, and can be filtered by privacy or by flow', async () => {
    const accountId = fresh();
    const app = `app of ${accountId}`;
    const read = await within(async (tx) => {
      await added(tx, channel(accountId, 'c'), channel(accountId, 'a', { privacy: 'PUBLIC', flowId: 'f' }), channel(accountId, 'B'));
      await added(tx, channel(accountId, 'd', { privacy: 'PUBLIC' }), channel(accountId, 'x', { appInstanceId: 'elsewhere', flowId: 'f' }));
      return [
        ids(await tx.of(channels).list(app, undefined, 9)),
        ids(await tx.of(channels).list(app, undefined, 2, 'B')),
        ids(await tx.of(channels).list(app, 'PUBLIC', 9)),
        ids(await tx.of(channels).list(app, 'PRIVATE', 9, 'B')),
        ids(await tx.of(channels).listOfFlow(app, 'f', 9)),
        ids(await tx.of(channels).listOfFlow(app, 'f', 9, 'a')),
        ids(await tx.of(channels).listAll(2, { appInstanceId: app, channelId: 'a' })),
      ];
    });
    assert.deepEqual(read, [['B', 'a', 'c', 'd'], ['a', 'c'], ['a', 'd'], ['c'], ['a'], [], ['c', 'd']]);
  });

  test('channels: listExpired returns expired channels, with the earliest expiry first', async () => {
    const accountId = fresh();
    const read = await within(async (tx) => {
      await added(tx, channel(accountId, 'late', { expiresAt: instant(3) }), channel(accountId, 'now', { expiresAt: instant(2) }));
      await added(tx, channel(accountId, 'first', { expiresAt: instant(1) }), channel(accountId, 'never'));
      return [ids(await tx.of(channels).listExpired(instant(2), 9)), ids(await tx.of(channels).listExpired(instant(2), 1))];
    });
    assert.deepEqual(read, [['first', 'now'], ['first']]);
  });
}
