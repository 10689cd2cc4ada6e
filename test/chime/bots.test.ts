/** Tests bots of Amazon Chime with the real SDK and a real HTTPS endpoint. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  ChimeClient,
  CreateAccountCommand,
  CreateBotCommand,
  CreateRoomCommand,
  CreateRoomMembershipCommand,
  DeleteEventsConfigurationCommand,
  DeleteRoomCommand,
  DeleteRoomMembershipCommand,
  GetBotCommand,
  GetEventsConfigurationCommand,
  ListBotsCommand,
  PutEventsConfigurationCommand,
  RegenerateSecurityTokenCommand,
  UpdateBotCommand,
} from '@aws-sdk/client-chime';
import { ChimeSDKMessagingClient, ListChannelMessagesCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import type { AccountId as OwnerId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { chimeAppInstance } from '#services/chime-kit/chime-app-instance.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { trustAuthority } from '../kit/chat.ts';
import { refusalOf } from '../kit/outcome.ts';
import { startServerProcess } from '../kit/process.ts';
import { startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';
import { startBotEndpoint } from './bot-endpoint.ts';
import { register, verifyDomain } from './register.ts';

const { port, host: HOST, received, statuses, settings: reachable } = await startBotEndpoint();

const server = await startServerProcess({ ...reachable, BELFRY_LOOKUPS_PER_SECOND: '0' });
const { credentials } = server;
const settings = { region: 'us-east-1', credentials, maxAttempts: 1 };
const chime = new ChimeClient({ ...settings, endpoint: `${server.endpoint}/_chime` });
trustAuthority(join(server.dataFolder, 'tls', 'ca.pem'));
const { Account } = await chime.send(new CreateAccountCommand({ Name: 'Bots' }));
const { AccountId = '', AwsAccountId } = Account ?? {};
verifyDomain(server, AccountId, 'example.com');

async function newBot(DisplayName: string) {
  const { Bot } = await chime.send(new CreateBotCommand({ AccountId, DisplayName, Domain: 'example.com' }));
  return { Bot, BotId: Bot?.BotId as string, SecurityToken: Bot?.SecurityToken as string };
}
const put = (BotId: string, OutboundEventsHTTPSEndpoint: string) =>
  chime.send(new PutEventsConfigurationCommand({ AccountId, BotId, OutboundEventsHTTPSEndpoint }));

test('SDK: a bot is created, listed and changed, gets an endpoint and joins a room', async () => {
  const { Bot, BotId } = await newBot('sdkBot');
  assert.deepEqual([Bot?.DisplayName, Bot?.BotEmail, Bot?.UserId], ['sdkBot (Bot)', 'sdkBot-chimebot@example.com', BotId]);
  assert.deepEqual((await chime.send(new GetBotCommand({ AccountId, BotId }))).Bot, Bot);
  assert.deepEqual((await chime.send(new ListBotsCommand({ AccountId }))).Bots, [Bot]);
  const none = await refusalOf(chime.send(new GetEventsConfigurationCommand({ AccountId, BotId })));
  assert.deepEqual([none.name, none.status], ['NotFoundException', 404]);

  received.length = 0;
  const { EventsConfiguration, $metadata } = await put(BotId, `${HOST}/ok`);
  assert.deepEqual([$metadata.httpStatusCode, EventsConfiguration], [201, { BotId, OutboundEventsHTTPSEndpoint: `${HOST}/ok` }]);
  const [{ path, type, body } = assert.fail(), ...more] = received;
  assert.deepEqual([path, type, Object.keys(body as object), more], ['/ok', 'application/json', ['Challenge', 'EventType'], []]);
  assert.deepEqual((await chime.send(new GetEventsConfigurationCommand({ AccountId, BotId }))).EventsConfiguration, EventsConfiguration);

  const RoomId = (await chime.send(new CreateRoomCommand({ AccountId, Name: 'chatRoom' }))).Room?.RoomId;
  const { RoomMembership } = await chime.send(new CreateRoomMembershipCommand({ AccountId, RoomId, MemberId: BotId }));
  assert.equal(RoomMembership?.Member?.MemberType, 'Bot');
  const renewed = (await chime.send(new RegenerateSecurityTokenCommand({ AccountId, BotId }))).Bot;
  assert.notEqual(renewed?.SecurityToken, Bot?.SecurityToken);
  assert.equal((await chime.send(new UpdateBotCommand({ AccountId, BotId, Disabled: true }))).Bot?.Disabled, true);
  const removed = await chime.send(new DeleteEventsConfigurationCommand({ AccountId, BotId }));
  assert.equal(removed.$metadata.httpStatusCode, 204);
});

/** Creates a room. */
async function newRoom(): Promise<string> {
  return (await chime.send(new CreateRoomCommand({ AccountId, Name: 'chatRoom' }))).Room?.RoomId as string;
}
const eventTypes = () => received.map(({ body }) => (body as { readonly EventType: string }).EventType);

test('Events: Invite and Remove are signed with the token, and an event is sent three times while the endpoint fails', async () => {
  const { BotId, SecurityToken } = await newBot('eventful');
  await put(BotId, `${HOST}/ok`);
  const RoomId = await newRoom();
  const member = { AccountId, RoomId, MemberId: BotId };
  received.length = 0;
  statuses.push(500, 503);
  await chime.send(new CreateRoomMembershipCommand(member));
  await until(
    () => received.length >= 3,
    () => 'no event',
  );
  // A 4xx is not retried, and the last failure of three ends an event. The next event of the room shows both.
  statuses.push(403);
  await chime.send(new DeleteRoomMembershipCommand(member));
  await chime.send(new CreateRoomMembershipCommand(member));
  await until(
    () => received.length >= 5,
    () => `events: ${eventTypes()}`,
  );
  statuses.push(500, 500, 500);
  await chime.send(new DeleteRoomMembershipCommand(member));
  await chime.send(new CreateRoomMembershipCommand(member));
  await until(
    () => received.length >= 9,
    () => `events: ${eventTypes()}`,
  );
  assert.deepEqual(eventTypes(), ['Invite', 'Invite', 'Invite', 'Remove', 'Invite', 'Remove', 'Remove', 'Remove', 'Invite']);
  for (const { type, text, timestamp, signature, body } of received) {
    assert.equal(type, 'application/json');
    assert.equal(signature, createHmac('sha256', SecurityToken).update(`${timestamp}|${text}`).digest('base64'));
    assert.equal(new Date(timestamp).toISOString(), timestamp);
    const { Sender, Discussion, EventTimestamp, EventType, InboundHttpsEndpoint, ...more } = body as Readonly<Record<string, unknown>>;
    const SenderId = `arn:aws:iam::${AwsAccountId}:user/admin`;
    assert.deepEqual([Sender, Discussion, more], [{ SenderId, SenderIdType: 'Arn' }, { DiscussionId: RoomId, DiscussionType: 'Room' }, {}]);
    assert.equal(InboundHttpsEndpoint !== undefined, EventType === 'Invite');
    assert.match(String(EventTimestamp), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
  }
  const [first, second, third] = received.map(({ timestamp }) => Date.parse(timestamp)) as [number, number, number];
  assert.ok(second - first >= 200 && third - second >= 400, `${second - first} ${third - second}`);
});

const messaging = new ChimeSDKMessagingClient({ ...settings, endpoint: server.endpoint });

/** Creates a room with a person, and returns functions that write and read as this person. */
async function newRoomWithPerson(name: string) {
  const address = `${name}@example.com`;
  const [userId = ''] = await register({ ...server, accountId: AwsAccountId } as never, AccountId, address);
  const RoomId = await newRoom();
  await chime.send(new CreateRoomMembershipCommand({ AccountId, RoomId, MemberId: userId }));
  const appInstance = chimeAppInstance(AwsAccountId as OwnerId).appInstanceId;
  const inAppInstance = `arn:aws:chime:us-east-1:${AwsAccountId}:app-instance/${appInstance}`;
  const at = { ChannelArn: `${inAppInstance}/channel/${RoomId}`, ChimeBearer: `${inAppInstance}/user/${userId}` };
  return {
    ...{ address, userId, RoomId, inAppInstance },
    write: async (Content: string, more: object = {}) =>
      await messaging.send(
        new SendChannelMessageCommand({
          ...{ ...at, Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: randomUUID() },
          ...more,
        }),
      ),
    read: async () => (await messaging.send(new ListChannelMessagesCommand(at))).ChannelMessages ?? [],
  };
}

type Received = { readonly EventType: string; readonly InboundHttpsEndpoint?: { readonly EndpointType: string; readonly Url: string } };
/** Waits for the event with a number, and returns it. */
async function eventOf(number: number) {
  await until(
    () => received.length > number,
    () => `events: ${eventTypes()}`,
  );
  return received[number]?.body as Received & Readonly<Record<string, unknown>>;
}
const post = (url: string | undefined, body: string, type = 'application/json') =>
  fetch(url as string, { method: 'POST', body, headers: { 'content-type': type } });
const say = (event: Received, Content: string) => post(event.InboundHttpsEndpoint?.Url, JSON.stringify({ Content }));

test('Mention: the bot receives the message, and answers with its webhooks until it is disabled or removed', async () => {
  const { BotId } = await newBot('mentioned');
  await put(BotId, `${HOST}/ok`);
  const { address, RoomId, inAppInstance, write, read } = await newRoomWithPerson('writer');
  received.length = 0;
  const member = { AccountId, RoomId, MemberId: BotId };
  await chime.send(new CreateRoomMembershipCommand(member));
  const invite = await eventOf(0);
  await write('nothing for mentioned@example.com');
  await write('@mentioned@example.com Hello Chatbot');
  const mention = await eventOf(1);
  const { InboundHttpsEndpoint, EventTimestamp: _at, ...rest } = mention;
  assert.deepEqual(rest, {
    Sender: { SenderId: address, SenderIdType: 'EmailId' },
    Discussion: { DiscussionId: RoomId, DiscussionType: 'Room' },
    EventType: 'Mention',
    Message: '@mentioned@example.com Hello Chatbot',
  });
  assert.deepEqual([invite.InboundHttpsEndpoint?.EndpointType, InboundHttpsEndpoint?.EndpointType], ['Persistent', 'ShortLived']);
  const url = InboundHttpsEndpoint?.Url ?? '';
  assert.match(url, new RegExp(`^${server.httpsEndpoint}/incomingwebhooks/[0-9a-f-]{36}\\?token=[\\w-]{43}$`));

  // The bot does not mention itself.
  assert.equal((await say(invite, 'Hello @mentioned')).status, 200);
  assert.equal((await say(mention, '/md *Hello*')).status, 200);
  const sent = (await read()).map(({ Content, Sender }) => [Content, Sender?.Name, Sender?.Arn]).slice(0, 2);
  const bot = ['mentioned (Bot)', `${inAppInstance}/bot/${BotId}`];
  assert.deepEqual(sent, [
    ['/md *Hello*', ...bot],
    ['Hello @mentioned', ...bot],
  ]);

  const refusals: readonly (readonly [url: string, body: string, status: number])[] = [
    [url.replace(/token=.*/, ''), '{"Content":"x"}', 403],
    [url.replace(/incomingwebhooks.*token/, 'incomingwebhooks/x?token'), '{"Content":"x"}', 403],
    [url.replace(/token=..../, 'token=AAAA'), '{"Content":"x"}', 404],
    [url.replace(/[0-9a-f-]{36}/, randomUUID()), '{"Content":"x"}', 404],
    [url, '{"Content":1}', 400],
    [url, '{"Content":" "}', 400],
    [url, '{}', 400],
    [url, 'x', 400],
    [url, JSON.stringify({ Content: 'x'.repeat(4_097) }), 413],
    [url, JSON.stringify({ Content: 'x'.repeat(40_000) }), 413],
  ];
  for (const [at, body, status] of refusals) assert.equal((await post(at, body)).status, status, `${body.slice(0, 20)} ${status}`);
  assert.equal((await read()).length, 4);

  // New tokens, a disabled bot and a removed bot end the webhooks.
  await chime.send(new RegenerateSecurityTokenCommand({ AccountId, BotId }));
  for (const event of [invite, mention]) assert.equal((await say(event, 'late')).status, 404);
  await write('@mentioned again');
  const second = await eventOf(2);
  await chime.send(new UpdateBotCommand({ AccountId, BotId, Disabled: true }));
  assert.equal((await say(second, 'late')).status, 404);
  await write('@mentioned while disabled');
  await chime.send(new UpdateBotCommand({ AccountId, BotId, Disabled: false }));
  assert.equal((await say(second, 'late')).status, 404);
  await write('@mentioned (Bot) at last');
  const third = await eventOf(3);
  await chime.send(new DeleteRoomMembershipCommand(member));
  assert.equal((await say(third, 'late')).status, 404);
  await write('@mentioned is gone');
  assert.equal((await eventOf(4)).EventType, 'Remove');
  await chime.send(new CreateRoomMembershipCommand(member));
  const last = await eventOf(5);
  assert.deepEqual(eventTypes(), ['Invite', 'Mention', 'Mention', 'Mention', 'Remove', 'Invite']);
  assert.equal((await say(third, 'late')).status, 404);
  await chime.send(new DeleteRoomCommand({ AccountId, RoomId }));
  assert.equal((await say(last, 'late')).status, 404);

  const trail = new CloudTrailClient({ ...settings, endpoint: server.endpoint });
  const lookup = new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'SendWebhookMessage' }] });
  const records = async () => ((await trail.send(lookup)).Events ?? []).map(({ CloudTrailEvent }) => CloudTrailEvent).join('\n');
  await until(
    async () => (await records()).includes('"outcome":"Success"'),
    () => 'no record of a webhook',
  );
  assert.match(await records(), new RegExp(`"botId":"${BotId}"`));
  assert.doesNotMatch(await records(), /token|Hello/);
  // The token is only in the events: the database has its digest.
  const token = /token=(.*)$/.exec(invite.InboundHttpsEndpoint?.Url ?? '')?.[1] as string;
  for (const file of ['belfry.db', 'belfry.db-wal']) {
    const path = join(server.dataFolder, file);
    if (existsSync(path)) assert.ok(!readFileSync(path, 'latin1').includes(token), file);
  }
});

test('Reports: messages of people are counted as the database has them, and those of bots, and of typing, are not', async () => {
  const { userId, write } = await newRoomWithPerson('counted');
  for (const text of ['one', 'two', 'three']) await write(text);
  await write('typing', { Type: 'CONTROL', Persistence: 'NON_PERSISTENT' });
  await write('typing', { Persistence: 'NON_PERSISTENT' });
  const model = loadModel('chime');
  const own = async (name: string, input: object) => {
    const called = await callChime(
      { endpoint: server.endpoint, region: 'us-east-1', credentials },
      model.operations[name] as OperationModel,
      { AccountId, ...days, ...input },
    );
    return called.body as Readonly<Record<string, unknown>>;
  };
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const days = { StartDate: dayOf(Date.now() - DAY_MS), EndDate: dayOf(Date.now()) };
  const { UsageReportData } = await own('ListAccountUsageReportData', {});
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 10_000 });
  const second = database
    .prepare(
      `SELECT m.created_at_ms / 86400000 AS day, COUNT(*) AS messages, COUNT(DISTINCT m.sender) AS writers
      FROM channel_message m JOIN chime_user u ON m.sender = 'user/' || u.user_id
      WHERE u.chime_account_id = ? GROUP BY day`,
    )
    .all(AccountId) as { readonly day: number; readonly messages: number; readonly writers: number }[];
  database.close();
  const expected = [Date.parse(days.StartDate), Date.parse(days.EndDate)].map((at) => second.find(({ day }) => day === at / DAY_MS));
  const counts = (UsageReportData as { readonly ActiveUsers: number; readonly ChatMessagesSent: number }[]).map(
    ({ ActiveUsers, ChatMessagesSent }) => [ChatMessagesSent, ActiveUsers],
  );
  assert.deepEqual(
    counts,
    expected.map((found) => [found?.messages ?? 0, found?.writers ?? 0]),
  );
  const { UserActivity } = await own('GetUserActivityReportData', { UserId: userId });
  const { ChatMessagesSent, LastActiveTimestamp } = UserActivity as Readonly<Record<string, unknown>>;
  assert.equal(ChatMessagesSent, 3);
  assert.ok(Date.parse(String(LastActiveTimestamp)) > Date.now() - 60_000);
});

test('Events: a function of Lambda is tried with a dry run, and receives the events', async () => {
  const receiver = await startReceiver();
  const { BotId } = await newBot('functional');
  const LambdaFunctionArn = `arn:aws:lambda:us-east-1:${AwsAccountId}:function:bot`;
  const configure = () => chime.send(new PutEventsConfigurationCommand({ AccountId, BotId, LambdaFunctionArn }));
  assert.equal((await refusalOf(configure())).name, 'BadRequestException');
  const added = { service: 'lambda', url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await askControl(server.dataFolder, { command: 'endpoint add', endpoint: added }), { ok: true });
  receiver.reply(() => ({ status: 404, code: 'ResourceNotFoundException' }));
  assert.equal((await refusalOf(configure())).name, 'BadRequestException');
  receiver.reply(() => undefined);
  assert.deepEqual((await configure()).EventsConfiguration, { BotId, LambdaFunctionArn });
  const RoomId = await newRoom();
  await chime.send(new CreateRoomMembershipCommand({ AccountId, RoomId, MemberId: BotId }));
  await until(
    () => receiver.received.length >= 3,
    () => 'no invocation',
  );
  assert.deepEqual(
    receiver.received.map(({ headers }) => headers['x-amz-invocation-type']),
    ['DryRun', 'DryRun', 'Event'],
  );
  assert.deepEqual(JSON.parse(receiver.received[2]?.body ?? '').EventType, 'Invite');
});

test('PutEventsConfiguration: an endpoint that does not repeat the challenge, or that is internal, is a BadRequest', async () => {
  const { BotId } = await newBot('refused');
  received.length = 0;
  for (const path of ['/wrong', '/failing', '/text', '/moved', '/silent']) {
    const { name, status, message } = await refusalOf(put(BotId, `${HOST}${path}`));
    assert.deepEqual([name, status, message], ['BadRequestException', 400, 'Service received a bad request'], path);
  }
  assert.deepEqual(
    received.map(({ path }) => path),
    ['/wrong', '/failing', '/text', '/moved', '/silent'],
  );
  // The setting allows only the name 'localhost', so an internal address receives nothing.
  assert.equal((await refusalOf(put(BotId, `https://127.0.0.1:${port}/ok`))).name, 'BadRequestException');
  assert.equal(received.length, 5);
  assert.equal((await refusalOf(chime.send(new GetEventsConfigurationCommand({ AccountId, BotId })))).name, 'NotFoundException');
});

test('Trail: records of bots contain neither tokens nor endpoints', async () => {
  const { BotId, SecurityToken } = await newBot('secretive');
  await put(BotId, `${HOST}/ok`);
  const { Bot } = await chime.send(new RegenerateSecurityTokenCommand({ AccountId, BotId }));
  const trail = new CloudTrailClient({ ...settings, endpoint: server.endpoint });
  for (const AttributeValue of ['CreateBot', 'PutEventsConfiguration', 'RegenerateSecurityToken']) {
    const lookup = new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue }] });
    const records = async () => ((await trail.send(lookup)).Events ?? []).map(({ CloudTrailEvent }) => CloudTrailEvent).join('\n');
    await until(
      async () => (await records()).includes(BotId),
      () => `no record of ${AttributeValue}`,
    );
    for (const secret of [SecurityToken, Bot?.SecurityToken as string, HOST, 'secretive-chimebot'])
      assert.ok(!(await records()).includes(secret), AttributeValue);
  }
});
