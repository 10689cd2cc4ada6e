import assert from 'node:assert/strict';
import { test } from 'node:test';
import { omitUndefined } from '#core/omit-undefined.ts';
import { ACCOUNT, ALLOW_CHIME, iamUser, openIam, START, STRANGER, TRUST_ROOT } from './fixture.ts';

const own = (name: string): string => `arn:aws:iam::${ACCOUNT}:policy/${name}`;
const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly';

function trustOf(...principals: readonly string[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principals }, Action: 'sts:AssumeRole' }],
  });
}

/** Returns the principals in an encoded trust policy. */
function principalsOf(encoded: string | undefined): unknown {
  return JSON.parse(decodeURIComponent(encoded ?? '')).Statement[0].Principal.AWS;
}

test('CreateUser: the response has an ARN with the path, and an ID of AIDA and 17 base32 characters', async () => {
  const { run } = await openIam();
  const { User } = await run('CreateUser', { UserName: 'Ada', Path: '/eng/', Tags: [{ Key: 'team', Value: 'red' }] });
  assert.match(User?.UserId ?? '', /^AIDA[A-Z2-7]{17}$/);
  assert.deepEqual(
    { ...User, UserId: '' },
    {
      Path: '/eng/',
      UserName: 'Ada',
      UserId: '',
      Arn: `arn:aws:iam::${ACCOUNT}:user/eng/Ada`,
      CreateDate: START,
      Tags: [{ Key: 'team', Value: 'red' }],
    },
  );
});

test('GetUser: a name is found in any case and shown in its original case', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'Ada' });
  assert.equal((await run('GetUser', { UserName: 'ADA' })).User.UserName, 'Ada');
});

test('GetUser: the root user has the account ID as its ID, and no name', async () => {
  const { run } = await openIam();
  const { User } = await run('GetUser', {});
  assert.deepEqual(Object.keys(User), ['UserId', 'Arn', 'CreateDate']);
  assert.equal(User.UserId, ACCOUNT);
});

// The type is "Policy", although the enum of the model only has PermissionsBoundaryPolicy. Source: the GetUser example of the AWS CLI, and
// a recorded CreateRole of DataDog/stratus-red-team (iam-create-backdoor-role).
test('GetUser, GetRole: the type of a permissions boundary is Policy', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'ada', PermissionsBoundary: READ_ONLY });
  await run('CreateRole', {
    RoleName: 'r',
    AssumeRolePolicyDocument: trustOf(`arn:aws:iam::${ACCOUNT}:root`),
    PermissionsBoundary: READ_ONLY,
  });
  const boundary = { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: READ_ONLY };
  assert.deepEqual((await run('GetUser', { UserName: 'ada' })).User.PermissionsBoundary, boundary);
  assert.deepEqual((await run('GetRole', { RoleName: 'r' })).Role.PermissionsBoundary, boundary);
});

test('UpdateUser: after a rename, keys, groups, policies and trust policies belong to the new name', async () => {
  const { run, store } = await openIam();
  await run('CreateUser', { UserName: 'ada' });
  await run('CreateGroup', { GroupName: 'team' });
  await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: ALLOW_CHIME });
  await run('AddUserToGroup', { GroupName: 'team', UserName: 'ada' });
  await run('AttachUserPolicy', { UserName: 'ada', PolicyArn: own('p') });
  await run('PutUserPermissionsBoundary', { UserName: 'ada', PermissionsBoundary: READ_ONLY });
  const { AccessKey } = await run('CreateAccessKey', { UserName: 'ada' });
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trustOf(`arn:aws:iam::${ACCOUNT}:user/ada`) });

  await run('UpdateUser', { UserName: 'ada', NewUserName: 'Grace', NewPath: '/navy/' });

  await assert.rejects(run('GetUser', { UserName: 'ada' }), { code: 'NoSuchEntityException' });
  assert.equal((await run('GetUser', { UserName: 'grace' })).User.Arn, `arn:aws:iam::${ACCOUNT}:user/navy/Grace`);
  assert.deepEqual(
    (await run('GetGroup', { GroupName: 'team' })).Users.map((user) => user.UserName),
    ['Grace'],
  );
  assert.deepEqual(
    (await run('ListGroupsForUser', { UserName: 'grace' })).Groups.map((group) => group.GroupName),
    ['team'],
  );
  assert.deepEqual(
    (await run('ListEntitiesForPolicy', { PolicyArn: own('p') })).PolicyUsers?.map((user) => user.UserName),
    ['Grace'],
  );
  assert.deepEqual(
    (await run('ListEntitiesForPolicy', { PolicyArn: READ_ONLY })).PolicyUsers?.map((user) => user.UserName),
    ['Grace'],
  );
  assert.equal((await run('ListAccessKeys', { UserName: 'grace' })).AccessKeyMetadata[0]?.UserName, 'Grace');
  assert.deepEqual(principalsOf((await run('GetRole', { RoleName: 'r' })).Role.AssumeRolePolicyDocument), [
    `arn:aws:iam::${ACCOUNT}:user/navy/Grace`,
  ]);
  const record = await store.transaction((tx) => tx.identity.get(ACCOUNT as never, 'access-key', AccessKey.AccessKeyId));
  assert.equal(record?.userName, 'Grace');
});

test('UpdateGroup: after a rename, members and policies belong to the new name', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'ada' });
  await run('CreateGroup', { GroupName: 'team' });
  await run('AddUserToGroup', { GroupName: 'team', UserName: 'ada' });
  await run('AttachGroupPolicy', { GroupName: 'team', PolicyArn: READ_ONLY });
  await run('UpdateGroup', { GroupName: 'team', NewGroupName: 'Crew' });
  assert.deepEqual(
    (await run('GetGroup', { GroupName: 'crew' })).Users.map((user) => user.UserName),
    ['ada'],
  );
  assert.deepEqual(
    (await run('ListGroupsForUser', { UserName: 'ada' })).Groups.map((group) => group.GroupName),
    ['Crew'],
  );
  assert.deepEqual(
    (await run('ListEntitiesForPolicy', { PolicyArn: READ_ONLY })).PolicyGroups?.map((group) => group.GroupName),
    ['Crew'],
  );
  await run('RemoveUserFromGroup', { GroupName: 'crew', UserName: 'ADA' });
  assert.deepEqual((await run('GetGroup', { GroupName: 'crew' })).Users, []);
  await run('DetachGroupPolicy', { GroupName: 'crew', PolicyArn: READ_ONLY });
  assert.deepEqual((await run('ListAttachedGroupPolicies', { GroupName: 'crew' })).AttachedPolicies, []);
});

test('DeleteUser: a new user with the same name is not trusted, and the trust policy shows the old ID', async () => {
  const { run } = await openIam();
  const old = await run('CreateUser', { UserName: 'ada' });
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trustOf(`arn:aws:iam::${ACCOUNT}:user/ada`) });
  assert.deepEqual(principalsOf((await run('GetRole', { RoleName: 'r' })).Role.AssumeRolePolicyDocument), [
    `arn:aws:iam::${ACCOUNT}:user/ada`,
  ]);
  await run('DeleteUser', { UserName: 'ada' });
  const recreated = await run('CreateUser', { UserName: 'ada' });
  assert.notEqual(recreated.User?.UserId, old.User?.UserId);
  assert.deepEqual(principalsOf((await run('GetRole', { RoleName: 'r' })).Role.AssumeRolePolicyDocument), [old.User?.UserId]);
});

test('CreateRole: the stored trust policy has unique IDs instead of user ARNs, and no other changes', async () => {
  const { run, store } = await openIam();
  const { User } = await run('CreateUser', { UserName: 'ada' });
  await run('CreateRole', { RoleName: 'a', AssumeRolePolicyDocument: trustOf(`arn:aws:iam::${ACCOUNT}:user/ada`, '444455556666') });
  const spaced = TRUST_ROOT.replace('{', '{ ');
  await run('CreateRole', { RoleName: 'b', AssumeRolePolicyDocument: spaced });
  const [a, b] = await store.transaction(async (tx) => [
    await tx.identity.get(ACCOUNT, 'role', 'a'),
    await tx.identity.get(ACCOUNT, 'role', 'b'),
  ]);
  assert.equal(a?.trustPolicy, trustOf(User?.UserId ?? '', '444455556666'));
  assert.equal(b?.trustPolicy, spaced);
});

test('GetRole: a trust policy shows an account ID as the ARN of its root user', async () => {
  const { run } = await openIam();
  const others = `arn:aws:iam::444455556666:root`;
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trustOf('444455556666', '*', others) });
  assert.deepEqual(principalsOf((await run('GetRole', { RoleName: 'r' })).Role.AssumeRolePolicyDocument), [others, '*', others]);
  const { Roles } = await run('ListRoles', {});
  assert.deepEqual(principalsOf(Roles[0]?.AssumeRolePolicyDocument), [others, '*', others]);
});

test('UpdateAssumeRolePolicy: a unique ID instead of an ARN is MalformedPolicyDocument', async () => {
  const { run } = await openIam();
  const { User } = await run('CreateUser', { UserName: 'ada' });
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
  await assert.rejects(run('UpdateAssumeRolePolicy', { RoleName: 'r', PolicyDocument: trustOf(User?.UserId ?? '') }), {
    code: 'MalformedPolicyDocumentException',
  });
});

test('CreateRole: the response omits MaxSessionDuration, which GetRole returns with RoleLastUsed (IAM-6)', async () => {
  const { run } = await openIam();
  const created = await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT, MaxSessionDuration: 7200 });
  assert.equal('MaxSessionDuration' in created.Role, false);
  const { Role } = await run('GetRole', { RoleName: 'r' });
  assert.equal(Role.MaxSessionDuration, 7200);
  assert.deepEqual(Role.RoleLastUsed, {});
});

test('GetRolePolicy: the document is percent-encoded by RFC 3986 (IAM-7)', async () => {
  const { run } = await openIam();
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
  await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: ALLOW_CHIME });
  const { PolicyDocument } = await run('GetRolePolicy', { RoleName: 'r', PolicyName: 'p' });
  assert.match(PolicyDocument, /^(?:[A-Za-z0-9\-_.~]|%[0-9A-F]{2})+$/);
  assert.equal(decodeURIComponent(PolicyDocument), ALLOW_CHIME);
});

test('CreateAccessKey: the stored secret is encrypted for its key ID, and lists do not contain the secret', async () => {
  const { run, store, vault } = await openIam();
  await run('CreateUser', { UserName: 'ada' });
  const { AccessKey } = await run('CreateAccessKey', {}, { principal: iamUser('ada') });
  assert.match(AccessKey.AccessKeyId, /^AKIA[A-Z2-7]{16}$/);
  assert.equal(AccessKey.SecretAccessKey.length, 40);
  const record = await store.transaction((tx) => tx.identity.get(ACCOUNT, 'access-key', AccessKey.AccessKeyId));
  assert.equal(vault.open(record?.sealedSecret ?? '', AccessKey.AccessKeyId), AccessKey.SecretAccessKey);
  assert.equal(JSON.stringify(record).includes(AccessKey.SecretAccessKey), false);
  assert.equal(JSON.stringify(await run('ListAccessKeys', { UserName: 'ada' })).includes(AccessKey.SecretAccessKey), false);
});

test('UpdateAccessKey: an access key of another user is NoSuchEntity', async () => {
  const { run } = await openIam();
  for (const UserName of ['ada', 'grace']) await run('CreateUser', { UserName });
  const { AccessKey } = await run('CreateAccessKey', { UserName: 'ada' });
  await assert.rejects(
    run('UpdateAccessKey', { AccessKeyId: AccessKey.AccessKeyId, Status: 'Inactive' }, { principal: iamUser('grace') }),
    {
      code: 'NoSuchEntityException',
    },
  );
  await run('UpdateAccessKey', { AccessKeyId: AccessKey.AccessKeyId, Status: 'Inactive' }, { principal: iamUser('ada') });
  assert.equal((await run('ListAccessKeys', { UserName: 'ada' })).AccessKeyMetadata[0]?.Status, 'Inactive');
});

test('CreateAccessKey: the root user has at most two access keys, which belong to no IAM user', async () => {
  const { run } = await openIam();
  const { AccessKey } = await run('CreateAccessKey', {});
  await run('CreateAccessKey', {});
  await assert.rejects(run('CreateAccessKey', {}), { code: 'LimitExceededException' });
  await run('DeleteAccessKey', { AccessKeyId: AccessKey.AccessKeyId });
  assert.equal((await run('ListAccessKeys', {})).AccessKeyMetadata.length, 1);
});

test('ListUsers: the next page starts after the previous page, even if users were added and deleted', async () => {
  const { run } = await openIam();
  for (const name of ['a', 'b', 'c', 'd', 'e']) await run('CreateUser', { UserName: name, Path: name === 'c' ? '/x/' : '/' });
  const first = await run('ListUsers', { MaxItems: 2 });
  assert.equal(first.IsTruncated, true);
  await run('DeleteUser', { UserName: 'b' });
  await run('CreateUser', { UserName: 'aa' });
  const second = await run('ListUsers', { MaxItems: 2, Marker: first.Marker ?? '' });
  assert.deepEqual(
    second.Users.map((user) => user.UserName),
    ['c', 'd'],
  );
  const third = await run('ListUsers', { MaxItems: 2, Marker: second.Marker ?? '' });
  assert.deepEqual(
    third.Users.map((user) => user.UserName),
    ['e'],
  );
  assert.deepEqual([third.IsTruncated, third.Marker], [false, undefined]);
  assert.deepEqual(
    (await run('ListUsers', { PathPrefix: '/x/' })).Users.map((user) => user.UserName),
    ['c'],
  );
});

test('ListPolicies: pages contain AWS managed policies, then customer managed policies', async () => {
  const { run } = await openIam();
  for (let i = 0; i < 5; i++) await run('CreatePolicy', { PolicyName: `p${i}`, PolicyDocument: ALLOW_CHIME });
  const whole = (await run('ListPolicies', {})).Policies?.map((policy) => policy.Arn);
  const paged: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await run('ListPolicies', { MaxItems: 3, ...omitUndefined({ Marker }) });
    paged.push(...(page.Policies ?? []).map((policy) => policy.Arn));
    Marker = page.Marker;
  } while (Marker !== undefined);
  assert.deepEqual(paged, whole);
  assert.deepEqual((await run('ListPolicies', { Scope: 'Local' })).Policies?.length, 5);
});

test('ListPolicies: OnlyAttached and PolicyUsageFilter select by the use of a policy in the account', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'ada', PermissionsBoundary: READ_ONLY });
  await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: ALLOW_CHIME });
  await run('AttachUserPolicy', { UserName: 'ada', PolicyArn: own('p') });
  const names = async (filter: object) => (await run('ListPolicies', filter)).Policies?.map((policy) => policy.PolicyName);
  assert.deepEqual(await names({ OnlyAttached: true }), ['AmazonChimeReadOnly', 'p']);
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsBoundary' }), ['AmazonChimeReadOnly']);
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsPolicy' }), ['p']);
});

test('CreatePolicyVersion: version numbers are not reused, and lists start with the newest version', async () => {
  const { run } = await openIam();
  await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: ALLOW_CHIME });
  await run('CreatePolicyVersion', { PolicyArn: own('p'), PolicyDocument: ALLOW_CHIME });
  await run('DeletePolicyVersion', { PolicyArn: own('p'), VersionId: 'v2' });
  const { PolicyVersion } = await run('CreatePolicyVersion', { PolicyArn: own('p'), PolicyDocument: ALLOW_CHIME, SetAsDefault: true });
  assert.equal(PolicyVersion?.VersionId, 'v3');
  const { Versions } = await run('ListPolicyVersions', { PolicyArn: own('p') });
  assert.deepEqual(
    Versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
    [
      ['v3', true],
      ['v1', false],
    ],
  );
  assert.equal((await run('GetPolicy', { PolicyArn: own('p') })).Policy?.DefaultVersionId, 'v3');
});

test('AttachUserPolicy: attaching a policy again changes nothing', async () => {
  const { run, identityState } = await openIam();
  await run('CreateUser', { UserName: 'ada' });
  await run('AttachUserPolicy', { UserName: 'ada', PolicyArn: READ_ONLY });
  const before = await identityState();
  await run('AttachUserPolicy', { UserName: 'ada', PolicyArn: READ_ONLY });
  assert.equal(await identityState(), before);
  assert.deepEqual((await run('ListAttachedUserPolicies', { UserName: 'ada' })).AttachedPolicies, [
    { PolicyName: 'AmazonChimeReadOnly', PolicyArn: READ_ONLY },
  ]);
});

test('TagUser: an existing tag key in another case is replaced by the new key and value', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'ada', Tags: [{ Key: 'Team', Value: 'red' }] });
  await run('TagUser', { UserName: 'ada', Tags: [{ Key: 'team', Value: 'blue' }] });
  assert.deepEqual((await run('ListUserTags', { UserName: 'ada' })).Tags, [{ Key: 'team', Value: 'blue' }]);
  await run('UntagUser', { UserName: 'ada', TagKeys: ['TEAM', 'none'] });
  assert.deepEqual((await run('ListUserTags', { UserName: 'ada' })).Tags, []);
});

test('ListEntitiesForPolicy: a user with the policy as permissions policy and boundary is listed once', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'ada', PermissionsBoundary: READ_ONLY });
  await run('AttachUserPolicy', { UserName: 'ada', PolicyArn: READ_ONLY });
  const entities = await run('ListEntitiesForPolicy', { PolicyArn: READ_ONLY });
  assert.deepEqual([entities.PolicyUsers?.length, entities.IsTruncated], [1, false]);
  const bounded = await run('ListEntitiesForPolicy', {
    PolicyArn: READ_ONLY,
    PolicyUsageFilter: 'PermissionsBoundary',
    EntityFilter: 'User',
  });
  assert.equal(bounded.PolicyUsers?.length, 1);
});

test('GetAccountAuthorizationDetails: pages list each entity, and each AWS policy in use, once (COMP-4)', async () => {
  const { run } = await openIam();
  for (const UserName of ['ada', 'grace']) await run('CreateUser', { UserName });
  await run('CreateGroup', { GroupName: 'team' });
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
  await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: ALLOW_CHIME });
  await run('AttachRolePolicy', { RoleName: 'r', PolicyArn: READ_ONLY });
  const found: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await run('GetAccountAuthorizationDetails', { MaxItems: 2, ...omitUndefined({ Marker }) });
    found.push(
      ...[page.UserDetailList, page.GroupDetailList, page.RoleDetailList, page.Policies].flatMap((list) =>
        (list ?? []).map((one) => one.Arn),
      ),
    );
    Marker = page.Marker;
  } while (Marker !== undefined);
  assert.deepEqual(
    found.map((arn) => arn?.slice(arn.lastIndexOf('/') + 1)),
    ['ada', 'grace', 'team', 'r', 'p', 'AmazonChimeReadOnly'],
  );
});

test('CreateAccountAlias: an alias belongs to one account until that account replaces or deletes it', async () => {
  const { run, identityState } = await openIam();
  const [stranger, taken] = [
    { principal: STRANGER },
    { code: 'EntityAlreadyExistsException', message: 'The account alias tower already exists.' },
  ];
  await run('CreateAccountAlias', { AccountAlias: 'tower' });
  const before = await identityState();
  await assert.rejects(run('CreateAccountAlias', { AccountAlias: 'tower' }, stranger), taken);
  assert.equal(await identityState(), before);
  await run('CreateAccountAlias', { AccountAlias: 'belfry' });
  await run('CreateAccountAlias', { AccountAlias: 'tower' }, stranger);
  await assert.rejects(run('CreateAccountAlias', { AccountAlias: 'tower' }), taken);
  await run('DeleteAccountAlias', { AccountAlias: 'tower' }, stranger);
  await run('CreateAccountAlias', { AccountAlias: 'tower' });
  assert.deepEqual((await run('ListAccountAliases', {})).AccountAliases, ['tower']);
});

test('GetAccountSummary: the response counts the entities of the account (COMP-4)', async () => {
  const { run } = await openIam();
  await run('CreateUser', { UserName: 'ada' });
  await run('CreateAccessKey', {});
  const { SummaryMap } = await run('GetAccountSummary', {});
  assert.deepEqual(
    [SummaryMap?.Users, SummaryMap?.Groups, SummaryMap?.AccountAccessKeysPresent, SummaryMap?.AccountMFAEnabled],
    [1, 0, 1, 0],
  );
});

// biome-ignore format: a table
const REQUIRED = [
  // operation                    input                                                             resources                                        context
  ['CreateUser',                  { UserName: 'n', Path: '/p/' },                                   ['user/p/n'],                                    {}],
  ['ListUsers',                   {},                                                               ['user/'],                                       {}],
  ['ListUsers',                   { PathPrefix: '/eng/' },                                          ['user/eng/'],                                   {}],
  ['ListGroups',                  { PathPrefix: '/eng/' },                                          ['group/eng/'],                                  {}],
  ['ListRoles',                   { PathPrefix: '/aws-service-role/' },                             ['role/aws-service-role/'],                      {}],
  ['GetUser',                     { UserName: 'ADA' },                                              ['user/eng/ada'],                                {}],
  ['GetUser',                     { UserName: 'absent' },                                           ['user/absent'],                                 {}],
  ['AttachUserPolicy',            { UserName: 'ada', PolicyArn: READ_ONLY },                        ['user/eng/ada'],                                { 'iam:policyarn': READ_ONLY, 'iam:permissionsboundary': READ_ONLY }],
  ['PutUserPolicy',               { UserName: 'ada', PolicyName: 'p', PolicyDocument: '' },         ['user/eng/ada'],                                { 'iam:permissionsboundary': READ_ONLY }],
  ['PutUserPermissionsBoundary',  { UserName: 'ada', PermissionsBoundary: own('p') },               ['user/eng/ada'],                                { 'iam:permissionsboundary': own('p') }],
  ['AttachRolePolicy',            { RoleName: 'none', PolicyArn: READ_ONLY },                       ['role/none'],                                   { 'iam:policyarn': READ_ONLY }],
  ['UntagUser',                   { UserName: 'ada', TagKeys: ['a', 'b'] },                         ['user/eng/ada'],                                { 'aws:tagkeys': ['a', 'b'] }],
  ['UpdateUser',                  { UserName: 'ada', NewUserName: 'grace' },                        ['user/eng/ada', 'user/eng/grace'],              {}],
] as const;

for (const [name, input, resources, context] of REQUIRED) {
  test(`${name} ${JSON.stringify(input)}: the call requires permission for ${resources.join(' and ')}`, async () => {
    const { run, requiredAccess } = await openIam();
    await run('CreateUser', { UserName: 'ada', Path: '/eng/', PermissionsBoundary: READ_ONLY, Tags: [{ Key: 'team', Value: 'red' }] });
    const found = await requiredAccess(name, input as never);
    assert.deepEqual(
      found.map((one) => one.action),
      resources.map(() => `iam:${name}`),
    );
    assert.deepEqual(
      found.flatMap((one) => one.resources),
      resources.map((resource) => `arn:aws:iam::${ACCOUNT}:${resource}`),
    );
    assert.deepEqual(found[0]?.context, context);
  });
}

const TAGS = { Tags: [{ Key: 'Team', Value: 'red' }] };
// biome-ignore format: a table
const CREATED_WITH_TAGS = [
  // operation                       input                                                                        tagging                          resource
  ['CreateUser',                   { UserName: 'n', Path: '/p/', ...TAGS },                                      'iam:TagUser',                   'user/p/n'],
  ['CreateRole',                   { RoleName: 'n', AssumeRolePolicyDocument: TRUST_ROOT, ...TAGS },             'iam:TagRole',                   'role/n'],
  ['CreatePolicy',                 { PolicyName: 'n', PolicyDocument: ALLOW_CHIME, ...TAGS },                    'iam:TagPolicy',                 'policy/n'],
  ['CreateVirtualMFADevice',       { VirtualMFADeviceName: 'n', ...TAGS },                                       'iam:TagMFADevice',              'mfa/n'],
  ['CreateSAMLProvider',           { Name: 'n', SAMLMetadataDocument: '', ...TAGS },                             'iam:TagSAMLProvider',           'saml-provider/n'],
  ['CreateOpenIDConnectProvider',  { Url: 'https://id.example', ...TAGS },                                       'iam:TagOpenIDConnectProvider',  'oidc-provider/id.example'],
] as const;

for (const [name, input, tagging, resource] of CREATED_WITH_TAGS) {
  test(`${name}: a call with tags also requires ${tagging}, and the tags are in the context of each action`, async () => {
    const { requiredAccess } = await openIam();
    const found = await requiredAccess(name, input as never);
    assert.deepEqual(
      found.map(({ action, resources, context }) => [action, resources, context]),
      [`iam:${name}`, tagging].map((action) => [
        action,
        [`arn:aws:iam::${ACCOUNT}:${resource}`],
        { 'aws:requesttag/team': 'red', 'aws:tagkeys': ['Team'] },
      ]),
    );
  });
}

test('DeleteUser: the condition context contains the tags of the user', async () => {
  const { run, requiredAccess } = await openIam();
  await run('CreateUser', { UserName: 'ada', Tags: [{ Key: 'team', Value: 'red' }] });
  assert.deepEqual((await requiredAccess('DeleteUser', { UserName: 'Ada' }))[0]?.tags, [{ team: 'red' }]);
});
