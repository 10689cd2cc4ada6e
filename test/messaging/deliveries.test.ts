/** Messages from Chime to endpoints of others: records of streams, invocations of processors, and notifications of meetings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ChimeSDKMeetingsClient,
  CreateAttendeeCommand,
  CreateMeetingCommand,
  DeleteMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import * as sdk from '@aws-sdk/client-chime-sdk-messaging';
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { askControl } from '#server/operator/ask-control.ts';
import { startChat } from '../kit/chat.ts';
import { type Received, startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';
import { connect } from '../messaging-sessions/client.ts';

const chat = await startChat();
const { server } = chat;
const messaging = chat.messaging();
const [ada, bert] = [await chat.appUser('ada'), await chat.appUser('bert')];
const receiver = await startReceiver();
for (const service of ['sqs', 'sns', 'lambda', 'kinesis'] as const) {
  const endpoint = { service, url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await askControl(server.dataFolder, { command: 'endpoint add', endpoint }), { ok: true });
}
const ours = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${server.accountId}:${resource}`;

/** Waits for a number of requests that satisfy a condition. Returns them. */
async function received(count: number, is: (request: Received) => boolean): Promise<readonly Received[]> {
  const found = () => receiver.received.filter(is);
  await until(
    () => found().length >= count,
    () => `${found().length} of ${count} requests: ${receiver.received.map(({ operation }) => operation).join(', ')}`,
  );
  assert.equal(found().length, count);
  return found();
}

let tokens = 0;
async function newChannel(): Promise<string> {
  const token = { ClientRequestToken: `token-${++tokens}`, ChimeBearer: ada };
  const { ChannelArn = '' } = await messaging.send(
    new sdk.CreateChannelCommand({ AppInstanceArn: chat.chat, Name: 'team', MemberArns: [bert], ...token }),
  );
  return ChannelArn;
}
const send = (ChannelArn: string, Content: string) =>
  messaging.send(
    new sdk.SendChannelMessageCommand({
      ...{ ChannelArn, Content, Type: 'STANDARD', Persistence: 'PERSISTENT' },
      ...{ ClientRequestToken: `token-${++tokens}`, ChimeBearer: ada },
    }),
  );

test('Messaging streams: messages and events of channels are records of the streams, in the order of their channel', async () => {
  const stream = ours('kinesis', 'stream/chime-messaging-data');
  const StreamingConfigurations = (['Channel', 'ChannelMessage'] as const).map((DataType) => ({ DataType, ResourceArn: stream }));
  await messaging.send(new sdk.PutMessagingStreamingConfigurationsCommand({ AppInstanceArn: chat.chat, StreamingConfigurations }));
  const ChannelArn = await newChannel();
  for (const content of ['one', 'two', 'three']) await send(ChannelArn, content);
  const records = await received(7, ({ operation, members }) => operation === 'PutRecord' && members['PartitionKey'] === ChannelArn);
  const parsed = records.map(({ message }) => JSON.parse(message) as { readonly EventType: string; readonly Payload: sdk.ChannelMessage });
  assert.deepEqual(
    parsed.map(({ EventType }) => EventType),
    [
      'CREATE_CHANNEL',
      'CREATE_CHANNEL_MODERATOR',
      ...Array(2).fill('CREATE_CHANNEL_MEMBERSHIP'),
      ...Array(3).fill('CREATE_CHANNEL_MESSAGE'),
    ],
  );
  assert.deepEqual(
    parsed.slice(4).map(({ Payload }) => [Payload.Content, Payload.ChannelArn]),
    ['one', 'two', 'three'].map((content) => [content, ChannelArn]),
  );
  assert.match(String(parsed[4]?.Payload.CreatedTimestamp), /^\d{4}-\d\d-\d\dT.*Z$/);
  await messaging.send(new sdk.DeleteMessagingStreamingConfigurationsCommand({ AppInstanceArn: chat.chat }));
});

test('Channel flows: a function gets the message, calls back, and members see what it made of the message', async () => {
  const ChannelArn = await newChannel();
  const function_ = ours('lambda', 'function:censor');
  const { ChannelFlowArn } = await messaging.send(
    new sdk.CreateChannelFlowCommand({
      ...{ AppInstanceArn: chat.chat, Name: 'censor', ClientRequestToken: `token-${++tokens}` },
      Processors: [
        {
          ...{ Name: 'censor', ExecutionOrder: 1, FallbackAction: 'ABORT' },
          Configuration: { Lambda: { ResourceArn: function_, InvocationType: 'ASYNC' } },
        },
      ],
    }),
  );
  await messaging.send(new sdk.AssociateChannelFlowCommand({ ChannelArn, ChannelFlowArn, ChimeBearer: ada }));
  const [sender, other] = [await connect(messaging, ada), await connect(messaging, bert)];
  const { MessageId, Status } = await send(ChannelArn, 'darn');
  assert.equal(Status?.Value, 'PENDING');
  const [invocation] = await received(1, ({ operation, path }) => operation === 'Invoke' && path.includes('censor'));
  const { EventType, CallbackId, ChannelMessage } = JSON.parse(invocation?.message ?? '') as {
    readonly EventType: string;
    readonly CallbackId: string;
    readonly ChannelMessage: sdk.ChannelMessage;
  };
  assert.deepEqual([EventType, ChannelMessage.MessageId, ChannelMessage.Content], ['CHANNEL_MESSAGE_EVENT', MessageId, 'darn']);
  assert.equal(invocation?.headers['x-amz-invocation-type'], 'Event');

  const callback = { CallbackId, ChannelArn, ChannelMessage: { MessageId, Content: 'd*rn' } };
  await messaging.send(new sdk.ChannelFlowCallbackCommand(callback));
  for (const client of [sender, other]) {
    const { payload } = await client.find(({ type }) => type === 'CREATE_CHANNEL_MESSAGE');
    assert.deepEqual([payload?.['MessageId'], payload?.['Content']], [MessageId, 'd*rn']);
  }
  const pending = ({ received: events }: typeof sender) => events.filter(({ type }) => type.startsWith('PENDING_')).length;
  assert.deepEqual([pending(sender), pending(other)], [1, 0]);
  for (const client of [sender, other]) client.stop();
});

// Requirement CD-2.
test('Meeting notifications: queue, topic and function of a meeting receive its events', async () => {
  const meetings = new ChimeSDKMeetingsClient(server.client());
  const { Meeting } = await meetings.send(
    new CreateMeetingCommand({
      ...{ ClientRequestToken: 'meeting', MediaRegion: 'us-east-1', ExternalMeetingId: 'standup' },
      NotificationsConfiguration: {
        SqsQueueArn: ours('sqs', 'notices'),
        SnsTopicArn: ours('sns', 'notices'),
        LambdaFunctionArn: ours('lambda', 'function:notices'),
      },
    }),
  );
  const MeetingId = Meeting?.MeetingId;
  await meetings.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: 'ada' }));
  await meetings.send(new DeleteMeetingCommand({ MeetingId }));
  for (const [operation, place] of [
    ['SendMessage', 'notices'],
    ['Publish', 'notices'],
    ['Invoke', 'notices'],
  ] as const) {
    const requests = await received(3, (each) => each.operation === operation && (each.body + each.path).includes(place));
    const details = requests.map(({ message }) => (JSON.parse(message) as { readonly detail: Record<string, string> }).detail);
    assert.deepEqual(details.map(({ eventType }) => eventType).sort(), [
      ...['chime:AttendeeAdded', 'chime:MeetingEnded', 'chime:MeetingStarted'],
    ]);
    assert.ok(details.every(({ meetingId }) => meetingId === MeetingId));
  }
});

// Requirement LOG-26.
test('Meeting notifications: one that the queue refuses for good is counted in AWS/ChimeSDK', async () => {
  receiver.reply(({ body }) => (body.includes('refused') ? { status: 403, code: 'AccessDenied' } : undefined));
  const meetings = new ChimeSDKMeetingsClient(server.client());
  await meetings.send(
    new CreateMeetingCommand({
      ...{ ClientRequestToken: 'refused', MediaRegion: 'us-east-1', ExternalMeetingId: 'refused' },
      NotificationsConfiguration: { SqsQueueArn: ours('sqs', 'refused') },
    }),
  );
  const cloudwatch = new CloudWatchClient(server.client());
  const names = async () =>
    (await cloudwatch.send(new ListMetricsCommand({ Namespace: 'AWS/ChimeSDK' }))).Metrics?.map(({ MetricName }) => MetricName) ?? [];
  await until(
    async () => (await names()).length > 0,
    () => 'nothing is counted',
  );
  assert.deepEqual(await names(), ['MeetingSQSNotificationErrors']);
});
