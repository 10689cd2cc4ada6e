/** Authorization of app instances, with typical policies. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateAppInstanceAdminCommand,
  CreateAppInstanceCommand,
  CreateAppInstanceUserCommand,
  DeleteAppInstanceUserCommand,
  DescribeAppInstanceCommand,
  DescribeAppInstanceUserCommand,
  ListAppInstanceAdminsCommand,
  ListAppInstancesCommand,
  ListAppInstanceUsersCommand,
  RegisterAppInstanceUserEndpointCommand,
  TagResourceCommand,
  UpdateAppInstanceCommand,
} from '@aws-sdk/client-chime-sdk-identity';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { otherAccount, startAccount } from '../kit/account.ts';
import { newAppInstance, newAppInstanceUser } from '../kit/app-instance.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, deny } from '../kit/policy.ts';
import { everyEvent } from '../kit/trail.ts';
import { BLUE, projectOf, RED } from './fixture.ts';

const account = await startAccount();
const { accountId, user } = account;
const identity = account.identity();
const EXPIRES = { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' } as const;

/** Creates a user with these statements. Returns a client with the user's access key. */
const clientOf = async (name: string, ...statements: Parameters<typeof user>[1][]) => account.identity(await user(name, ...statements));

/** Returns the action and resource of the denial. */
async function denied(sent: Promise<unknown>): Promise<string> {
  const { name, status, message } = await refusalOf(sent);
  assert.deepEqual([name, status], ['AccessDeniedException', 403], message);
  return / is not authorized to perform: (\S+ on resource: \S+)/.exec(message)?.[1] ?? message;
}

test('CHM-3: a policy can allow only one app instance, and denials do not show whether others exist', async () => {
  const [own, other] = [await newAppInstance(identity), await newAppInstance(identity)];
  const foreign = await newAppInstanceUser(identity, other, 'ada');
  const client = await clientOf('owner', allow('chime:*', [own, `${own}/*`]));
  await client.send(new UpdateAppInstanceCommand({ AppInstanceArn: own, Name: 'mine', Metadata: '' }));
  const { AppInstanceUserArn = '' } = await client.send(
    new CreateAppInstanceUserCommand({ AppInstanceArn: own, AppInstanceUserId: 'ada', Name: 'Ada', ExpirationSettings: EXPIRES }),
  );
  await client.send(new CreateAppInstanceAdminCommand({ AppInstanceArn: own, AppInstanceAdminArn: AppInstanceUserArn }));
  await client.send(new ListAppInstanceAdminsCommand({ AppInstanceArn: own }));

  const all = `arn:aws:chime:us-east-1:${accountId}:app-instance/*`;
  // biome-ignore format: a table
  for (const [command, asked] of [
    [new DescribeAppInstanceCommand({ AppInstanceArn: other }),                                               `chime:DescribeAppInstance on resource: ${other}`],
    [new DescribeAppInstanceCommand({ AppInstanceArn: other.replace(/.{12}$/, 'ffffffffffff') }),             `chime:DescribeAppInstance on resource: ${other.replace(/.{12}$/, 'ffffffffffff')}`],
    [new DescribeAppInstanceUserCommand({ AppInstanceUserArn: foreign }),                                     `chime:DescribeAppInstanceUser on resource: ${foreign}`],
    [new ListAppInstanceUsersCommand({ AppInstanceArn: other }),                                              `chime:ListAppInstanceUsers on resource: ${other}/user/*`],
    [new CreateAppInstanceUserCommand({ AppInstanceArn: other, AppInstanceUserId: 'eve', Name: 'Eve' }),      `chime:CreateAppInstanceUser on resource: ${other}/user/*`],
    [new CreateAppInstanceAdminCommand({ AppInstanceArn: own, AppInstanceAdminArn: foreign }),                `chime:CreateAppInstanceAdmin on resource: ${foreign}`],
    [new CreateAppInstanceAdminCommand({ AppInstanceArn: other, AppInstanceAdminArn: AppInstanceUserArn }),   `chime:CreateAppInstanceAdmin on resource: ${other}`],
    [new CreateAppInstanceCommand({ Name: 'another' }),                                                       `chime:CreateAppInstance on resource: ${all}`],
    [new ListAppInstancesCommand({}),                                                                         `chime:ListAppInstances on resource: ${all}`],
  ] as const) {
    assert.equal(await denied(client.send(command as DescribeAppInstanceCommand)), asked);
  }
});

test('Resources: a Deny on one user wins over an Allow on all users', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const [ada, bob] = [await newAppInstanceUser(identity, AppInstanceArn, 'ada'), await newAppInstanceUser(identity, AppInstanceArn, 'bob')];
  const client = await clientOf('fenced', allow('chime:*'), deny('chime:DeleteAppInstanceUser', ada));
  await denied(client.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn: ada })));
  await client.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn: bob }));
});

test('TAG-5: conditions on tags of the resource and of the request apply', async () => {
  const [blue, red] = [await newAppInstance(identity, BLUE), await newAppInstance(identity, RED)];
  const [ofBlue, ofRed] = [
    await newAppInstanceUser(identity, red, 'ada', { Tags: [BLUE] }),
    await newAppInstanceUser(identity, blue, 'ada', { Tags: [RED] }),
  ];
  const client = await clientOf(
    'blue-only',
    allow(['chime:Describe*', 'chime:TagResource'], '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } } }),
    allow(['chime:CreateAppInstance', 'chime:TagResource'], '*', { Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } } }),
  );
  await client.send(new DescribeAppInstanceCommand({ AppInstanceArn: blue }));
  await denied(client.send(new DescribeAppInstanceCommand({ AppInstanceArn: red })));
  await client.send(new DescribeAppInstanceUserCommand({ AppInstanceUserArn: ofBlue }));
  await denied(client.send(new DescribeAppInstanceUserCommand({ AppInstanceUserArn: ofRed })));
  await client.send(new TagResourceCommand({ ResourceARN: blue, Tags: [{ Key: 'stage', Value: 'test' }] }));
  await denied(client.send(new TagResourceCommand({ ResourceARN: red, Tags: [{ Key: 'stage', Value: 'test' }] })));
  await client.send(new CreateAppInstanceCommand({ Name: 'tagged', Tags: [BLUE] }));
  await denied(client.send(new CreateAppInstanceCommand({ Name: 'tagged', Tags: [RED] })));
  await denied(client.send(new CreateAppInstanceCommand({ Name: 'untagged' })));
});

test('Tags: creating a user with tags also requires chime:TagResource, on the ARN pattern of users', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const client = await clientOf('no-tagger', allow('chime:CreateAppInstanceUser'));
  const request = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada' };
  const asked = await denied(client.send(new CreateAppInstanceUserCommand({ ...request, Tags: [BLUE] })));
  assert.equal(asked, `chime:TagResource on resource: ${AppInstanceArn}/user/*`);
  await client.send(new CreateAppInstanceUserCommand(request));
});

test('EVAL-9: expiration settings at creation require chime:PutAppInstanceUserExpirationSettings', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const client = await clientOf('for-ever', allow('chime:CreateAppInstanceUser'));
  const request = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada' };
  const asked = await denied(client.send(new CreateAppInstanceUserCommand({ ...request, ExpirationSettings: EXPIRES })));
  assert.equal(asked, `chime:PutAppInstanceUserExpirationSettings on resource: ${AppInstanceArn}/user/ada`);
  await client.send(new CreateAppInstanceUserCommand(request));
});

test('EVAL-9: registering an endpoint also requires mobiletargeting:GetApp on the Pinpoint project', async () => {
  const AppInstanceUserArn = await newAppInstanceUser(identity, await newAppInstance(identity), 'ada');
  const ResourceArn = projectOf(accountId);
  const request = { AppInstanceUserArn, Type: 'GCM', ResourceArn, EndpointAttributes: { DeviceToken: 'device' } } as const;
  const own = allow('chime:RegisterAppInstanceUserEndpoint', AppInstanceUserArn);
  const without = await clientOf('no-project', own);
  const asked = await denied(without.send(new RegisterAppInstanceUserEndpointCommand(request)));
  assert.equal(asked, `mobiletargeting:GetApp on resource: ${ResourceArn}`);
  const client = await clientOf('with-project', own, allow('mobiletargeting:GetApp', ResourceArn));
  await client.send(new RegisterAppInstanceUserEndpointCommand(request));
  await denied(client.send(new RegisterAppInstanceUserEndpointCommand({ ...request, ResourceArn: `${ResourceArn}2` })));
});

test('EVAL-8: an administrator of another account is denied, even if its own policies allow the call', async () => {
  const partner = (await otherAccount(account.server, 'Partner')).identity();
  const AppInstanceArn = await newAppInstance(identity);
  await denied(partner.send(new DescribeAppInstanceCommand({ AppInstanceArn })));
  await denied(partner.send(new ListAppInstanceUsersCommand({ AppInstanceArn })));
  assert.deepEqual((await partner.send(new ListAppInstancesCommand({}))).AppInstances, []);
});

test('LOG-1, LOG-4: records of calls and denials contain the resources, but not the names of users', async () => {
  const AppInstanceArn = await newAppInstance(identity);
  const client = await clientOf('stranger');
  await identity.send(new CreateAppInstanceUserCommand({ AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Countess', Metadata: 'Byron' }));
  await denied(client.send(new DescribeAppInstanceCommand({ AppInstanceArn })));
  const events = await everyEvent(new CloudTrailClient(account.server.client()));
  const refused = events.findLast(({ userName }) => userName === 'stranger');
  assert.deepEqual([refused?.eventName, refused?.errorCode], ['DescribeAppInstance', 'AccessDeniedException']);
  const made = JSON.stringify(events.findLast(({ eventName }) => eventName === 'CreateAppInstanceUser')?.document);
  assert.ok(made.includes(AppInstanceArn) && !made.includes('Countess') && !made.includes('Byron'), made);
});
