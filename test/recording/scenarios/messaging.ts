import type { AnyOutput, Recorder, ServiceCalls } from '../recorder.ts';

/** Records calls on channels, members, messages, flows and streaming: successes, then errors of each operation. */
export async function messaging(recorder: Recorder): Promise<undefined> {
  const chat = await newChat(recorder);
  await memberships(chat);
  await messages(chat);
  await elasticChannel(chat);
  await lists(chat);
  await flows(chat);
  await streaming(chat);
  await tags(chat);
  await deletions(chat);
  return undefined;
}

/** An app instance with its users, and the channels that the calls need. */
interface Chat extends ServiceCalls {
  readonly accountId: string;
  readonly AppInstanceArn: string;
  /** Creator of the channel. */
  readonly ada: string;
  readonly bob: string;
  readonly eve: string;
  /** Administrator of the app instance. */
  readonly root: string;
  readonly ChannelArn: string;
  readonly open: string;
  readonly elastic: string;
  /** Sends a request four times: as the channel's creator, for an unknown channel, as another user, and as an unknown bearer. */
  inChannel(operation: string, input?: object): Promise<AnyOutput>;
}

const unknownUser = (AppInstanceArn: string) => `${AppInstanceArn}/user/nobody`;
const unknownChannel = (AppInstanceArn: string) => `${AppInstanceArn}/channel/00000000-0000-4000-8000-000000000000`;

async function newChat(recorder: Recorder): Promise<Chat> {
  const calls = recorder.of('chime-sdk-messaging');
  const { ok, call } = calls;
  const { AppInstanceArn } = await recorder.ok('chime-sdk-identity', 'CreateAppInstance', { Name: 'talk', ClientRequestToken: 'talk' });
  const user = async (AppInstanceUserId: string): Promise<string> =>
    (
      await recorder.ok('chime-sdk-identity', 'CreateAppInstanceUser', {
        AppInstanceArn,
        AppInstanceUserId,
        Name: AppInstanceUserId,
        ClientRequestToken: `user-${AppInstanceUserId}`,
      })
    ).AppInstanceUserArn;
  const [ada, bob, eve] = [await user('ada'), await user('bob'), await user('eve')];
  const root = await user('root');
  await recorder.ok('chime-sdk-identity', 'CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: root });
  const channel = {
    AppInstanceArn,
    Name: 'general',
    Mode: 'RESTRICTED',
    Privacy: 'PRIVATE',
    ClientRequestToken: 'general',
    ChimeBearer: ada,
    Tags: [{ Key: 'team', Value: 'blue' }],
  };
  const { ChannelArn } = await ok('CreateChannel', channel);
  await call('CreateChannel', channel);
  await call('CreateChannel', { ...channel, Name: 'other' });
  await call('CreateChannel', { ...channel, ClientRequestToken: 'token-b', ChimeBearer: unknownUser(AppInstanceArn) });
  await call('CreateChannel', {
    ...channel,
    ClientRequestToken: 'token-c',
    ElasticChannelConfiguration: { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 10 },
    MemberArns: [bob],
  });
  const { ChannelArn: open } = await ok('CreateChannel', {
    AppInstanceArn,
    Name: 'open',
    Mode: 'UNRESTRICTED',
    Privacy: 'PUBLIC',
    ClientRequestToken: 'open',
    ChimeBearer: ada,
    ChannelId: 'open',
    MemberArns: [bob],
    ModeratorArns: [bob],
    Metadata: 'about',
  });
  await call('CreateChannel', { AppInstanceArn, Name: 'open', ClientRequestToken: 'open-2', ChimeBearer: ada, ChannelId: 'open' });
  const { ChannelArn: elastic } = await ok('CreateChannel', {
    AppInstanceArn,
    Name: 'crowd',
    Mode: 'RESTRICTED',
    ClientRequestToken: 'crowd',
    ChimeBearer: root,
    ElasticChannelConfiguration: { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 10 },
  });

  return {
    ...calls,
    ...{ accountId: recorder.accountId, AppInstanceArn, ada, bob, eve, root, ChannelArn, open, elastic },
    async inChannel(operation, input = {}) {
      const outcome = await call(operation, { ChannelArn, ChimeBearer: ada, ...input });
      await call(operation, { ChimeBearer: ada, ...input, ChannelArn: unknownChannel(AppInstanceArn) });
      await call(operation, { ChannelArn, ...input, ChimeBearer: eve });
      await call(operation, { ChannelArn, ...input, ChimeBearer: unknownUser(AppInstanceArn) });
      return outcome.output;
    },
  };
}

async function memberships({ AppInstanceArn, ada, bob, eve, inChannel, root }: Chat): Promise<void> {
  await inChannel('DescribeChannel');
  await inChannel('UpdateChannel', { Name: 'general 2', Metadata: 'more' });
  await inChannel('CreateChannelMembership', { MemberArn: bob, Type: 'DEFAULT' });
  await inChannel('CreateChannelMembership', { MemberArn: unknownUser(AppInstanceArn), Type: 'DEFAULT' });
  await inChannel('CreateChannelMembership', { MemberArn: root, Type: 'HIDDEN' });
  await inChannel('BatchCreateChannelMembership', { MemberArns: [eve, unknownUser(AppInstanceArn)] });
  await inChannel('DescribeChannelMembership', { MemberArn: bob });
  await inChannel('ListChannelMemberships', { MaxResults: 1 });
  await inChannel('ListChannelMemberships', { NextToken: 'forged' });
  await inChannel('PutChannelMembershipPreferences', {
    MemberArn: ada,
    Preferences: { PushNotifications: { AllowNotifications: 'FILTERED', FilterRule: '{"type":["urgent"]}' } },
  });
  await inChannel('PutChannelMembershipPreferences', {
    MemberArn: ada,
    Preferences: { PushNotifications: { AllowNotifications: 'FILTERED', FilterRule: '{"type":[{"$eq":"urgent"}]}' } },
  });
  await inChannel('GetChannelMembershipPreferences', { MemberArn: ada });
  await inChannel('CreateChannelModerator', { ChannelModeratorArn: bob });
  await inChannel('DescribeChannelModerator', { ChannelModeratorArn: bob });
  await inChannel('ListChannelModerators');
  await inChannel('CreateChannelBan', { MemberArn: bob });
  await inChannel('DeleteChannelModerator', { ChannelModeratorArn: bob });
  await inChannel('CreateChannelBan', { MemberArn: bob });
  await inChannel('DescribeChannelBan', { MemberArn: bob });
  await inChannel('ListChannelBans');
  await inChannel('DeleteChannelBan', { MemberArn: bob });
}

async function messages({ ada, bob, inChannel }: Chat): Promise<void> {
  const sent = await inChannel('SendChannelMessage', {
    Content: 'hello',
    Type: 'STANDARD',
    Persistence: 'PERSISTENT',
    ClientRequestToken: 'hello',
    Metadata: 'm',
    MessageAttributes: { kind: { StringValues: ['greeting'] } },
  });
  await inChannel('SendChannelMessage', { Content: 'gone', Type: 'CONTROL', Persistence: 'NON_PERSISTENT', ClientRequestToken: 'gone' });
  await inChannel('SendChannelMessage', {
    Content: 'x'.repeat(100),
    Type: 'CONTROL',
    Persistence: 'NON_PERSISTENT',
    ClientRequestToken: 'long',
  });
  await inChannel('SendChannelMessage', {
    Content: 'to bob',
    Type: 'STANDARD',
    Persistence: 'PERSISTENT',
    ClientRequestToken: 'target',
    Target: [{ MemberArn: bob }],
  });
  const { MessageId } = sent;
  for (const id of [MessageId, '0'.repeat(64)]) {
    await inChannel('GetChannelMessage', { MessageId: id });
    await inChannel('GetChannelMessageStatus', { MessageId: id });
    await inChannel('UpdateChannelMessage', { MessageId: id, Content: 'hello again', Metadata: 'n' });
  }
  await inChannel('ListChannelMessages', { MaxResults: 1, SortOrder: 'ASCENDING' });
  await inChannel('UpdateChannelReadMarker');
  await inChannel('RedactChannelMessage', { MessageId });
  await inChannel('DeleteChannelMessage', { MessageId });
  await inChannel('PutChannelExpirationSettings', { ExpirationSettings: { ExpirationDays: 3, ExpirationCriterion: 'CREATED_TIMESTAMP' } });
  await inChannel('ListSubChannels');
  await inChannel('DescribeChannelMembershipForAppInstanceUser', { AppInstanceUserArn: ada });
  await inChannel('DescribeChannelModeratedByAppInstanceUser', { AppInstanceUserArn: ada });
}

async function elasticChannel({ ada, bob, call, elastic, ok, root }: Chat): Promise<void> {
  await ok('CreateChannelMembership', { ChannelArn: elastic, MemberArn: ada, Type: 'DEFAULT', ChimeBearer: root });
  const subChannels = await ok('ListSubChannels', { ChannelArn: elastic, ChimeBearer: root });
  await call('CreateChannelMembership', { ChannelArn: elastic, MemberArn: bob, Type: 'HIDDEN', ChimeBearer: root });
  await call('ListChannelMemberships', { ChannelArn: elastic, ChimeBearer: root });
  await call('ListChannelMemberships', {
    ChannelArn: elastic,
    ChimeBearer: root,
    SubChannelId: subChannels.SubChannels?.[0]?.SubChannelId,
  });
  await call('SendChannelMessage', {
    ChannelArn: elastic,
    ChimeBearer: ada,
    Content: 'crowd',
    Type: 'STANDARD',
    Persistence: 'PERSISTENT',
    ClientRequestToken: 'crowd',
  });
}

async function lists({ AppInstanceArn, ada, bob, call, root }: Chat): Promise<void> {
  for (const ChimeBearer of [ada, root, unknownUser(AppInstanceArn)]) {
    await call('ListChannels', { AppInstanceArn, ChimeBearer });
    await call('ListChannelMembershipsForAppInstanceUser', { AppInstanceUserArn: ada, ChimeBearer });
    await call('ListChannelsModeratedByAppInstanceUser', { AppInstanceUserArn: bob, ChimeBearer });
    await call('SearchChannels', { Fields: [{ Key: 'MEMBERS', Values: [ada, bob], Operator: 'INCLUDES' }], ChimeBearer });
    await call('GetMessagingSessionEndpoint', {});
  }
}

async function flows({ AppInstanceArn, ChannelArn, accountId, call, inChannel, ok }: Chat): Promise<void> {
  const Processors = [
    {
      Name: 'filter',
      Configuration: { Lambda: { ResourceArn: `arn:aws:lambda:us-east-1:${accountId}:function:filter`, InvocationType: 'ASYNC' } },
      ExecutionOrder: 1,
      FallbackAction: 'CONTINUE',
    },
  ];
  const { ChannelFlowArn } = await ok('CreateChannelFlow', {
    AppInstanceArn,
    Processors,
    Name: 'flow',
    ClientRequestToken: 'flow',
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  await call('CreateChannelFlow', { AppInstanceArn, Processors, Name: 'other', ClientRequestToken: 'flow' });
  await call('CreateChannelFlow', {
    AppInstanceArn,
    Processors: [Processors[0], { ...Processors[0], Name: 'second' }],
    Name: 'two',
    ClientRequestToken: 'flow-2',
  });
  const Elsewhere = {
    Lambda: { ResourceArn: `arn:aws:lambda:eu-west-1:${accountId}:function:filter`, InvocationType: 'ASYNC' },
  };
  await call('CreateChannelFlow', {
    AppInstanceArn,
    Processors: [{ ...Processors[0], Configuration: Elsewhere }],
    Name: 'elsewhere',
    ClientRequestToken: 'flow-3',
  });
  const noFlow = `${AppInstanceArn}/channel-flow/00000000-0000-4000-8000-000000000000`;
  for (const flow of [ChannelFlowArn, noFlow]) {
    await call('DescribeChannelFlow', { ChannelFlowArn: flow });
    await call('UpdateChannelFlow', { ChannelFlowArn: flow, Processors, Name: 'flow 2' });
    await call('ListChannelsAssociatedWithChannelFlow', { ChannelFlowArn: flow });
    await inChannel('AssociateChannelFlow', { ChannelFlowArn: flow });
  }
  await ok('ListChannelFlows', { AppInstanceArn });
  await inChannel('SendChannelMessage', { Content: 'flowing', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'flowing' });
  await call('ChannelFlowCallback', {
    CallbackId: '00000000-0000-4000-8000-000000000000',
    ChannelArn,
    ChannelMessage: { MessageId: '0'.repeat(64), Content: 'x' },
  });
  await call('DeleteChannelFlow', { ChannelFlowArn });
  await inChannel('DisassociateChannelFlow', { ChannelFlowArn });
  await call('DeleteChannelFlow', { ChannelFlowArn });
  await call('DeleteChannelFlow', { ChannelFlowArn });
}

async function streaming({ AppInstanceArn, accountId, call }: Chat): Promise<void> {
  const StreamingConfigurations = [
    { DataType: 'Channel', ResourceArn: `arn:aws:kinesis:us-east-1:${accountId}:stream/chime-messaging-data` },
  ];
  await call('PutMessagingStreamingConfigurations', { AppInstanceArn, StreamingConfigurations });
  await call('PutMessagingStreamingConfigurations', {
    AppInstanceArn,
    StreamingConfigurations: [...StreamingConfigurations, ...StreamingConfigurations],
  });
  await call('GetMessagingStreamingConfigurations', { AppInstanceArn });
  await call('DeleteMessagingStreamingConfigurations', { AppInstanceArn });
  await call('GetMessagingStreamingConfigurations', { AppInstanceArn });
}

async function tags({ AppInstanceArn, ChannelArn, call }: Chat): Promise<void> {
  for (const ResourceARN of [ChannelArn, unknownChannel(AppInstanceArn)]) {
    await call('TagResource', { ResourceARN, Tags: [{ Key: 'phase', Value: 'two' }] });
    await call('ListTagsForResource', { ResourceARN });
    await call('UntagResource', { ResourceARN, TagKeys: ['phase'] });
  }
  await call('TagResource', { ResourceARN: ChannelArn, Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: 'v' })) });
}

async function deletions({ ChannelArn, ada, bob, call, eve, inChannel, ok, open, root }: Chat): Promise<void> {
  await inChannel('DeleteChannelMembership', { MemberArn: bob });
  await call('DeleteChannelMembership', { ChannelArn, MemberArn: ada, ChimeBearer: ada });
  const { MessageId: last } = await ok('SendChannelMessage', {
    ChannelArn: open,
    ChimeBearer: ada,
    Content: 'last',
    Type: 'STANDARD',
    Persistence: 'PERSISTENT',
    ClientRequestToken: 'last',
  });
  await ok('DeleteChannelMessage', { ChannelArn: open, MessageId: last, ChimeBearer: root });
  await call('DeleteChannel', { ChannelArn: open, ChimeBearer: eve });
  await ok('DeleteChannel', { ChannelArn: open, ChimeBearer: ada });
  await call('DeleteChannel', { ChannelArn: open, ChimeBearer: ada });
}
