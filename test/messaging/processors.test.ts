/** Channel flows and streams of messaging data, whose Lambda and Kinesis endpoints are a receiver on loopback. Uses unmodified clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AssociateChannelFlowCommand,
  ChannelFlowCallbackCommand,
  CreateChannelCommand,
  CreateChannelFlowCommand,
  GetChannelMessageCommand,
  GetChannelMessageStatusCommand,
  PutMessagingStreamingConfigurationsCommand,
  SendChannelMessageCommand,
} from '@aws-sdk/client-chime-sdk-messaging';
import { askControl } from '#server/operator/ask-control.ts';
import { startChat } from '../kit/chat.ts';
import { startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';

const chat = await startChat();
const { accountId, chat: AppInstanceArn } = chat;
const messaging = chat.messaging();
const ChimeBearer = await chat.appUser('ada');
const receiver = await startReceiver();
for (const service of ['lambda', 'kinesis']) {
  const endpoint = { service, url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await askControl(chat.server.dataFolder, { command: 'endpoint add', endpoint }), { ok: true });
}

/** Creates a channel whose messages pass through a processor. */
async function channelWith(FallbackAction: 'ABORT' | 'CONTINUE'): Promise<string> {
  const { ChannelArn } = await messaging.send(new CreateChannelCommand({ AppInstanceArn, Name: 'team', ChimeBearer }));
  const ResourceArn = `arn:aws:lambda:us-east-1:${accountId}:function:${FallbackAction}`;
  const Configuration = { Lambda: { ResourceArn, InvocationType: 'ASYNC' as const } };
  const Processors = [{ Name: 'censor', ExecutionOrder: 1, FallbackAction, Configuration }];
  const { ChannelFlowArn } = await messaging.send(new CreateChannelFlowCommand({ AppInstanceArn, Name: 'flow', Processors }));
  await messaging.send(new AssociateChannelFlowCommand({ ChannelArn, ChannelFlowArn, ChimeBearer }));
  return ChannelArn as string;
}

const send = async (ChannelArn: string, Content: string) =>
  (await messaging.send(new SendChannelMessageCommand({ ChannelArn, Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ChimeBearer })))
    .MessageId as string;
const statusOf = async (ChannelArn: string, MessageId: string) =>
  (await messaging.send(new GetChannelMessageStatusCommand({ ChannelArn, MessageId, ChimeBearer }))).Status?.Value;

/** Waits for the request of an operation whose body has a message with this content. */
async function requestWith(operation: string, content: string) {
  const find = () => receiver.received.find((each) => each.operation === operation && each.message.includes(content));
  await until(
    () => find() !== undefined,
    () => JSON.stringify(receiver.received.map((each) => [each.operation, each.message])),
  );
  return JSON.parse(find()?.message ?? '');
}

test('Channel flows: Lambda receives the message, and the processor changes it', async () => {
  const ChannelArn = await channelWith('ABORT');
  const MessageId = await send(ChannelArn, 'a rude word');
  const { EventType, CallbackId, ChannelMessage } = await requestWith('Invoke', 'a rude word');
  assert.deepEqual([EventType, ChannelMessage.MessageId], ['CHANNEL_MESSAGE_EVENT', MessageId]);
  assert.equal(await statusOf(ChannelArn, MessageId), 'PENDING');
  const changed = { MessageId, Content: 'a word' };
  await messaging.send(new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, ChannelMessage: changed }));
  const { ChannelMessage: message } = await messaging.send(new GetChannelMessageCommand({ ChannelArn, MessageId, ChimeBearer }));
  assert.deepEqual([message?.Content, message?.Status?.Value], ['a word', 'SENT']);
});

for (const [fallback, status] of [
  ['ABORT', 'FAILED'],
  ['CONTINUE', 'SENT'],
] as const) {
  test(`Channel flows: if Lambda refuses the invocation, ${fallback} ends with the status ${status}`, async () => {
    const ChannelArn = await channelWith(fallback);
    receiver.reply(({ operation }) => (operation === 'Invoke' ? { status: 403, code: 'AccessDeniedException' } : undefined));
    const MessageId = await send(ChannelArn, `hello ${fallback}`);
    await until(
      async () => (await statusOf(ChannelArn, MessageId)) === status,
      () => `the message does not have the status ${status}`,
    );
  });
}

test('Streaming: Kinesis receives the messages and the changes of channels, with the channel as the partition key', async () => {
  const ResourceArn = `arn:aws:kinesis:us-east-1:${accountId}:stream/chime-messaging-all`;
  const StreamingConfigurations = (['Channel', 'ChannelMessage'] as const).map((DataType) => ({ DataType, ResourceArn }));
  await messaging.send(new PutMessagingStreamingConfigurationsCommand({ AppInstanceArn, StreamingConfigurations }));
  const { ChannelArn = '' } = await messaging.send(new CreateChannelCommand({ AppInstanceArn, Name: 'streamed', ChimeBearer }));
  const MessageId = await send(ChannelArn, 'into the stream');
  const record = await requestWith('PutRecord', 'into the stream');
  assert.deepEqual([record.EventType, record.Payload.MessageId], ['CREATE_CHANNEL_MESSAGE', MessageId]);
  const records = receiver.received.filter(({ operation }) => operation === 'PutRecord');
  assert.deepEqual(
    records.map(({ message, members }) => [JSON.parse(message).EventType, members['PartitionKey']]),
    ['CREATE_CHANNEL', 'CREATE_CHANNEL_MODERATOR', 'CREATE_CHANNEL_MEMBERSHIP', 'CREATE_CHANNEL_MESSAGE'].map((type) => [type, ChannelArn]),
  );
});
