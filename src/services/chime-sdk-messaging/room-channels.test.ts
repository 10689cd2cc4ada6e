/** Channels of rooms of Amazon Chime: what the events of a room change, and what only Amazon Chime can change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { CHIME_USER_ID, chimeAppInstance, chimeUserArn } from '../chime-kit/chime-app-instance.ts';
import { storeRetention } from '../chime-kit/chime-retention.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import type { ChimeMessageEvent, ChimeRoom, ChimeRoomEvent, ChimeRoomMember } from '../chime-kit/room-events.ts';
import { emitterOf, subscription } from '../kit/events.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { redactConversationMessage, redactRoomMessage } from './chime-messages.ts';
import { openFixture } from './fixture.ts';
import { removeFromRoomChannel, removeRoomChannel, storeRoomChannel } from './room-channels.ts';
import { retentionSweep } from './sweep.ts';
import { channelMessages } from './tables/channel-messages.ts';
import { channels } from './tables/channels.ts';

const ROOM: ChimeRoom = { accountId: ACCOUNT, chimeAccountId: 'c1', roomId: 'a1b2c3d4-0000-4000-8000-000000000001', name: 'room' };
const AT = chimeAppInstance(ACCOUNT);
const IN = `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/${AT.appInstanceId}`;
const ChannelArn = `${IN}/channel/${ROOM.roomId}`;
const person = (userId: string, role: ChimeRoomMember['role'] = 'Member'): ChimeRoomMember => ({ userId, name: `name of ${userId}`, role });
const as = (userId: string) => chimeUserArn(ACCOUNT, userId);
const FORBIDDEN = { code: 'ForbiddenException' };

/** Opens a store. `change` emits an event of the room, and resolves to the types of the channel events that follow. */
async function openRoom() {
  const { store, run } = await openFixture();
  const change = (event: ChimeRoomEvent): Promise<readonly ChannelEvent[]> =>
    store.transaction(async (tx) => {
      const followed: ChannelEvent[] = [];
      const types = [
        ...(['CREATE_CHANNEL', 'UPDATE_CHANNEL', 'DELETE_CHANNEL', 'CREATE_CHANNEL_MEMBERSHIP', 'DELETE_CHANNEL_MEMBERSHIP'] as const),
        ...(['BATCH_CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MODERATOR', 'DELETE_CHANNEL_MODERATOR'] as const),
      ];
      const record = subscription<ChannelEvent>()(types, async (_, channelEvent) => void followed.push(channelEvent));
      const add = emitterOf([storeRoomChannel, removeFromRoomChannel, removeRoomChannel, record]);
      await add(workFor(tx, START)).emit<ChimeRoomEvent>(event);
      return followed;
    });
  const stored = (members: readonly ChimeRoomMember[], room = ROOM) => change({ type: 'ChimeRoomStored', room, members });
  return { store, run, change, stored };
}
const typesOf = (events: readonly ChannelEvent[]) => events.map(({ type }) => type);

test('Room: its channel has its name, its users and its administrators as moderators', async () => {
  const { run, stored } = await openRoom();
  assert.deepEqual(typesOf(await stored([])), ['CREATE_CHANNEL']);
  const batch = await stored([person('ada'), person('bob', 'Administrator')]);
  assert.deepEqual(typesOf(batch), ['BATCH_CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MODERATOR']);
  assert.deepEqual(typesOf(await stored([person('eve')])), ['CREATE_CHANNEL_MEMBERSHIP']);

  const { Channel } = await run('DescribeChannel', { ChannelArn, ChimeBearer: as('ada') });
  const { Name, Mode, Privacy, CreatedBy } = Channel ?? {};
  assert.deepEqual([Name, Mode, Privacy, CreatedBy], ['room', 'RESTRICTED', 'PRIVATE', { Arn: as(CHIME_USER_ID), Name: 'Amazon Chime' }]);
  const { ChannelMemberships = [] } = await run('ListChannelMemberships', { ChannelArn, ChimeBearer: as('ada') });
  assert.deepEqual(
    ChannelMemberships.map(({ Member }) => Member),
    ['ada', 'bob', 'eve'].map((id) => ({ Arn: as(id), Name: `name of ${id}` })),
  );
  const { ChannelModerators = [] } = await run('ListChannelModerators', { ChannelArn, ChimeBearer: as('bob') });
  assert.deepEqual(
    ChannelModerators.map(({ Moderator }) => Moderator?.Arn),
    [as('bob')],
  );
});

test('Room: a repeated event changes nothing, and another name, role or member changes only that', async () => {
  const { run, change, stored } = await openRoom();
  const both = [person('ada'), person('bob', 'Administrator')];
  await stored(both);
  assert.deepEqual(await stored(both), []);
  assert.deepEqual(typesOf(await stored([], { ...ROOM, name: 'renamed' })), ['UPDATE_CHANNEL']);
  assert.deepEqual(typesOf(await stored([person('ada', 'Administrator'), person('bob')], { ...ROOM, name: 'renamed' })), [
    'CREATE_CHANNEL_MODERATOR',
    'DELETE_CHANNEL_MODERATOR',
  ]);
  const removed = await change({ type: 'ChimeRoomMemberRemoved', room: ROOM, userId: 'ada' });
  assert.deepEqual(typesOf(removed), ['DELETE_CHANNEL_MODERATOR', 'DELETE_CHANNEL_MEMBERSHIP']);
  assert.deepEqual(await change({ type: 'ChimeRoomMemberRemoved', room: ROOM, userId: 'ada' }), []);
  await assert.rejects(run('DescribeChannel', { ChannelArn, ChimeBearer: as('ada') }), FORBIDDEN);
});

test('Room: members send and read messages; a moderator cannot change the channel, because the room would differ', async () => {
  const { store, run, change, stored } = await openRoom();
  await stored([person('ada'), person('bob', 'Administrator')]);
  const ChimeBearer = as('bob');
  const sent = { ChannelArn, Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 't' } as const;
  const { MessageId = '' } = await run('SendChannelMessage', { ...sent, ChimeBearer: as('ada') });
  const { ChannelMessages = [] } = await run('ListChannelMessages', { ChannelArn, ChimeBearer });
  assert.deepEqual(
    ChannelMessages.map(({ Content }) => Content),
    ['hello'],
  );
  await assert.rejects(run('UpdateChannel', { ChannelArn, Name: 'x', ChimeBearer }), FORBIDDEN);
  await assert.rejects(run('DeleteChannel', { ChannelArn, ChimeBearer }), FORBIDDEN);
  await assert.rejects(
    run('CreateChannelMembership', { ChannelArn, MemberArn: as(CHIME_USER_ID), Type: 'DEFAULT', ChimeBearer }),
    FORBIDDEN,
  );
  await assert.rejects(run('DeleteChannelMembership', { ChannelArn, MemberArn: as('ada'), ChimeBearer: as('ada') }), FORBIDDEN);
  await assert.rejects(run('CreateChannelModerator', { ChannelArn, ChannelModeratorArn: as('ada'), ChimeBearer }), FORBIDDEN);
  await assert.rejects(run('CreateChannelBan', { ChannelArn, MemberArn: as('ada'), ChimeBearer }), FORBIDDEN);
  const create = { AppInstanceArn: IN, Name: 'own', ClientRequestToken: 'own', ChimeBearer };
  await assert.rejects(run('CreateChannel', { ...create, ChannelId: 'chosen' }), { code: 'BadRequestException' });
  assert.ok((await run('CreateChannel', create)).ChannelArn);

  const channel = await store.transaction((tx) => tx.of(channels).get(ACCOUNT, AT.region, AT.appInstanceId, ROOM.roomId));
  assert.deepEqual(typesOf(await change({ type: 'ChimeRoomRemoved', room: ROOM })), ['DELETE_CHANNEL']);
  assert.deepEqual(await change({ type: 'ChimeRoomRemoved', room: ROOM }), []);
  await assert.rejects(run('ListChannelMessages', { ChannelArn, ChimeBearer }), FORBIDDEN);
  const left = (await store.transaction((tx) => tx.of(channelMessages).get(channel?.channelKey ?? '', '', MessageId)))?.messageId;
  assert.equal(left, MessageId, 'the sweep deletes the messages of a deleted channel');
});

test('Retention of rooms: hides messages at once, shows them again after a change, and deletes them after 30 days with a record', async () => {
  const { store, run, stored } = await openRoom();
  await stored([person('ada')]);
  const ChimeBearer = as('ada');
  const sent = { ChannelArn, Content: 'old', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 't', ChimeBearer } as const;
  const { MessageId = '' } = await run('SendChannelMessage', sent);
  const at = (day: number) => ({ now: instant(START + day * DAY_MS) });
  const retain = (days: number, day: number) =>
    store.transaction((tx) => {
      const RetentionSettings = { RoomRetentionSettings: { RetentionDays: days } };
      return storeRetention({ tx, ...at(day) }, ROOM, { RetentionSettings, retentionSetAt: at(day).now });
    });
  const seen = async (day: number) => (await run('ListChannelMessages', { ChannelArn, ChimeBearer }, at(day))).ChannelMessages?.length;
  const recorded: unknown[] = [];
  const sweep = (day: number) =>
    store.transaction((tx) => {
      const trail = { append: async (row: unknown) => void recorded.push(row) };
      return retentionSweep()(
        workFor(
          { resources: tx.resources, of: (repository: Parameters<Tx['of']>[0]) => tx.of(repository), trail } as unknown as Tx,
          at(day).now,
        ),
      );
    });

  await retain(10, 20);
  assert.equal(await seen(20), 0);
  await assert.rejects(run('GetChannelMessage', { ChannelArn, MessageId, ChimeBearer }, at(20)), { code: 'NotFoundException' });
  await sweep(49);
  await retain(40, 40);
  assert.equal(await seen(40), 1);
  await sweep(69);
  assert.equal((await run('GetChannelMessage', { ChannelArn, MessageId, ChimeBearer }, at(40))).ChannelMessage?.Content, 'old');
  assert.deepEqual(recorded, []);
  await sweep(70 + 11);
  await sweep(70 + 11);
  assert.equal(recorded.length, 1);
  assert.match(JSON.stringify(recorded), /ExpireRoomMessages/);
  await assert.rejects(run('GetChannelMessage', { ChannelArn, MessageId, ChimeBearer }, at(40)), { code: 'NotFoundException' });
});

test('Redaction: members see a redacted message without content; a message elsewhere is NotFound', async () => {
  const { store, run, stored } = await openRoom();
  await stored([person('ada'), person('bob')]);
  const ChimeBearer = as('ada');
  const text = { Content: 'secret', Type: 'STANDARD', Persistence: 'PERSISTENT', ChimeBearer } as const;
  const inRoom = (await run('SendChannelMessage', { ...text, ChannelArn, ClientRequestToken: 'a' })).MessageId as string;
  const own = await run('CreateChannel', {
    AppInstanceArn: IN,
    Name: 'talk',
    ClientRequestToken: 'c',
    MemberArns: [as('bob')],
    ChimeBearer,
  });
  const conversation = own.ChannelArn as string;
  const conversationId = conversation.split('/').at(-1) as string;
  const inTalk = (await run('SendChannelMessage', { ...text, ChannelArn: conversation, ClientRequestToken: 'b' })).MessageId as string;
  const redact = (event: ChimeMessageEvent) =>
    store.transaction((tx) => emitterOf([redactRoomMessage, redactConversationMessage])(workFor(tx, START)).emit<ChimeMessageEvent>(event));
  const { accountId, roomId } = ROOM;
  const room = (messageId: string) => redact({ type: 'ChimeRoomMessageRedacted', accountId, roomId, messageId });
  const talk = (messageId: string, user: string, id = conversationId) =>
    redact({
      ...{ type: 'ChimeConversationMessageRedacted', accountId, conversationId: id, messageId },
      hasUser: async (userIds) => userIds.includes(user),
    });
  const missing = { code: 'NotFoundException' };
  await assert.rejects(room(inTalk), missing);
  await assert.rejects(talk(inRoom, 'bob'), missing);
  await assert.rejects(talk(inTalk, 'eve'), missing);
  await assert.rejects(talk(inRoom, 'bob', roomId), missing);
  for (const again of [1, 2]) {
    await room(inRoom);
    await talk(inTalk, 'bob');
    for (const [channel, MessageId] of [
      [ChannelArn, inRoom],
      [conversation, inTalk],
    ] as const) {
      const { ChannelMessage } = await run('GetChannelMessage', { ChannelArn: channel, MessageId, ChimeBearer });
      assert.deepEqual([again, ChannelMessage?.Content, ChannelMessage?.Redacted], [again, '', true]);
    }
  }
});
