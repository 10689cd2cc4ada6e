import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CreateAppInstanceUserRequest, ExpirationSettings } from '#model/generated/chime-sdk-identity.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';
import { sweepExpiredUsers } from './sweep.ts';

const LATER = instant(START + 1_000);
const TWO_DAYS: ExpirationSettings = { ExpirationDays: 2, ExpirationCriterion: 'CREATED_TIMESTAMP' };

test('Users: Describe returns the members that Create and Update set', async () => {
  const { run, appInstance, user } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceUserArn = await user(AppInstanceArn, 'ada@example.org', { Name: 'Ada', Metadata: 'm', ExpirationSettings: TWO_DAYS });
  assert.equal(AppInstanceUserArn, `${AppInstanceArn}/user/ada@example.org`);
  const made = {
    AppInstanceUserArn,
    Name: 'Ada',
    Metadata: 'm',
    CreatedTimestamp: START,
    LastUpdatedTimestamp: START,
    ExpirationSettings: TWO_DAYS,
  };
  assert.deepEqual(await run('DescribeAppInstanceUser', { AppInstanceUserArn }), { AppInstanceUser: made });
  assert.deepEqual(await run('UpdateAppInstanceUser', { AppInstanceUserArn, Name: 'A.', Metadata: '' }, { now: LATER }), {
    AppInstanceUserArn,
  });
  assert.deepEqual(await run('DescribeAppInstanceUser', { AppInstanceUserArn }), {
    AppInstanceUser: { ...made, Name: 'A.', Metadata: '', LastUpdatedTimestamp: LATER },
  });
});

test('CreateAppInstanceUser: a repeated token returns the existing user, even if the app instance is full', async () => {
  const { run, appInstance } = await openFixture({ users: 1 });
  const request = { ClientRequestToken: 'once', AppInstanceArn: await appInstance(), AppInstanceUserId: 'ada', Name: 'Ada' };
  assert.deepEqual(await run('CreateAppInstanceUser', request), await run('CreateAppInstanceUser', request));
});

// Source: Chime SDK Developer Guide, "Creating an AppInstanceUser": programs create the user at each login, with a new
// token.
test('CreateAppInstanceUser: an equal request with another token returns the existing user unchanged', async () => {
  const { run, appInstance, user } = await openFixture({ users: 1 });
  const AppInstanceArn = await appInstance();
  const Tags = [
    { Key: 'team', Value: 'blue' },
    { Key: 'role', Value: 'agent' },
  ];
  const made = { Name: 'Ada', Metadata: 'm', ExpirationSettings: TWO_DAYS, Tags };
  const AppInstanceUserArn = await user(AppInstanceArn, 'ada', made);
  const before = await run('DescribeAppInstanceUser', { AppInstanceUserArn });
  for (const more of [made, { Name: 'Ada' }, { Name: 'Ada', Tags: Tags.slice(1) }]) {
    assert.equal(await user(AppInstanceArn, 'ada', more), AppInstanceUserArn);
  }
  assert.deepEqual(await run('DescribeAppInstanceUser', { AppInstanceUserArn }), before);
  for (const change of [
    { Name: 'ada' },
    { Metadata: '' },
    { ExpirationSettings: { ...TWO_DAYS, ExpirationDays: 3 } },
    { Tags: [{ Key: 'team', Value: 'red' }] },
  ]) {
    await assert.rejects(user(AppInstanceArn, 'ada', { ...made, ...change }), { code: 'ConflictException' });
  }
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<CreateAppInstanceUserRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['an unknown app instance',                       { AppInstanceArn: UNKNOWN, ClientRequestToken: 'used' },                     'ForbiddenException'            ],
  ['a used token with other parameters',            { ClientRequestToken: 'used', Tags: [{ Key: 'aws:x', Value: 'v' }] },        'ConflictException'             ],
  ['a reserved tag key',                            { AppInstanceUserId: 'ada', Tags: [{ Key: 'aws:x', Value: 'v' }] },          'BadRequestException'           ],
  ['an ID in use, in a full app instance',          { AppInstanceUserId: 'ada' },                                                'ConflictException'             ],
  ['an app instance with the maximum',              {},                                                                         'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateAppInstanceUser: ${title} is ${code}, and nothing is created`, async () => {
    const { run, appInstance, user } = await openFixture({ users: 1 });
    const AppInstanceArn = await appInstance();
    await user(AppInstanceArn, 'ada', { ClientRequestToken: 'used' });
    const request = { ClientRequestToken: 'new', AppInstanceArn, AppInstanceUserId: 'bob', Name: 'Bob', ...change };
    await assert.rejects(run('CreateAppInstanceUser', request), { code });
    const { AppInstanceUsers } = await run('ListAppInstanceUsers', { AppInstanceArn });
    assert.deepEqual(AppInstanceUsers, [{ AppInstanceUserArn: `${AppInstanceArn}/user/ada`, Name: 'ada' }]);
  });
}

test('CreateAppInstanceUser: IDs are case-sensitive, and unique in one app instance', async () => {
  const { appInstance, user } = await openFixture({ users: 2 });
  const [one, other] = [await appInstance(), await appInstance()];
  const arns = [await user(one, 'ada'), await user(one, 'Ada'), await user(other, 'ada')];
  assert.equal(new Set(arns).size, 3);
});

test('DeleteAppInstanceUser: deletes endpoints and administrator record, frees the ID, emits an event', async () => {
  const { run, appInstance, user, endpoint, emitted } = await openFixture({ users: 2 });
  const AppInstanceArn = await appInstance();
  const AppInstanceUserArn = await user(AppInstanceArn, 'ada');
  // The ID of the deleted user, `ada`, is a prefix of this user's ID. The endpoint of this user must remain.
  const next = await user(AppInstanceArn, 'ada.b');
  for (const each of [AppInstanceUserArn, next]) {
    await endpoint(each);
    await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: each });
  }
  await run('DeleteAppInstanceUser', { AppInstanceUserArn });
  assert.deepEqual(emitted, [
    {
      type: 'AppInstanceUserDeleted',
      accountId: ACCOUNT,
      region: 'us-east-1',
      appInstanceId: AppInstanceArn.slice(AppInstanceArn.lastIndexOf('/') + 1),
      id: 'ada',
      arn: AppInstanceUserArn,
    },
  ]);
  await user(AppInstanceArn, 'ada');
  assert.deepEqual((await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn })).AppInstanceUserEndpoints, []);
  assert.equal((await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn: next })).AppInstanceUserEndpoints?.length, 1);
  assert.deepEqual((await run('ListAppInstanceAdmins', { AppInstanceArn })).AppInstanceAdmins, [{ Admin: { Arn: next, Name: 'ada.b' } }]);
});

test('ListAppInstanceUsers: each user of the app instance is on exactly one page, in the order of IDs', async () => {
  const { run, appInstance, user } = await openFixture();
  const AppInstanceArn = await appInstance();
  await user(await appInstance(), 'other');
  for (const id of ['c', 'a', 'B']) await user(AppInstanceArn, id, { Metadata: 'm' });
  const first = await run('ListAppInstanceUsers', { AppInstanceArn, MaxResults: 2 });
  const summary = (id: string) => ({ AppInstanceUserArn: `${AppInstanceArn}/user/${id}`, Name: id, Metadata: 'm' });
  assert.deepEqual([first.AppInstanceArn, first.AppInstanceUsers], [AppInstanceArn, [summary('B'), summary('a')]]);
  assert.deepEqual(await run('ListAppInstanceUsers', { AppInstanceArn, NextToken: first.NextToken as string }), {
    AppInstanceArn,
    AppInstanceUsers: [summary('c')],
  });
  const elsewhere = { AppInstanceArn: await appInstance(), NextToken: first.NextToken as string };
  await assert.rejects(run('ListAppInstanceUsers', elsewhere), { code: 'BadRequestException' });
});

test('Expiration: the sweep deletes expired users with their data, and emits an event for each user', async () => {
  const { run, appInstance, user, endpoint, store, emitted } = await openFixture({ users: 3 });
  const AppInstanceArn = await appInstance();
  const ada = await user(AppInstanceArn, 'ada', { ExpirationSettings: TWO_DAYS });
  await endpoint(ada);
  await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: ada });
  const bob = await user(AppInstanceArn, 'bob', { ExpirationSettings: TWO_DAYS });
  await user(AppInstanceArn, 'carol');
  const sweep = (now: Instant) => store.transaction((tx) => sweepExpiredUsers(workFor(tx, now, emitted)));
  const over = instant(START + 2 * DAY_MS);
  assert.equal(await sweep(instant(over - 1)), 'done');
  await run('DescribeAppInstanceUser', { AppInstanceUserArn: ada }, { now: instant(over + DAY_MS) });
  const more: ExpirationSettings = { ExpirationDays: 4, ExpirationCriterion: 'CREATED_TIMESTAMP' };
  await run('PutAppInstanceUserExpirationSettings', { AppInstanceUserArn: bob, ExpirationSettings: more }, { now: over });

  assert.equal(await sweep(over), 'done');
  assert.deepEqual(
    emitted.map((event) => [event.type, event.arn]),
    [['AppInstanceUserExpired', ada]],
  );
  const { AppInstanceUsers = [] } = await run('ListAppInstanceUsers', { AppInstanceArn });
  assert.deepEqual(
    AppInstanceUsers.map(({ Name }) => Name),
    ['bob', 'carol'],
  );
  assert.deepEqual((await run('ListAppInstanceAdmins', { AppInstanceArn })).AppInstanceAdmins, []);
  // The deleted user does not count toward the limit of 3 users, and its endpoint does not exist anymore.
  await user(AppInstanceArn, 'ada');
  assert.deepEqual((await run('ListAppInstanceUserEndpoints', { AppInstanceUserArn: ada })).AppInstanceUserEndpoints, []);
});

test('Expiration: one run of the sweep deletes 100 users, and reports that there may be more', async () => {
  const { run, appInstance, user, store } = await openFixture();
  const AppInstanceArn = await appInstance();
  for (let i = 0; i < 101; i++) await user(AppInstanceArn, `user${i}`, { ExpirationSettings: TWO_DAYS });
  const sweep = () => store.transaction((tx) => sweepExpiredUsers(workFor(tx, instant(START + 2 * DAY_MS))));
  assert.deepEqual([await sweep(), await sweep()], ['more', 'done']);
  assert.deepEqual((await run('ListAppInstanceUsers', { AppInstanceArn })).AppInstanceUsers, []);
});

test('PutAppInstanceUserExpirationSettings: returns the settings; a user without settings never expires', async () => {
  const { run, appInstance, user, store } = await openFixture();
  const AppInstanceUserArn = await user(await appInstance(), 'ada');
  const put = (settings?: ExpirationSettings) =>
    run('PutAppInstanceUserExpirationSettings', omitUndefined({ AppInstanceUserArn, ExpirationSettings: settings }));
  assert.deepEqual(await put(TWO_DAYS), { AppInstanceUserArn, ExpirationSettings: TWO_DAYS });
  assert.deepEqual(await put(), { AppInstanceUserArn });
  assert.equal((await run('DescribeAppInstanceUser', { AppInstanceUserArn })).AppInstanceUser?.ExpirationSettings, undefined);
  await store.transaction((tx) => sweepExpiredUsers(workFor(tx, instant(START + 3 * DAY_MS))));
  await run('DescribeAppInstanceUser', { AppInstanceUserArn });
});

// biome-ignore format: a table
const ABSENT: readonly [title: string, arn: (known: string) => string][] = [
  ['an unknown one',                  (known) => `${known}x`                                  ],
  ['one in an unknown app instance',  () => `${UNKNOWN}/user/ada`                             ],
  ['one in another region',           (known) => known.replace('us-east-1', 'eu-central-1')   ],
  ['a pattern',                       (known) => known.replace('/ada', '/*')                  ],
  ['one without an ID',               (known) => known.replace('/ada', '/')                   ],
  ['a bot with the ID',               (known) => known.replace('/user/', '/bot/')             ],
  ['a resource below a user',         (known) => `${known}/more`                              ],
  ['an app instance',                 (known) => known.replace('/user/ada', '')               ],
];

for (const [title, arn] of ABSENT) {
  test(`Users: ${title} is ForbiddenException`, async () => {
    const { run, appInstance, user } = await openFixture();
    const AppInstanceUserArn = arn(await user(await appInstance(), 'ada'));
    const refused = { code: 'ForbiddenException', message: 'An invalid app instance user ARN was supplied for the input parameter.' };
    await assert.rejects(run('DescribeAppInstanceUser', { AppInstanceUserArn }), refused);
    await assert.rejects(run('UpdateAppInstanceUser', { AppInstanceUserArn, Name: 'n', Metadata: '' }), refused);
    await assert.rejects(run('DeleteAppInstanceUser', { AppInstanceUserArn }), refused);
    await assert.rejects(run('PutAppInstanceUserExpirationSettings', { AppInstanceUserArn }), refused);
    await assert.rejects(run('ListAppInstanceUserEndpoints', { AppInstanceUserArn }), refused);
  });
}
