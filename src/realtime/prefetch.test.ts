import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { channelMessages } from '#services/chime-sdk-messaging/tables/channel-messages.ts';
import { channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { channelArn, contentsOf, membership, membershipRecord, message, openSessions, type TestSocket, user } from './fixture.ts';

type Chat = Awaited<ReturnType<typeof openSessions>>;
const PREFETCH = { 'prefetch-on': 'connect' };

/** Opens a server with the users ada and bob. */
async function open(): Promise<Chat> {
  const chat = await openSessions();
  for (const id of ['ada', 'bob']) await chat.addUser(id);
  return chat;
}

/** Creates a channel with `count` messages, one per minute. The last message is at `lastAt`. */
async function addChannel(chat: Chat, channelId: string, count: number, lastAt: number, members: readonly string[] = ['ada']) {
  const channel = await chat.addChannel(channelId, ...members.map((id) => [id, ''] as const));
  const { channelKey } = channel;
  await chat.store.transaction(async (tx) => {
    for (let i = 0; i < count; i++) {
      const createdAt = instant(lastAt - (count - 1 - i) * MINUTE_MS);
      const document = { content: `${channelId} ${i}`, type: 'STANDARD', persistence: 'PERSISTENT', updatedAt: createdAt };
      const record = { channelKey, subChannelId: '', audience: '*', messageId: `${channelId}-${i}`, sender: 'user/bob', createdAt };
      await tx.of(channelMessages).add({ ...record, document: JSON.stringify(document) });
    }
    if (count > 0) await tx.of(channels).touch(channelKey, instant(lastAt), undefined);
  });
  return channel;
}

const detailsOf = ({ frames }: TestSocket) => frames.filter(({ type }) => type === 'CHANNEL_DETAILS').map(({ payload }) => payload);
const namesOf = (socket: TestSocket) =>
  detailsOf(socket).map((payload) => (payload?.['Channel'] as { readonly Name: string } | undefined)?.Name);

test('Prefetch: after SESSION_ESTABLISHED, a session receives its channel details and later events', async () => {
  const chat = await open();
  const at = chat.now() - 60 * MINUTE_MS;
  const channel = await addChannel(chat, 'general', 21, at, ['ada', 'bob']);
  const readAt = instant(at - 5 * MINUTE_MS) as Instant;
  await chat.store.transaction(async (tx) => {
    await tx.of(memberships).put({ ...membershipRecord(channel, 'ada'), readMarkerAt: readAt });
    await tx.of(memberships).add({ ...membershipRecord(channel, 'hidden'), type: 'HIDDEN' });
    const targeted = { content: 'secret', type: 'STANDARD', persistence: 'PERSISTENT', updatedAt: instant(at) };
    const record = { channelKey: channel.channelKey, subChannelId: '', messageId: 'targeted', sender: 'user/bob', audience: 'user/bob' };
    await tx.of(channelMessages).add({ ...record, createdAt: instant(at), document: JSON.stringify(targeted) });
  });
  const ada = chat.connect(user('ada'), { parameters: PREFETCH });
  await chat.until(() => ada.frames.length === 2);
  await chat.emit(message('general', 'later'));
  await chat.until(() => ada.frames.length === 3);

  assert.deepEqual(
    ada.frames.map(({ type }) => type),
    ['SESSION_ESTABLISHED', 'CHANNEL_DETAILS', 'CREATE_CHANNEL_MESSAGE'],
  );
  const [details] = detailsOf(ada);
  const { Channel, ChannelMessages, ChannelMemberships, ...rest } = details as Record<string, Readonly<Record<string, unknown>>[]>;
  assert.deepEqual(Channel, {
    Name: 'general',
    ChannelArn: channelArn('general'),
    Mode: 'UNRESTRICTED',
    Privacy: 'PRIVATE',
    LastMessageTimestamp: new Date(at).toISOString(),
  });
  assert.deepEqual(
    ChannelMessages?.map(({ Content, CreatedTimestamp }) => [Content, CreatedTimestamp]),
    Array.from({ length: 20 }, (_, i) => [`general ${20 - i}`, new Date(at - i * MINUTE_MS).toISOString()]),
  );
  assert.deepEqual(ChannelMemberships, [{ Member: { Arn: user('ada'), Name: 'ada' } }, { Member: { Arn: user('bob'), Name: 'bob' } }]);
  assert.deepEqual(rest, { ReadMarkerTimestamp: new Date(readAt).toISOString(), ChannelMessagesHasMore: true });
  await chat.stop();
});

// biome-ignore format: a table
const ORDERS: readonly (readonly [title: string, parameters: Readonly<Record<string, string>>, names: readonly string[]])[] = [
  // request                                      parameters                                                           channels
  ['without prefetch-on no channel is sent',      {},                                                                  []],
  ['channels with unread messages are first',     PREFETCH,                                                            ['new', 'old', 'read', 'silent']],
  ['prefetch-sort-by=unread is the default',      { ...PREFETCH, 'prefetch-sort-by': 'unread' },                       ['new', 'old', 'read', 'silent']],
  ['last-message-timestamp: newest channel first', { ...PREFETCH, 'prefetch-sort-by': 'last-message-timestamp' },       ['new', 'read', 'old', 'silent']],
];

for (const [title, parameters, names] of ORDERS) {
  test(`Prefetch: ${title}`, async () => {
    const chat = await open();
    const now = chat.now();
    await addChannel(chat, 'silent', 0, 0);
    await addChannel(chat, 'old', 1, now - 30 * MINUTE_MS);
    const read = await addChannel(chat, 'read', 1, now - 20 * MINUTE_MS);
    await addChannel(chat, 'new', 1, now - 10 * MINUTE_MS);
    await chat.store.transaction((tx) => tx.of(memberships).put({ ...membershipRecord(read, 'ada'), readMarkerAt: instant(now) }));
    const ada = chat.connect(user('ada'), { parameters });
    // The frame after the channel details is the event. So no further channel details were sent.
    await chat.until(() => ada.frames.length === 1 + names.length);
    await chat.emit(message('old', 'event'));
    await chat.until(() => contentsOf(ada).length === 1);
    assert.deepEqual([ada.frames[0]?.type, namesOf(ada)], ['SESSION_ESTABLISHED', names]);
    await chat.stop();
  });
}

test('Prefetch: a session receives the details of at most 50 channels, four at a time', async () => {
  const chat = await open();
  const now = chat.now();
  for (let i = 0; i < 53; i++) await addChannel(chat, `c${i}`, 1, now - i * MINUTE_MS);
  chat.confirmWrites(false);
  const ada = chat.connect(user('ada'), { parameters: PREFETCH });
  await chat.until(() => detailsOf(ada).length === 4);
  await chat.emit(message('c0', 'event'));
  await chat.until(() => contentsOf(ada).length === 1);
  assert.equal(detailsOf(ada).length, 4);
  chat.confirmWrites(true);
  await chat.until(() => detailsOf(ada).length === 50);
  await chat.emit(message('c0', 'last'));
  await chat.until(() => contentsOf(ada).length === 2);
  assert.deepEqual(
    namesOf(ada),
    Array.from({ length: 50 }, (_, i) => `c${i}`),
  );
  await chat.stop();
});

test('Prefetch: after the event that removes a member, the member receives no details of the channel', async () => {
  const chat = await open();
  const now = chat.now();
  const all = [];
  for (let i = 0; i < 6; i++) all.push(await addChannel(chat, `c${i}`, 1, now - i * MINUTE_MS));
  chat.confirmWrites(false);
  const ada = chat.connect(user('ada'), { parameters: PREFETCH });
  await chat.until(() => detailsOf(ada).length === 4);
  const removed = all[5]?.channelKey ?? '';
  await chat.emit(membership('DELETE', 'c5', 'ada'), (tx) => tx.of(memberships).remove(removed, '', 'user/ada'));
  await chat.until(() => ada.frames.some(({ type }) => type === 'DELETE_CHANNEL_MEMBERSHIP'));
  chat.confirmWrites(true);
  await chat.until(() => detailsOf(ada).length === 5);
  await chat.emit(message('c0', 'last'));
  await chat.until(() => contentsOf(ada).length === 1);
  assert.deepEqual(namesOf(ada), ['c0', 'c1', 'c2', 'c3', 'c4']);
  await chat.stop();
});

test('Prefetch: a session without permission receives no details', async () => {
  const chat = await open();
  await addChannel(chat, 'general', 1, chat.now());
  await chat.setRolePolicy({ Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') });
  const ada = chat.connect(user('ada'), { parameters: PREFETCH });
  await chat.until(() => ada.closed !== undefined);
  assert.deepEqual([ada.closed?.code, ada.frames], [4401, []]);
  await chat.stop();
});
