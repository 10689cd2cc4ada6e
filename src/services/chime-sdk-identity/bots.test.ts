import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { CreateAppInstanceBotRequest } from '#model/generated/chime-sdk-identity.ts';
import { ACCOUNT, LEX, lexIn, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';

const LATER = instant(START + 1_000);
const INVOKED: CreateAppInstanceBotRequest['Configuration'] = {
  Lex: { ...LEX, InvokedBy: { StandardMessages: 'MENTIONS', TargetedMessages: 'ALL' }, WelcomeIntent: 'Welcome' },
};

test('Bots: Describe returns the members and the configuration that Create and Update set', async () => {
  const { run, appInstance, bot } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceBotArn = await bot(AppInstanceArn, { Configuration: INVOKED });
  assert.equal(AppInstanceBotArn, `${AppInstanceArn}/bot/a6b1e9b0-0000-4000-8000-000000000002`);
  const made = { AppInstanceBotArn, Configuration: INVOKED, CreatedTimestamp: START, LastUpdatedTimestamp: START };
  assert.deepEqual(await run('DescribeAppInstanceBot', { AppInstanceBotArn }), { AppInstanceBot: made });

  const names = { Name: 'Helper', Metadata: 'm' };
  assert.deepEqual(await run('UpdateAppInstanceBot', { AppInstanceBotArn, ...names }, { now: LATER }), { AppInstanceBotArn });
  const named = { ...made, ...names, LastUpdatedTimestamp: LATER };
  assert.deepEqual(await run('DescribeAppInstanceBot', { AppInstanceBotArn }), { AppInstanceBot: named });
  await run('UpdateAppInstanceBot', { AppInstanceBotArn, ...names, Configuration: { Lex: LEX } }, { now: LATER });
  assert.deepEqual(await run('DescribeAppInstanceBot', { AppInstanceBotArn }), {
    AppInstanceBot: { ...named, Configuration: { Lex: LEX } },
  });
});

test('CreateAppInstanceBot: a token returns the same bot, even if the app instance is full', async () => {
  const { run, appInstance } = await openFixture({ bots: 1 });
  const request = { ClientRequestToken: 'once', AppInstanceArn: await appInstance(), Configuration: INVOKED };
  assert.deepEqual(await run('CreateAppInstanceBot', request), await run('CreateAppInstanceBot', request));
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<CreateAppInstanceBotRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['an unknown app instance',                   { AppInstanceArn: UNKNOWN, ClientRequestToken: 'used' },              'ForbiddenException'            ],
  ['a used token with other parameters',        { ClientRequestToken: 'used', Configuration: INVOKED },               'ConflictException'             ],
  ['a Lex bot of another region',               { Configuration: { Lex: lexIn('us-west-2') } },                       'BadRequestException'           ],
  ['a Lex bot of another account',              { Configuration: { Lex: lexIn('us-east-1', OTHER_ACCOUNT) } },        'BadRequestException'           ],
  ['a reserved tag key',                        { Tags: [{ Key: 'aws:x', Value: 'v' }] },                             'BadRequestException'           ],
  ['an app instance with the maximum',          {},                                                                   'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateAppInstanceBot: ${title} is ${code}, and nothing is created`, async () => {
    const { run, appInstance, bot } = await openFixture({ bots: 1 });
    const AppInstanceArn = await appInstance();
    const AppInstanceBotArn = await bot(AppInstanceArn, { ClientRequestToken: 'used', Name: 'first' });
    const request = { ClientRequestToken: 'new', AppInstanceArn, Configuration: { Lex: LEX }, ...change };
    await assert.rejects(run('CreateAppInstanceBot', request), { code });
    const { AppInstanceBots } = await run('ListAppInstanceBots', { AppInstanceArn });
    assert.deepEqual(AppInstanceBots, [{ AppInstanceBotArn, Name: 'first' }]);
  });
}

test('UpdateAppInstanceBot: a Lex bot of another region is BadRequestException, and nothing changes', async () => {
  const { run, appInstance, bot } = await openFixture();
  const AppInstanceBotArn = await bot(await appInstance());
  const update = run('UpdateAppInstanceBot', {
    AppInstanceBotArn,
    Name: 'n',
    Metadata: '',
    Configuration: { Lex: lexIn('us-west-2') },
  });
  await assert.rejects(update, { code: 'BadRequestException' });
  const { AppInstanceBot } = await run('DescribeAppInstanceBot', { AppInstanceBotArn });
  assert.deepEqual([AppInstanceBot?.Name, AppInstanceBot?.Configuration], [undefined, { Lex: LEX }]);
});

test('DeleteAppInstanceBot: deletes the bot and its administrator record, and emits an event', async () => {
  const { run, appInstance, bot, emitted } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceBotArn = await bot(AppInstanceArn);
  await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: AppInstanceBotArn });
  await run('DeleteAppInstanceBot', { AppInstanceBotArn });
  const [appInstanceId, id] = [AppInstanceArn, AppInstanceBotArn].map((arn) => arn.slice(arn.lastIndexOf('/') + 1));
  assert.deepEqual(emitted, [
    { type: 'AppInstanceBotDeleted', accountId: ACCOUNT, region: 'us-east-1', appInstanceId, id, arn: AppInstanceBotArn },
  ]);
  assert.deepEqual((await run('ListAppInstanceAdmins', { AppInstanceArn })).AppInstanceAdmins, []);
  assert.deepEqual((await run('ListAppInstanceBots', { AppInstanceArn })).AppInstanceBots, []);
});

test('ListAppInstanceBots: each bot of the app instance is on exactly one page', async () => {
  const { run, appInstance, bot } = await openFixture();
  const AppInstanceArn = await appInstance();
  await bot(await appInstance());
  const made = [await bot(AppInstanceArn), await bot(AppInstanceArn), await bot(AppInstanceArn)];
  const first = await run('ListAppInstanceBots', { AppInstanceArn, MaxResults: 2 });
  const second = await run('ListAppInstanceBots', { AppInstanceArn, MaxResults: 2, NextToken: first.NextToken as string });
  assert.equal(second.NextToken, undefined);
  assert.deepEqual(
    [...(first.AppInstanceBots ?? []), ...(second.AppInstanceBots ?? [])],
    made.map((AppInstanceBotArn) => ({ AppInstanceBotArn })),
  );
});

test('Bots: Describe of an unknown bot is NotFoundException, and other operations are ForbiddenException', async () => {
  const { run, appInstance, user } = await openFixture();
  const AppInstanceArn = await appInstance();
  for (const AppInstanceBotArn of [`${AppInstanceArn}/bot/x`, await user(AppInstanceArn, 'ada'), AppInstanceArn]) {
    await assert.rejects(run('DescribeAppInstanceBot', { AppInstanceBotArn }), { code: 'NotFoundException' });
    await assert.rejects(run('UpdateAppInstanceBot', { AppInstanceBotArn, Name: 'n', Metadata: '' }), { code: 'ForbiddenException' });
    await assert.rejects(run('DeleteAppInstanceBot', { AppInstanceBotArn }), { code: 'ForbiddenException' });
  }
});
