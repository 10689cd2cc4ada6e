import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { PutEventsConfigurationRequest } from '#model/generated/chime.ts';
import { CHIME_BOT, resealedBot } from '../chime-kit/chime-bots.ts';
import { workFor } from '../kit/fixture.ts';
import { OUTGOING } from '../kit/outgoing.ts';
import { ACCOUNT, ENDPOINT, OTHER_ACCOUNT, openFixture, posted, START } from './fixture.ts';
import { sweepDisabledAccounts } from './sweep.ts';
import { accounts } from './tables/accounts.ts';

const BAD_REQUEST = { code: 'BadRequestException', message: 'Service received a bad request' };
const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const FUNCTION = 'arn:aws:lambda:us-east-1:111122223333:function:';
const notFound = (title: string, id: string) => ({ code: 'NotFoundException', message: `Could not find ${title} with Id '${id}'` });

/** Opens an Enterprise account. `put` sets the endpoint of a bot, and runs the challenge as the server does. */
async function openEnterprise() {
  const fixture = await openFixture();
  const { run } = fixture;
  const AccountId = await fixture.account();
  await fixture.become(AccountId, 'EnterpriseLWA');
  const bot = async (DisplayName = 'myBot', ms = 0) =>
    (await run('CreateBot', { AccountId, DisplayName }, { now: instant(START + ms) })).Bot?.BotId as string;
  async function put(input: Omit<PutEventsConfigurationRequest, 'AccountId'>) {
    let answered: Promise<unknown> | undefined;
    const contact = (_name: string, work: () => Promise<unknown>) => {
      answered = work();
      throw new Error('aborted');
    };
    await run('PutEventsConfiguration', { AccountId, ...input }, { contact } as never).catch((error: Error) => {
      if (error.message !== 'aborted') throw error;
    });
    const answer = await answered;
    return await run('PutEventsConfiguration', { AccountId, ...input }, { contact: () => answer } as never);
  }
  return { ...fixture, AccountId, bot, put };
}

// biome-ignore format: a table
const IN_ACCOUNT = [
  ['CreateBot',                 { DisplayName: 'x' }],
  ['GetBot',                    { BotId: UNKNOWN }],
  ['ListBots',                  {}],
  ['UpdateBot',                 { BotId: UNKNOWN, Disabled: true }],
  ['RegenerateSecurityToken',   { BotId: UNKNOWN }],
  ['PutEventsConfiguration',    { BotId: UNKNOWN, OutboundEventsHTTPSEndpoint: ENDPOINT }],
  ['GetEventsConfiguration',    { BotId: UNKNOWN }],
  ['DeleteEventsConfiguration', { BotId: UNKNOWN }],
] as const;

for (const [name, input] of IN_ACCOUNT) {
  test(`${name}: an unknown or foreign account is NotFound, a Team account BadRequest, an unknown bot NotFound`, async () => {
    const { run, account, become } = await openFixture();
    const AccountId = await account();
    await assert.rejects(run(name, { AccountId: UNKNOWN, ...input } as never), notFound('Account', UNKNOWN));
    await assert.rejects(run(name, { AccountId, ...input } as never), BAD_REQUEST);
    await become(AccountId, 'EnterpriseLWA');
    await assert.rejects(run(name, { AccountId, ...input } as never, { accountId: OTHER_ACCOUNT }), notFound('Account', AccountId));
    if ('BotId' in input) await assert.rejects(run(name, { AccountId, ...input } as never), notFound('Bot', UNKNOWN));
  });
}

test('CreateBot: the name and the address have the recorded form, and the token is encrypted in the database', async () => {
  const { run, store, AccountId } = await openEnterprise();
  const { Bot } = await run('CreateBot', { AccountId, DisplayName: 'myBot', Domain: 'EXAMPLE.com' });
  const { BotId = '', UserId, SecurityToken = '', ...rest } = Bot ?? {};
  assert.equal(UserId, BotId);
  assert.match(SecurityToken, /^[A-Za-z0-9+/]{32}$/);
  assert.deepEqual(rest, {
    DisplayName: 'myBot (Bot)',
    BotType: 'ChatBot',
    Disabled: false,
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
    BotEmail: 'myBot-chimebot@example.com',
  });
  assert.deepEqual((await run('GetBot', { AccountId, BotId })).Bot, Bot);
  const stored = await store.transaction((tx) => tx.resources.listOfAccount(CHIME_BOT, ACCOUNT, 9));
  assert.equal(stored.length, 1);
  assert.ok(!JSON.stringify(stored).includes(SecurityToken));
  const [first] = stored;
  const bound: string[] = [];
  const resealed = first && resealedBot(first, (sealed, boundTo) => `${bound.push(boundTo)} ${sealed}`);
  assert.deepEqual(
    [resealed?.document.sealedToken, bound],
    [`1 ${first?.document.sealedToken}`, [`chime-bot/${ACCOUNT}/${AccountId}/${BotId}`]],
  );
});

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, name: string, domain: string | undefined, domains: readonly string[]])[] = [
  ['a blank name',                      ' ',            'example.com', ['example.com']],
  ['a name of 56 characters',           'x'.repeat(56), 'example.com', ['example.com']],
  ['a name that forms no address',      'my bot',       'example.com', ['example.com']],
  ['a domain that is not verified',     'myBot',        'other.com',   ['example.com']],
  ['no domain, and several verified',   'myBot',        undefined,     ['example.com', 'other.com']],
  ['an address of another bot',         'OTHER',        undefined,     ['example.com']],
  ['an address of a user',              'ada',          undefined,     ['example.com']],
];

for (const [title, DisplayName, Domain, Domains] of REFUSED) {
  test(`CreateBot: ${title} is a BadRequest`, async () => {
    const { run, store, AccountId, bot, register } = await openEnterprise();
    await bot('other');
    await register(AccountId, 'ada-chimebot@example.com');
    await store.transaction(async (tx) => {
      const account = (await tx.of(accounts).get(ACCOUNT, AccountId)) ?? assert.fail();
      await tx.of(accounts).put({ ...account, document: { ...account.document, Domains } });
    });
    await assert.rejects(run('CreateBot', { AccountId, DisplayName, ...(Domain !== undefined && { Domain }) }), BAD_REQUEST);
  });
}

test('CreateBot: an account has at most 10 bots, and ListBots has them in pages, oldest first', async () => {
  const { run, AccountId, bot } = await openEnterprise();
  const ids: string[] = [];
  for (let i = 0; i < 10; i++) ids.unshift(await bot(`bot${i}`, 10 - i));
  const limit = { code: 'ResourceLimitExceededException', message: 'The request exceeds the resource limit.' };
  await assert.rejects(bot('eleventh'), limit);
  const list = async (input: object) => {
    const { Bots = [], NextToken } = await run('ListBots', { AccountId, ...input });
    return { ids: Bots.map(({ BotId }) => BotId), NextToken };
  };
  assert.deepEqual(await list({}), { ids, NextToken: undefined });
  const page = await list({ MaxResults: 7 });
  assert.deepEqual(page.ids, ids.slice(0, 7));
  assert.deepEqual(await list({ MaxResults: 7, NextToken: page.NextToken }), { ids: ids.slice(7), NextToken: undefined });
});

test('UpdateBot, RegenerateSecurityToken: change the state and the token', async () => {
  const { run, AccountId, bot } = await openEnterprise();
  const BotId = await bot();
  const key = { AccountId, BotId };
  const { Bot: before } = await run('GetBot', key);
  const later = { now: instant(START + 5) };
  assert.deepEqual((await run('UpdateBot', key, later)).Bot, before);
  const { Bot } = await run('UpdateBot', { ...key, Disabled: true }, later);
  assert.deepEqual(Bot, { ...before, Disabled: true, UpdatedTimestamp: START + 5 });
  const { Bot: renewed } = await run('RegenerateSecurityToken', key, later);
  assert.notEqual(renewed?.SecurityToken, before?.SecurityToken);
  assert.deepEqual((await run('GetBot', key)).Bot, renewed);
});

test('PutEventsConfiguration: the endpoint must answer a new random challenge; a second one replaces the first', async () => {
  const { run, AccountId, bot, put } = await openEnterprise();
  const BotId = await bot();
  const key = { AccountId, BotId };
  posted.length = 0;
  const expected = { EventsConfiguration: { BotId, OutboundEventsHTTPSEndpoint: ENDPOINT } };
  await assert.rejects(run('GetEventsConfiguration', key), notFound('EventsConfiguration', BotId));
  assert.deepEqual(await run('DeleteEventsConfiguration', key), {});
  await assert.rejects(put({ BotId, OutboundEventsHTTPSEndpoint: 'https://other.example.com/' }), BAD_REQUEST);
  await assert.rejects(run('GetEventsConfiguration', key), { code: 'NotFoundException' });
  assert.deepEqual(await put({ BotId, OutboundEventsHTTPSEndpoint: ENDPOINT }), expected);
  assert.deepEqual(await run('GetEventsConfiguration', key), expected);
  await assert.rejects(put({ BotId, OutboundEventsHTTPSEndpoint: 'https://other.example.com/' }), BAD_REQUEST);
  assert.deepEqual(await run('GetEventsConfiguration', key), expected);
  assert.deepEqual(await run('DeleteEventsConfiguration', key), {});
  await assert.rejects(run('GetEventsConfiguration', key), { code: 'NotFoundException' });

  const challenges = posted.map(([, body]) => body as { readonly Challenge: string; readonly EventType: string });
  for (const { Challenge, EventType } of challenges) {
    assert.match(Challenge, /^[0-9a-f]{20}$/);
    assert.equal(EventType, 'HTTPSEndpointVerification');
  }
  assert.deepEqual([challenges.length, new Set(challenges.map(({ Challenge }) => Challenge)).size], [3, 3]);
});

// biome-ignore format: a table
const BAD_ENDPOINTS: readonly (readonly [title: string, input: object])[] = [
  ['no endpoint',                   {}],
  ['a function without an endpoint of the operator', { LambdaFunctionArn: `${FUNCTION}missing` }],
  ['a function that refuses the dry run',            { LambdaFunctionArn: `${FUNCTION}refused` }],
  ['an ARN of a queue',             { LambdaFunctionArn: 'arn:aws:sqs:us-east-1:111122223333:bot' }],
  ['both kinds of endpoints',       { OutboundEventsHTTPSEndpoint: ENDPOINT, LambdaFunctionArn: `${FUNCTION}works` }],
  ['an http URL',                   { OutboundEventsHTTPSEndpoint: 'http://bot.example.com/' }],
  ['a URL with a user name',        { OutboundEventsHTTPSEndpoint: 'https://me@bot.example.com/' }],
  ['a string that is not a URL',    { OutboundEventsHTTPSEndpoint: 'bot' }],
  ['a URL of 2,049 characters',     { OutboundEventsHTTPSEndpoint: `${ENDPOINT}/${'x'.repeat(2_048 - ENDPOINT.length)}` }],
];

for (const [title, input] of BAD_ENDPOINTS) {
  test(`PutEventsConfiguration: ${title} is a BadRequest, and nothing is sent`, async () => {
    const { bot, put } = await openEnterprise();
    const BotId = await bot();
    posted.length = 0;
    await assert.rejects(put({ BotId, ...input }), BAD_REQUEST);
    assert.deepEqual(posted, []);
  });
}

test('PutEventsConfiguration: a function that accepts the dry run replaces the URL, and a URL the function', async () => {
  const { run, AccountId, bot, put } = await openEnterprise();
  const BotId = await bot();
  const LambdaFunctionArn = `${FUNCTION}works`;
  await put({ BotId, OutboundEventsHTTPSEndpoint: ENDPOINT });
  assert.deepEqual(await put({ BotId, LambdaFunctionArn }), { EventsConfiguration: { BotId, LambdaFunctionArn } });
  assert.deepEqual((await run('GetEventsConfiguration', { AccountId, BotId })).EventsConfiguration, { BotId, LambdaFunctionArn });
  await put({ BotId, OutboundEventsHTTPSEndpoint: ENDPOINT });
  const expected = { BotId, OutboundEventsHTTPSEndpoint: ENDPOINT };
  assert.deepEqual((await run('GetEventsConfiguration', { AccountId, BotId })).EventsConfiguration, expected);
});

test('Rooms: bots that receive events are sent Invite and Remove, also if the room is deleted; disabled ones and users are sent none', async () => {
  const { run, AccountId, bot, put, store, register } = await openEnterprise();
  const { userId: UserId } = await register(AccountId, 'ada@example.com');
  const [one, other] = [await bot('one'), await bot('other')];
  for (const BotId of [one, other]) await put({ BotId, OutboundEventsHTTPSEndpoint: ENDPOINT });
  const RoomId = (await run('CreateRoom', { AccountId, Name: 'chatRoom' })).Room?.RoomId as string;
  const sent = async () => {
    const rows = await store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 99));
    return rows.flatMap(({ target, body, maximumAttempts, ordered }) => {
      if (target.kind !== 'bot') return [];
      assert.deepEqual([maximumAttempts, ordered, target.chimeAccountId], [3, true, AccountId]);
      return [[target.botId, JSON.parse(body)] as const];
    });
  };
  const event = (EventType: string, ms: number) => ({
    Sender: { SenderId: `arn:aws:iam::${ACCOUNT}:root`, SenderIdType: 'Arn' },
    Discussion: { DiscussionId: RoomId, DiscussionType: 'Room' },
    EventType,
    EventTimestamp: new Date(START + ms).toISOString(),
  });
  const MembershipItemList = [one, UserId, other].map((MemberId) => ({ MemberId }));
  await run('BatchCreateRoomMembership', { AccountId, RoomId, MembershipItemList });
  const invited = [one, other].map((id) => [id, event('Invite', 0)]);
  assert.deepEqual(await sent(), invited);
  await run('DeleteRoomMembership', { AccountId, RoomId, MemberId: one }, { now: instant(START + 7) });
  await run('DeleteRoomMembership', { AccountId, RoomId, MemberId: UserId });
  const removed = [...invited, [one, event('Remove', 7)]];
  assert.deepEqual(await sent(), removed);
  await run('CreateRoomMembership', { AccountId, RoomId, MemberId: one }, { now: instant(START + 8) });
  await run('UpdateBot', { AccountId, BotId: one, Disabled: true });
  await run('DeleteRoom', { AccountId, RoomId }, { now: instant(START + 9) });
  assert.deepEqual(await sent(), [...removed, [one, event('Invite', 8)], [other, event('Remove', 9)]]);
});

test('Rooms: a bot with an endpoint joins as Member; a disabled bot, or one without an endpoint, does not', async () => {
  const { run, AccountId, bot, put } = await openEnterprise();
  const BotId = await bot();
  const RoomId = (await run('CreateRoom', { AccountId, Name: 'chatRoom' })).Room?.RoomId as string;
  const member = { AccountId, RoomId, MemberId: BotId };
  await assert.rejects(run('CreateRoomMembership', member), BAD_REQUEST);
  await put({ BotId, OutboundEventsHTTPSEndpoint: ENDPOINT });
  await run('UpdateBot', { AccountId, BotId, Disabled: true });
  await assert.rejects(run('CreateRoomMembership', member), BAD_REQUEST);
  await run('UpdateBot', { AccountId, BotId, Disabled: false });
  await assert.rejects(run('CreateRoomMembership', { ...member, Role: 'Administrator' }), BAD_REQUEST);
  const { RoomMembership } = await run('CreateRoomMembership', member);
  const Member = { MemberId: BotId, MemberType: 'Bot', Email: 'myBot-chimebot@example.com', FullName: 'myBot (Bot)', AccountId };
  assert.deepEqual([RoomMembership?.Member, RoomMembership?.Role], [Member, 'Member']);
  await assert.rejects(run('UpdateRoomMembership', { ...member, Role: 'Member' }), BAD_REQUEST);
  await run('UpdateBot', { AccountId, BotId, Disabled: true });
  assert.deepEqual((await run('ListRoomMemberships', { AccountId, RoomId })).RoomMemberships, [RoomMembership]);
  assert.equal((await run('ListRooms', { AccountId, MemberId: BotId })).Rooms?.length, 1);
  await run('DeleteRoomMembership', member);
});

test('Rooms: a bot of another account is NotFound', async () => {
  const { run, AccountId, bot, put, account, become } = await openEnterprise();
  const BotId = await bot();
  await put({ BotId, OutboundEventsHTTPSEndpoint: ENDPOINT });
  const other = await account('Other');
  await become(other, 'EnterpriseLWA');
  const RoomId = (await run('CreateRoom', { AccountId: other, Name: 'chatRoom' })).Room?.RoomId as string;
  await assert.rejects(run('CreateRoomMembership', { AccountId: other, RoomId, MemberId: BotId }), { code: 'NotFoundException' });
  assert.equal((await run('GetBot', { AccountId, BotId })).Bot?.BotId, BotId);
});

test('A deleted account loses its bots after 90 days', async () => {
  const { run, AccountId, bot, become, store } = await openEnterprise();
  await bot();
  await become(AccountId, 'Team');
  await run('DeleteAccount', { AccountId });
  const now = instant(START + 90 * 24 * 60 * 60_000);
  await store.transaction((tx) => sweepDisabledAccounts(workFor(tx, now, [])));
  assert.deepEqual(await store.transaction((tx) => tx.resources.listOfAccount(CHIME_BOT, ACCOUNT, 9)), []);
});
