import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { CreateAppInstanceRequest } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKind } from '#store/resources.ts';
import { APP_INSTANCE_USER_COUNT } from '../chime-kit/app-instance-users.ts';
import { APP_INSTANCE_ADMIN, APP_INSTANCE_BOT, APP_INSTANCE_USER, APP_INSTANCE_USER_ENDPOINT } from '../chime-kit/app-instances.ts';
import { chimeUserArn, ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, lexIn, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';
import { removeForgottenPeople } from './sweep.ts';

const REQUEST: CreateAppInstanceRequest = { ClientRequestToken: 'once', Name: 'chat' };
const LATER = instant(START + 1_000);

test('App instances: Describe returns the members that Create and Update set', async () => {
  const { run } = await openFixture();
  const { AppInstanceArn = '' } = await run('CreateAppInstance', { ...REQUEST, Metadata: '{}' });
  assert.equal(AppInstanceArn, `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/a6b1e9b0-0000-4000-8000-000000000001`);
  const made = { AppInstanceArn, Name: 'chat', Metadata: '{}', CreatedTimestamp: START, LastUpdatedTimestamp: START };
  assert.deepEqual(await run('DescribeAppInstance', { AppInstanceArn }), { AppInstance: made });
  assert.deepEqual(await run('UpdateAppInstance', { AppInstanceArn, Name: 'talk', Metadata: '' }, { now: LATER }), { AppInstanceArn });
  assert.deepEqual(await run('DescribeAppInstance', { AppInstanceArn }), {
    AppInstance: { ...made, Name: 'talk', Metadata: '', LastUpdatedTimestamp: LATER },
  });
});

test('CreateAppInstance: a token returns the same app instance for 24 hours, even if the account is full', async () => {
  const { run } = await openFixture({ appInstances: 1 });
  const first = await run('CreateAppInstance', { ...REQUEST, Metadata: 'm' });
  assert.deepEqual(await run('CreateAppInstance', { Metadata: 'm', Name: 'chat', ClientRequestToken: 'once' }), first);
  const now = instant(START + DAY_MS);
  await assert.rejects(run('CreateAppInstance', { ...REQUEST, Metadata: 'm' }, { now }), { code: 'ResourceLimitExceededException' });
});

test('CreateAppInstance: after a deletion, the same token creates a new app instance, for any parameters', async () => {
  const { run } = await openFixture();
  const { AppInstanceArn = '' } = await run('CreateAppInstance', REQUEST);
  await run('DeleteAppInstance', { AppInstanceArn });
  assert.notEqual((await run('CreateAppInstance', { ...REQUEST, Name: 'other' })).AppInstanceArn, AppInstanceArn);
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<CreateAppInstanceRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['a used token with other parameters',         { ClientRequestToken: 'used', Tags: [{ Key: 'aws:x', Value: 'v' }] },     'ConflictException'             ],
  ['a reserved tag key',                         { Tags: [{ Key: 'aws:x', Value: 'v' }] },                                 'BadRequestException'           ],
  ['a tag key that occurs twice',                { Tags: [{ Key: 'k', Value: 'v' }, { Key: 'k', Value: 'v' }] },           'BadRequestException'           ],
  ['an account with the maximum',                  {},                                                                    'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateAppInstance: ${title} is ${code}, and nothing is created`, async () => {
    const { run, appInstance } = await openFixture({ appInstances: 1 });
    await appInstance({ ClientRequestToken: 'used' });
    await assert.rejects(run('CreateAppInstance', { ...REQUEST, ...change }), { code });
    assert.equal((await run('ListAppInstances', {})).AppInstances?.length, 1);
  });
}

test('CreateAppInstance: the limit applies to one account in one region', async () => {
  const { run, appInstance } = await openFixture({ appInstances: 1 });
  await appInstance();
  await run('CreateAppInstance', REQUEST, { region: 'eu-central-1' });
  await run('CreateAppInstance', REQUEST, { accountId: OTHER_ACCOUNT });
});

test('ListAppInstances: pages repeat no app instance, and a token of another list is BadRequestException', async () => {
  const { run, appInstance, user } = await openFixture();
  const made = [await appInstance(), await appInstance({ Metadata: 'm' }), await appInstance()];
  await run('CreateAppInstance', REQUEST, { region: 'eu-central-1' });
  const first = await run('ListAppInstances', { MaxResults: 2 });
  assert.deepEqual(first.AppInstances, [
    { AppInstanceArn: made[0], Name: 'chat' },
    { AppInstanceArn: made[1], Name: 'chat', Metadata: 'm' },
  ]);
  const { NextToken = '' } = first;
  assert.deepEqual(await run('ListAppInstances', { NextToken }), { AppInstances: [{ AppInstanceArn: made[2], Name: 'chat' }] });
  const [AppInstanceArn = ''] = made;
  await user(AppInstanceArn, 'ada');
  await assert.rejects(run('ListAppInstanceUsers', { AppInstanceArn, NextToken }), { code: 'BadRequestException' });
});

test('DeleteAppInstance: deletes the contents of one app instance, not of others, and emits one event', async () => {
  const { run, appInstance, user, bot, endpoint, store, emitted } = await openFixture();
  const arns = [await appInstance(), await appInstance()];
  for (const AppInstanceArn of arns) {
    const ada = await user(AppInstanceArn, 'ada');
    await endpoint(ada);
    await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: ada });
    await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: await bot(AppInstanceArn) });
  }
  const [gone = '', stays = ''] = arns;
  await run('DeleteAppInstance', { AppInstanceArn: gone });
  const kept = (arn: string) =>
    store.transaction(async ({ resources }) => {
      const place = { accountId: ACCOUNT, region: 'us-east-1', parent: arn.slice(arn.lastIndexOf('/') + 1) };
      const kinds: readonly ResourceKind<unknown>[] = [
        APP_INSTANCE_USER,
        APP_INSTANCE_BOT,
        APP_INSTANCE_ADMIN,
        APP_INSTANCE_USER_ENDPOINT,
        APP_INSTANCE_USER_COUNT,
      ];
      const counts: number[] = [];
      for (const kind of kinds) counts.push(await resources.count(kind, place, 10));
      return counts;
    });
  assert.deepEqual(
    [await kept(gone), await kept(stays)],
    [
      [0, 0, 0, 0, 0],
      [1, 1, 2, 1, 1],
    ],
  );
  const appInstanceId = gone.slice(gone.lastIndexOf('/') + 1);
  assert.deepEqual(emitted, [{ type: 'AppInstanceDeleted', accountId: ACCOUNT, region: 'us-east-1', appInstanceId, arn: gone }]);
  await assert.rejects(run('DeleteAppInstance', { AppInstanceArn: gone }), { code: 'ForbiddenException' });
});

test('Retention: messages never expire by default; deletion begins 30 days after the period is changed', async () => {
  const { run, appInstance } = await openFixture();
  const AppInstanceArn = await appInstance();
  const put = (RetentionDays: number | undefined, now: number) =>
    run(
      'PutAppInstanceRetentionSettings',
      { AppInstanceArn, AppInstanceRetentionSettings: { ChannelRetentionSettings: RetentionDays === undefined ? {} : { RetentionDays } } },
      { now: instant(now) },
    );
  const settings = (ChannelRetentionSettings: object) => ({ AppInstanceRetentionSettings: { ChannelRetentionSettings } });
  assert.deepEqual(await run('GetAppInstanceRetentionSettings', { AppInstanceArn }), settings({}));
  const set = { ...settings({ RetentionDays: 60 }), InitiateDeletionTimestamp: START + 30 * DAY_MS };
  assert.deepEqual(await put(60, START), set);
  assert.deepEqual(await put(60, START + DAY_MS), set);
  assert.deepEqual(await run('GetAppInstanceRetentionSettings', { AppInstanceArn }), set);
  assert.deepEqual(await put(30, START + DAY_MS), { ...settings({ RetentionDays: 30 }), InitiateDeletionTimestamp: START + 31 * DAY_MS });
  // A new name does not change the retention.
  await run('UpdateAppInstance', { AppInstanceArn, Name: 'talk', Metadata: '' });
  assert.deepEqual((await run('GetAppInstanceRetentionSettings', { AppInstanceArn })).AppInstanceRetentionSettings, {
    ChannelRetentionSettings: { RetentionDays: 30 },
  });
  assert.deepEqual(await put(undefined, START + DAY_MS), settings({}));
  await put(60, START);
  assert.deepEqual(await run('PutAppInstanceRetentionSettings', { AppInstanceArn, AppInstanceRetentionSettings: {} }), settings({}));
});

// biome-ignore format: a table
const ABSENT: readonly [title: string, arn: (known: string) => string][] = [
  ['an unknown one',                      () => UNKNOWN                                        ],
  ['one in another account',              (known) => known.replace(ACCOUNT, OTHER_ACCOUNT)     ],
  ['one in another region',               (known) => known.replace('us-east-1', 'eu-central-1')],
  ['a pattern',                           () => UNKNOWN.replace(/\/.*/, '/*')                  ],
  ['an id in capitals',                   (known) => known.replace('a6b1e9b0', 'A6B1E9B0')     ],
  ['a resource in an app instance',       (known) => `${known}/user/ada`                       ],
  ['another kind of resource',            (known) => known.replace(':app-instance/', ':meeting/')],
];

for (const [title, arn] of ABSENT) {
  test(`App instances: ${title} is ForbiddenException`, async () => {
    const { run, appInstance, user } = await openFixture();
    const known = await appInstance();
    await user(known, 'ada');
    const AppInstanceArn = arn(known);
    const refused = { code: 'ForbiddenException', message: 'An invalid app instance ARN was supplied for the input parameter.' };
    await assert.rejects(run('DescribeAppInstance', { AppInstanceArn }), refused);
    await assert.rejects(run('UpdateAppInstance', { AppInstanceArn, Name: 'n', Metadata: '' }), refused);
    await assert.rejects(run('DeleteAppInstance', { AppInstanceArn }), refused);
    await assert.rejects(run('GetAppInstanceRetentionSettings', { AppInstanceArn }), refused);
    await assert.rejects(run('PutAppInstanceRetentionSettings', { AppInstanceArn, AppInstanceRetentionSettings: {} }), refused);
    await assert.rejects(run('ListAppInstanceUsers', { AppInstanceArn }), refused);
    await assert.rejects(run('ListAppInstanceBots', { AppInstanceArn }), refused);
    await assert.rejects(run('ListAppInstanceAdmins', { AppInstanceArn }), refused);
  });
}

test('App instance of Amazon Chime: it and its people are listed, and only Amazon Chime changes or deletes them', async () => {
  const { run, store } = await openFixture();
  const { appInstanceId } = await store.transaction((tx) =>
    ensureChimeUsers({ tx, now: START }, ACCOUNT, [{ userId: 'a1b2', name: 'x'.repeat(101) }]),
  );
  const AppInstanceArn = `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/${appInstanceId}`;
  const AppInstanceUserArn = chimeUserArn(ACCOUNT, 'a1b2');
  assert.deepEqual((await run('ListAppInstances', {})).AppInstances, [{ AppInstanceArn, Name: 'Amazon Chime' }]);
  const { AppInstanceUsers = [] } = await run('ListAppInstanceUsers', { AppInstanceArn });
  assert.deepEqual(
    AppInstanceUsers.map(({ Name }) => Name),
    ['x'.repeat(100), 'Amazon Chime'],
  );
  const token = { ClientRequestToken: 'token' };
  const refused = { code: 'ForbiddenException', message: /belongs to Amazon Chime/ };
  await assert.rejects(run('DeleteAppInstance', { AppInstanceArn }), refused);
  await assert.rejects(run('PutAppInstanceRetentionSettings', { AppInstanceArn, AppInstanceRetentionSettings: {} }), refused);
  await assert.rejects(run('CreateAppInstanceUser', { AppInstanceArn, AppInstanceUserId: 'own-user', Name: 'own', ...token }), refused);
  await assert.rejects(run('CreateAppInstanceBot', { AppInstanceArn, Configuration: { Lex: lexIn('us-east-1') }, ...token }), refused);
  await assert.rejects(run('UpdateAppInstanceUser', { AppInstanceUserArn, Name: 'other', Metadata: '' }), refused);
  await assert.rejects(run('DeleteAppInstanceUser', { AppInstanceUserArn }), refused);
  await assert.rejects(run('PutAppInstanceUserExpirationSettings', { AppInstanceUserArn }), refused);
});

test('ChimeUsersForgotten: deletes the app instance users of the people, and emits an event for each', async () => {
  const { run, store, emitted } = await openFixture();
  const people = ['a1', 'b2'].map((userId) => ({ userId, name: userId }));
  await store.transaction(async (tx) => {
    await ensureChimeUsers({ tx, now: START }, ACCOUNT, people);
    await removeForgottenPeople.handle(workFor(tx, START, emitted), {
      ...{ type: 'ChimeUsersForgotten', accountId: ACCOUNT, chimeAccountId: 'c', userIds: ['b2', 'unknown'] },
    } as never);
  });
  assert.deepEqual(
    emitted.map(({ type, arn }) => [type, arn]),
    [['AppInstanceUserDeleted', chimeUserArn(ACCOUNT, 'b2')]],
  );
  const describe = (id: string) => run('DescribeAppInstanceUser', { AppInstanceUserArn: chimeUserArn(ACCOUNT, id) });
  assert.equal((await describe('a1')).AppInstanceUser?.Name, 'a1');
  await assert.rejects(describe('b2'), { code: 'ForbiddenException' });
});
