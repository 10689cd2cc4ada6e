/** Push notifications to a push endpoint that is a receiver on loopback. Uses unmodified clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AppInstanceUserEndpointType,
  DescribeAppInstanceUserEndpointCommand,
  RegisterAppInstanceUserEndpointCommand,
} from '@aws-sdk/client-chime-sdk-identity';
import { CreateChannelCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { askControl } from '#server/operator/ask-control.ts';
import { startChat } from '../kit/chat.ts';
import { type Reply, startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';

const chat = await startChat();
const { accountId, identity, chat: AppInstanceArn } = chat;
const messaging = chat.messaging();
const receiver = await startReceiver();
const add = (endpoint: object) =>
  askControl(chat.server.dataFolder, {
    command: 'endpoint add',
    endpoint: { service: 'push', url: receiver.url, allowInternal: true, secret: 'secret', ...endpoint },
  });

async function register(AppInstanceUserArn: string, Type: AppInstanceUserEndpointType, DeviceToken: string, VoipDeviceToken?: string) {
  const ResourceArn = `arn:aws:mobiletargeting:us-east-1:${accountId}:apps/project`;
  const EndpointAttributes = { DeviceToken, ...(VoipDeviceToken !== undefined && { VoipDeviceToken }) };
  const { EndpointId } = await identity.send(
    new RegisterAppInstanceUserEndpointCommand({ AppInstanceUserArn, Type, ResourceArn, EndpointAttributes }),
  );
  return EndpointId as string;
}

async function channelOf(ChimeBearer: string, MemberArns: string[] = []): Promise<string> {
  const members = MemberArns.length > 0 && { MemberArns };
  return (await messaging.send(new CreateChannelCommand({ AppInstanceArn, Name: 'team', ChimeBearer, ...members }))).ChannelArn as string;
}

const send = async (ChannelArn: string, ChimeBearer: string, Type: 'DEFAULT' | 'VOIP' = 'DEFAULT') =>
  (
    await messaging.send(
      new SendChannelMessageCommand({
        ...{ ChannelArn, ChimeBearer, Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' },
        PushNotification: { Title: 'news', Body: 'a message', Type },
      }),
    )
  ).MessageId as string;

interface Pushed {
  readonly Addresses: Readonly<Record<string, { readonly ChannelType: string }>>;
  readonly MessageConfiguration: Readonly<Record<string, unknown>>;
}
const pushed = () =>
  receiver.received
    .filter(({ operation }) => operation.startsWith('POST /v1/apps/'))
    .map(({ headers, path, message }) => ({ headers, path, body: JSON.parse(message) as Pushed }));
const tokens = () =>
  pushed().map(({ body }) => Object.entries(body.Addresses).map(([token, { ChannelType }]) => `${token} ${ChannelType}`)[0] ?? '');
const untilPushed = (count: number) =>
  until(
    () => pushed().length === count,
    () => `${pushed().length} of ${count}: ${tokens().join()}`,
  );

const ada = await chat.appUser('ada');
const bert = await chat.appUser('bert');

assert.deepEqual(await add({}), { ok: true });

test('Push: each device of each member gets one request in the form of Pinpoint', async () => {
  await register(ada, 'GCM', 'ada-android');
  await register(bert, 'APNS', 'bert-iphone', 'bert-voip');
  await register(bert, 'APNS_SANDBOX', 'bert-test');
  const ChannelArn = await channelOf(ada, [bert]);
  const messageId = await send(ChannelArn, ada);
  await untilPushed(3);
  assert.deepEqual(tokens().sort(), ['ada-android GCM', 'bert-iphone APNS', 'bert-test APNS_SANDBOX']);
  const { headers, path, body } = pushed().find((each) => 'ada-android' in each.body.Addresses) ?? assert.fail();
  assert.deepEqual([path, headers.authorization], ['/v1/apps/project/messages', 'Bearer secret']);
  const Data = { 'chime.message_id': messageId, 'chime.channel_arn': ChannelArn };
  assert.deepEqual(body.MessageConfiguration, {
    GCMMessage: { Action: 'OPEN_APP', Title: 'news', Body: 'a message', SilentPush: false, Data },
  });
  await send(ChannelArn, ada, 'VOIP');
  await untilPushed(5);
  assert.deepEqual(tokens().slice(3).sort(), ['ada-android GCM', 'bert-voip APNS_VOIP']);
});

test('Push: a device that does not exist is deactivated, other failures leave it active, and each is an event on the bus', async () => {
  const sqs = { service: 'sqs', accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await add(sqs), { ok: true });
  const events = new EventBridgeClient(chat.server.client());
  const EventPattern = JSON.stringify({ 'detail-type': ['Chime Messaging AppInstanceUserEndpoint Delivery Failure'] });
  await events.send(new PutRuleCommand({ Name: 'failures', EventPattern }));
  const Arn = `arn:aws:sqs:us-east-1:${accountId}:failures`;
  await events.send(new PutTargetsCommand({ Rule: 'failures', Targets: [{ Id: 'queue', Arn }] }));
  const failed = () => receiver.received.flatMap(({ operation, message }) => (operation === 'SendMessage' ? [JSON.parse(message)] : []));
  const gone = { Status: 'INACTIVE', StatusReason: 'INVALID_DEVICE_TOKEN' };
  const goneReason = 'The specified resource was not found. AppInstanceUserEndpoint will be deactivated.';
  const result = JSON.stringify({ Result: { phone: { DeliveryStatus: 'PERMANENT_FAILURE', StatusCode: 410 } } });
  const role = 'ServiceRoleForAmazonChimePushNotification';
  // biome-ignore format: a table
  const failures: readonly (readonly [reply: Reply, state: object, reason: string])[] = [
    [{ status: 410 },               gone,                 goneReason],
    [{ status: 404 },               gone,                 goneReason],
    [{ status: 200, body: result }, gone,                 goneReason],
    [{ status: 403 },               { Status: 'ACTIVE' }, `Unable to send messages. Please verify IAM Permissions Policy on ${role}.`],
    [{ status: 400 },               { Status: 'ACTIVE' }, 'The request processing has failed because of an unknown error, exception or failure.'],
  ];
  for (const [i, [reply, state, failureReason]] of failures.entries()) {
    receiver.reply(({ operation }) => (operation.startsWith('POST /v1/apps/') ? reply : undefined));
    const user = await chat.appUser(`user-${i}`);
    const EndpointId = await register(user, 'GCM', 'phone');
    const channel = await channelOf(user);
    const before = pushed().length;
    await send(channel, user);
    await until(
      () => failed().length === i + 1,
      () => JSON.stringify([failed(), tokens()]),
    );
    assert.deepEqual(failed().at(-1).detail, { version: '0', resourceArn: `${user}/endpoint/${EndpointId}`, failureReason });
    const described = await identity.send(new DescribeAppInstanceUserEndpointCommand({ AppInstanceUserArn: user, EndpointId }));
    assert.deepEqual(described.AppInstanceUserEndpoint?.EndpointState, state);
    assert.equal(pushed().length, before + 1);
  }
});
