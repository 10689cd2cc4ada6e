/** Messages, channel flows, members, bans and expiration of channels, with the unmodified client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateAppInstanceAdminCommand, DeleteAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import * as sdk from '@aws-sdk/client-chime-sdk-messaging';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { startChat } from '../kit/chat.ts';
import { refusalOf } from '../kit/outcome.ts';
import { everyEvent } from '../kit/trail.ts';
import { until } from '../kit/until.ts';
import { connect } from '../messaging-sessions/client.ts';

const chat = await startChat();
const messaging = chat.messaging();
const [ada, bert, carl] = (await Promise.all(['ada', 'bert', 'carl'].map(chat.appUser))) as [string, string, string];
const CANARY = 'CanaryYellowBird';
const LAMBDA = `arn:aws:lambda:us-east-1:${chat.accountId}:function:filter`;

async function newChannel(more: object = {}): Promise<string> {
  const { ChannelArn = '' } = await messaging.send(
    new sdk.CreateChannelCommand({ AppInstanceArn: chat.chat, Name: 'team', ChimeBearer: ada, MemberArns: [bert, carl], ...more }),
  );
  return ChannelArn;
}
const send = (ChannelArn: string, Content: string, more: object = {}) =>
  messaging.send(
    new sdk.SendChannelMessageCommand({ ChannelArn, ChimeBearer: ada, Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ...more }),
  );
const list = async (ChannelArn: string, more: object = {}) =>
  messaging.send(new sdk.ListChannelMessagesCommand({ ChannelArn, ChimeBearer: bert, ...more }));
const contents = async (ChannelArn: string, more: object = {}) =>
  (await list(ChannelArn, more)).ChannelMessages?.map(({ Content }) => Content);
/** Associates the channel with a new flow of one processor. */
async function flowOn(ChannelArn: string, FallbackAction: 'ABORT' | 'CONTINUE'): Promise<string> {
  const { ChannelFlowArn = '' } = await messaging.send(
    new sdk.CreateChannelFlowCommand({
      AppInstanceArn: chat.chat,
      Name: FallbackAction,
      Processors: [
        { Name: 'filter', ExecutionOrder: 1, FallbackAction, Configuration: { Lambda: { ResourceArn: LAMBDA, InvocationType: 'ASYNC' } } },
      ],
    }),
  );
  await messaging.send(new sdk.AssociateChannelFlowCommand({ ChannelArn, ChannelFlowArn, ChimeBearer: ada }));
  return ChannelFlowArn;
}

test('Messages: a persistent message can be read, listed in both orders, and sets LastMessageTimestamp', async () => {
  const ChannelArn = await newChannel();
  const { MessageId, Status } = await send(ChannelArn, 'first', { Metadata: '{"a":1}', ContentType: 'text/plain' });
  assert.deepEqual(Status, { Value: 'SENT' });
  await send(ChannelArn, 'second');
  await send(ChannelArn, 'passing', { Persistence: 'NON_PERSISTENT' });
  await send(ChannelArn, 'third');
  const { ChannelMessage } = await messaging.send(new sdk.GetChannelMessageCommand({ ChannelArn, MessageId, ChimeBearer: bert }));
  const { Content, Metadata, Sender, Redacted, Persistence, ContentType } = ChannelMessage ?? {};
  assert.deepEqual(
    [Content, Metadata, Sender?.Arn, Sender?.Name, Redacted, Persistence, ContentType],
    ['first', '{"a":1}', ada, 'ada', false, 'PERSISTENT', 'text/plain'],
  );
  assert.deepEqual(await contents(ChannelArn), ['third', 'second', 'first']);
  const page = await list(ChannelArn, { SortOrder: 'ASCENDING', MaxResults: 2 });
  assert.deepEqual(
    page.ChannelMessages?.map((each) => each.Content),
    ['first', 'second'],
  );
  assert.deepEqual(await contents(ChannelArn, { SortOrder: 'ASCENDING', MaxResults: 2, NextToken: page.NextToken }), ['third']);
  assert.equal((await refusalOf(list(ChannelArn, { SortOrder: 'DESCENDING', NextToken: page.NextToken }))).name, 'BadRequestException');
  const { Channel } = await messaging.send(new sdk.DescribeChannelCommand({ ChannelArn, ChimeBearer: bert }));
  assert.ok(Channel?.LastMessageTimestamp);
});

test('Messages: a repeated client request token returns the first message, and fails for other content', async () => {
  const ChannelArn = await newChannel();
  const first = await send(ChannelArn, 'once', { ClientRequestToken: 'one' });
  const again = await send(ChannelArn, 'once', { ClientRequestToken: 'one' });
  assert.equal(again.MessageId, first.MessageId);
  assert.deepEqual(await contents(ChannelArn), ['once']);
  assert.equal((await refusalOf(send(ChannelArn, 'twice', { ClientRequestToken: 'one' }))).name, 'ConflictException');
});

// Recorded: aws-samples/amazon-chime-sdk issue 247.
const TOO_LARGE = /^Channel Messages size limit exceeded$/;

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, content: string, more: object, message: RegExp])[] = [
  ['content of more than 4096 bytes',     'ä'.repeat(2049), {},                                     TOO_LARGE      ],
  ['a CONTROL message of 31 bytes',       'x'.repeat(31),   { Type: 'CONTROL' },                    TOO_LARGE      ],
  ['a CONTROL message with metadata',     'x',              { Type: 'CONTROL', Metadata: 'm' },     /have Metadata/],
  ['a sub-channel of a normal channel',   'x',              { SubChannelId: 'sub' },                /not an elastic/],
];
for (const [title, content, more, message] of REFUSED) {
  test(`Messages: ${title} is BadRequestException, and no message is sent`, async () => {
    const ChannelArn = await newChannel();
    const refusal = await refusalOf(send(ChannelArn, content, more));
    assert.equal(refusal.name, 'BadRequestException');
    assert.match(refusal.message, message);
    assert.deepEqual(await contents(ChannelArn), []);
  });
}

test('Messages: the sender can update a message, and a redacted message is empty and cannot be updated', async () => {
  const ChannelArn = await newChannel();
  const { MessageId } = await send(ChannelArn, 'draft', { Metadata: 'secret' });
  const update = new sdk.UpdateChannelMessageCommand({ ChannelArn, MessageId, ChimeBearer: ada, Content: 'final' });
  await messaging.send(update);
  const [changed] = (await list(ChannelArn)).ChannelMessages ?? [];
  assert.deepEqual([changed?.Content, changed?.Metadata], ['final', 'secret']);
  assert.ok(changed?.LastEditedTimestamp);
  await messaging.send(new sdk.RedactChannelMessageCommand({ ChannelArn, MessageId, ChimeBearer: ada }));
  const [redacted] = (await list(ChannelArn)).ChannelMessages ?? [];
  assert.deepEqual([redacted?.Content, redacted?.Metadata, redacted?.Redacted], ['', undefined, true]);
  assert.equal((await refusalOf(messaging.send(update))).name, 'ConflictException');
  const status = (ChimeBearer: string) => messaging.send(new sdk.GetChannelMessageStatusCommand({ ChannelArn, MessageId, ChimeBearer }));
  assert.deepEqual((await status(ada)).Status, { Value: 'SENT' });
  assert.equal((await refusalOf(status(bert))).name, 'ForbiddenException');
});

test('Messages: a message with a target is visible only to the target and its sender', async () => {
  const ChannelArn = await newChannel();
  const { MessageId } = await send(ChannelArn, 'psst', { Target: [{ MemberArn: carl }] });
  const get = (ChimeBearer: string) => messaging.send(new sdk.GetChannelMessageCommand({ ChannelArn, MessageId, ChimeBearer }));
  assert.deepEqual((await get(carl)).ChannelMessage?.Target, [{ MemberArn: carl }]);
  assert.equal((await get(ada)).ChannelMessage?.Content, 'psst');
  assert.equal((await refusalOf(get(bert))).name, 'NotFoundException');
  assert.deepEqual(await contents(ChannelArn), []);
});

test('RBP-4: if a Lambda function cannot be invoked, the fallback of the flow applies to the message', async () => {
  const going = await newChannel();
  const stopped = await newChannel();
  const onGoing = await flowOn(going, 'CONTINUE');
  const onStopped = await flowOn(stopped, 'ABORT');
  assert.deepEqual((await send(going, 'through')).Status, { Value: 'PENDING' });
  const { MessageId } = await send(stopped, 'not through');
  const status = async () =>
    (await messaging.send(new sdk.GetChannelMessageStatusCommand({ ChannelArn: stopped, MessageId, ChimeBearer: ada }))).Status?.Value;
  await until(
    async () => (await status()) === 'FAILED',
    () => 'the message has not failed',
  );
  await until(
    async () => ((await contents(going))?.length ?? 0) > 0,
    () => 'the message was not sent',
  );
  assert.deepEqual([await contents(going), await contents(stopped)], [['through'], []]);

  const associated = new sdk.ListChannelsAssociatedWithChannelFlowCommand({ ChannelFlowArn: onStopped });
  assert.deepEqual(
    (await messaging.send(associated)).Channels?.map(({ ChannelArn }) => ChannelArn),
    [stopped],
  );
  assert.equal(
    (await refusalOf(messaging.send(new sdk.DeleteChannelFlowCommand({ ChannelFlowArn: onStopped })))).name,
    'ConflictException',
  );
  await messaging.send(new sdk.DisassociateChannelFlowCommand({ ChannelArn: stopped, ChannelFlowArn: onStopped, ChimeBearer: ada }));
  assert.deepEqual((await send(stopped, 'now')).Status, { Value: 'SENT' });
  await messaging.send(new sdk.DeleteChannelFlowCommand({ ChannelFlowArn: onStopped }));
  const { ChannelFlows } = await messaging.send(new sdk.ListChannelFlowsCommand({ AppInstanceArn: chat.chat }));
  assert.deepEqual(
    ChannelFlows?.map(({ ChannelFlowArn }) => ChannelFlowArn),
    [onGoing],
  );
  const Processors = ChannelFlows?.[0]?.Processors ?? [];
  await messaging.send(new sdk.UpdateChannelFlowCommand({ ChannelFlowArn: onGoing, Name: 'renamed', Processors }));
  const { ChannelFlow } = await messaging.send(new sdk.DescribeChannelFlowCommand({ ChannelFlowArn: onGoing }));
  assert.equal(ChannelFlow?.Name, 'renamed');
  const twice = new sdk.UpdateChannelFlowCommand({ ChannelFlowArn: onGoing, Name: 'twice', Processors: [...Processors, ...Processors] });
  assert.equal((await refusalOf(messaging.send(twice))).name, 'BadRequestException');
  const callback = new sdk.ChannelFlowCallbackCommand({
    ChannelArn: going,
    CallbackId: 'a'.repeat(32),
    ChannelMessage: { MessageId: MessageId as string },
  });
  assert.equal((await refusalOf(messaging.send(callback))).name, 'ForbiddenException');
});

test('Members: a user can read its memberships and preferences, and deleting a user ends its memberships', async () => {
  const dora = await chat.appUser('dora');
  const ChannelArn = await newChannel({ MemberArns: [dora], ModeratorArns: [dora] });
  const own = { ChimeBearer: dora, AppInstanceUserArn: dora };
  const memberships = async () =>
    (await messaging.send(new sdk.ListChannelMembershipsForAppInstanceUserCommand({ ChimeBearer: dora }))).ChannelMemberships;
  assert.deepEqual(
    (await memberships())?.map(({ ChannelSummary }) => ChannelSummary?.ChannelArn),
    [ChannelArn],
  );
  const describe = new sdk.DescribeChannelMembershipForAppInstanceUserCommand({ ChannelArn, ...own });
  assert.equal((await messaging.send(describe)).ChannelMembership?.AppInstanceUserMembershipSummary?.ReadMarkerTimestamp, undefined);
  await messaging.send(new sdk.UpdateChannelReadMarkerCommand({ ChannelArn, ChimeBearer: dora }));
  assert.ok((await messaging.send(describe)).ChannelMembership?.AppInstanceUserMembershipSummary?.ReadMarkerTimestamp);
  const moderated = await messaging.send(new sdk.ListChannelsModeratedByAppInstanceUserCommand(own));
  assert.deepEqual(
    moderated.Channels?.map(({ ChannelSummary }) => ChannelSummary?.ChannelArn),
    [ChannelArn],
  );
  await messaging.send(new sdk.DescribeChannelModeratedByAppInstanceUserCommand({ ChannelArn, ...own }));
  const Preferences = { PushNotifications: { AllowNotifications: 'NONE' } } as const;
  await messaging.send(new sdk.PutChannelMembershipPreferencesCommand({ ChannelArn, MemberArn: dora, ChimeBearer: dora, Preferences }));
  const kept = await messaging.send(new sdk.GetChannelMembershipPreferencesCommand({ ChannelArn, MemberArn: dora, ChimeBearer: dora }));
  assert.deepEqual(kept.Preferences, Preferences);
  const others = new sdk.ListChannelMembershipsForAppInstanceUserCommand({ ChimeBearer: bert, AppInstanceUserArn: dora });
  assert.equal((await refusalOf(messaging.send(others))).name, 'ForbiddenException');

  await chat.identity.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn: dora }));
  const { ChannelMemberships } = await messaging.send(new sdk.ListChannelMembershipsCommand({ ChannelArn, ChimeBearer: ada }));
  assert.deepEqual(
    ChannelMemberships?.map(({ Member }) => Member?.Arn),
    [ada],
  );
});

test('Channels: normal and elastic channels can be tagged, searched, expired and deleted', async () => {
  const ChannelArn = await newChannel({ Tags: [{ Key: 'team', Value: 'blue' }], Privacy: 'PUBLIC' });
  await messaging.send(new sdk.TagResourceCommand({ ResourceARN: ChannelArn, Tags: [{ Key: 'room', Value: '1' }] }));
  await messaging.send(new sdk.UntagResourceCommand({ ResourceARN: ChannelArn, TagKeys: ['team'] }));
  const { Tags } = await messaging.send(new sdk.ListTagsForResourceCommand({ ResourceARN: ChannelArn }));
  assert.deepEqual(Tags, [{ Key: 'room', Value: '1' }]);
  const search = new sdk.SearchChannelsCommand({
    ChimeBearer: ada,
    Fields: [{ Key: 'MEMBERS', Operator: 'EQUALS', Values: [ada, bert, carl] }],
  });
  assert.ok((await messaging.send(search)).Channels?.some((each) => each.ChannelArn === ChannelArn));
  const ExpirationSettings = { ExpirationDays: 1, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' } as const;
  await messaging.send(new sdk.PutChannelExpirationSettingsCommand({ ChannelArn, ChimeBearer: ada, ExpirationSettings }));
  await messaging.send(new sdk.UpdateChannelCommand({ ChannelArn, ChimeBearer: ada, Name: 'renamed', Metadata: '{}' }));
  const { Channel } = await messaging.send(new sdk.DescribeChannelCommand({ ChannelArn, ChimeBearer: ada }));
  assert.deepEqual([Channel?.Name, Channel?.ExpirationSettings], ['renamed', ExpirationSettings]);
  await messaging.send(new sdk.DeleteChannelCommand({ ChannelArn, ChimeBearer: ada }));
  assert.equal(
    (await refusalOf(messaging.send(new sdk.DescribeChannelCommand({ ChannelArn, ChimeBearer: ada })))).name,
    'ForbiddenException',
  );

  const { ChannelArn: elastic = '' } = await messaging.send(
    new sdk.CreateChannelCommand({
      AppInstanceArn: chat.chat,
      Name: 'event',
      ChimeBearer: ada,
      ElasticChannelConfiguration: { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 1 },
    }),
  );
  const { Errors } = await messaging.send(
    new sdk.BatchCreateChannelMembershipCommand({ ChannelArn: elastic, ChimeBearer: ada, MemberArns: [bert, carl] }),
  );
  assert.deepEqual(Errors, []);
  const { SubChannels } = await messaging.send(new sdk.ListSubChannelsCommand({ ChannelArn: elastic, ChimeBearer: ada }));
  assert.deepEqual(
    SubChannels?.map(({ MembershipCount }) => MembershipCount),
    [2],
  );
  const SubChannelId = SubChannels?.[0]?.SubChannelId;
  await send(elastic, 'to the many', { ChimeBearer: bert, SubChannelId });
  assert.deepEqual(await contents(elastic, { SubChannelId }), ['to the many']);
});

test('Channels: moderators and bans can be created, listed and deleted', async () => {
  const ChannelArn = await newChannel();
  const on = { ChannelArn, ChimeBearer: ada };
  await messaging.send(new sdk.CreateChannelModeratorCommand({ ...on, ChannelModeratorArn: bert }));
  const { ChannelModerator } = await messaging.send(new sdk.DescribeChannelModeratorCommand({ ...on, ChannelModeratorArn: bert }));
  assert.equal(ChannelModerator?.CreatedBy?.Arn, ada);
  const { ChannelModerators } = await messaging.send(new sdk.ListChannelModeratorsCommand(on));
  assert.deepEqual(
    ChannelModerators?.map(({ Moderator }) => Moderator?.Arn),
    [ada, bert],
  );
  await messaging.send(new sdk.DeleteChannelModeratorCommand({ ...on, ChannelModeratorArn: bert }));
  await messaging.send(new sdk.CreateChannelBanCommand({ ...on, MemberArn: carl }));
  assert.equal((await messaging.send(new sdk.DescribeChannelBanCommand({ ...on, MemberArn: carl }))).ChannelBan?.CreatedBy?.Arn, ada);
  assert.deepEqual(
    (await messaging.send(new sdk.ListChannelBansCommand(on))).ChannelBans?.map(({ Member }) => Member?.Arn),
    [carl],
  );
  const membership = new sdk.DescribeChannelMembershipCommand({ ...on, MemberArn: carl });
  assert.equal((await refusalOf(messaging.send(membership))).name, 'NotFoundException');
  await messaging.send(new sdk.DeleteChannelBanCommand({ ...on, MemberArn: carl }));
  await messaging.send(new sdk.CreateChannelMembershipCommand({ ...on, MemberArn: carl, Type: 'DEFAULT' }));
  assert.equal((await messaging.send(membership)).ChannelMembership?.InvitedBy?.Arn, ada);
  await messaging.send(new sdk.DeleteChannelMembershipCommand({ ...on, MemberArn: carl }));
  assert.equal((await refusalOf(messaging.send(membership))).name, 'NotFoundException');
});

test('Messages: only the sessions of members receive the messages of a channel, in order', async () => {
  const ChannelArn = await newChannel({ MemberArns: [bert] });
  const [member, outsider] = [await connect(messaging, bert), await connect(messaging, carl)];
  for (const Content of ['one', 'two', 'three']) await send(ChannelArn, Content);
  await member.find(({ payload }) => payload?.['Content'] === 'three');
  const received = member.received.filter(({ type }) => type === 'CREATE_CHANNEL_MESSAGE').map(({ payload }) => payload?.['Content']);
  assert.deepEqual(received, ['one', 'two', 'three']);
  // Causes a last event for the session of `carl`. When this event arrives, all earlier events have arrived.
  await messaging.send(new sdk.CreateChannelMembershipCommand({ ChannelArn, ChimeBearer: ada, MemberArn: carl, Type: 'DEFAULT' }));
  await outsider.find(({ type }) => type === 'CREATE_CHANNEL_MEMBERSHIP');
  assert.deepEqual(
    outsider.received.filter(({ type }) => type === 'CREATE_CHANNEL_MESSAGE'),
    [],
  );
  for (const client of [member, outsider]) client.stop();
});

test('Messages: only the sender receives the events of a message that a flow denied', async () => {
  const admin = await chat.appUser('admin');
  await chat.identity.send(new CreateAppInstanceAdminCommand({ AppInstanceArn: chat.chat, AppInstanceAdminArn: admin }));
  const ChannelArn = await newChannel({ MemberArns: [bert] });
  const ChannelFlowArn = await flowOn(ChannelArn, 'ABORT');
  const [sender, other] = [await connect(messaging, ada), await connect(messaging, bert)];
  const [redacted, deleted] = [await send(ChannelArn, 'stopped'), await send(ChannelArn, 'aimed', { Target: [{ MemberArn: bert }] })];
  for (const Content of ['stopped', 'aimed']) {
    await sender.find(({ type, payload }) => type === 'FAILED_CREATE_CHANNEL_MESSAGE' && payload?.['Content'] === Content);
  }
  await messaging.send(new sdk.RedactChannelMessageCommand({ ChannelArn, MessageId: redacted.MessageId, ChimeBearer: ada }));
  await messaging.send(new sdk.DeleteChannelMessageCommand({ ChannelArn, MessageId: deleted.MessageId, ChimeBearer: admin }));
  // Sends a last message to the sessions of `ada` and `bert`. When the message arrives, earlier events have arrived.
  await messaging.send(new sdk.DisassociateChannelFlowCommand({ ChannelArn, ChannelFlowArn, ChimeBearer: ada }));
  await send(ChannelArn, 'sent');
  const aboutMessages = async ({ find, received }: typeof sender) => {
    await find(({ payload }) => payload?.['Content'] === 'sent');
    return received.map(({ type }) => type).filter((type) => type.endsWith('_CHANNEL_MESSAGE'));
  };
  const seen = await aboutMessages(sender);
  assert.deepEqual(seen.slice(0, 4).sort(), [
    'FAILED_CREATE_CHANNEL_MESSAGE',
    'FAILED_CREATE_CHANNEL_MESSAGE',
    'PENDING_CREATE_CHANNEL_MESSAGE',
    'PENDING_CREATE_CHANNEL_MESSAGE',
  ]);
  assert.deepEqual(seen.slice(4), ['REDACT_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']);
  assert.deepEqual(await aboutMessages(other), ['CREATE_CHANNEL_MESSAGE']);
  for (const client of [sender, other]) client.stop();
});

test('LOG-4: no trail record has the content of a message', async () => {
  const ChannelArn = await newChannel({ Metadata: CANARY });
  const { MessageId } = await send(ChannelArn, CANARY, { Metadata: CANARY });
  await messaging.send(new sdk.UpdateChannelMessageCommand({ ChannelArn, MessageId, ChimeBearer: ada, Content: `${CANARY}!` }));
  await list(ChannelArn);
  const events = await everyEvent(new CloudTrailClient(chat.server.client()));
  assert.ok(events.some(({ eventName }) => eventName === 'SendChannelMessage'));
  assert.deepEqual(
    events.filter(({ document }) => JSON.stringify(document).includes(CANARY)),
    [],
  );
});
