/** Who may do what with app instances, by policies as people write them. */
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
import { askControl } from '#server/operator/control.ts';
import { allow, deny } from '../guide/rig.ts';
import { everyEvent } from '../sdk/history.ts';
import { refusalOf } from '../sdk/policy.ts';
import { BLUE, projectOf, RED, startIdentity } from './rig.ts';

const rig = await startIdentity();
const { accountId, newAppInstance, newUser, user } = rig;
const EXPIRES = { ExpirationDays: 1, ExpirationCriterion: 'CREATED_TIMESTAMP' } as const;

/** A client of a new user who may do what these statements say. */
const who = async (name: string, ...statements: Parameters<typeof user>[1][]) => rig.identity(await user(name, ...statements));

/** The denial, as far as it says what was asked. */
async function denied(sent: Promise<unknown>): Promise<string> {
  const { name, status, message } = await refusalOf(sent);
  assert.deepEqual([name, status], ['AccessDeniedException', 403], message);
  return / is not authorized to perform: (\S+ on resource: \S+)/.exec(message)?.[1] ?? message;
}

test('Resources: one app instance may be allowed with everybody in it, and of another nothing is told (CHM-3)', async () => {
  const [own, other] = [await newAppInstance(), await newAppInstance()];
  const foreign = await newUser(other, 'ada');
  const client = await who('owner', allow('chime:*', [own, `${own}/*`]));
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

test('Resources: a Deny on one user holds among all that are allowed', async () => {
  const AppInstanceArn = await newAppInstance();
  const [ada, bob] = [await newUser(AppInstanceArn, 'ada'), await newUser(AppInstanceArn, 'bob')];
  const client = await who('fenced', allow('chime:*'), deny('chime:DeleteAppInstanceUser', ada));
  await denied(client.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn: ada })));
  await client.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn: bob }));
});

test('Tags: those of the resource and of the request decide (TAG-5)', async () => {
  const [blue, red] = [await newAppInstance(BLUE), await newAppInstance(RED)];
  const [ofBlue, ofRed] = [await newUser(red, 'ada', BLUE), await newUser(blue, 'ada', RED)];
  const client = await who(
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

test('Tags at creation want chime:TagResource too, on the same pattern', async () => {
  const AppInstanceArn = await newAppInstance();
  const client = await who('no-tagger', allow('chime:CreateAppInstanceUser'));
  const request = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada' };
  const asked = await denied(client.send(new CreateAppInstanceUserCommand({ ...request, Tags: [BLUE] })));
  assert.equal(asked, `chime:TagResource on resource: ${AppInstanceArn}/user/*`);
  await client.send(new CreateAppInstanceUserCommand(request));
});

test('Expiration settings at creation want chime:PutAppInstanceUserExpirationSettings too (EVAL-9)', async () => {
  const AppInstanceArn = await newAppInstance();
  const client = await who('for-ever', allow('chime:CreateAppInstanceUser'));
  const request = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada' };
  const asked = await denied(client.send(new CreateAppInstanceUserCommand({ ...request, ExpirationSettings: EXPIRES })));
  assert.equal(asked, `chime:PutAppInstanceUserExpirationSettings on resource: ${AppInstanceArn}/user/ada`);
  await client.send(new CreateAppInstanceUserCommand(request));
});

test('An endpoint wants mobiletargeting:GetApp on its Pinpoint project too (EVAL-9)', async () => {
  const AppInstanceUserArn = await newUser(await newAppInstance(), 'ada');
  const ResourceArn = projectOf(accountId);
  const request = { AppInstanceUserArn, Type: 'GCM', ResourceArn, EndpointAttributes: { DeviceToken: 'device' } } as const;
  const own = allow('chime:RegisterAppInstanceUserEndpoint', AppInstanceUserArn);
  const without = await who('no-project', own);
  const asked = await denied(without.send(new RegisterAppInstanceUserEndpointCommand(request)));
  assert.equal(asked, `mobiletargeting:GetApp on resource: ${ResourceArn}`);
  const client = await who('with-project', own, allow('mobiletargeting:GetApp', ResourceArn));
  await client.send(new RegisterAppInstanceUserEndpointCommand(request));
  await denied(client.send(new RegisterAppInstanceUserEndpointCommand({ ...request, ResourceArn: `${ResourceArn}2` })));
});

test('Another account: its administrator is refused, whatever its own policies say, and nothing of it is there in ours (EVAL-8)', async () => {
  const reply = await askControl(rig.server.dataFolder, { command: 'account create', name: 'Partner' });
  assert.ok(reply.ok && reply.administrator);
  const { accessKeyId, secretAccessKey } = reply.administrator;
  const partner = rig.identity({ accessKeyId, secretAccessKey });
  const AppInstanceArn = await newAppInstance();
  await denied(partner.send(new DescribeAppInstanceCommand({ AppInstanceArn })));
  await denied(partner.send(new ListAppInstanceUsersCommand({ AppInstanceArn })));
  assert.deepEqual((await partner.send(new ListAppInstancesCommand({}))).AppInstances, []);
});

test('The trail: a call names what it was about, refusals too, and no names of people (LOG-1, LOG-4)', async () => {
  const AppInstanceArn = await newAppInstance();
  const client = await who('stranger');
  await rig
    .identity()
    .send(new CreateAppInstanceUserCommand({ AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Countess', Metadata: 'Byron' }));
  await denied(client.send(new DescribeAppInstanceCommand({ AppInstanceArn })));
  const events = await everyEvent(new CloudTrailClient(rig.server.client()));
  const refused = events.findLast(({ userName }) => userName === 'stranger');
  assert.deepEqual([refused?.eventName, refused?.errorCode], ['DescribeAppInstance', 'AccessDeniedException']);
  const made = JSON.stringify(events.findLast(({ eventName }) => eventName === 'CreateAppInstanceUser')?.document);
  assert.ok(made.includes(AppInstanceArn) && !made.includes('Countess') && !made.includes('Byron'), made);
});
