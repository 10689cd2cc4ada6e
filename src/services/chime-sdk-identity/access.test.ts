import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import { loadModel } from '#model/load.ts';
import { accessOf } from '../kit/fixture.ts';
import { DEFAULT_LIMITS } from './deps.ts';
import { ACCOUNT, openFixture, PROJECT, VAULT } from './fixture.ts';
import { identityOperations } from './operations.ts';

const ALL = `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/*`;
const ONE = `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/a6b1e9b0-0000-4000-8000-00000000000a`;
const USER = `${ONE}/user/ada`;
const BOT = `${ONE}/bot/a6b1e9b0-0000-4000-8000-00000000000b`;
const TAGS = [{ Key: 'Team', Value: 'blue' }];

const OPERATIONS = identityOperations({ vault: VAULT, limits: DEFAULT_LIMITS });

const required = (name: string, input: object) => accessOf(OPERATIONS, name, input);

/** Input with every member that the `access` of an operation reads. */
const INPUT = {
  AppInstanceArn: ONE,
  AppInstanceUserArn: USER,
  AppInstanceBotArn: BOT,
  AppInstanceAdminArn: USER,
  AppInstanceUserId: 'ada',
  ExpirationSettings: { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' },
  ResourceArn: PROJECT,
  ResourceARN: USER,
  TagKeys: ['Team'],
  Tags: TAGS,
};

// biome-ignore format: a table
const RESOURCES: Readonly<Record<keyof ChimeSdkIdentityApi, readonly [action: string, ...resources: string[]][]>> = {
  CreateAppInstance:                    [['chime:CreateAppInstance', ALL], ['chime:TagResource', ALL]],
  DescribeAppInstance:                  [['chime:DescribeAppInstance', ONE]],
  UpdateAppInstance:                    [['chime:UpdateAppInstance', ONE]],
  DeleteAppInstance:                    [['chime:DeleteAppInstance', ONE]],
  ListAppInstances:                     [['chime:ListAppInstances', ALL]],
  PutAppInstanceRetentionSettings:      [['chime:PutAppInstanceRetentionSettings', ONE]],
  GetAppInstanceRetentionSettings:      [['chime:GetAppInstanceRetentionSettings', ONE]],
  CreateAppInstanceUser:                [['chime:CreateAppInstanceUser', `${ONE}/user/*`], ['chime:TagResource', `${ONE}/user/*`], ['chime:PutAppInstanceUserExpirationSettings', USER]],
  DescribeAppInstanceUser:              [['chime:DescribeAppInstanceUser', USER]],
  UpdateAppInstanceUser:                [['chime:UpdateAppInstanceUser', USER]],
  DeleteAppInstanceUser:                [['chime:DeleteAppInstanceUser', USER]],
  ListAppInstanceUsers:                 [['chime:ListAppInstanceUsers', `${ONE}/user/*`]],
  PutAppInstanceUserExpirationSettings: [['chime:PutAppInstanceUserExpirationSettings', USER]],
  CreateAppInstanceBot:                 [['chime:CreateAppInstanceBot', `${ONE}/bot/*`], ['chime:TagResource', `${ONE}/bot/*`]],
  DescribeAppInstanceBot:               [['chime:DescribeAppInstanceBot', BOT]],
  UpdateAppInstanceBot:                 [['chime:UpdateAppInstanceBot', BOT]],
  DeleteAppInstanceBot:                 [['chime:DeleteAppInstanceBot', BOT]],
  ListAppInstanceBots:                  [['chime:ListAppInstanceBots', `${ONE}/bot/*`]],
  CreateAppInstanceAdmin:               [['chime:CreateAppInstanceAdmin', ONE, USER]],
  DescribeAppInstanceAdmin:             [['chime:DescribeAppInstanceAdmin', ONE, USER]],
  DeleteAppInstanceAdmin:               [['chime:DeleteAppInstanceAdmin', ONE, USER]],
  ListAppInstanceAdmins:                [['chime:ListAppInstanceAdmins', ONE, `${ONE}/bot/*`, `${ONE}/user/*`]],
  RegisterAppInstanceUserEndpoint:      [['chime:RegisterAppInstanceUserEndpoint', USER], ['mobiletargeting:GetApp', PROJECT]],
  DescribeAppInstanceUserEndpoint:      [['chime:DescribeAppInstanceUserEndpoint', USER]],
  UpdateAppInstanceUserEndpoint:        [['chime:UpdateAppInstanceUserEndpoint', USER]],
  DeregisterAppInstanceUserEndpoint:    [['chime:DeregisterAppInstanceUserEndpoint', USER]],
  ListAppInstanceUserEndpoints:         [['chime:ListAppInstanceUserEndpoints', USER]],
  TagResource:                          [['chime:TagResource', USER]],
  UntagResource:                        [['chime:UntagResource', USER]],
  ListTagsForResource:                  [['chime:ListTagsForResource', USER]],
};

test('Access: the table RESOURCES of this test has a row for every operation', () => {
  assert.deepEqual(Object.keys(RESOURCES).sort(), Object.keys(loadModel('chime-sdk-identity').operations).sort());
});

for (const [name, expected] of Object.entries(RESOURCES)) {
  test(`Access: ${name} requires its own action on every resource of the request (CHM-3, EVAL-9)`, () => {
    assert.deepEqual(
      required(name, INPUT).map(({ action, resources }) => [action, ...resources]),
      expected,
    );
  });
}

test('Access: creating a resource without tags or expiration settings requires only the Create permission', () => {
  for (const name of ['CreateAppInstance', 'CreateAppInstanceUser', 'CreateAppInstanceBot']) {
    assert.deepEqual(
      required(name, { AppInstanceArn: ONE, AppInstanceUserId: 'ada' }).map(({ action }) => action),
      [`chime:${name}`],
    );
  }
});

test('Access: if the input has a string that is not an ARN, the action is required on this string', () => {
  assert.deepEqual(required('DescribeAppInstanceUserEndpoint', { AppInstanceUserArn: 'ada' })[0]?.resources, ['ada']);
});

test('Access: each ARN has the tags of its own resource, and patterns and unknown ARNs have no tags', async () => {
  const { store, appInstance, user, bot } = await openFixture();
  const AppInstanceArn = await appInstance({ Tags: TAGS });
  const AppInstanceAdminArn = await user(AppInstanceArn, 'ada', { Tags: [{ Key: 'Team', Value: 'red' }] });
  const AppInstanceBotArn = await bot(AppInstanceArn, { Tags: [{ Key: '__proto__', Value: 'x' }] });
  const read = (name: string, input: object) => store.transaction(async (tx) => required(name, input)[0]?.resourceTags?.(tx));
  assert.deepEqual(await read('CreateAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn }), [{ Team: 'blue' }, { Team: 'red' }]);
  assert.deepEqual(await read('DescribeAppInstanceBot', { AppInstanceBotArn }), [Object.fromEntries([['__proto__', 'x']])]);
  assert.deepEqual(await read('ListAppInstanceAdmins', { AppInstanceArn }), [{ Team: 'blue' }, undefined, undefined]);
  assert.deepEqual(await read('DescribeAppInstance', { AppInstanceArn: ONE }), [undefined]);
});
