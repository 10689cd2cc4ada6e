import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tx } from '#store/store.ts';
import type { ChannelEvent, IdentityEvent } from '../chime-kit/events.ts';
import { emitterOf } from '../kit/events.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { APP_INSTANCE_ID, afterDays, BOT, CHAT, openFixture, userArn } from './fixture.ts';
import { deleteContents, forgetDeletedMember, retentionSweep, sweepExpiredChannels, sweepRemovedChannels } from './sweep.ts';

const IN_APP_INSTANCE = { accountId: ACCOUNT, region: 'us-east-1', appInstanceId: APP_INSTANCE_ID, arn: CHAT } as const;

/** Emits an event to the two subscribers in `sweep.ts` that delete data. */
const emitIdentity = (tx: Tx, event: IdentityEvent) =>
  emitterOf([forgetDeletedMember, deleteContents])(workFor(tx, START)).emit<IdentityEvent>(event);

test('Channels: an expired channel exists until the sweep deletes it and emits ExpireChannel (LOG-5)', async () => {
  const { store, run, channel, send } = await openFixture();
  const expiring = await channel([], { ExpirationSettings: { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' } });
  const active = await channel([], { ExpirationSettings: { ExpirationDays: 1, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' } });
  const lasting = await channel();
  await run(
    'SendChannelMessage',
    {
      ChannelArn: active,
      Content: 'later',
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      ClientRequestToken: 'later',
      ChimeBearer: userArn('ada'),
    },
    { now: afterDays(0.5) },
  );
  await send(lasting, 'x');
  const emitted: ChannelEvent[] = [];
  const sweep = (days: number) => store.transaction((tx) => sweepExpiredChannels(workFor(tx, afterDays(days), emitted)));
  const exists = async (ChannelArn: string) =>
    run('DescribeChannel', { ChannelArn, ChimeBearer: userArn('ada') }).then(
      () => true,
      () => false,
    );

  assert.equal(await sweep(0.9), 'done');
  assert.deepEqual([await exists(expiring), emitted], [true, []]);
  await sweep(1.1);
  assert.deepEqual([await exists(expiring), await exists(active), await exists(lasting)], [false, true, true]);
  assert.deepEqual(
    emitted.map(({ type, channelId }) => [type, channelId]),
    [
      ['ExpireChannel', expiring.split('/').at(-1)],
      ['DELETE_CHANNEL', expiring.split('/').at(-1)],
    ],
  );
  await sweep(1.6);
  assert.deepEqual([await exists(active), await exists(lasting)], [false, true]);
  while ((await store.transaction((tx) => sweepRemovedChannels(workFor(tx, START)))) === 'more');
  const left = await store.transaction(({ sql }) =>
    sql.rows<{ channel_key: string }>('SELECT DISTINCT channel_key FROM channel_membership'),
  );
  assert.equal(left.length, 1);
});

test('Messages: the sweep deletes old messages, except in the 30 days after the retention was set', async () => {
  const { store, run, channel, send } = await openFixture(
    {},
    { AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: 5 } }, retentionSetAt: START },
  );
  const ChannelArn = await channel();
  await send(ChannelArn, 'old');
  await run(
    'SendChannelMessage',
    {
      ChannelArn,
      Content: 'new',
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      ClientRequestToken: 'new',
      ChimeBearer: userArn('ada'),
    },
    { now: afterDays(27) },
  );
  const sweep = retentionSweep();
  const after = async (days: number) => {
    await store.transaction((tx) => sweep(workFor(tx, afterDays(days))));
    const { ChannelMessages } = await run('ListChannelMessages', { ChannelArn, ChimeBearer: userArn('ada') });
    return ChannelMessages?.map(({ Content }) => Content);
  };
  assert.deepEqual(await after(29), ['new', 'old']);
  assert.deepEqual(await after(30), ['new']);
  assert.deepEqual(await after(33), []);
});

test('Members: a deleted user or bot is not a member or moderator anymore; its messages remain', async () => {
  const { store, run, channel, send } = await openFixture();
  const ChannelArn = await channel([userArn('bert'), BOT]);
  await run('CreateChannelModerator', { ChannelArn, ChimeBearer: userArn('ada'), ChannelModeratorArn: userArn('bert') });
  await send(ChannelArn, 'mine', { ChimeBearer: userArn('bert') });
  await store.transaction((tx) => emitIdentity(tx, { ...IN_APP_INSTANCE, type: 'AppInstanceUserDeleted', id: 'bert' }));
  await store.transaction((tx) => emitIdentity(tx, { ...IN_APP_INSTANCE, type: 'AppInstanceBotDeleted', id: 'helper' }));
  const on = { ChannelArn, ChimeBearer: userArn('ada') };
  const [memberships, moderators, messages] = [
    await run('ListChannelMemberships', on),
    await run('ListChannelModerators', on),
    await run('ListChannelMessages', on),
  ];
  assert.deepEqual(
    memberships.ChannelMemberships?.map(({ Member }) => Member?.Arn),
    [userArn('ada')],
  );
  assert.deepEqual(
    moderators.ChannelModerators?.map(({ Moderator }) => Moderator?.Arn),
    [userArn('ada')],
  );
  assert.deepEqual(
    messages.ChannelMessages?.map(({ Content }) => Content),
    ['mine'],
  );
});

test('App instances: a deletion also deletes the channels, flows and streaming configurations', async () => {
  const { store, run, channel } = await openFixture();
  const [first] = [await channel(), await channel()];
  const Configuration = { Lambda: { ResourceArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`, InvocationType: 'ASYNC' } } as const;
  await run('CreateChannelFlow', {
    AppInstanceArn: CHAT,
    Name: 'flow',
    ClientRequestToken: 'flow',
    Processors: [{ Name: 'f', ExecutionOrder: 1, FallbackAction: 'CONTINUE', Configuration }],
  });
  const ResourceArn = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/chime-messaging-a`;
  await run('PutMessagingStreamingConfigurations', {
    AppInstanceArn: CHAT,
    StreamingConfigurations: [{ DataType: 'Channel', ResourceArn }],
  });
  await store.transaction((tx) => emitIdentity(tx, { ...IN_APP_INSTANCE, type: 'AppInstanceDeleted' }));
  await assert.rejects(run('DescribeChannel', { ChannelArn: first as string, ChimeBearer: userArn('root') }), {
    code: 'ForbiddenException',
  });
  assert.deepEqual(await run('ListChannelFlows', { AppInstanceArn: CHAT }), { ChannelFlows: [] });
  await assert.rejects(run('GetMessagingStreamingConfigurations', { AppInstanceArn: CHAT }), { code: 'NotFoundException' });
});
