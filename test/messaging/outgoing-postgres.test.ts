/** Push notifications and app instance bots of a server on PostgreSQL. Uses unmodified clients. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CreateAppInstanceBotCommand, RegisterAppInstanceUserEndpointCommand } from '@aws-sdk/client-chime-sdk-identity';
import { CreateChannelCommand, CreateChannelMembershipCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { askControl } from '#server/operator/ask-control.ts';
import { lexOf } from '../kit/app-instance.ts';
import { startChat } from '../kit/chat.ts';
import { startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';
import { connect } from '../messaging-sessions/client.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
const chat = await startChat({ BELFRY_DATABASE: postgres.url });
after(async () => {
  await chat.server.stop();
  await postgres.stop();
});
const { accountId, identity, chat: AppInstanceArn } = chat;
const messaging = chat.messaging();
const receiver = await startReceiver();
for (const service of ['push', 'lex']) {
  const keys = service === 'lex' && { accessKeyId: 'AKIDEXAMPLE' };
  const endpoint = { service, url: receiver.url, allowInternal: true, secret: 'secret', ...keys };
  assert.deepEqual(await askControl(chat.server.dataFolder, { command: 'endpoint add', endpoint }), { ok: true });
}
const [ada, bert] = [await chat.appUser('ada'), await chat.appUser('bert')];
const channelWith = async (...members: string[]) =>
  (
    await messaging.send(
      new CreateChannelCommand({ AppInstanceArn, Name: 'team', ChimeBearer: ada, ...(members.length > 0 && { MemberArns: members }) }),
    )
  ).ChannelArn as string;

test('Push on PostgreSQL: each device of each member gets one request', async () => {
  const ResourceArn = `arn:aws:mobiletargeting:us-east-1:${accountId}:apps/project`;
  for (const [AppInstanceUserArn, DeviceToken] of [
    [ada, 'ada-phone'],
    [bert, 'bert-phone'],
    [bert, 'bert-tablet'],
  ] as const) {
    const device = { AppInstanceUserArn, Type: 'GCM' as const, ResourceArn, EndpointAttributes: { DeviceToken } };
    await identity.send(new RegisterAppInstanceUserEndpointCommand(device));
  }
  const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ChimeBearer: ada } as const;
  const PushNotification = { Title: 'news', Body: 'a message', Type: 'DEFAULT' as const };
  await messaging.send(new SendChannelMessageCommand({ ...message, ChannelArn: await channelWith(bert), PushNotification }));
  const tokens = () =>
    receiver.received.flatMap(({ operation, message: body }) =>
      operation === 'POST /v1/apps/project/messages' ? Object.keys((JSON.parse(body) as { readonly Addresses: object }).Addresses) : [],
    );
  await until(
    () => tokens().length === 3,
    () => tokens().join(),
  );
  assert.deepEqual(tokens().sort(), ['ada-phone', 'bert-phone', 'bert-tablet']);
});

test('Bots on PostgreSQL: a WebSocket client sees the answer of Lex', async () => {
  const client = await connect(messaging, ada);
  const { AppInstanceBotArn: bot = '' } = await identity.send(
    new CreateAppInstanceBotCommand({ AppInstanceArn, Name: 'echo', Configuration: lexOf(accountId) }),
  );
  const ChannelArn = await channelWith();
  await messaging.send(new CreateChannelMembershipCommand({ ChannelArn, MemberArn: bot, Type: 'DEFAULT', ChimeBearer: ada }));
  const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ChimeBearer: ada } as const;
  await messaging.send(new SendChannelMessageCommand({ ...message, ChannelArn }));
  const { payload } = await client.find(
    ({ type, payload: of }) => type === 'CREATE_CHANNEL_MESSAGE' && (of?.['Sender'] as { readonly Arn?: string } | undefined)?.Arn === bot,
  );
  assert.deepEqual(JSON.parse(String(payload?.['Content'])), { Messages: [{ Content: 'You said hello', ContentType: 'PlainText' }] });
});
