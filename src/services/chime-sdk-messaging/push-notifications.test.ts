import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PushNotificationPreferences } from '#model/generated/chime-sdk-messaging.ts';
import { APP_INSTANCE_USER, APP_INSTANCE_USER_ENDPOINT, type AppInstanceUserEndpointDocument } from '../chime-kit/app-instances.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { OUTGOING } from '../kit/outgoing.ts';
import { APP_INSTANCE_ID, BOT, CHAT, type Fixture, openFixture, userArn } from './fixture.ts';
import { fanOutPush, queuePush } from './push-notifications.ts';
import { FLOW_MESSAGE } from './tables/flow-messages.ts';
import { PUSH_FAN_OUT } from './tables/push-fan-outs.ts';

const bert = userArn('bert');
const carl = userArn('carl');
const place = { accountId: ACCOUNT, region: 'us-east-1', parent: APP_INSTANCE_ID, createdAt: START, updatedAt: START, tags: [] };
const PushNotification = { Title: 'news', Body: 'hello' };

/** Registers a device `phone` of each user. */
async function register(chat: Fixture, users: readonly string[], more: Partial<AppInstanceUserEndpointDocument> = {}): Promise<void> {
  const project = `arn:aws:mobiletargeting:us-east-1:${ACCOUNT}:apps/project`;
  const document = { Type: 'GCM', ResourceArn: project, AllowMessages: 'ALL', sealedAttributes: 'sealed', ...more } as const;
  await chat.store.transaction(async ({ resources }) => {
    for (const user of users) await resources.add(APP_INSTANCE_USER_ENDPOINT, { ...place, id: `${user}/phone`, document });
  });
}

const fanOuts = ({ store }: Fixture) => store.transaction((tx) => PUSH_FAN_OUT.page(tx.sql, [], [''], 100));
const added = async ({ store }: Fixture) =>
  (await store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 1_000))).map(({ target, body }) => {
    assert.ok(target.kind === 'push');
    return [target.userId, target.endpointId, JSON.parse(body)] as const;
  });

/** Passes the emitted events to the subscriber, and runs all steps. Returns the number of steps and the users with notifications. */
async function push(chat: Fixture): Promise<{ readonly steps: number; readonly users: readonly string[] }> {
  const events = chat.emitted.splice(0).filter(({ type }) => queuePush.types.includes(type));
  await chat.store.transaction(async (tx) => {
    for (const event of events) await queuePush.handle(workFor(tx, START), event as never);
  });
  let steps = 0;
  for (let rows = await fanOuts(chat); rows.length > 0; rows = await fanOuts(chat)) {
    steps += 1;
    await chat.store.transaction(async (tx) => {
      for (const row of rows) await fanOutPush(workFor(tx, START), row);
    });
  }
  return { steps, users: (await added(chat)).map(([user]) => user) };
}

test('Push: each member with a device gets a notification, also the sender, but not a bot or another user', async () => {
  const chat = await openFixture();
  await register(chat, ['ada', 'bert', 'dora', 'helper']);
  const channel = await chat.channel([bert, carl, BOT]);
  const messageId = await chat.send(channel, 'hello', { PushNotification });
  assert.deepEqual((await push(chat)).users, ['ada', 'bert']);
  assert.deepEqual((await added(chat))[1], ['bert', 'phone', { ...PushNotification, channelArn: channel, messageId }]);
});

test('Push: a message without PushNotification, and an update, cause no notification', async () => {
  const chat = await openFixture();
  await register(chat, ['ada']);
  const channel = await chat.channel();
  const MessageId = await chat.send(channel, 'hello');
  await chat.run('UpdateChannelMessage', { ChannelArn: channel, MessageId, Content: 'changed', ChimeBearer: userArn('ada') });
  assert.deepEqual(await push(chat), { steps: 0, users: [] });
});

test('Push: a message in a channel flow causes notifications at the end of the flow', async () => {
  const chat = await openFixture();
  await register(chat, ['ada']);
  const ChannelArn = await chat.channel();
  const Lambda = { ResourceArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:censor`, InvocationType: 'ASYNC' as const };
  const Processors = [{ Name: 'censor', ExecutionOrder: 1, FallbackAction: 'ABORT' as const, Configuration: { Lambda } }];
  const flow = { AppInstanceArn: CHAT, Name: 'flow', ClientRequestToken: 'flow', Processors };
  const { ChannelFlowArn = '' } = await chat.run('CreateChannelFlow', flow);
  await chat.run('AssociateChannelFlow', { ChannelArn, ChannelFlowArn, ChimeBearer: userArn('ada') });
  const MessageId = await chat.send(ChannelArn, 'hello', { PushNotification });
  const [{ callbackId: CallbackId } = assert.fail()] = await chat.store.transaction((tx) => FLOW_MESSAGE.page(tx.sql, [], [''], 9));
  await chat.store.transaction((tx) => tx.sql.run('DELETE FROM outgoing', []));
  assert.equal((await push(chat)).steps, 0);
  await chat.run('ChannelFlowCallback', { ChannelArn, CallbackId, ChannelMessage: { MessageId } });
  assert.deepEqual((await push(chat)).users, ['ada']);
});

const type = (...StringValues: string[]) => ({ type: { StringValues } });
const mention = (...StringValues: string[]) => ({ mention: { StringValues } });
const filtered = (rule: object): PushNotificationPreferences => ({ AllowNotifications: 'FILTERED', FilterRule: JSON.stringify(rule) });
const NOT_ROOM = { type: [{ 'anything-but': ['Room'] }] };

// biome-ignore format: a table
const PREFERENCES: readonly [title: string, preferences: PushNotificationPreferences, attributes: Readonly<Record<string, { readonly StringValues: string[] }>>, receives: boolean][] = [
  // title                                              preferences                                                attributes                                     receives
  ['ALL',                                               { AllowNotifications: 'ALL' },                             {},                                            true],
  ['NONE',                                              { AllowNotifications: 'NONE' },                            {},                                            false],
  ['FILTERED without a rule',                           { AllowNotifications: 'FILTERED' },                        {},                                            true],
  ['a value in the rule',                               filtered({ mention: ['Bob'] }),                            mention('Bob', 'Alice'),                       true],
  ['another value',                                     filtered({ mention: ['Bob'] }),                            mention('Tom'),                                false],
  ['no attribute',                                      filtered({ mention: ['Bob'] }),                            {},                                            false],
  ['a member of all objects, which is not an attribute',    filtered({ toString: ['Bob'] }),                           {},                                            false],
  ['one of two values in the rule',                     filtered({ mention: ['Bob', 'Tom'] }),                     mention('Tom'),                                true],
  ['not the excluded value',                            filtered(NOT_ROOM),                                        type('Conversation'),                          true],
  ['the excluded value',                                filtered(NOT_ROOM),                                        type('Room'),                                  false],
  ['the excluded value and another one',                filtered(NOT_ROOM),                                        type('Conversation', 'Room'),                  false],
  ['no attribute with an excluded value',               filtered(NOT_ROOM),                                        {},                                            true],
  ['both of two keys',                                  filtered({ ...NOT_ROOM, mention: ['Bob'] }),               { ...mention('Bob'), ...type('Conversation') }, true],
  ['one of two keys',                                   filtered({ ...NOT_ROOM, mention: ['Bob'] }),               { ...mention('Bob'), ...type('Room') },        false],
  ['one of two rules in $or',                           filtered({ $or: [{ mention: ['Bob'] }, NOT_ROOM] }),       type('Conversation'),                          true],
  ['none of two rules in $or',                          filtered({ $or: [{ mention: ['Bob'] }, NOT_ROOM] }),       type('Room'),                                  false],
];

for (const [title, PushNotifications, MessageAttributes, receives] of PREFERENCES) {
  test(`Push, preferences: ${title}: the member gets ${receives ? 'a notification' : 'none'}`, async () => {
    const chat = await openFixture();
    await register(chat, ['bert']);
    const ChannelArn = await chat.channel([bert]);
    await chat.run('PutChannelMembershipPreferences', {
      ChannelArn,
      MemberArn: bert,
      ChimeBearer: bert,
      Preferences: { PushNotifications },
    });
    await chat.send(ChannelArn, 'hello', { PushNotification, MessageAttributes });
    assert.deepEqual((await push(chat)).users, receives ? ['bert'] : []);
  });
}

// biome-ignore format: a table
const DEVICES: readonly [title: string, document: Partial<AppInstanceUserEndpointDocument>][] = [
  ['AllowMessages NONE',               { AllowMessages: 'NONE' }],
  ['an ARN that is not a project',     { ResourceArn: `arn:aws:mobiletargeting:us-east-1:${ACCOUNT}:apps` }],
  ['a token that is no longer valid',  { isGone: true }],
];

for (const [title, document] of DEVICES) {
  test(`Push: a device with ${title} gets no notification`, async () => {
    const chat = await openFixture();
    await register(chat, ['ada'], document);
    await chat.send(await chat.channel(), 'hello', { PushNotification });
    assert.deepEqual((await push(chat)).users, []);
  });
}

test('Push: only the target of a targeted message gets a notification, and a hidden member gets those of other messages', async () => {
  const chat = await openFixture();
  await register(chat, ['ada', 'bert', 'carl']);
  const ChannelArn = await chat.channel([bert]);
  await chat.run('CreateChannelMembership', { ChannelArn, MemberArn: carl, Type: 'HIDDEN', ChimeBearer: userArn('ada') });
  await chat.send(ChannelArn, 'psst', { PushNotification, Target: [{ MemberArn: bert }] });
  assert.deepEqual((await push(chat)).users, ['bert']);
  await chat.send(ChannelArn, 'hello', { PushNotification });
  assert.deepEqual((await push(chat)).users, ['bert', 'ada', 'bert', 'carl']);
});

test('Push: a large channel takes several steps of 50 members, and a deleted channel takes none of its members', async () => {
  const chat = await openFixture();
  const names = Array.from({ length: 120 }, (_, i) => `u${String(i).padStart(3, '0')}`);
  await chat.store.transaction(async ({ resources }) => {
    for (const id of names) await resources.add(APP_INSTANCE_USER, { ...place, id, document: { Name: id } });
  });
  await register(chat, names);
  const channel = await chat.channel([]);
  for (let i = 0; i < names.length; i += 60)
    await chat.run('BatchCreateChannelMembership', {
      ChannelArn: channel,
      MemberArns: names.slice(i, i + 60).map((name) => `${CHAT}/user/${name}`),
      ChimeBearer: userArn('ada'),
    });
  await chat.send(channel, 'hello', { PushNotification });
  const { steps, users } = await push(chat);
  assert.deepEqual([steps, users], [3, names]);

  await chat.send(channel, 'again', { PushNotification });
  const [event] = chat.emitted.splice(0);
  await chat.store.transaction((tx) => queuePush.handle(workFor(tx, START), event as never));
  await chat.run('DeleteChannel', { ChannelArn: channel, ChimeBearer: userArn('ada') });
  assert.equal((await fanOuts(chat)).length, 1);
  assert.deepEqual(await push(chat), { steps: 1, users: names });
});
