/**
 * Successful calls of the Organizations operations.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { accessOf } from '#services/kit/fixture.ts';
import { organizationsOperations } from '#services/organizations/operations.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import { ALLOW_ALL } from '../kit/policy.ts';
import { MANAGEMENT, openOrganization, openOrganizations, START, STRANGER } from './fixture.ts';

const SCP = 'SERVICE_CONTROL_POLICY';
const FULL = 'p-FullAWSAccess';

test('CreateOrganization: the caller becomes the management account, and IDs match the model', async () => {
  const { run } = await openOrganizations();
  const { Organization } = await run('CreateOrganization', {});
  const id = Organization?.Id ?? '';
  assert.match(id, /^o-[a-z0-9]{10}$/);
  assert.deepEqual(Organization, {
    Id: id,
    Arn: `arn:aws:organizations::${MANAGEMENT}:organization/${id}`,
    FeatureSet: 'ALL',
    MasterAccountArn: `arn:aws:organizations::${MANAGEMENT}:account/${id}/${MANAGEMENT}`,
    MasterAccountId: MANAGEMENT,
    MasterAccountEmail: `${MANAGEMENT}@accounts.invalid`,
    AvailablePolicyTypes: [{ Type: SCP, Status: 'ENABLED' }],
  });
  assert.deepEqual(await run('DescribeOrganization', {}), { Organization });
  const { Roots } = await run('ListRoots', {});
  assert.match(Roots?.[0]?.Id ?? '', /^r-[0-9a-z]{4}$/);
  assert.deepEqual(Roots?.[0]?.PolicyTypes, []);
});

test('DeleteOrganization: the call deletes everything, and the account may create another organization', async () => {
  const org = await openOrganization();
  await org.policy('a');
  const { Handshake } = await org.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  await org.makeStandalone(org.memberId);
  await org.run('RemoveAccountFromOrganization', { AccountId: org.memberId });
  await org.run('DeleteOrganization', {});
  await assert.rejects(org.run('DescribeOrganization', {}), { code: 'AWSOrganizationsNotInUseException' });
  const described = await org.run('DescribeHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId: STRANGER });
  assert.equal(described.Handshake?.State, 'CANCELED');
  await org.run('CreateOrganization', {});
  assert.deepEqual(
    (await org.run('ListPolicies', { Filter: SCP })).Policies?.map(({ Id }) => Id),
    [FULL],
  );
  assert.deepEqual(
    (await org.run('ListAccounts', {})).Accounts?.map(({ Id }) => Id),
    [MANAGEMENT],
  );
  assert.deepEqual((await org.run('ListCreateAccountStatus', {})).CreateAccountStatuses, []);
});

test('CreateAccount: the account is under the root, with a role that trusts the management account', async () => {
  const org = await openOrganization();
  const { CreateAccountStatus: created } = await org.run('CreateAccount', {
    AccountName: 'second',
    Email: 'Second@Example.com',
    RoleName: 'Entry',
    Tags: [{ Key: 'team', Value: 'red' }],
  });
  const accountId = (created?.AccountId ?? '') as typeof org.memberId;
  assert.match(created?.Id ?? '', /^car-[a-z0-9]{32}$/);
  assert.deepEqual(
    (await org.run('DescribeCreateAccountStatus', { CreateAccountRequestId: created?.Id ?? '' })).CreateAccountStatus,
    created,
  );
  assert.deepEqual(await org.run('DescribeAccount', { AccountId: accountId }), {
    Account: {
      Id: accountId,
      Arn: `arn:aws:organizations::${MANAGEMENT}:account/${org.organizationId}/${accountId}`,
      Email: 'Second@Example.com',
      Name: 'second',
      Status: 'ACTIVE',
      State: 'ACTIVE',
      Paths: [`${org.organizationId}/${org.rootId}/${accountId}/`],
      JoinedMethod: 'CREATED',
      JoinedTimestamp: START,
    },
  });
  assert.deepEqual((await org.run('ListTagsForResource', { ResourceId: accountId })).Tags, [{ Key: 'team', Value: 'red' }]);
  const role = await org.store.transaction((tx) => tx.identity.get(accountId, 'role', 'entry'));
  assert.deepEqual(role?.attachedPolicyArns, ['arn:aws:iam::aws:policy/AdministratorAccess']);
  assert.deepEqual(JSON.parse(role?.trustPolicy ?? '').Statement, [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MANAGEMENT}:root` }, Action: 'sts:AssumeRole' },
  ]);
});

test('CreateAccount: a used email address, in any case, is FAILED and creates no account', async () => {
  const org = await openOrganization();
  const { CreateAccountStatus } = await org.run('CreateAccount', { AccountName: 'again', Email: 'MEMBER@example.com' });
  assert.equal(CreateAccountStatus?.State, 'FAILED');
  assert.equal(CreateAccountStatus?.FailureReason, 'EMAIL_ALREADY_EXISTS');
  assert.equal(CreateAccountStatus?.AccountId, undefined);
  assert.equal((await org.run('ListAccounts', {})).Accounts?.length, 2);
  const failed = await org.run('ListCreateAccountStatus', { States: ['FAILED'] });
  assert.deepEqual(failed.CreateAccountStatuses, [CreateAccountStatus]);
});

test('EnablePolicyType: FullAWSAccess is attached to all existing and later targets', async () => {
  const org = await openOrganization();
  const { OrganizationalUnit: later } = await org.run('CreateOrganizationalUnit', { ParentId: org.rootId, Name: 'later' });
  const { Targets } = await org.run('ListTargetsForPolicy', { PolicyId: FULL });
  assert.deepEqual(
    new Set(Targets?.map(({ TargetId, Type, Name }) => `${Type} ${TargetId} ${Name}`)),
    new Set([
      `ROOT ${org.rootId} Root`,
      `ORGANIZATIONAL_UNIT ${org.unitId} unit`,
      `ORGANIZATIONAL_UNIT ${later?.Id} later`,
      `ACCOUNT ${MANAGEMENT} management`,
      `ACCOUNT ${org.memberId} member`,
    ]),
  );
  const { Roots } = await org.run('ListRoots', {});
  assert.deepEqual(Roots?.[0]?.PolicyTypes, [{ Type: SCP, Status: 'ENABLED' }]);
});

test('DisablePolicyType: the call detaches all policies, and enabling attaches FullAWSAccess everywhere', async () => {
  const org = await openOrganization();
  const policyId = await org.policy('a');
  const targets = [org.rootId, org.unitId, org.memberId, MANAGEMENT];
  for (const TargetId of targets) await org.run('AttachPolicy', { PolicyId: policyId, TargetId });
  const attached = async () => {
    const lists = [];
    for (const TargetId of targets) {
      const { Policies } = await org.run('ListPoliciesForTarget', { TargetId, Filter: SCP });
      lists.push(Policies?.map(({ Id }) => Id));
    }
    return lists;
  };
  await org.run('DisablePolicyType', { RootId: org.rootId, PolicyType: SCP });
  assert.deepEqual(await attached(), [[], [], [], []]);
  await org.run('EnablePolicyType', { RootId: org.rootId, PolicyType: SCP });
  assert.deepEqual(await attached(), [[FULL], [FULL], [FULL], [FULL]]);
});

test('Units: units have paths, parents and children, and a name is unique within its parent', async () => {
  const org = await openOrganization();
  const unitIds = [org.unitId];
  for (let depth = 2; depth <= 5; depth++) {
    const { OrganizationalUnit } = await org.run('CreateOrganizationalUnit', { ParentId: unitIds.at(-1) ?? '', Name: 'unit' });
    unitIds.push(OrganizationalUnit?.Id ?? '');
  }
  for (const unitId of unitIds) assert.match(unitId, new RegExp(`^ou-${org.rootId.slice(2)}-[0-9a-z]{8}$`));
  const deepest = unitIds.at(-1) ?? '';
  assert.deepEqual((await org.run('DescribeOrganizationalUnit', { OrganizationalUnitId: deepest })).OrganizationalUnit, {
    Id: deepest,
    Arn: `arn:aws:organizations::${MANAGEMENT}:ou/${org.organizationId}/${deepest}`,
    Name: 'unit',
    Path: `${org.organizationId}/${org.rootId}/${unitIds.join('/')}/`,
  });
  await org.run('MoveAccount', { AccountId: org.memberId, SourceParentId: org.rootId, DestinationParentId: deepest });
  assert.deepEqual((await org.run('ListParents', { ChildId: org.memberId })).Parents, [{ Id: deepest, Type: 'ORGANIZATIONAL_UNIT' }]);
  assert.deepEqual((await org.run('ListParents', { ChildId: org.unitId })).Parents, [{ Id: org.rootId, Type: 'ROOT' }]);
  assert.deepEqual((await org.run('ListChildren', { ParentId: deepest, ChildType: 'ACCOUNT' })).Children, [
    { Id: org.memberId, Type: 'ACCOUNT' },
  ]);
  assert.deepEqual((await org.run('ListChildren', { ParentId: org.unitId, ChildType: 'ORGANIZATIONAL_UNIT' })).Children, [
    { Id: unitIds[1], Type: 'ORGANIZATIONAL_UNIT' },
  ]);
  assert.deepEqual(
    (await org.run('ListAccountsForParent', { ParentId: deepest })).Accounts?.map(({ Id }) => Id),
    [org.memberId],
  );
  const { OrganizationalUnit } = await org.run('UpdateOrganizationalUnit', { OrganizationalUnitId: deepest, Name: 'deepest' });
  assert.equal(OrganizationalUnit?.Name, 'deepest');
  await org.run('MoveAccount', { AccountId: org.memberId, SourceParentId: deepest, DestinationParentId: org.rootId });
  await org.run('DeleteOrganizationalUnit', { OrganizationalUnitId: deepest });
  assert.deepEqual((await org.run('ListOrganizationalUnitsForParent', { ParentId: unitIds[3] ?? '' })).OrganizationalUnits, []);
});

test('Policies: a policy can be created, changed, attached, listed, detached and deleted', async () => {
  const org = await openOrganization();
  const { Policy } = await org.run('CreatePolicy', { Name: 'a', Description: 'first', Type: SCP, Content: ALLOW_ALL });
  const summary = Policy?.PolicySummary;
  const PolicyId = summary?.Id ?? '';
  assert.deepEqual(summary, {
    Id: PolicyId,
    Arn: `arn:aws:organizations::${MANAGEMENT}:policy/${org.organizationId}/service_control_policy/${PolicyId}`,
    Name: 'a',
    Description: 'first',
    Type: SCP,
    AwsManaged: false,
  });
  assert.deepEqual((await org.run('UpdatePolicy', { PolicyId, Name: 'b' })).Policy, {
    PolicySummary: { ...summary, Name: 'b' },
    Content: ALLOW_ALL,
  });
  await org.run('AttachPolicy', { PolicyId, TargetId: org.unitId });
  const attached = await org.run('ListPoliciesForTarget', { TargetId: org.unitId, Filter: SCP });
  assert.deepEqual(new Set(attached.Policies?.map(({ Id }) => Id)), new Set([FULL, PolicyId]));
  assert.deepEqual((await org.run('ListTargetsForPolicy', { PolicyId })).Targets, [
    {
      TargetId: org.unitId,
      Arn: `arn:aws:organizations::${MANAGEMENT}:ou/${org.organizationId}/${org.unitId}`,
      Name: 'unit',
      Type: 'ORGANIZATIONAL_UNIT',
    },
  ]);
  await org.run('DetachPolicy', { PolicyId, TargetId: org.unitId });
  await org.run('DeletePolicy', { PolicyId });
  assert.deepEqual(
    (await org.run('ListPolicies', { Filter: SCP })).Policies?.map(({ Id }) => Id),
    [FULL],
  );
  assert.deepEqual((await org.run('ListPolicies', { Filter: 'TAG_POLICY' })).Policies, []);
});

test('ListPolicies: pages neither repeat nor skip a policy, and include FullAWSAccess', async () => {
  const org = await openOrganization();
  const expected = new Set([FULL]);
  for (let i = 0; i < 44; i++) expected.add(await org.policy(`p${i}`));
  const found: (string | undefined)[] = [];
  const sizes: number[] = [];
  for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
    const page: OrganizationsApi['ListPolicies']['output'] = await org.run('ListPolicies', {
      Filter: SCP,
      ...omitUndefined({ NextToken: token }),
    });
    found.push(...(page.Policies ?? []).map(({ Id }) => Id));
    sizes.push(page.Policies?.length ?? 0);
    token = page.NextToken;
  }
  assert.deepEqual(sizes, [20, 20, 5]);
  assert.equal(found.length, expected.size);
  assert.deepEqual(new Set(found), expected);
});

test('AcceptHandshake: the account joins, and both accounts see the handshake', async () => {
  const org = await openOrganization();
  const { Handshake } = await org.run('InviteAccountToOrganization', {
    Target: { Id: STRANGER, Type: 'ACCOUNT' },
    Notes: 'come',
    Tags: [{ Key: 'team', Value: 'red' }],
  });
  const HandshakeId = Handshake?.Id ?? '';
  assert.match(HandshakeId, /^h-[0-9a-z]{32}$/);
  assert.equal(Handshake?.State, 'OPEN');
  assert.deepEqual((await org.run('ListHandshakesForAccount', {}, { accountId: STRANGER })).Handshakes, [Handshake]);
  assert.deepEqual((await org.run('ListHandshakesForOrganization', {})).Handshakes, [Handshake]);
  const accepted = await org.run('AcceptHandshake', { HandshakeId }, { accountId: STRANGER });
  assert.equal(accepted.Handshake?.State, 'ACCEPTED');
  const { Account } = await org.run('DescribeAccount', { AccountId: STRANGER });
  assert.equal(Account?.JoinedMethod, 'INVITED');
  assert.deepEqual((await org.run('ListTagsForResource', { ResourceId: STRANGER })).Tags, [{ Key: 'team', Value: 'red' }]);
  const { Policies } = await org.run('ListPoliciesForTarget', { TargetId: STRANGER, Filter: SCP });
  assert.deepEqual(
    Policies?.map(({ Id }) => Id),
    [FULL],
  );

  await org.makeStandalone(org.memberId);
  await org.run('RemoveAccountFromOrganization', { AccountId: org.memberId });
  const again = await org.run('InviteAccountToOrganization', { Target: { Id: 'member@example.com', Type: 'EMAIL' } });
  assert.deepEqual(again.Handshake?.Parties?.[1], { Id: org.memberId, Type: 'ACCOUNT' });
});

test('InviteAccountToOrganization: an invitation expires after 15 days and can be repeated', async () => {
  const org = await openOrganization();
  const invite = (now = START) => org.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }, { now });
  const { Handshake } = await invite();
  const now = instant(START + 15 * 24 * 60 * 60_000);
  const describe = (at: typeof now) => org.run('DescribeHandshake', { HandshakeId: Handshake?.Id ?? '' }, { now: at });
  assert.equal((await describe(instant(now - 1))).Handshake?.State, 'OPEN');
  assert.equal((await describe(now)).Handshake?.State, 'EXPIRED');
  assert.equal((await invite(now)).Handshake?.State, 'OPEN');
});

test('TagResource: the call tags every resource type, and replaces a tag whose key differs only in case', async () => {
  const org = await openOrganization();
  for (const ResourceId of [org.rootId, org.unitId, org.memberId, await org.policy('a')]) {
    await org.run('TagResource', { ResourceId, Tags: [{ Key: 'team', Value: 'red' }] });
    await org.run('TagResource', {
      ResourceId,
      Tags: [
        { Key: 'Team', Value: 'blue' },
        { Key: 'cost', Value: '1' },
      ],
    });
    assert.deepEqual((await org.run('ListTagsForResource', { ResourceId })).Tags, [
      { Key: 'Team', Value: 'blue' },
      { Key: 'cost', Value: '1' },
    ]);
    await org.run('UntagResource', { ResourceId, TagKeys: ['TEAM', 'absent'] });
    assert.deepEqual((await org.run('ListTagsForResource', { ResourceId })).Tags, [{ Key: 'cost', Value: '1' }]);
  }
});

test('AttachPolicy: the call requires permission on policy and target, with their ARNs and tags', async () => {
  const org = await openOrganization();
  const PolicyId = await org.policy('a');
  await org.run('TagResource', { ResourceId: org.unitId, Tags: [{ Key: 'team', Value: 'red' }] });
  const owned = `arn:aws:organizations::${MANAGEMENT}`;
  assert.deepEqual(await org.requiredAccess('AttachPolicy', { PolicyId, TargetId: org.unitId }), {
    action: 'organizations:AttachPolicy',
    resources: [
      `${owned}:policy/${org.organizationId}/service_control_policy/${PolicyId}`,
      `${owned}:ou/${org.organizationId}/${org.unitId}`,
    ],
    context: { 'organizations:policytype': SCP },
    tags: [{}, { team: 'red' }],
  });
  const full = await org.requiredAccess('DescribePolicy', { PolicyId: FULL });
  assert.deepEqual(full.resources, ['arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess']);
});

const TAGS = { Tags: [{ Key: 'Team', Value: 'red' }] };
// biome-ignore format: a table
const CREATED_WITH_TAGS: readonly (readonly [name: keyof OrganizationsApi, input: object])[] = [
  ['CreateOrganizationalUnit',    { ParentId: 'r-0000', Name: 'a' }],
  ['CreateAccount',               { AccountName: 'a', Email: 'a@example.com' }],
  ['CreatePolicy',                { Name: 'a', Description: '', Type: SCP, Content: '' }],
  ['InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }],
];

for (const [name, input] of CREATED_WITH_TAGS) {
  test(`${name}: a call with tags also requires organizations:TagResource`, () => {
    const accessFor = (more: object) => {
      const required = accessOf(organizationsOperations(), name, { ...input, ...more });
      return required.map(({ action, context }) => [action, context?.get('aws:requesttag/team')]);
    };
    assert.deepEqual(accessFor({}), [[`organizations:${name}`, undefined]]);
    assert.deepEqual(accessFor(TAGS), [
      [`organizations:${name}`, 'red'],
      ['organizations:TagResource', 'red'],
    ]);
  });
}

test("AcceptHandshake: the call requires permission on the handshake; its ARN has the inviter's account ID", async () => {
  const org = await openOrganization();
  const { Handshake } = await org.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  const { resources } = await org.requiredAccess('AcceptHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId: STRANGER });
  assert.deepEqual(resources, [Handshake?.Arn]);
});

test('DeclineHandshake: the management account sees the declined handshake, which cannot be accepted', async () => {
  const org = await openOrganization();
  const { Handshake } = await org.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  const HandshakeId = Handshake?.Id ?? '';
  await org.run('DeclineHandshake', { HandshakeId }, { accountId: STRANGER });
  assert.equal((await org.run('DescribeHandshake', { HandshakeId })).Handshake?.State, 'DECLINED');
  const accepted = org.run('AcceptHandshake', { HandshakeId }, { accountId: STRANGER });
  await assert.rejects(accepted, { code: 'InvalidHandshakeTransitionException' });
});

test('Retention: a new handshake deletes old handshakes, and a new account deletes old creation statuses', async () => {
  const org = await openOrganization();
  const invite = (now = START) => org.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }, { now });
  const { Handshake } = await invite();
  await org.run('CancelHandshake', { HandshakeId: Handshake?.Id ?? '' });
  const day = 24 * 60 * 60_000;
  await invite(instant(START + 44 * day));
  assert.equal((await org.run('ListHandshakesForOrganization', {})).Handshakes?.length, 2);
  await invite(instant(START + 60 * day));
  assert.equal((await org.run('ListHandshakesForOrganization', {})).Handshakes?.length, 2);
  assert.equal((await org.run('ListHandshakesForAccount', {}, { accountId: STRANGER })).Handshakes?.length, 2);

  const create = (days: number) =>
    org.run('CreateAccount', { AccountName: 'again', Email: 'member@example.com' }, { now: instant(START + days * day) });
  await create(89);
  assert.equal((await org.run('ListCreateAccountStatus', {})).CreateAccountStatuses?.length, 2);
  await create(90);
  assert.equal((await org.run('ListCreateAccountStatus', {})).CreateAccountStatuses?.length, 2);
});

// Source: AWS Organizations User Guide, the pages of the services.
// Source of the last row: tedilabs/terraform-aws-organization.
for (const ServicePrincipal of [
  'member.org.stacksets.cloudformation.amazonaws.com',
  'storage-lens.s3.amazonaws.com',
  'notifications.amazon.com',
]) {
  test(`EnableAWSServiceAccess: ${ServicePrincipal} is a service principal`, async () => {
    const { run } = await openOrganization();
    await run('EnableAWSServiceAccess', { ServicePrincipal });
    const { EnabledServicePrincipals } = await run('ListAWSServiceAccessForOrganization', {});
    assert.deepEqual(EnabledServicePrincipals, [{ ServicePrincipal, DateEnabled: START }]);
  });
}

test('DisableAWSServiceAccess: stored access of any service can be disabled', async () => {
  const { run, store } = await openOrganization();
  await store.transaction(async (tx) => {
    const organization = await tx.identity.get(MANAGEMENT, 'organization', ORGANIZATION_KEY);
    assert.ok(organization);
    await tx.identity.put(MANAGEMENT, 'organization', ORGANIZATION_KEY, {
      ...organization,
      serviceAccess: { 'chime.amazonaws.com': instant(START) },
    });
  });
  await run('DisableAWSServiceAccess', { ServicePrincipal: 'chime.amazonaws.com' });
  assert.deepEqual((await run('ListAWSServiceAccessForOrganization', {})).EnabledServicePrincipals, []);
});

test('EnableAWSServiceAccess: a service is listed, with the time of the first call, until it is disabled', async () => {
  const { run } = await openOrganization();
  for (const ServicePrincipal of ['sso.amazonaws.com', 'cloudtrail.amazonaws.com'])
    await run('EnableAWSServiceAccess', { ServicePrincipal });
  await run('EnableAWSServiceAccess', { ServicePrincipal: 'sso.amazonaws.com' }, { now: instant(START + 1000) });
  assert.deepEqual((await run('ListAWSServiceAccessForOrganization', {})).EnabledServicePrincipals, [
    { ServicePrincipal: 'cloudtrail.amazonaws.com', DateEnabled: START },
    { ServicePrincipal: 'sso.amazonaws.com', DateEnabled: START },
  ]);
  for (const ServicePrincipal of ['sso.amazonaws.com', 'iam.amazonaws.com']) await run('DisableAWSServiceAccess', { ServicePrincipal });
  assert.deepEqual((await run('ListAWSServiceAccessForOrganization', {})).EnabledServicePrincipals, [
    { ServicePrincipal: 'cloudtrail.amazonaws.com', DateEnabled: START },
  ]);
});
