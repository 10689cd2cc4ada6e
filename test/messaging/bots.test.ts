/** App instance bots whose Lex V2 endpoint is a receiver on loopback. Uses unmodified clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateAppInstanceBotCommand, type LexConfiguration } from '@aws-sdk/client-chime-sdk-identity';
import { CreateChannelCommand, CreateChannelMembershipCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { askControl } from '#server/operator/ask-control.ts';
import { lexOf } from '../kit/app-instance.ts';
import { startChat } from '../kit/chat.ts';
import { lexAnswer, startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';
import { connect } from '../messaging-sessions/client.ts';

const chat = await startChat();
const { accountId, identity, chat: AppInstanceArn } = chat;
const messaging = chat.messaging();
const ada = await chat.appUser('ada');
const receiver = await startReceiver();
for (const service of ['lex', 'sqs']) {
  const endpoint = { service, url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await askControl(chat.server.dataFolder, { command: 'endpoint add', endpoint }), { ok: true });
}
const client = await connect(messaging, ada);

async function newBot(Name: string, more: Partial<LexConfiguration> = {}): Promise<string> {
  const Configuration = { Lex: { ...lexOf(accountId).Lex, ...more } };
  const { AppInstanceBotArn } = await identity.send(new CreateAppInstanceBotCommand({ AppInstanceArn, Name, Configuration }));
  return AppInstanceBotArn as string;
}

/** Creates a channel of ada and a bot. */
async function channelWith(MemberArn: string): Promise<string> {
  const { ChannelArn } = await messaging.send(new CreateChannelCommand({ AppInstanceArn, Name: 'team', ChimeBearer: ada }));
  await messaging.send(new CreateChannelMembershipCommand({ ChannelArn, MemberArn, Type: 'DEFAULT', ChimeBearer: ada }));
  return ChannelArn as string;
}

const send = (ChannelArn: string, Content: string) =>
  messaging.send(new SendChannelMessageCommand({ ChannelArn, Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ChimeBearer: ada }));

/** Reports whether a payload is a message of a bot. */
const isOf = (bot: string, payload: Readonly<Record<string, unknown>> | null): boolean =>
  (payload?.['Sender'] as { readonly Arn?: string } | undefined)?.Arn === bot;

/** Waits for a message of a bot at ada's WebSocket. */
async function messageOf(bot: string) {
  const found = await client.find(({ type, payload }) => type === 'CREATE_CHANNEL_MESSAGE' && isOf(bot, payload));
  return found.payload ?? assert.fail();
}
const contentOf = (payload: Readonly<Record<string, unknown>>): unknown => JSON.parse(String(payload['Content']));

test('Bots: a WebSocket client sees the answer of Lex, and the answer invokes no bot', async () => {
  const bot = await newBot('echo');
  const ChannelArn = await channelWith(bot);
  const { MessageId } = await send(ChannelArn, 'hello');
  const answer = await messageOf(bot);
  assert.deepEqual(contentOf(answer), { Messages: [{ Content: 'You said hello', ContentType: 'PlainText' }] });
  const { ContentType, Type, MessageAttributes } = answer as Readonly<Record<string, unknown>> & {
    readonly MessageAttributes: Readonly<Record<string, { readonly StringValues: readonly string[] }>>;
  };
  assert.deepEqual([ContentType, Type], ['application/amz-chime-lex-msgs', 'STANDARD']);
  assert.deepEqual(MessageAttributes['CHIME.LEX.sessionState.originatingRequestId'], { StringValues: [MessageId] });
  const requests = receiver.received.filter(({ operation }) => operation === 'RecognizeText');
  assert.equal(requests.length, 1);
  assert.match(requests[0]?.path ?? '', /^\/bots\/ABCDEFGHIJ\/botAliases\/KLMNOPQRST\/botLocales\/en_US\/sessions\/[0-9a-f]{64}\/text$/);
  assert.deepEqual(requests[0]?.members['requestAttributes'], { 'CHIME.channel.arn': ChannelArn, 'CHIME.sender.arn': ada });
});

test('Bots: a bot that becomes a member starts its welcome intent', async () => {
  const bot = await newBot('host', { WelcomeIntent: 'Hello' });
  await channelWith(bot);
  assert.deepEqual(contentOf(await messageOf(bot)), { Messages: [{ Content: 'Welcome', ContentType: 'PlainText' }] });
  const { members } = receiver.received.find(({ operation }) => operation === 'PutSession') ?? assert.fail();
  assert.deepEqual(members['sessionState'], { dialogAction: { type: 'Delegate' }, intent: { name: 'Hello' } });
});

test('Bots: a failure of Lex is an event on the bus of the account, and no message', async () => {
  const events = new EventBridgeClient(chat.server.client());
  const EventPattern = JSON.stringify({ 'detail-type': ['Chime Messaging AppInstanceBot Lex Failure'] });
  await events.send(new PutRuleCommand({ Name: 'failures', EventPattern }));
  const Arn = `arn:aws:sqs:us-east-1:${accountId}:failures`;
  await events.send(new PutTargetsCommand({ Rule: 'failures', Targets: [{ Id: 'queue', Arn }] }));
  const tooMany = { ...lexAnswer(''), messages: Array.from({ length: 6 }, () => ({ content: 'x', contentType: 'PlainText' })) };
  // biome-ignore format: a table
  const failures = [
    [{ status: 400, code: 'ValidationException' },          'the receiver responded with the status 400 and the code ValidationException'],
    [{ status: 200, body: JSON.stringify(tooMany) },        'the answer of the bot has more than 5 messages'],
    [{ status: 200, body: '{"messages":[{"content":1}]}' }, 'the answer of the bot is invalid'],
  ] as const;
  for (const [reply, failureReason] of failures) {
    const bot = await newBot('broken');
    receiver.reply(({ operation }) => (operation === 'RecognizeText' ? reply : undefined));
    await send(await channelWith(bot), 'hello');
    const failed = () => receiver.received.flatMap(({ operation, message }) => (operation === 'SendMessage' ? [JSON.parse(message)] : []));
    await until(
      () => failed().at(-1)?.detail.resourceArn === bot,
      () => JSON.stringify(failed()),
    );
    const { source, resources, detail } = failed().at(-1);
    assert.deepEqual([source, resources, detail], ['aws.chime', [], { version: '0', resourceArn: bot, failureReason }]);
    assert.ok(!client.received.some(({ type, payload }) => type === 'CREATE_CHANNEL_MESSAGE' && isOf(bot, payload)));
  }
  client.stop();
  await client.stopped;
});
