import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LexConfiguration } from '#model/generated/chime-sdk-identity.ts';
import type { SendChannelMessageRequest } from '#model/generated/chime-sdk-messaging.ts';
import { APP_INSTANCE_BOT } from '../chime-kit/app-instances.ts';
import type { LexAnswer, LexMessage } from '../chime-kit/lex-answer.ts';
import type { DomainEvent } from '../kit/events.ts';
import { ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { OUTGOING, type OutgoingAnswered, type OutgoingFailed } from '../kit/outgoing.ts';
import { sendAnswer } from './bot-answers.ts';
import { invokeBots, tellOfFailedBot, welcomeFromBots } from './bots.ts';
import { APP_INSTANCE_ID, BOT, type Fixture, openFixture, userArn } from './fixture.ts';

const ada = userArn('ada');
const bert = userArn('bert');
const ALIAS = `arn:aws:lex:us-east-1:${ACCOUNT}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`;

/** Opens the fixture with a configuration of its bot. */
async function open(lex: Partial<LexConfiguration>): Promise<Fixture> {
  const chat = await openFixture();
  const key = { accountId: ACCOUNT, region: 'us-east-1', parent: APP_INSTANCE_ID, id: 'helper' };
  await chat.store.transaction(async ({ resources }) => {
    const bot = (await resources.get(APP_INSTANCE_BOT, key)) ?? assert.fail();
    const Lex = { LexBotAliasArn: ALIAS, LocaleId: 'en_US', ...lex };
    await resources.put(APP_INSTANCE_BOT, { ...bot, document: { Configuration: { Lex } } });
  });
  return chat;
}

/** Passes the emitted events to the subscriber. Returns the new invocations. */
async function invocations({ store, emitted }: Fixture, subscriber = invokeBots) {
  const events = emitted.splice(0).filter(({ type }) => subscriber.types.includes(type));
  await store.transaction(async (tx) => {
    for (const event of events) await subscriber.handle(workFor(tx, START), event as never);
  });
  return (await store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 100))).map((row) => {
    assert.ok(row.target.kind === 'lex');
    return { row, target: row.target };
  });
}

const standard = (StandardMessages: 'AUTO' | 'ALL' | 'MENTIONS' | 'NONE', TargetedMessages: 'ALL' | 'NONE' = 'NONE') => ({
  InvokedBy: { StandardMessages, TargetedMessages },
});
const MENTION = { MessageAttributes: { 'CHIME.mentions': { StringValues: [bert, BOT] } } };
const OTHER_MENTION = { MessageAttributes: { 'CHIME.mentions': { StringValues: [bert] } } };

// biome-ignore format: a table
const INVOKED: readonly [title: string, lex: Partial<LexConfiguration>, members: readonly string[], message: Partial<SendChannelMessageRequest>, count: number][] = [
  // title                                                                lex                                  members      message                                                    count
  ['without InvokedBy, a standard message invokes the bot',               {},                                  [bert, BOT], {},                                                        1],
  ['without InvokedBy, a targeted message does not',                      {},                                  [bert, BOT], { Target: [{ MemberArn: BOT }] },                          0],
  ['the older RespondsTo is as ALL',                                      { RespondsTo: 'STANDARD_MESSAGES' }, [bert, BOT], {},                                                        1],
  ['ALL: each standard message invokes the bot',                          standard('ALL'),                     [bert, BOT], {},                                                        1],
  ['ALL: a control message does not',                                     standard('ALL'),                     [bert, BOT], { Type: 'CONTROL' },                                       0],
  ['ALL: a bot that is not a member is not invoked',                      standard('ALL'),                     [bert],      {},                                                        0],
  ['AUTO: with one other member, each standard message does',             standard('AUTO'),                    [BOT],       {},                                                        1],
  ['AUTO: with two other members, a message without a mention does not',  standard('AUTO'),                    [bert, BOT], {},                                                        0],
  ['AUTO: with two other members, a mention does',                        standard('AUTO'),                    [bert, BOT], MENTION,                                                   1],
  ['MENTIONS: a message without attributes does not',                     standard('MENTIONS'),                [BOT],       {},                                                        0],
  ['MENTIONS: a mention of another member does not',                      standard('MENTIONS'),                [bert, BOT], OTHER_MENTION,                                             0],
  ['MENTIONS: a mention does',                                            standard('MENTIONS'),                [bert, BOT], MENTION,                                                   1],
  ['NONE: a mention does not',                                            standard('NONE'),                    [BOT],       MENTION,                                                   0],
  ['a targeted message does with ALL',                                    standard('NONE', 'ALL'),             [bert, BOT], { Target: [{ MemberArn: BOT }] },                          1],
  ['a targeted message does not with NONE',                               standard('ALL', 'NONE'),             [bert, BOT], { Target: [{ MemberArn: BOT }] },                          0],
  ['a message for another member does not',                               standard('ALL', 'ALL'),              [bert, BOT], { Target: [{ MemberArn: bert }] },                         0],
  ['a message of a bot does not',                                         standard('ALL'),                     [BOT],       { ChimeBearer: BOT },                                      0],
];

for (const [title, lex, members, message, count] of INVOKED) {
  test(`Bots: ${title}`, async () => {
    const chat = await open(lex);
    const channel = await chat.channel(members);
    await chat.send(channel, 'hello', message);
    assert.equal((await invocations(chat)).length, count);
  });
}

test('Bots: an invocation has the text, the ARNs of channel and sender, and the bot as its source', async () => {
  const chat = await open({});
  const channel = await chat.channel([bert, BOT]);
  const messageId = await chat.send(channel, 'What is the weather?');
  const [{ row, target } = assert.fail()] = await invocations(chat);
  assert.deepEqual([row.body, target.arn, target.localeId, row.sender.sourceArn], ['What is the weather?', ALIAS, 'en_US', BOT]);
  assert.deepEqual(target.requestAttributes, { 'CHIME.channel.arn': channel, 'CHIME.sender.arn': ada });
  assert.match(target.sessionId, /^[0-9a-f]{64}$/);
  assert.deepEqual([target.context['messageId'], target.context['onlyFor'], target.intent], [messageId, '', undefined]);
});

test('Bots: messages of a channel share a session, and targeted messages have one for each sender', async () => {
  const chat = await open(standard('ALL', 'ALL'));
  const channel = await chat.channel([bert, BOT]);
  const Target = [{ MemberArn: BOT }];
  for (const more of [{}, { ChimeBearer: bert }, { Target }, { Target, ChimeBearer: bert }]) await chat.send(channel, 'hello', more);
  const sessions = (await invocations(chat)).map(({ target }) => target.sessionId);
  assert.deepEqual([sessions.length, sessions[0] === sessions[1], new Set(sessions).size], [4, true, 3]);
});

test('Bots: a bot with a welcome intent starts it when it becomes a member, without a sender', async () => {
  const chat = await open({ WelcomeIntent: 'Hello' });
  const channel = await chat.channel([bert, BOT]);
  const found = await invocations(chat, welcomeFromBots as never);
  assert.deepEqual(
    found.map(({ row, target }) => [row.body, target.intent, target.requestAttributes]),
    [['', 'Hello', { 'CHIME.channel.arn': channel }]],
  );
});

/** Answers the only invocation. Returns the types of the events that follow, and their details. */
async function answer(chat: Fixture, given: LexAnswer): Promise<readonly DomainEvent[]> {
  const [{ row } = assert.fail()] = await invocations(chat);
  const emitted: DomainEvent[] = [];
  const event: OutgoingAnswered = { type: 'OutgoingAnswered', message: row, answer: JSON.stringify(given) };
  await chat.store.transaction((tx) => sendAnswer.handle(workFor(tx, START, emitted), event as never));
  return emitted;
}

const messagesOf = async ({ run }: Fixture, ChannelArn: string, ChimeBearer: string) =>
  ((await run('ListChannelMessages', { ChannelArn, ChimeBearer, SortOrder: 'ASCENDING' })).ChannelMessages ?? []).slice(1);
const text = (Content: string): LexMessage => ({ ContentType: 'PlainText', Content });

test('Bots: an answer is a message of the bot with the content type and the attributes of Lex', async () => {
  const chat = await open({});
  const channel = await chat.channel([bert, BOT]);
  const MessageId = await chat.send(channel, 'hello');
  const messages = [text('Hi'), { ContentType: 'ImageResponseCard', ImageResponseCard: { Title: 'Menu' } }];
  const emitted = await answer(chat, { messages, intentName: 'Greet', intentState: 'Fulfilled' });
  assert.deepEqual(
    emitted.map(({ type }) => type),
    ['CREATE_CHANNEL_MESSAGE'],
  );
  const [message] = await messagesOf(chat, channel, bert);
  assert.deepEqual(
    [message?.Sender?.Arn, message?.Type, message?.ContentType, JSON.parse(message?.Content ?? '')],
    [BOT, 'STANDARD', 'application/amz-chime-lex-msgs', { Messages: messages }],
  );
  const attributes = Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValues }]) => [
    name.split('.').at(-1),
    StringValues,
  ]);
  const { sessionId, ...others } = Object.fromEntries(attributes) as Record<string, readonly string[]>;
  assert.match(sessionId?.[0] ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(others, { name: ['Greet'], state: ['Fulfilled'], originatingRequestId: [MessageId] });
});

// biome-ignore format: a table
const ANSWERS: readonly [title: string, messages: readonly LexMessage[], sizes: readonly number[], events: readonly string[]][] = [
  // title                                                        messages                                                   messages each   events
  ['messages that do not fit together are in several ones',       [text('a'.repeat(2500)), text('b'), text('c'.repeat(2500))], [2, 1],       ['CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']],
  ['a message that does not fit is a failure, and none is sent',  [text('a'), text('ä'.repeat(2049))],                       [],             ['BusEvent']],
  ['an answer without messages is not sent',                      [],                                                        [],             []],
];

for (const [title, messages, sizes, events] of ANSWERS) {
  test(`Bots: ${title}`, async () => {
    const chat = await open({});
    const channel = await chat.channel([bert, BOT]);
    await chat.send(channel, 'hello');
    const emitted = await answer(chat, { messages });
    assert.deepEqual(
      emitted.map(({ type }) => type),
      events,
    );
    const sent = await messagesOf(chat, channel, bert);
    assert.deepEqual(
      sent.map(({ Content = '' }) => JSON.parse(Content).Messages.length),
      sizes,
    );
  });
}

test('Bots: only the sender of a targeted message sees the answer', async () => {
  const chat = await open(standard('NONE', 'ALL'));
  const channel = await chat.channel([bert, BOT]);
  await chat.send(channel, 'psst', { Target: [{ MemberArn: BOT }] });
  await answer(chat, { messages: [text('Yes?')] });
  assert.equal((await messagesOf(chat, channel, ada))[0]?.Sender?.Arn, BOT);
  assert.deepEqual((await chat.run('ListChannelMessages', { ChannelArn: channel, ChimeBearer: bert })).ChannelMessages, []);
});

// biome-ignore format: a table
for (const [title, change] of [
  ['is no longer a member',   (chat: Fixture, ChannelArn: string) => chat.run('DeleteChannelMembership', { ChannelArn, MemberArn: BOT, ChimeBearer: ada })],
  ["'s channel was deleted",  (chat: Fixture, ChannelArn: string) => chat.run('DeleteChannel', { ChannelArn, ChimeBearer: ada })],
] as const) {
  test(`Bots: the answer of a bot that ${title} is not sent`.replace("that 's", 'whose'), async () => {
    const chat = await open({});
    const channel = await chat.channel([bert, BOT]);
    await chat.send(channel, 'hello');
    await invocations(chat);
    await change(chat, channel);
    assert.deepEqual(await answer(chat, { messages: [text('Hi')] }), []);
  });
}

test('Bots: a failure is an event with the ARN of the bot', async () => {
  const chat = await open({});
  await chat.send(await chat.channel([bert, BOT]), 'hello');
  const [{ row } = assert.fail()] = await invocations(chat);
  const failed: OutgoingFailed = { type: 'OutgoingFailed', message: row, code: 'TIMEOUT', reason: 'no answer', gone: false };
  const emitted: DomainEvent[] = [];
  await chat.store.transaction((tx) => tellOfFailedBot.handle(workFor(tx, START, emitted), failed as never));
  assert.deepEqual(
    emitted.map((event) => ({ ...event })),
    [
      {
        type: 'BusEvent',
        ...{ accountId: ACCOUNT, region: 'us-east-1', source: 'aws.chime', resources: [] },
        detailType: 'Chime Messaging AppInstanceBot Lex Failure',
        detail: { version: '0', resourceArn: BOT, failureReason: 'no answer' },
      },
    ],
  );
});
