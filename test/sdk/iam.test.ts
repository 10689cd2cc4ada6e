import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  ChangePasswordCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
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
  GetUserCommand,
  GetUserPolicyCommand,
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
import { startAccount } from '../kit/account.ts';
import { deleteLinkedRole } from '../kit/linked-role.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, deny, managed, policy, trust } from '../kit/policy.ts';

/** Tests IAM with the AWS SDK client: requests and responses are compatible, and policy changes take effect at once. */

const account = await startAccount();
const { server, admin } = account;

const BOUNDARY = managed('PowerUserAccess');
const READ_ONLY = managed('AmazonChimeReadOnly');
const userArn = (name: string, path = '/'): string => `arn:aws:iam::${account.accountId}:user${path}${name}`;

before(async () => {
  await admin.send(new CreateGroupCommand({ GroupName: 'readers', Path: '/staff/' }));
  await admin.send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn: READ_ONLY }));
});

test('Users: a user can be created and tagged, the SDK waiter finds the user, and dates are parsed', async () => {
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

test('Users: the paginator returns each user once', async () => {
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

test('Policy documents: a returned document, decoded, equals the stored document', async () => {
  const document = policy(allow('chime:Get*'));
  await admin.send(new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'a+b=c,d.e@f-g', PolicyDocument: document }));
  const { PolicyDocument = '' } = await admin.send(new GetUserPolicyCommand({ UserName: 'ada', PolicyName: 'a+b=c,d.e@f-g' }));
  assert.equal(decodeURIComponent(PolicyDocument), document);
  const { Policy } = await admin.send(new CreatePolicyCommand({ PolicyName: 'versioned', PolicyDocument: document }));
  const created = await admin.send(
    new CreatePolicyVersionCommand({ PolicyArn: Policy?.Arn, PolicyDocument: document, SetAsDefault: true }),
  );
  assert.deepEqual([created.PolicyVersion?.VersionId, created.PolicyVersion?.IsDefaultVersion], ['v2', true]);
  const version = await admin.send(new GetPolicyVersionCommand({ PolicyArn: Policy?.Arn, VersionId: 'v2' }));
  assert.equal(decodeURIComponent(version.PolicyVersion?.Document ?? ''), document);
});

test('Groups: a policy applies to members at once, and ListEntitiesForPolicy lists the group', async () => {
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
  assert.equal(EvaluationResults?.[0]?.MatchedStatements?.[0]?.SourcePolicyId, 'AmazonChimeReadOnly');
});

test('EX-4: a user with permission for GetUser of only itself cannot get another user', async () => {
  const own = account.iam(await account.user('self', allow('iam:GetUser', userArn('$' + '{aws:username}'))));
  assert.equal((await own.send(new GetUserCommand({}))).User?.UserName, 'self');
  assert.equal((await own.send(new GetUserCommand({ UserName: 'self' }))).User?.UserName, 'self');
  const refusal = await refusalOf(own.send(new GetUserCommand({ UserName: 'ada' })));
  assert.equal(refusal.name, 'AccessDenied');
  assert.match(refusal.message, /is not authorized to perform: iam:GetUser on resource: user ada because no identity-based policy allows/);
});

test('TS-1: denials of IAM contain the resource in the form of the real service', async () => {
  const stranger = account.iam(await account.user('unnamed', allow('chime:*')));
  const PolicyDocument = policy(allow('*'));
  const PolicyArn = `arn:aws:iam::${server.accountId}:policy/own`;
  // biome-ignore format: a table
  const rows: readonly [command: object, action: string, resource: string][] = [
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
  for (const [command, action, resource] of rows) {
    const { message } = await refusalOf(stranger.send(command as GetUserCommand));
    assert.equal(
      message,
      `User: ${userArn('unnamed')} is not authorized to perform: iam:${action} on resource: ${resource} because no identity-based policy allows the iam:${action} action`,
    );
  }
});

test('ListUsers: a policy can allow the call for only one path', async () => {
  const lister = account.iam(await account.user('lister', allow('iam:ListUsers', `${userArn('', '/paged/')}*`)));
  assert.equal((await lister.send(new ListUsersCommand({ PathPrefix: '/paged/' }))).Users?.length, 7);
  assert.equal((await refusalOf(lister.send(new ListUsersCommand({})))).name, 'AccessDenied');
});

test('CreateUser: a caller without iam:TagUser cannot create users with tags', async () => {
  const maker = account.iam(await account.user('tagless', allow('iam:CreateUser')));
  const { message } = await refusalOf(maker.send(new CreateUserCommand({ UserName: 'labeled', Tags: [{ Key: 'team', Value: 'red' }] })));
  assert.match(message, new RegExp(`iam:TagUser on resource: ${userArn('labeled')} because`));
  await maker.send(new CreateUserCommand({ UserName: 'labeled' }));
});

test('TS-9: an unauthorized caller gets the same denial for existing and unknown users', async () => {
  const stranger = account.iam(await account.user('stranger', deny('chime:*')));
  for (const UserName of ['ada', 'absent']) {
    assert.equal((await refusalOf(stranger.send(new GetUserCommand({ UserName })))).name, 'AccessDenied');
  }
});

test('Delegated administration: policies can be attached only to users with the boundary', async () => {
  const bounded = { Condition: { StringEquals: { 'iam:PermissionsBoundary': BOUNDARY } } };
  const delegate = account.iam(await account.user('delegate', allow('iam:AttachUserPolicy', '*', bounded)));
  await admin.send(new CreateUserCommand({ UserName: 'bound', PermissionsBoundary: BOUNDARY }));
  await admin.send(new CreateUserCommand({ UserName: 'free' }));
  const attach = (UserName: string) => delegate.send(new AttachUserPolicyCommand({ UserName, PolicyArn: READ_ONLY }));
  await attach('bound');
  assert.equal((await refusalOf(attach('free'))).name, 'AccessDenied');
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'free', PermissionsBoundary: BOUNDARY }));
  await attach('free');
});

test('Resource tags: a caller can be limited to deleting users with a tag', async () => {
  const tagged = { Condition: { StringEquals: { 'iam:ResourceTag/temporary': 'yes' } } };
  const cleaner = account.iam(await account.user('cleaner', allow('iam:DeleteUser', '*', tagged)));
  await admin.send(new CreateUserCommand({ UserName: 'tagged', Tags: [{ Key: 'Temporary', Value: 'yes' }] }));
  await admin.send(new CreateUserCommand({ UserName: 'untagged' }));
  assert.equal((await refusalOf(cleaner.send(new DeleteUserCommand({ UserName: 'untagged' })))).name, 'AccessDenied');
  await cleaner.send(new DeleteUserCommand({ UserName: 'tagged' }));
});

test('ERR-6: an AWS managed policy cannot be changed, even by the administrator', async () => {
  const refusal = await refusalOf(admin.send(new CreatePolicyVersionCommand({ PolicyArn: READ_ONLY, PolicyDocument: policy(allow('*')) })));
  assert.deepEqual([refusal.name, refusal.status], ['AccessDenied', 403]);
});

test('Service-linked roles: a role can be created and deleted, and is protected from other changes', async () => {
  const AWSServiceName = 'messaging.chime.amazonaws.com';
  const RoleName = 'AWSServiceRoleForChimeSDKMessaging';
  await admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }));
  await waitUntilRoleExists({ client: admin, maxWaitTime: 5 }, { RoleName });
  const refusal = await refusalOf(admin.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY })));
  assert.deepEqual([refusal.name, refusal.status], ['UnmodifiableEntityException', 400]);
  assert.equal((await deleteLinkedRole(admin, RoleName)).Status, 'SUCCEEDED');
  assert.equal((await refusalOf(admin.send(new GetRoleCommand({ RoleName })))).name, 'NoSuchEntityException');
});

test("Passwords: the administrator can set a user's password, and the user can change it", async () => {
  const ada = account.iam(await account.user('with-password', allow('iam:ChangePassword')));
  await admin.send(new CreateLoginProfileCommand({ UserName: 'with-password', Password: 'Correct-Horse-7', PasswordResetRequired: true }));
  await ada.send(new ChangePasswordCommand({ OldPassword: 'Correct-Horse-7', NewPassword: 'Other-Horse-8' }));
  const refusal = await refusalOf(ada.send(new ChangePasswordCommand({ OldPassword: 'Correct-Horse-7', NewPassword: 'Third-Horse-9' })));
  assert.equal(refusal.name, 'AccessDenied');
});

test('MFA devices: codes from the returned seed enable a device', async () => {
  const { SerialNumber } = await newMfaDevice(admin, 'ada', 'phone');
  const { MFADevices } = await admin.send(new ListMFADevicesCommand({ UserName: 'ada' }));
  assert.deepEqual(
    MFADevices?.map((device) => device.SerialNumber),
    [SerialNumber],
  );
});

test('OpenID Connect providers: a provider is returned as it was created', async () => {
  const { OpenIDConnectProviderArn } = await admin.send(
    new CreateOpenIDConnectProviderCommand({ Url: 'https://login.example.com', ClientIDList: ['app'], ThumbprintList: ['a'.repeat(40)] }),
  );
  const provider = await admin.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }));
  assert.deepEqual([provider.Url, provider.ClientIDList, provider.ThumbprintList], ['login.example.com', ['app'], ['a'.repeat(40)]]);
});

test('Reports: the credential report, account summary and last accessed information are returned', async () => {
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

test('COMP-1, COMP-2: reports contain the last use of an access key and of its user, even by a denied call', async () => {
  const watched = account.iam(await account.user('watched', allow(['iam:GetUser'])));
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

test('Roles: GetRole returns the principals of a trust policy as ARNs', async () => {
  const document = policy(trust(userArn('ada', '/eng/')));
  await admin.send(new CreateRoleCommand({ RoleName: 'trusting', AssumeRolePolicyDocument: document, MaxSessionDuration: 7200 }));
  const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'trusting' }));
  assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), document);
  assert.equal(Role?.MaxSessionDuration, 7200);
});
