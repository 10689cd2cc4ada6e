import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  ChangePasswordCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  DeleteServiceLinkedRoleCommand,
  DeleteUserCommand,
  EnableMFADeviceCommand,
  GenerateCredentialReportCommand,
  GenerateServiceLastAccessedDetailsCommand,
  GetAccessKeyLastUsedCommand,
  GetAccountAuthorizationDetailsCommand,
  GetAccountSummaryCommand,
  GetCredentialReportCommand,
  GetOpenIDConnectProviderCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetServiceLastAccessedDetailsCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListEntitiesForPolicyCommand,
  ListMFADevicesCommand,
  ListPoliciesCommand,
  ListUsersCommand,
  ListUserTagsCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  paginateListUsers,
  SimulatePrincipalPolicyCommand,
  TagUserCommand,
  waitUntilRoleExists,
  waitUntilUserExists,
} from '@aws-sdk/client-iam';
import { codeAt, fromBase32, stepAt } from '#services/mfa.ts';
import { startTestServer } from '../server.ts';
import { policy, refusalOf } from './policy.ts';

/** IAM with the AWS SDK's own client: what it sends is understood, what it gets is what it expects, and policies are in force at once. */

const server = await startTestServer();
const admin = new IAMClient(server.client());
after(() => server.stop());

const BOUNDARY = 'arn:aws:iam::aws:policy/PowerUserAccess';
const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly';
const userArn = (name: string, path = '/'): string => `arn:aws:iam::${server.accountId}:user${path}${name}`;

/** A client of a user made for one test, with one inline policy. */
async function clientOf(UserName: string, document: string): Promise<IAMClient> {
  await admin.send(new CreateUserCommand({ UserName }));
  await admin.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: document }));
  const { AccessKey } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  return new IAMClient(
    server.client({ accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string }),
  );
}

before(async () => {
  await admin.send(new CreateGroupCommand({ GroupName: 'readers', Path: '/staff/' }));
  await admin.send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn: READ_ONLY }));
});

test('A user: made, tagged, found by its waiter, and its dates are dates', async () => {
  const { User } = await admin.send(new CreateUserCommand({ UserName: 'ada', Path: '/eng/', Tags: [{ Key: 'team', Value: 'rød grød' }] }));
  assert.equal(User?.Arn, userArn('ada', '/eng/'));
  assert.ok(User?.CreateDate instanceof Date);
  await waitUntilUserExists({ client: admin, maxWaitTime: 5 }, { UserName: 'ada' });
  await admin.send(new TagUserCommand({ UserName: 'ada', Tags: [{ Key: 'empty', Value: '' }] }));
  assert.deepEqual((await admin.send(new ListUserTagsCommand({ UserName: 'ada' }))).Tags, [
    { Key: 'empty', Value: '' },
    { Key: 'team', Value: 'rød grød' },
  ]);
});

test('Users: the paginator finds each once', async () => {
  for (let i = 0; i < 7; i++) await admin.send(new CreateUserCommand({ UserName: `paged-${i}`, Path: '/paged/' }));
  const names: (string | undefined)[] = [];
  for await (const page of paginateListUsers({ client: admin, pageSize: 3 }, { PathPrefix: '/paged/' })) {
    names.push(...(page.Users ?? []).map((user) => user.UserName));
  }
  assert.deepEqual(
    names,
    Array.from({ length: 7 }, (_, i) => `paged-${i}`),
  );
});

test('A policy document: what is read back is what was written, once decoded', async () => {
  const document = policy({ Effect: 'Allow', Action: 'chime:Get*', Resource: '*' });
  await admin.send(new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'a+b=c,d.e@f-g', PolicyDocument: document }));
  const { PolicyDocument = '' } = await admin.send(new GetUserPolicyCommand({ UserName: 'ada', PolicyName: 'a+b=c,d.e@f-g' }));
  assert.equal(decodeURIComponent(PolicyDocument), document);
  const { Policy } = await admin.send(new CreatePolicyCommand({ PolicyName: 'versioned', PolicyDocument: document }));
  const made = await admin.send(new CreatePolicyVersionCommand({ PolicyArn: Policy?.Arn, PolicyDocument: document, SetAsDefault: true }));
  assert.deepEqual([made.PolicyVersion?.VersionId, made.PolicyVersion?.IsDefaultVersion], ['v2', true]);
  const version = await admin.send(new GetPolicyVersionCommand({ PolicyArn: Policy?.Arn, VersionId: 'v2' }));
  assert.equal(decodeURIComponent(version.PolicyVersion?.Document ?? ''), document);
});

test('A group: its policy reaches its members at once, and who has the policy is told', async () => {
  await admin.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'ada' }));
  const { PolicyGroups } = await admin.send(new ListEntitiesForPolicyCommand({ PolicyArn: READ_ONLY }));
  assert.deepEqual(
    PolicyGroups?.map((group) => group.GroupName),
    ['readers'],
  );
  const { EvaluationResults } = await admin.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: userArn('ada', '/eng/'),
      ActionNames: ['chime:ListAccounts', 'chime:CreateAccount'],
    }),
  );
  assert.deepEqual(
    EvaluationResults?.map((result) => result.EvalDecision),
    ['allowed', 'implicitDeny'],
  );
  assert.equal(EvaluationResults?.[0]?.MatchedStatements?.[0]?.SourcePolicyId, READ_ONLY);
});

test('EX-4: who may see only its own user sees it, and is refused another', async () => {
  const own = await clientOf('self', policy({ Effect: 'Allow', Action: 'iam:GetUser', Resource: userArn('$' + '{aws:username}') }));
  assert.equal((await own.send(new GetUserCommand({}))).User?.UserName, 'self');
  assert.equal((await own.send(new GetUserCommand({ UserName: 'self' }))).User?.UserName, 'self');
  const refusal = await refusalOf(own.send(new GetUserCommand({ UserName: 'ada' })));
  assert.equal(refusal.name, 'AccessDenied');
  assert.match(refusal.message, /is not authorized to perform: iam:GetUser on resource: user ada because no identity-based policy allows/);
});

test('TS-1: IAM names what a refusal is about as the real service does', async () => {
  const stranger = await clientOf('unnamed', policy({ Effect: 'Allow', Action: 'chime:*', Resource: '*' }));
  const PolicyDocument = policy({ Effect: 'Allow', Action: '*', Resource: '*' });
  const PolicyArn = `arn:aws:iam::${server.accountId}:policy/own`;
  // biome-ignore format: a table
  const rows: readonly [command: object, action: string, called: string][] = [
    [new GetUserCommand({}),                                                      'GetUser',          'user unnamed'],
    [new GetRoleCommand({ RoleName: 'r' }),                                       'GetRole',          'role r'],
    [new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn }),                 'AttachUserPolicy', 'user ada'],
    [new AddUserToGroupCommand({ UserName: 'ada', GroupName: 'readers' }),        'AddUserToGroup',   'group readers'],
    [new CreateUserCommand({ UserName: 'n' }),                                    'CreateUser',       userArn('n')],
    [new TagUserCommand({ UserName: 'n', Tags: [] }),                             'TagUser',          userArn('n')],
    [new CreatePolicyCommand({ PolicyName: 'own', PolicyDocument }),              'CreatePolicy',     'policy own'],
    [new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }),                 'GetPolicyVersion', `policy ${PolicyArn}`],
    [new ListPoliciesCommand({ PathPrefix: '/x/' }),                              'ListPolicies',     'policy path /x/'],
    [new ListUsersCommand({}),                                                    'ListUsers',        userArn('')],
    [new ListUsersCommand({ PathPrefix: '/eng/' }),                               'ListUsers',        userArn('', '/eng/')],
    [new GetAccountSummaryCommand({}),                                            'GetAccountSummary', '*'],
  ];
  for (const [command, action, called] of rows) {
    const { message } = await refusalOf(stranger.send(command as GetUserCommand));
    assert.equal(
      message,
      `User: ${userArn('unnamed')} is not authorized to perform: iam:${action} on resource: ${called} because no identity-based policy allows the iam:${action} action`,
    );
  }
});

test('ListUsers: may be allowed for a path, and is refused for the others', async () => {
  const lister = await clientOf('lister', policy({ Effect: 'Allow', Action: 'iam:ListUsers', Resource: `${userArn('', '/paged/')}*` }));
  assert.equal((await lister.send(new ListUsersCommand({ PathPrefix: '/paged/' }))).Users?.length, 7);
  assert.equal((await refusalOf(lister.send(new ListUsersCommand({})))).name, 'AccessDenied');
});

test('CreateUser: who may make users and not tag them makes none with tags', async () => {
  const maker = await clientOf('tagless', policy({ Effect: 'Allow', Action: 'iam:CreateUser', Resource: '*' }));
  const { message } = await refusalOf(maker.send(new CreateUserCommand({ UserName: 'labelled', Tags: [{ Key: 'team', Value: 'red' }] })));
  assert.match(message, new RegExp(`iam:TagUser on resource: ${userArn('labelled')} because`));
  await maker.send(new CreateUserCommand({ UserName: 'labelled' }));
});

test('TS-9: a stranger is refused before it is said whether the user exists', async () => {
  const stranger = await clientOf('stranger', policy({ Effect: 'Deny', Action: 'chime:*', Resource: '*' }));
  for (const UserName of ['ada', 'nobody']) {
    assert.equal((await refusalOf(stranger.send(new GetUserCommand({ UserName })))).name, 'AccessDenied');
  }
});

test('Delegated administration: policies may be attached only to whom the boundary binds', async () => {
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'iam:AttachUserPolicy',
        Resource: '*',
        Condition: { StringEquals: { 'iam:PermissionsBoundary': BOUNDARY } },
      },
    ],
  });
  const delegate = await clientOf('delegate', document);
  await admin.send(new CreateUserCommand({ UserName: 'bound', PermissionsBoundary: BOUNDARY }));
  await admin.send(new CreateUserCommand({ UserName: 'free' }));
  const attach = (UserName: string) => delegate.send(new AttachUserPolicyCommand({ UserName, PolicyArn: READ_ONLY }));
  await attach('bound');
  assert.equal((await refusalOf(attach('free'))).name, 'AccessDenied');
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'free', PermissionsBoundary: BOUNDARY }));
  await attach('free');
});

test('Tags decide: who may delete only what is tagged so deletes only that', async () => {
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'iam:DeleteUser', Resource: '*', Condition: { StringEquals: { 'iam:ResourceTag/temporary': 'yes' } } },
    ],
  });
  const cleaner = await clientOf('cleaner', document);
  await admin.send(new CreateUserCommand({ UserName: 'tagged', Tags: [{ Key: 'Temporary', Value: 'yes' }] }));
  await admin.send(new CreateUserCommand({ UserName: 'untagged' }));
  assert.equal((await refusalOf(cleaner.send(new DeleteUserCommand({ UserName: 'untagged' })))).name, 'AccessDenied');
  await cleaner.send(new DeleteUserCommand({ UserName: 'tagged' }));
});

test('ERR-6: nobody changes a policy of AWS, not even the administrator', async () => {
  const refusal = await refusalOf(
    admin.send(
      new CreatePolicyVersionCommand({ PolicyArn: READ_ONLY, PolicyDocument: policy({ Effect: 'Allow', Action: '*', Resource: '*' }) }),
    ),
  );
  assert.deepEqual([refusal.name, refusal.status], ['AccessDenied', 403]);
});

test('A service-linked role: made, protected and removed, as its client waits for it', async () => {
  const AWSServiceName = 'messaging.chime.amazonaws.com';
  const RoleName = 'AWSServiceRoleForChimeSDKMessaging';
  await admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }));
  await waitUntilRoleExists({ client: admin, maxWaitTime: 5 }, { RoleName });
  const refusal = await refusalOf(admin.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY })));
  assert.deepEqual([refusal.name, refusal.status], ['UnmodifiableEntityException', 400]);
  const { DeletionTaskId } = await admin.send(new DeleteServiceLinkedRoleCommand({ RoleName }));
  assert.equal((await admin.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }))).Status, 'SUCCEEDED');
  assert.equal((await refusalOf(admin.send(new GetRoleCommand({ RoleName })))).name, 'NoSuchEntityException');
});

test('A password: set by the administrator, changed by its user', async () => {
  const ada = await clientOf('with-password', policy({ Effect: 'Allow', Action: 'iam:ChangePassword', Resource: '*' }));
  await admin.send(new CreateLoginProfileCommand({ UserName: 'with-password', Password: 'Correct-Horse-7', PasswordResetRequired: true }));
  await ada.send(new ChangePasswordCommand({ OldPassword: 'Correct-Horse-7', NewPassword: 'Other-Horse-8' }));
  const refusal = await refusalOf(ada.send(new ChangePasswordCommand({ OldPassword: 'Correct-Horse-7', NewPassword: 'Third-Horse-9' })));
  assert.equal(refusal.name, 'AccessDenied');
});

test('An MFA device: its seed makes codes that enable it', async () => {
  const { VirtualMFADevice } = await admin.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'phone' }));
  const seed = fromBase32(Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString());
  const step = stepAt(Date.now() as never);
  await admin.send(
    new EnableMFADeviceCommand({
      UserName: 'ada',
      SerialNumber: VirtualMFADevice?.SerialNumber,
      AuthenticationCode1: codeAt(seed, step - 1),
      AuthenticationCode2: codeAt(seed, step),
    }),
  );
  const { MFADevices } = await admin.send(new ListMFADevicesCommand({ UserName: 'ada' }));
  assert.deepEqual(
    MFADevices?.map((device) => device.SerialNumber),
    [VirtualMFADevice?.SerialNumber],
  );
});

test('An OpenID Connect provider is read back as it was made', async () => {
  const { OpenIDConnectProviderArn } = await admin.send(
    new CreateOpenIDConnectProviderCommand({ Url: 'https://login.example.com', ClientIDList: ['app'], ThumbprintList: ['a'.repeat(40)] }),
  );
  const provider = await admin.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }));
  assert.deepEqual([provider.Url, provider.ClientIDList, provider.ThumbprintList], ['login.example.com', ['app'], ['a'.repeat(40)]]);
});

test('Reports: credentials, the account as a whole, and what was accessed last', async () => {
  assert.equal((await admin.send(new GenerateCredentialReportCommand({}))).State, 'STARTED');
  const report = Buffer.from((await admin.send(new GetCredentialReportCommand({}))).Content ?? []).toString();
  assert.match(report, /^user,arn,[^\n]*\n<root_account>,/);
  const { SummaryMap } = await admin.send(new GetAccountSummaryCommand({}));
  assert.equal(SummaryMap?.UsersQuota, 5000);
  const details = await admin.send(new GetAccountAuthorizationDetailsCommand({ Filter: ['User'], MaxItems: 1000 }));
  assert.ok(details.UserDetailList?.some((user) => user.UserName === 'ada' && user.GroupList?.includes('readers')));
  const { JobId } = await admin.send(new GenerateServiceLastAccessedDetailsCommand({ Arn: userArn('ada', '/eng/') }));
  const accessed = await admin.send(new GetServiceLastAccessedDetailsCommand({ JobId }));
  assert.deepEqual(
    accessed.ServicesLastAccessed?.map((service) => service.ServiceNamespace),
    ['chime'],
  );
});

test('COMP-1, COMP-2: when a key and its user were used last is told, a refused attempt too', async () => {
  const watched = await clientOf('watched', policy({ Effect: 'Allow', Action: ['iam:GetUser'], Resource: ['*'] }));
  await watched.send(new GetUserCommand({}));
  assert.equal((await refusalOf(watched.send(new ListMFADevicesCommand({})))).name, 'AccessDenied');
  const [key] = (await admin.send(new ListAccessKeysCommand({ UserName: 'watched' }))).AccessKeyMetadata ?? [];
  const { AccessKeyLastUsed } = await admin.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: key?.AccessKeyId }));
  assert.deepEqual([AccessKeyLastUsed?.ServiceName, AccessKeyLastUsed?.Region], ['iam', 'us-east-1']);
  assert.ok(AccessKeyLastUsed?.LastUsedDate instanceof Date);
  const Arn = userArn('watched');
  const { JobId } = await admin.send(new GenerateServiceLastAccessedDetailsCommand({ Arn, Granularity: 'ACTION_LEVEL' }));
  const [iam] = (await admin.send(new GetServiceLastAccessedDetailsCommand({ JobId }))).ServicesLastAccessed ?? [];
  const used = iam?.TrackedActionsLastAccessed?.filter((action) => action.LastAccessedTime !== undefined);
  assert.deepEqual(used?.map((action) => action.ActionName).sort(), ['GetUser', 'ListMFADevices']);
});

test('A role: its trust policy is read back with ARNs', async () => {
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: userArn('ada', '/eng/') }, Action: 'sts:AssumeRole' }],
  });
  await admin.send(new CreateRoleCommand({ RoleName: 'trusting', AssumeRolePolicyDocument: trust, MaxSessionDuration: 7200 }));
  const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'trusting' }));
  assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), trust);
  assert.equal(Role?.MaxSessionDuration, 7200);
});
