/**
 * Tests the examples in the chapter "Security" of the Amazon Chime Administration Guide with AWS's clients. Each
 * example has an allowed and a denied call.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { test } from 'node:test';
import {
  CreateAccountCommand,
  CreateBotCommand,
  DeleteAccountCommand,
  GetAccountCommand,
  InviteUsersCommand,
  ListAccountsCommand,
  ListUsersCommand,
  LogoutUserCommand,
  ResetPersonalPINCommand,
  SearchAvailablePhoneNumbersCommand,
} from '@aws-sdk/client-chime';
import { ChimeSDKMediaPipelinesClient, CreateMediaInsightsPipelineConfigurationCommand } from '@aws-sdk/client-chime-sdk-media-pipelines';
import { DeleteMeetingCommand, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetGroupPolicyCommand,
  GetPolicyVersionCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListPoliciesCommand,
  ListUserPoliciesCommand,
  PutUserPolicyCommand,
  TagRoleCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, GetFederationTokenCommand } from '@aws-sdk/client-sts';
import { otherAccount, startAccount } from '../kit/account.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { denialOf, refusalOf, verdictOf } from '../kit/outcome.ts';
import { allow, deny, managed, policy, type Statement, trust } from '../kit/policy.ts';

const account = await startAccount();
const { accountId, admin, chime, iam, meetings, sts, user, userArn } = account;

const ACCOUNT = { AccountId: '12a3456b-7c89-012d-3456-78901e23fg45' };

/** Statements that allow a user to view its own permissions. Source: the guide, "Allow users to view their own permissions". */
const VIEW_OWN = [
  allow(
    ['iam:GetUserPolicy', 'iam:ListGroupsForUser', 'iam:ListAttachedUserPolicies', 'iam:ListUserPolicies', 'iam:GetUser'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
    'arn:aws:iam::*:user/${aws:username}',
    { Sid: 'ViewOwnUserInfo' },
  ),
  allow(
    [
      'iam:GetGroupPolicy',
      'iam:GetPolicyVersion',
      'iam:GetPolicy',
      'iam:ListAttachedGroupPolicies',
      'iam:ListGroupPolicies',
      'iam:ListPolicyVersions',
      'iam:ListPolicies',
      'iam:ListUsers',
    ],
    '*',
    { Sid: 'NavigateInConsole' },
  ),
];

test('EX-4: a user can read its own permissions, and cannot read the permissions of another user', async () => {
  const mateo = iam(await user('mateo', ...VIEW_OWN));
  await user('nikki');
  const own = (UserName: string) => [
    new GetUserCommand({ UserName }),
    new ListUserPoliciesCommand({ UserName }),
    new ListAttachedUserPoliciesCommand({ UserName }),
    new ListGroupsForUserCommand({ UserName }),
    new GetUserPolicyCommand({ UserName, PolicyName: 'p' }),
  ];
  for (const command of own('mateo')) await mateo.send(command as GetUserCommand);
  assert.equal((await mateo.send(new GetUserCommand({}))).User?.UserName, 'mateo');
  for (const command of own('nikki')) {
    const message = await denialOf(mateo.send(command as GetUserCommand));
    assert.match(message, new RegExp(`^User: ${userArn('mateo')} is not authorized to perform: iam:\\w+ on resource: user nikki because`));
  }
});

test('EX-4: the second statement of the example allows only the navigation actions that it lists', async () => {
  const carlos = iam(await user('carlos', ...VIEW_OWN));
  await carlos.send(new ListPoliciesCommand({ Scope: 'AWS', MaxItems: 1 }));
  await carlos.send(new GetPolicyVersionCommand({ PolicyArn: managed('AmazonChimeReadOnly'), VersionId: 'v10' }));
  assert.equal(await verdictOf(carlos.send(new GetGroupPolicyCommand({ GroupName: 'none', PolicyName: 'p' }))), 'allowed');
  await denialOf(carlos.send(new ListAccessKeysCommand({ UserName: 'carlos' })));
});

// biome-ignore format: a table
const AUDIENCES: readonly [title: string, name: string, policyName: string, reads: 'allowed' | 'refused', administers: 'allowed' | 'refused', manages: 'allowed' | 'refused'][] = [
  // title                                                                     user         policy                         ListAccounts   CreateAccount   InviteUsers
  ['EX-2: full access allows everything',                                      'fatima',    'AmazonChimeFullAccess',       'allowed',     'allowed',      'allowed'],
  ['EX-2: read only allows lists, gets and number searches',                   'rashid',    'AmazonChimeReadOnly',         'allowed',     'refused',      'refused'],
  ['EX-5: user management allows no accounts and no bots',                     'ursula',    'AmazonChimeUserManagement',   'allowed',     'refused',      'allowed'],
];

for (const [title, name, policyName, reads, administers, manages] of AUDIENCES) {
  test(title, async () => {
    const client = chime(await user(name, managed(policyName)));
    for (const command of [new ListAccountsCommand({}), new GetAccountCommand(ACCOUNT), new ListUsersCommand(ACCOUNT)]) {
      assert.equal(await verdictOf(client.send(command as ListUsersCommand)), reads, command.constructor.name);
    }
    for (const command of [
      new CreateAccountCommand({ Name: 'a' }),
      new DeleteAccountCommand(ACCOUNT),
      new CreateBotCommand({ ...ACCOUNT, DisplayName: 'b' }),
    ]) {
      assert.equal(await verdictOf(client.send(command as CreateBotCommand)), administers, command.constructor.name);
    }
    for (const command of [
      new InviteUsersCommand({ ...ACCOUNT, UserEmailList: ['a@example.com'] }),
      new LogoutUserCommand({ ...ACCOUNT, UserId: 'u' }),
      new ResetPersonalPINCommand({ ...ACCOUNT, UserId: 'u' }),
    ]) {
      assert.equal(await verdictOf(client.send(command as LogoutUserCommand)), manages, command.constructor.name);
    }
  });
}

test("EX-3: AmazonChimeReadOnly allows the console's calls, and chime:ListUsers suffices for ListUsers", async () => {
  const reader = chime(await user('reader', managed('AmazonChimeReadOnly')));
  assert.equal(await verdictOf(reader.send(new SearchAvailablePhoneNumbersCommand({ AreaCode: '206' }))), 'allowed');
  const apiOnly = chime(await user('api-only', allow('chime:ListUsers')));
  assert.equal(await verdictOf(apiOnly.send(new ListUsersCommand(ACCOUNT))), 'allowed');
  await denialOf(apiOnly.send(new ListAccountsCommand({})));
});

test('ROLE-2: a third party needs the external ID and its own permission to assume the role', async () => {
  const partner = await otherAccount(account.server, 'Partner');
  const condition = { Condition: { StringEquals: { 'sts:ExternalId': 'Unique-Id-12345' } } };
  const host = await partner.role('ThirdParty', trust(account.rootArn, 'sts:AssumeRole', condition), allow('chime:*'));

  const example = await user('example-corp', allow('sts:AssumeRole', host));
  const without = await user('no-identity-half');
  const session = await account.assume(example, host, { ExternalId: 'Unique-Id-12345' });
  const { Meeting } = await meetings(session).send(createMeeting('theirs'));
  assert.match(Meeting?.MeetingArn as string, new RegExp(`^arn:aws:chime:us-east-1:${partner.accountId}:meeting/`));

  const again = (keys: Keys, ExternalId?: string) => denialOf(account.assume(keys, host, { ExternalId }));
  assert.match(await again(example, 'Unique-Id-54321'), /is not authorized to perform: sts:AssumeRole on resource: /);
  assert.match(await again(example), /is not authorized to perform: sts:AssumeRole on resource: /);
  assert.match(await again(without, 'Unique-Id-12345'), /because no identity-based policy allows the sts:AssumeRole action$/);
});

test("STS-4: a denial does not reveal the tags or the existence of another account's role", async () => {
  const other = await otherAccount(account.server, 'Secretive');
  const there = await other.role('Tagged', trust(other.rootArn));
  await other.admin.send(new TagRoleCommand({ RoleName: 'Tagged', Tags: [{ Key: 'secret', Value: 'yes' }] }));
  const byTag = { Condition: { StringEquals: { 'aws:ResourceTag/secret': 'yes' } } };
  const curious = await user('curious', allow('sts:AssumeRole', '*', byTag));
  const denialFor = (RoleArn: string) => denialOf(account.assume(curious, RoleArn));
  assert.equal((await denialFor(there)).replace('Tagged', 'Absent'), await denialFor(there.replace('Tagged', 'Absent')));

  const own = await account.role('OwnTagged', trust(account.rootArn));
  await denialOf(account.assume(curious, own));
  await admin.send(new TagRoleCommand({ RoleName: 'OwnTagged', Tags: [{ Key: 'secret', Value: 'yes' }] }));
  await account.assume(curious, own);
});

test('EVAL-8, RBP-3, TS-4: a resource of another account is inaccessible, whatever the policies allow', async () => {
  const other = await otherAccount(account.server, 'Other');
  const { Meeting } = await other.meetings().send(createMeeting('others'));
  const everything = meetings(await user('everything', allow('*')));
  for (const command of [
    new GetMeetingCommand({ MeetingId: Meeting?.MeetingId }),
    new DeleteMeetingCommand({ MeetingId: Meeting?.MeetingId }),
  ]) {
    const { status } = await refusalOf(everything.send(command as GetMeetingCommand));
    assert.ok(status === 403 || status === 404);
  }
  await other.meetings().send(new GetMeetingCommand({ MeetingId: Meeting?.MeetingId }));
});

test("ROLE-3: a federated user has the intersection of its creator's policies and the passed policy", async () => {
  const maker = await user('broker', allow(['sts:GetFederationToken', 'chime:CreateMeeting', 'chime:GetMeeting']));
  const federate = async (...statements: readonly Statement[]) =>
    keysOf((await sts(maker).send(new GetFederationTokenCommand({ Name: 'visitor', Policy: policy(...statements) }))).Credentials);

  const visitor = await federate(allow('chime:CreateMeeting'));
  const { Meeting } = await meetings(visitor).send(createMeeting('federated'));
  await denialOf(meetings(visitor).send(new GetMeetingCommand({ MeetingId: Meeting?.MeetingId })));
  const wider = await federate(allow('chime:*'));
  await meetings(wider).send(new GetMeetingCommand({ MeetingId: Meeting?.MeetingId }));
  await denialOf(meetings(wider).send(new DeleteMeetingCommand({ MeetingId: Meeting?.MeetingId })));
  assert.equal((await sts(visitor).send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:sts::${accountId}:federated-user/visitor`);
});

test('TS-1: a denial names caller, action, resource and reason, and allowing the action removes the denial', async () => {
  const keys = await user('mateojackson');
  const create = () => meetings(keys).send(createMeeting('mine'));
  assert.equal(
    await denialOf(create()),
    `User: ${userArn('mateojackson')} is not authorized to perform: chime:CreateMeeting on resource: arn:aws:chime:us-east-1:${accountId}:meeting/* because no identity-based policy allows the chime:CreateMeeting action`,
  );
  const PolicyDocument = policy(allow('chime:CreateMeeting'));
  await admin.send(new PutUserPolicyCommand({ UserName: 'mateojackson', PolicyName: 'added', PolicyDocument }));
  assert.ok((await create()).Meeting?.MeetingId);
});

test('TS-1, TS-2: the classic service (chime) returns the same message with the code ForbiddenException', async () => {
  const keys = await user('classic');
  const { name, status, message } = await refusalOf(chime(keys).send(new ListUsersCommand(ACCOUNT)));
  assert.deepEqual([name, status], ['ForbiddenException', 403]);
  assert.equal(
    message,
    `User: ${userArn('classic')} is not authorized to perform: chime:ListUsers on resource: * because no identity-based policy allows the chime:ListUsers action`,
  );
});

test('AUTHN-6: the secret is shown once, and a deactivated or deleted access key is invalid', async () => {
  const UserName = 'keyholder';
  await user(UserName, allow('iam:ListAccessKeys'));
  const { AccessKey } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  const AccessKeyId = AccessKey?.AccessKeyId as string;
  const own = new IAMClient(account.server.client({ accessKeyId: AccessKeyId, secretAccessKey: AccessKey?.SecretAccessKey as string }));
  const look = () => own.send(new ListAccessKeysCommand({}));

  const listed = await look();
  assert.equal(listed.AccessKeyMetadata?.length, 2);
  assert.ok(!JSON.stringify(listed).includes(AccessKey?.SecretAccessKey as string));
  await admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }));
  const { name, status, message } = await refusalOf(look());
  assert.deepEqual([name, status, message], ['InvalidClientTokenId', 403, 'The security token included in the request is invalid.']);
  await admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Active' }));
  await look();
  await admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  assert.equal((await refusalOf(look())).name, 'InvalidClientTokenId');
});

test('AUTHN-6: a third access key is LimitExceeded', async () => {
  const UserName = 'two-keys';
  await user(UserName);
  await admin.send(new CreateAccessKeyCommand({ UserName }));
  const { name, message } = await refusalOf(admin.send(new CreateAccessKeyCommand({ UserName })));
  assert.deepEqual([name, message], ['LimitExceededException', 'Cannot exceed quota for AccessKeysPerUser: 2']);
});

test('CTX-3: a Deny on requests without TLS denies plain HTTP and does not affect HTTPS', async () => {
  const onlyTls = deny('*', '*', { Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
  const keys = await user('tls-only', allow('iam:ListPolicies'), onlyTls);
  const list = () => new ListPoliciesCommand({ MaxItems: 1 });
  assert.match(await denialOf(iam(keys).send(list())), /with an explicit deny in an identity-based policy$/);
  const httpsAgent = new Agent({ ca: readFileSync(account.server.caFile) });
  const overTls = new IAMClient({ ...account.server.client(keys), endpoint: account.server.httpsEndpoint, requestHandler: { httpsAgent } });
  assert.equal((await overTls.send(list())).Policies?.length, 1);
  httpsAgent.destroy();
});

test('TS-3, ROLE-15: a denial of iam:PassRole names the role, and a policy can allow it for one service', async () => {
  const service = 'mediapipelines.chime.amazonaws.com';
  const role = await account.role('Passed', { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' });
  const pipelines = new ChimeSDKMediaPipelinesClient(account.at('chime-sdk-media-pipelines', await user('marymajor', allow('chime:*'))));
  const create = () =>
    pipelines.send(
      new CreateMediaInsightsPipelineConfigurationCommand({
        MediaInsightsPipelineConfigurationName: 'passed',
        ResourceAccessRoleArn: role,
        Elements: [{ Type: 'VoiceAnalyticsProcessor' }],
      }),
    );
  const passing = (resource: string, to: string) =>
    admin.send(
      new PutUserPolicyCommand({
        UserName: 'marymajor',
        PolicyName: 'passing',
        PolicyDocument: policy(allow('iam:PassRole', resource, { Condition: { StringEquals: { 'iam:PassedToService': to } } })),
      }),
    );
  const denial = `User: ${userArn('marymajor')} is not authorized to perform: iam:PassRole on resource: ${role} because no identity-based policy allows the iam:PassRole action`;
  assert.equal(await denialOf(create()), denial);
  await passing(role, 'lambda.amazonaws.com');
  assert.equal(await denialOf(create()), denial);
  await passing(account.roleArn('Other'), service);
  assert.equal(await denialOf(create()), denial);
  await passing(role, service);
  assert.equal((await create()).MediaInsightsPipelineConfiguration?.ResourceAccessRoleArn, role);
});
