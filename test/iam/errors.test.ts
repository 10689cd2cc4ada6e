import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IamApi } from '#model/generated/iam.ts';
import { ACCOUNT, ALLOW_CHIME, type Iam, iamUser, openIam, ROLE_SESSION, TRUST_ROOT } from './fixture.ts';

const own = (name: string): string => `arn:aws:iam::${ACCOUNT}:policy/${name}`;
const UNKNOWN = own('unknown');
const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly';
const LINKED = 'arn:aws:iam::aws:policy/aws-service-role/AmazonChimeVoiceConnectorServiceLinkedRolePolicy';
const LONG = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'chime:*', Resource: '*', Sid: 'a'.repeat(7000) }],
});
const TRUST_UNKNOWN = TRUST_ROOT.replace(':root', ':user/absent');

/** Creates an account in which the user `alice` has one entity of each kind, `bare` has none, and `many` has reached the quotas. */
async function populatedRig(): Promise<Iam> {
  const iam = await openIam();
  const { run } = iam;
  for (const UserName of ['alice', 'bare', 'many']) await run('CreateUser', { UserName });
  for (const GroupName of ['team', 'empty']) await run('CreateGroup', { GroupName });
  for (const RoleName of ['worker', 'idle']) await run('CreateRole', { RoleName, AssumeRolePolicyDocument: TRUST_ROOT });
  for (const PolicyName of ['used', 'free', 'bound']) await run('CreatePolicy', { PolicyName, PolicyDocument: ALLOW_CHIME });
  await run('CreatePolicyVersion', { PolicyArn: own('free'), PolicyDocument: ALLOW_CHIME });
  await run('AttachUserPolicy', { UserName: 'alice', PolicyArn: own('used') });
  await run('AttachRolePolicy', { RoleName: 'worker', PolicyArn: own('used') });
  await run('AttachGroupPolicy', { GroupName: 'team', PolicyArn: READ_ONLY });
  await run('PutUserPermissionsBoundary', { UserName: 'alice', PermissionsBoundary: own('bound') });
  await run('AddUserToGroup', { GroupName: 'team', UserName: 'alice' });
  await run('CreateAccountAlias', { AccountAlias: 'tower' });
  await run('CreateAccessKey', { UserName: 'many' });
  await run('CreateAccessKey', { UserName: 'many' });
  for (let i = 0; i < 10; i++) {
    await run('CreatePolicy', { PolicyName: `p${i}`, PolicyDocument: ALLOW_CHIME });
    await run('AttachUserPolicy', { UserName: 'many', PolicyArn: own(`p${i}`) });
    await run('CreateGroup', { GroupName: `g${i}` });
    await run('AddUserToGroup', { GroupName: `g${i}`, UserName: 'many' });
  }
  for (let i = 0; i < 4; i++) await run('CreatePolicyVersion', { PolicyArn: own('p0'), PolicyDocument: ALLOW_CHIME });
  await run('TagUser', { UserName: 'many', Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' })) });
  return iam;
}

type Row = {
  [Name in keyof IamApi]: readonly [title: string, name: Name, input: IamApi[Name]['input'], code: string, text: string];
}[keyof IamApi];

// The rows of an operation are in the order of its checks. If several conditions apply, the first row determines the error.
// biome-ignore format: a table
const ROWS: readonly Row[] = [
  // condition                                   operation                  input                                                                      code                       message
  ['two keys that differ in case',               'CreateUser',              { UserName: 'ALICE', Tags: [{ Key: 'a', Value: '' }, { Key: 'A', Value: '' }] }, 'InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
  ['an unknown boundary',                        'CreateUser',              { UserName: 'new', PermissionsBoundary: UNKNOWN },                         'NoSuchEntityException',   `Scope ARN: ${UNKNOWN} does not exist or is not attachable.`],
  ['a used name, in another case',               'CreateUser',              { UserName: 'ALICE' },                                                     'EntityAlreadyExistsException', 'User with name ALICE already exists.'],
  ['an unknown user',                            'GetUser',                 { UserName: 'absent' },                                                    'NoSuchEntityException',   'The user with name absent cannot be found.'],
  ['an unknown user',                            'DeleteUser',              { UserName: 'absent' },                                                    'NoSuchEntityException',   'The user with name absent cannot be found.'],
  ['a user with keys, groups and policies',      'DeleteUser',              { UserName: 'many' },                                                      'DeleteConflictException', 'Cannot delete entity, must delete access keys first.'],
  ['a user in a group',                          'DeleteUser',              { UserName: 'alice' },                                                     'DeleteConflictException', 'Cannot delete entity, must remove users from group first.'],
  ['a used new name',                            'UpdateUser',              { UserName: 'bare', NewUserName: 'Alice' },                                'EntityAlreadyExistsException', 'User with name Alice already exists.'],
  ['an unknown user',                            'CreateAccessKey',         { UserName: 'absent' },                                                    'NoSuchEntityException',   'The user with name absent cannot be found.'],
  ['a third key',                                'CreateAccessKey',         { UserName: 'many' },                                                      'LimitExceededException',  'Cannot exceed quota for AccessKeysPerUser: 2'],
  ['an unknown key',                             'DeleteAccessKey',         { UserName: 'bare', AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' },                 'NoSuchEntityException',   'The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.'],
  ['an unknown group',                           'AddUserToGroup',          { GroupName: 'none', UserName: 'absent' },                                 'NoSuchEntityException',   'The group with name none cannot be found.'],
  ['an unknown user',                            'AddUserToGroup',          { GroupName: 'team', UserName: 'absent' },                                 'NoSuchEntityException',   'The user with name absent cannot be found.'],
  ['an eleventh group',                          'AddUserToGroup',          { GroupName: 'team', UserName: 'many' },                                   'LimitExceededException',  'Cannot exceed quota for GroupsPerUser: 10'],
  ['a group with a member',                      'DeleteGroup',             { GroupName: 'team' },                                                     'DeleteConflictException', 'Cannot delete entity, must remove users from group first.'],
  ['a used name, in another case',               'CreateGroup',             { GroupName: 'TEAM' },                                                     'EntityAlreadyExistsException', 'Group with name TEAM already exists.'],
  ['a path for services only',                   'CreateRole',              { RoleName: 'r', Path: '/aws-service-role/chime.amazonaws.com/', AssumeRolePolicyDocument: '{' }, 'InvalidInputException', 'Roles with a path beginning with /aws-service-role/ can only be created by CreateServiceLinkedRole.'],
  ['invalid JSON',                               'CreateRole',              { RoleName: 'worker', AssumeRolePolicyDocument: '{' },                     'MalformedPolicyDocumentException', 'This policy contains invalid Json'],
  ['an unknown principal',                       'CreateRole',              { RoleName: 'worker', AssumeRolePolicyDocument: TRUST_UNKNOWN },           'MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"arn:aws:iam::${ACCOUNT}:user/absent"`],
  ['a used name, in another case',               'CreateRole',              { RoleName: 'Worker', AssumeRolePolicyDocument: TRUST_ROOT },              'EntityAlreadyExistsException', 'Role with name Worker already exists.'],
  ['an unknown role',                            'UpdateAssumeRolePolicy',  { RoleName: 'absent', PolicyDocument: '{' },                               'NoSuchEntityException',   'The role with name absent cannot be found.'],
  ['invalid JSON',                               'UpdateAssumeRolePolicy',  { RoleName: 'idle', PolicyDocument: '{' },                                 'MalformedPolicyDocumentException', 'This policy contains invalid Json'],
  ['a role with a policy',                       'DeleteRole',              { RoleName: 'worker' },                                                    'DeleteConflictException', 'Cannot delete entity, must detach all policies first.'],
  ['a malformed document',                       'CreatePolicy',            { PolicyName: 'used', PolicyDocument: '{}' },                              'MalformedPolicyDocumentException', 'Syntax errors in policy.'],
  ['a document over the quota',                  'CreatePolicy',            { PolicyName: 'used', PolicyDocument: LONG },                              'LimitExceededException',  'Cannot exceed quota for PolicySize: 6144'],
  ['a used name, in another case',               'CreatePolicy',            { PolicyName: 'USED', PolicyDocument: ALLOW_CHIME },                       'EntityAlreadyExistsException', 'A policy called USED already exists. Duplicate names are not allowed.'],
  ['an unknown policy',                          'GetPolicy',               { PolicyArn: UNKNOWN },                                                    'NoSuchEntityException',   `Policy ${UNKNOWN} was not found.`],
  ['an unknown policy',                          'DeletePolicy',            { PolicyArn: UNKNOWN },                                                    'NoSuchEntityException',   `Policy ${UNKNOWN} was not found.`],
  ['an AWS policy, even as root user',           'DeletePolicy',            { PolicyArn: READ_ONLY },                                                  'AccessDenied',            `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: iam:DeletePolicy on resource: policy ${READ_ONLY}`],
  ['an attached policy',                         'DeletePolicy',            { PolicyArn: own('p0') },                                                  'DeleteConflictException', 'Cannot delete a policy attached to entities.'],
  ['a policy used as boundary',                  'DeletePolicy',            { PolicyArn: own('bound') },                                               'DeleteConflictException', 'Cannot delete a policy attached to entities.'],
  ['a policy with two versions',                 'DeletePolicy',            { PolicyArn: own('free') },                                                'DeleteConflictException', "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."],
  ['an AWS policy, even as root user',           'CreatePolicyVersion',     { PolicyArn: READ_ONLY, PolicyDocument: '{' },                             'AccessDenied',            `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: iam:CreatePolicyVersion on resource: policy ${READ_ONLY}`],
  ['a malformed document',                       'CreatePolicyVersion',     { PolicyArn: own('p0'), PolicyDocument: '{}' },                            'MalformedPolicyDocumentException', 'Syntax errors in policy.'],
  ['a sixth version',                            'CreatePolicyVersion',     { PolicyArn: own('p0'), PolicyDocument: ALLOW_CHIME },                     'LimitExceededException',  'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.'],
  ['the default version',                        'DeletePolicyVersion',     { PolicyArn: own('free'), VersionId: 'v1' },                               'DeleteConflictException', 'Cannot delete the default version of a policy.'],
  ['an AWS policy, even as root user',           'SetDefaultPolicyVersion', { PolicyArn: READ_ONLY, VersionId: 'v1' },                                 'AccessDenied',            `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: iam:SetDefaultPolicyVersion on resource: policy ${READ_ONLY}`],
  ['an unknown version',                         'SetDefaultPolicyVersion', { PolicyArn: own('free'), VersionId: 'v9' },                               'NoSuchEntityException',   `Policy ${own('free')} version v9 does not exist or is not attachable.`],
  ['an unknown role',                            'AttachRolePolicy',        { RoleName: 'absent', PolicyArn: UNKNOWN },                                'NoSuchEntityException',   'The role with name absent cannot be found.'],
  ['an unknown policy',                          'AttachRolePolicy',        { RoleName: 'idle', PolicyArn: UNKNOWN },                                  'NoSuchEntityException',   `Policy ${UNKNOWN} does not exist or is not attachable.`],
  ['the policy of a service-linked role',        'AttachRolePolicy',        { RoleName: 'idle', PolicyArn: LINKED },                                   'PolicyNotAttachableException', 'Cannot attach a Service Role Policy to a Customer Role.'],
  ['an eleventh policy',                         'AttachUserPolicy',        { UserName: 'many', PolicyArn: own('used') },                              'LimitExceededException',  'Cannot exceed quota for PoliciesPerUser: 10'],
  ['a policy that is not attached',              'DetachUserPolicy',        { UserName: 'bare', PolicyArn: own('used') },                              'NoSuchEntityException',   `Policy ${own('used')} was not found.`],
  ['an unknown user',                            'PutUserPolicy',           { UserName: 'absent', PolicyName: 'p', PolicyDocument: '{' },              'NoSuchEntityException',   'The user with name absent cannot be found.'],
  ['a malformed document',                       'PutUserPolicy',           { UserName: 'bare', PolicyName: 'p', PolicyDocument: '{' },                'MalformedPolicyDocumentException', 'Syntax errors in policy.'],
  ['a document over the quota',                  'PutUserPolicy',           { UserName: 'bare', PolicyName: 'p', PolicyDocument: LONG },               'LimitExceededException',  'Maximum policy size of 2048 bytes exceeded for user bare'],
  ['an unknown inline policy',                   'GetUserPolicy',           { UserName: 'bare', PolicyName: '__proto__' },                             'NoSuchEntityException',   'The user policy with name __proto__ cannot be found.'],
  ['an unknown inline policy',                   'DeleteRolePolicy',        { RoleName: 'idle', PolicyName: 'p' },                                     'NoSuchEntityException',   'The role policy with name p cannot be found.'],
  ['an unknown boundary',                        'PutRolePermissionsBoundary', { RoleName: 'idle', PermissionsBoundary: UNKNOWN },                     'NoSuchEntityException',   `Scope ARN: ${UNKNOWN} does not exist or is not attachable.`],
  ['a user without a boundary',                  'DeleteUserPermissionsBoundary', { UserName: 'bare' },                                                'NoSuchEntityException',   'The permissions boundary for user bare cannot be found.'],
  ['a fifty-first tag',                          'TagUser',                 { UserName: 'many', Tags: [{ Key: 'new', Value: '' }] },                   'LimitExceededException',  'The number of tags has reached the maximum limit.'],
  ['an AWS policy, even as root user',           'TagPolicy',               { PolicyArn: READ_ONLY, Tags: [] },                                        'AccessDenied',            `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: iam:TagPolicy on resource: policy ${READ_ONLY}`],
  ["the account's own alias",                    'CreateAccountAlias',      { AccountAlias: 'tower' },                                                 'EntityAlreadyExistsException', 'The account alias tower already exists.'],
  ['an unknown alias',                           'DeleteAccountAlias',      { AccountAlias: 'other' },                                                 'NoSuchEntityException',   'The account alias other cannot be found.'],
  ['an invalid marker',                          'ListUsers',               { Marker: 'x' },                                                           'ValidationError',         'Invalid Marker.'],
];

const iam = await populatedRig();

for (const [title, name, input, code, message] of ROWS) {
  test(`${name}: ${title} is ${code}, and nothing changes`, async () => {
    const before = await iam.identityState();
    await assert.rejects(iam.run(name, input as never), { code, message });
    assert.equal(await iam.identityState(), before);
  });
}

const KEY = { AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA', Status: 'Inactive' } as const;
for (const name of ['GetUser', 'CreateAccessKey', 'ListAccessKeys', 'UpdateAccessKey', 'DeleteAccessKey'] as const) {
  test(`${name}: a role session gets ValidationError if the request names no user`, async () => {
    await assert.rejects(async () => iam.run(name, KEY as never, { principal: ROLE_SESSION }), {
      code: 'ValidationError',
      message: 'Must specify userName when calling with non-User credentials',
    });
  });

  test(`${name}: if the request names no user, the resource is the calling user`, async () => {
    const [requiredAccess] = await iam.requiredAccess(name, KEY as never, { principal: iamUser('bare') });
    assert.deepEqual(requiredAccess?.resources, [`arn:aws:iam::${ACCOUNT}:user/bare`]);
  });
}
