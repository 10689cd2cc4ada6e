import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppInstanceAdmin } from '../chime-kit/app-instances.ts';
import { CALLER, openFixture, START, UNKNOWN } from './fixture.ts';

test('Administrators: a user is added, described, listed and removed, and still exists as a user', async () => {
  const { run, appInstance, user, bot } = await openFixture();
  const AppInstanceArn = await appInstance();
  const arns = [await bot(AppInstanceArn), await user(AppInstanceArn, 'ada', { Name: 'Ada' })];
  const [Bot, Ada] = [{ Arn: arns[0] }, { Arn: arns[1], Name: 'Ada' }];
  for (const [AppInstanceAdminArn = '', AppInstanceAdmin] of [[arns[1], Ada] as const, [arns[0], Bot] as const]) {
    assert.deepEqual(await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn }), { AppInstanceAdmin, AppInstanceArn });
    assert.deepEqual(await run('DescribeAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn }), {
      AppInstanceAdmin: { Admin: AppInstanceAdmin, AppInstanceArn, CreatedTimestamp: START },
    });
  }
  const first = await run('ListAppInstanceAdmins', { AppInstanceArn, MaxResults: 1 });
  assert.deepEqual([first.AppInstanceArn, first.AppInstanceAdmins], [AppInstanceArn, [{ Admin: Bot }]]);
  assert.deepEqual(await run('ListAppInstanceAdmins', { AppInstanceArn, MaxResults: 1, NextToken: first.NextToken as string }), {
    AppInstanceArn,
    AppInstanceAdmins: [{ Admin: Ada }],
  });
  const AppInstanceUserArn = arns[1] as string;
  await run('DeleteAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: AppInstanceUserArn });
  assert.deepEqual((await run('ListAppInstanceAdmins', { AppInstanceArn })).AppInstanceAdmins, [{ Admin: Bot }]);
  await run('DescribeAppInstanceUser', { AppInstanceUserArn });
});

test('Administrators: isAppInstanceAdmin is true only after CreateAppInstanceAdmin', async () => {
  const { run, appInstance, user, store } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceAdminArn = await user(AppInstanceArn, 'ada');
  const [, appInstanceId = ''] = /app-instance\/([^/]+)/.exec(AppInstanceArn) ?? [];
  const isAdmin = () =>
    store.transaction((tx) => isAppInstanceAdmin(tx, CALLER, { arn: AppInstanceAdminArn, appInstanceId, type: 'user', id: 'ada' }));
  assert.equal(await isAdmin(), false);
  await run('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn });
  assert.equal(await isAdmin(), true);
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, of: 'one' | 'other' | 'unknown', user: 'ada' | 'bob' | 'unknown', code: string][] = [
  // The rows are in the order of the operation's checks.
  ['an unknown app instance',                         'unknown', 'ada',    'ForbiddenException'            ],
  ['an unknown user',                                 'one',     'unknown','ForbiddenException'            ],
  ['a user of another app instance',                  'other',   'ada',    'ForbiddenException'            ],
  ['an administrator, in a full app instance',        'one',     'ada',    'ConflictException'             ],
  ['an app instance with the maximum',                'one',     'bob',    'ResourceLimitExceededException'],
];

for (const [title, of, userId, code] of REFUSED) {
  test(`CreateAppInstanceAdmin: ${title} is ${code}, and nothing changes`, async () => {
    const { run, appInstance, user } = await openFixture({ admins: 1 });
    const appInstances = { one: await appInstance(), other: await appInstance(), unknown: UNKNOWN };
    const ada = await user(appInstances.one, 'ada');
    const members = { ada, bob: await user(appInstances.one, 'bob'), unknown: `${ada}x` };
    await run('CreateAppInstanceAdmin', { AppInstanceArn: appInstances.one, AppInstanceAdminArn: ada });
    await assert.rejects(run('CreateAppInstanceAdmin', { AppInstanceArn: appInstances[of], AppInstanceAdminArn: members[userId] }), {
      code,
    });
    const listed = await run('ListAppInstanceAdmins', { AppInstanceArn: appInstances.one });
    assert.deepEqual(listed.AppInstanceAdmins, [{ Admin: { Arn: ada, Name: 'ada' } }]);
    assert.deepEqual((await run('ListAppInstanceAdmins', { AppInstanceArn: appInstances.other })).AppInstanceAdmins, []);
  });
}

test('Administrators: Describe and Delete are ForbiddenException for a user that is not an administrator', async () => {
  const { run, appInstance, user } = await openFixture();
  const AppInstanceArn = await appInstance();
  const AppInstanceAdminArn = await user(AppInstanceArn, 'ada');
  for (const named of [
    { AppInstanceArn, AppInstanceAdminArn },
    { AppInstanceArn, AppInstanceAdminArn: `${AppInstanceAdminArn}x` },
    { AppInstanceArn: UNKNOWN, AppInstanceAdminArn },
  ]) {
    await assert.rejects(run('DescribeAppInstanceAdmin', named), { code: 'ForbiddenException' });
    await assert.rejects(run('DeleteAppInstanceAdmin', named), { code: 'ForbiddenException' });
  }
});
