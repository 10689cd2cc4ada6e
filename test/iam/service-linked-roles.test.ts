import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IamApi } from '#model/generated/iam.ts';
import { ensureLinkedRole, LINKED_SERVICES, linkedRole, onLinkedRole } from '#services/iam/service-linked-roles.ts';
import { CALLER } from '#services/kit/fixture.ts';
import { ACCOUNT, ALLOW_CHIME, callOf, openIam, TRUST_ROOT } from './fixture.ts';

const VOICE = 'voiceconnector.chime.amazonaws.com';
const ROLE = 'AWSServiceRoleForAmazonChimeVoiceConnector';
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${VOICE}/${ROLE}`;
const PROTECTED = `Cannot perform the operation on the protected role '${ROLE}' - this role is only modifiable by AWS`;
const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly';

for (const { service, roleName, policyName } of LINKED_SERVICES) {
  test(`CreateServiceLinkedRole: the role of ${service} trusts only the service and has only its policy (SLR-1)`, async () => {
    const { run } = await openIam();
    const { Role } = await run('CreateServiceLinkedRole', { AWSServiceName: service });
    assert.equal(Role?.Arn, `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${service}/${roleName}`);
    assert.equal(Role?.Path, `/aws-service-role/${service}/`);
    assert.deepEqual(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).Statement, [
      { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' },
    ]);
    assert.equal((await run('GetRole', { RoleName: roleName })).Role.MaxSessionDuration, 3600);
    assert.deepEqual((await run('ListRolePolicies', { RoleName: roleName })).PolicyNames, []);
    const attached = (await run('ListAttachedRolePolicies', { RoleName: roleName })).AttachedPolicies;
    assert.deepEqual(
      attached?.map((policy) => policy.PolicyName),
      policyName === undefined ? [] : [policyName],
    );
    for (const { PolicyArn = '' } of attached ?? []) assert.equal((await run('GetPolicy', { PolicyArn })).Policy?.IsAttachable, false);
  });
}

test('CreateServiceLinkedRole: a role has the description in the request, or no description', async () => {
  for (const description of [{}, { Description: 'Streams calls' }]) {
    const { run } = await openIam();
    const { Role } = await run('CreateServiceLinkedRole', { AWSServiceName: VOICE, ...description });
    assert.equal(Role?.Description, description.Description);
    assert.equal((await run('GetRole', { RoleName: ROLE })).Role.Description, description.Description);
  }
});

// biome-ignore format: a table
const REJECTED: readonly (readonly [title: string, input: IamApi['CreateServiceLinkedRole']['input'], message: string])[] = [
  ['an unknown service (SLR-4)',          { AWSServiceName: 'lex.amazonaws.com' },                    "Service 'lex.amazonaws.com' does not have service-linked roles."],
  ['a service in another case (SLR-4)',   { AWSServiceName: 'Chime.amazonaws.com' },                  "Service 'Chime.amazonaws.com' does not have service-linked roles."],
  ['a suffix (SLR-3)',                    { AWSServiceName: VOICE, CustomSuffix: 'x' },               `Custom suffix is not allowed for ${VOICE}`],
  ['an existing role (SLR-2)',            { AWSServiceName: VOICE },                                  `Service role name ${ROLE} has been taken in this account, please try a different suffix.`],
];

for (const [title, input, message] of REJECTED) {
  test(`CreateServiceLinkedRole: ${title} is InvalidInput`, async () => {
    const { run, identityState } = await openIam();
    await run('CreateServiceLinkedRole', { AWSServiceName: VOICE });
    const before = await identityState();
    await assert.rejects(run('CreateServiceLinkedRole', input), { code: 'InvalidInputException', message });
    assert.equal(await identityState(), before);
  });
}

// biome-ignore format: a table
const PROTECTED_FROM: readonly (readonly [name: keyof IamApi, input: object, message?: string])[] = [
  ['UpdateAssumeRolePolicy',        { RoleName: ROLE, PolicyDocument: TRUST_ROOT }],
  ['AttachRolePolicy',              { RoleName: ROLE, PolicyArn: READ_ONLY }],
  ['DetachRolePolicy',              { RoleName: ROLE, PolicyArn: READ_ONLY }],
  ['PutRolePolicy',                 { RoleName: ROLE, PolicyName: 'p', PolicyDocument: ALLOW_CHIME }],
  ['DeleteRolePolicy',              { RoleName: ROLE, PolicyName: 'p' }],
  ['PutRolePermissionsBoundary',    { RoleName: ROLE, PermissionsBoundary: READ_ONLY }],
  ['DeleteRolePermissionsBoundary', { RoleName: ROLE }],
  ['DeleteRole',                    { RoleName: ROLE }],
  ['UpdateRole',                    { RoleName: ROLE, MaxSessionDuration: 7200 }, `${ROLE} is an AWS service linked role, max session duration cannot be changed.`],
];

for (const [name, input, message = PROTECTED] of PROTECTED_FROM) {
  test(`${name}: a service-linked role is UnmodifiableEntity (SLR-8)`, async () => {
    const { run, identityState } = await openIam();
    await run('CreateServiceLinkedRole', { AWSServiceName: VOICE });
    const before = await identityState();
    await assert.rejects(run(name, input as never), { code: 'UnmodifiableEntityException', message });
    assert.equal(await identityState(), before);
  });
}

test('UpdateRole: the description and tags of a service-linked role can be changed (SLR-9)', async () => {
  const { run } = await openIam();
  await run('CreateServiceLinkedRole', { AWSServiceName: VOICE });
  await run('UpdateRole', { RoleName: ROLE, Description: 'one' });
  await run('UpdateRoleDescription', { RoleName: ROLE, Description: 'two' });
  await run('TagRole', { RoleName: ROLE, Tags: [{ Key: 'team', Value: 'red' }] });
  const { Role } = await run('GetRole', { RoleName: ROLE });
  assert.deepEqual([Role.Description, Role.Tags], ['two', [{ Key: 'team', Value: 'red' }]]);
});

test('CreateServiceLinkedRole: the call requires permission for the role, with the service name (SLR-5)', async () => {
  const { requiredAccess } = await openIam();
  const [one] = await requiredAccess('CreateServiceLinkedRole', { AWSServiceName: VOICE });
  assert.deepEqual(
    [one?.action, one?.resources, one?.context],
    ['iam:CreateServiceLinkedRole', [ROLE_ARN], { 'iam:awsservicename': VOICE }],
  );
});

test('DeleteServiceLinkedRole: the role is deleted and can be created again (SLR-12, SLR-13, SLR-15)', async () => {
  const { run } = await openIam();
  await run('CreateServiceLinkedRole', { AWSServiceName: VOICE });
  const { DeletionTaskId } = await run('DeleteServiceLinkedRole', { RoleName: ROLE });
  assert.match(DeletionTaskId, new RegExp(`^task/aws-service-role/${VOICE}/${ROLE}/[0-9a-f-]{36}$`));
  assert.deepEqual(await run('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId }), { Status: 'SUCCEEDED' });
  await assert.rejects(run('GetRole', { RoleName: ROLE }), { code: 'NoSuchEntityException' });
  const { Policies } = await run('ListPolicies', { OnlyAttached: true });
  assert.deepEqual(Policies, []);
  await run('CreateServiceLinkedRole', { AWSServiceName: VOICE });
});

test('DeleteServiceLinkedRole: a role in use is not deleted, and the failed task lists the uses (SLR-14)', async () => {
  const connector = `arn:aws:chime:us-east-1:${ACCOUNT}:vc/abc`;
  let used = true;
  const { run } = await openIam({ linkedRoleUsage: async () => (used ? [{ region: 'us-east-1', resources: [connector] }] : []) });
  await run('CreateServiceLinkedRole', { AWSServiceName: VOICE });
  const first = await run('DeleteServiceLinkedRole', { RoleName: ROLE });
  const status = await run('GetServiceLinkedRoleDeletionStatus', first);
  assert.equal(status.Status, 'FAILED');
  assert.deepEqual(status.Reason?.RoleUsageList, [{ Region: 'us-east-1', Resources: [connector] }]);
  await run('GetRole', { RoleName: ROLE });

  used = false;
  const second = await run('DeleteServiceLinkedRole', { RoleName: ROLE });
  assert.equal((await run('GetServiceLinkedRoleDeletionStatus', second)).Status, 'SUCCEEDED');
});

test('GetServiceLinkedRoleDeletionStatus: an unknown task is NoSuchEntity (SLR-13)', async () => {
  const { run } = await openIam();
  await assert.rejects(run('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId: 'task/none' }), { code: 'NoSuchEntityException' });
});

test('DeleteServiceLinkedRole: a customer role is NoSuchEntity', async () => {
  const { run } = await openIam();
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
  await assert.rejects(run('DeleteServiceLinkedRole', { RoleName: 'r' }), { code: 'NoSuchEntityException' });
});

test('linkedRole: a customer role with the name of a service-linked role is not returned (SLR-17)', async () => {
  const { run, store } = await openIam();
  await run('CreateRole', { RoleName: ROLE, AssumeRolePolicyDocument: TRUST_ROOT });
  await store.transaction(async (tx) => {
    assert.equal(await linkedRole(tx, ACCOUNT, VOICE), undefined);
    assert.equal(await ensureLinkedRole(callOf(tx, {}), VOICE), 'taken');
  });
});

test('ensureLinkedRole: a service creates its role once and then requires no permission (SLR-6)', async () => {
  const { store } = await openIam();
  await store.transaction(async (tx) => {
    const access = onLinkedRole(CALLER, VOICE);
    assert.deepEqual(await access.resolve?.(tx), [ROLE_ARN]);
    assert.equal(await ensureLinkedRole(callOf(tx, {}), VOICE), 'created');
    assert.equal(await ensureLinkedRole(callOf(tx, {}), VOICE), 'exists');
    assert.deepEqual(await access.resolve?.(tx), []);
  });
});
