/**
 * Successful calls of the Organizations operations.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import { CALLER } from '../../src/services/chime/fixture.ts';
import type { Access } from '../../src/services/kit/operation.ts';
import { organizationsOperations } from '../../src/services/organizations/operations.ts';
import { ALLOW_ALL, MANAGEMENT, organizationRig, organizationsRig, START, STRANGER } from './rig.ts';

const SCP = 'SERVICE_CONTROL_POLICY';
const FULL = 'p-FullAWSAccess';

test('CreateOrganization: the caller becomes the management account, and IDs match the model', async () => {
  const { run } = await organizationsRig();
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

test('DeleteOrganization: it deletes everything, and the account may create another organization', async () => {
  const rig = await organizationRig();
  await rig.policy('a');
  const { Handshake } = await rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  await rig.makeStandalone(rig.memberId);
  await rig.run('RemoveAccountFromOrganization', { AccountId: rig.memberId });
  await rig.run('DeleteOrganization', {});
  await assert.rejects(rig.run('DescribeOrganization', {}), { code: 'AWSOrganizationsNotInUseException' });
  const described = await rig.run('DescribeHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId: STRANGER });
  assert.equal(described.Handshake?.State, 'CANCELED');
  await rig.run('CreateOrganization', {});
  assert.deepEqual(
    (await rig.run('ListPolicies', { Filter: SCP })).Policies?.map(({ Id }) => Id),
    [FULL],
  );
  assert.deepEqual(
    (await rig.run('ListAccounts', {})).Accounts?.map(({ Id }) => Id),
    [MANAGEMENT],
  );
  assert.deepEqual((await rig.run('ListCreateAccountStatus', {})).CreateAccountStatuses, []);
});

test('CreateAccount: the account is under the root, with a role that trusts the management account', async () => {
  const rig = await organizationRig();
  const { CreateAccountStatus: created } = await rig.run('CreateAccount', {
    AccountName: 'second',
    Email: 'Second@Example.com',
    RoleName: 'Entry',
    Tags: [{ Key: 'team', Value: 'red' }],
  });
  const accountId = (created?.AccountId ?? '') as typeof rig.memberId;
  assert.match(created?.Id ?? '', /^car-[a-z0-9]{32}$/);
  assert.deepEqual(
    (await rig.run('DescribeCreateAccountStatus', { CreateAccountRequestId: created?.Id ?? '' })).CreateAccountStatus,
    created,
  );
  assert.deepEqual(await rig.run('DescribeAccount', { AccountId: accountId }), {
    Account: {
      Id: accountId,
      Arn: `arn:aws:organizations::${MANAGEMENT}:account/${rig.organizationId}/${accountId}`,
      Email: 'Second@Example.com',
      Name: 'second',
      Status: 'ACTIVE',
      State: 'ACTIVE',
      Paths: [`${rig.organizationId}/${rig.rootId}/${accountId}/`],
      JoinedMethod: 'CREATED',
      JoinedTimestamp: START,
    },
  });
  assert.deepEqual((await rig.run('ListTagsForResource', { ResourceId: accountId })).Tags, [{ Key: 'team', Value: 'red' }]);
  const role = await rig.store.transaction((tx) => tx.identity.get(accountId, 'role', 'entry'));
  assert.deepEqual(role?.attachedPolicyArns, ['arn:aws:iam::aws:policy/AdministratorAccess']);
  assert.deepEqual(JSON.parse(role?.trustPolicy ?? '').Statement, [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MANAGEMENT}:root` }, Action: 'sts:AssumeRole' },
  ]);
});

test('CreateAccount: a used email address, in any case, is FAILED and creates no account', async () => {
  const rig = await organizationRig();
  const { CreateAccountStatus } = await rig.run('CreateAccount', { AccountName: 'again', Email: 'MEMBER@example.com' });
  assert.equal(CreateAccountStatus?.State, 'FAILED');
  assert.equal(CreateAccountStatus?.FailureReason, 'EMAIL_ALREADY_EXISTS');
  assert.equal(CreateAccountStatus?.AccountId, undefined);
  assert.equal((await rig.run('ListAccounts', {})).Accounts?.length, 2);
  const failed = await rig.run('ListCreateAccountStatus', { States: ['FAILED'] });
  assert.deepEqual(failed.CreateAccountStatuses, [CreateAccountStatus]);
});

test('EnablePolicyType: FullAWSAccess is attached to all existing and later targets', async () => {
  const rig = await organizationRig();
  const { OrganizationalUnit: later } = await rig.run('CreateOrganizationalUnit', { ParentId: rig.rootId, Name: 'later' });
  const { Targets } = await rig.run('ListTargetsForPolicy', { PolicyId: FULL });
  assert.deepEqual(
    new Set(Targets?.map(({ TargetId, Type, Name }) => `${Type} ${TargetId} ${Name}`)),
    new Set([
      `ROOT ${rig.rootId} Root`,
      `ORGANIZATIONAL_UNIT ${rig.unitId} unit`,
      `ORGANIZATIONAL_UNIT ${later?.Id} later`,
      `ACCOUNT ${MANAGEMENT} management`,
      `ACCOUNT ${rig.memberId} member`,
    ]),
  );
  const { Roots } = await rig.run('ListRoots', {});
  assert.deepEqual(Roots?.[0]?.PolicyTypes, [{ Type: SCP, Status: 'ENABLED' }]);
});

test('DisablePolicyType: it detaches all policies, and enabling attaches FullAWSAccess to all targets', async () => {
  const rig = await organizationRig();
  const policyId = await rig.policy('a');
  const targets = [rig.rootId, rig.unitId, rig.memberId, MANAGEMENT];
  for (const TargetId of targets) await rig.run('AttachPolicy', { PolicyId: policyId, TargetId });
  const attached = async () => {
    const lists = [];
    for (const TargetId of targets) {
      const { Policies } = await rig.run('ListPoliciesForTarget', { TargetId, Filter: SCP });
      lists.push(Policies?.map(({ Id }) => Id));
    }
    return lists;
  };
  await rig.run('DisablePolicyType', { RootId: rig.rootId, PolicyType: SCP });
  assert.deepEqual(await attached(), [[], [], [], []]);
  await rig.run('EnablePolicyType', { RootId: rig.rootId, PolicyType: SCP });
  assert.deepEqual(await attached(), [[FULL], [FULL], [FULL], [FULL]]);
});

test('Units: they have paths, parents and children, and names are unique only in a parent', async () => {
  const rig = await organizationRig();
  const unitIds = [rig.unitId];
  for (let depth = 2; depth <= 5; depth++) {
    const { OrganizationalUnit } = await rig.run('CreateOrganizationalUnit', { ParentId: unitIds.at(-1) ?? '', Name: 'unit' });
    unitIds.push(OrganizationalUnit?.Id ?? '');
  }
  for (const unitId of unitIds) assert.match(unitId, new RegExp(`^ou-${rig.rootId.slice(2)}-[0-9a-z]{8}$`));
  const deepest = unitIds.at(-1) ?? '';
  assert.deepEqual((await rig.run('DescribeOrganizationalUnit', { OrganizationalUnitId: deepest })).OrganizationalUnit, {
    Id: deepest,
    Arn: `arn:aws:organizations::${MANAGEMENT}:ou/${rig.organizationId}/${deepest}`,
    Name: 'unit',
    Path: `${rig.organizationId}/${rig.rootId}/${unitIds.join('/')}/`,
  });
  await rig.run('MoveAccount', { AccountId: rig.memberId, SourceParentId: rig.rootId, DestinationParentId: deepest });
  assert.deepEqual((await rig.run('ListParents', { ChildId: rig.memberId })).Parents, [{ Id: deepest, Type: 'ORGANIZATIONAL_UNIT' }]);
  assert.deepEqual((await rig.run('ListParents', { ChildId: rig.unitId })).Parents, [{ Id: rig.rootId, Type: 'ROOT' }]);
  assert.deepEqual((await rig.run('ListChildren', { ParentId: deepest, ChildType: 'ACCOUNT' })).Children, [
    { Id: rig.memberId, Type: 'ACCOUNT' },
  ]);
  assert.deepEqual((await rig.run('ListChildren', { ParentId: rig.unitId, ChildType: 'ORGANIZATIONAL_UNIT' })).Children, [
    { Id: unitIds[1], Type: 'ORGANIZATIONAL_UNIT' },
  ]);
  assert.deepEqual(
    (await rig.run('ListAccountsForParent', { ParentId: deepest })).Accounts?.map(({ Id }) => Id),
    [rig.memberId],
  );
  const { OrganizationalUnit } = await rig.run('UpdateOrganizationalUnit', { OrganizationalUnitId: deepest, Name: 'deepest' });
  assert.equal(OrganizationalUnit?.Name, 'deepest');
  await rig.run('MoveAccount', { AccountId: rig.memberId, SourceParentId: deepest, DestinationParentId: rig.rootId });
  await rig.run('DeleteOrganizationalUnit', { OrganizationalUnitId: deepest });
  assert.deepEqual((await rig.run('ListOrganizationalUnitsForParent', { ParentId: unitIds[3] ?? '' })).OrganizationalUnits, []);
});

test('Policies: they can be created, changed, attached, listed, detached and deleted', async () => {
  const rig = await organizationRig();
  const { Policy } = await rig.run('CreatePolicy', { Name: 'a', Description: 'first', Type: SCP, Content: ALLOW_ALL });
  const summary = Policy?.PolicySummary;
  const PolicyId = summary?.Id ?? '';
  assert.deepEqual(summary, {
    Id: PolicyId,
    Arn: `arn:aws:organizations::${MANAGEMENT}:policy/${rig.organizationId}/service_control_policy/${PolicyId}`,
    Name: 'a',
    Description: 'first',
    Type: SCP,
    AwsManaged: false,
  });
  assert.deepEqual((await rig.run('UpdatePolicy', { PolicyId, Name: 'b' })).Policy, {
    PolicySummary: { ...summary, Name: 'b' },
    Content: ALLOW_ALL,
  });
  await rig.run('AttachPolicy', { PolicyId, TargetId: rig.unitId });
  const attached = await rig.run('ListPoliciesForTarget', { TargetId: rig.unitId, Filter: SCP });
  assert.deepEqual(new Set(attached.Policies?.map(({ Id }) => Id)), new Set([FULL, PolicyId]));
  assert.deepEqual((await rig.run('ListTargetsForPolicy', { PolicyId })).Targets, [
    {
      TargetId: rig.unitId,
      Arn: `arn:aws:organizations::${MANAGEMENT}:ou/${rig.organizationId}/${rig.unitId}`,
      Name: 'unit',
      Type: 'ORGANIZATIONAL_UNIT',
    },
  ]);
  await rig.run('DetachPolicy', { PolicyId, TargetId: rig.unitId });
  await rig.run('DeletePolicy', { PolicyId });
  assert.deepEqual(
    (await rig.run('ListPolicies', { Filter: SCP })).Policies?.map(({ Id }) => Id),
    [FULL],
  );
  assert.deepEqual((await rig.run('ListPolicies', { Filter: 'TAG_POLICY' })).Policies, []);
});

test('ListPolicies: pages neither repeat nor skip a policy, and include FullAWSAccess', async () => {
  const rig = await organizationRig();
  const expected = new Set([FULL]);
  for (let i = 0; i < 44; i++) expected.add(await rig.policy(`p${i}`));
  const found: (string | undefined)[] = [];
  const sizes: number[] = [];
  for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
    const page: OrganizationsApi['ListPolicies']['output'] = await rig.run('ListPolicies', {
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
  const rig = await organizationRig();
  const { Handshake } = await rig.run('InviteAccountToOrganization', {
    Target: { Id: STRANGER, Type: 'ACCOUNT' },
    Notes: 'come',
    Tags: [{ Key: 'team', Value: 'red' }],
  });
  const HandshakeId = Handshake?.Id ?? '';
  assert.match(HandshakeId, /^h-[0-9a-z]{32}$/);
  assert.equal(Handshake?.State, 'OPEN');
  assert.deepEqual((await rig.run('ListHandshakesForAccount', {}, { accountId: STRANGER })).Handshakes, [Handshake]);
  assert.deepEqual((await rig.run('ListHandshakesForOrganization', {})).Handshakes, [Handshake]);
  const accepted = await rig.run('AcceptHandshake', { HandshakeId }, { accountId: STRANGER });
  assert.equal(accepted.Handshake?.State, 'ACCEPTED');
  const { Account } = await rig.run('DescribeAccount', { AccountId: STRANGER });
  assert.equal(Account?.JoinedMethod, 'INVITED');
  assert.deepEqual((await rig.run('ListTagsForResource', { ResourceId: STRANGER })).Tags, [{ Key: 'team', Value: 'red' }]);
  const { Policies } = await rig.run('ListPoliciesForTarget', { TargetId: STRANGER, Filter: SCP });
  assert.deepEqual(
    Policies?.map(({ Id }) => Id),
    [FULL],
  );

  await rig.makeStandalone(rig.memberId);
  await rig.run('RemoveAccountFromOrganization', { AccountId: rig.memberId });
  const again = await rig.run('InviteAccountToOrganization', { Target: { Id: 'member@example.com', Type: 'EMAIL' } });
  assert.deepEqual(again.Handshake?.Parties?.[1], { Id: rig.memberId, Type: 'ACCOUNT' });
});

test('InviteAccountToOrganization: an invitation expires after 15 days and can be repeated', async () => {
  const rig = await organizationRig();
  const invite = (now = START) => rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }, { now });
  const { Handshake } = await invite();
  const now = instant(START + 15 * 24 * 60 * 60_000);
  const describe = (at: typeof now) => rig.run('DescribeHandshake', { HandshakeId: Handshake?.Id ?? '' }, { now: at });
  assert.equal((await describe(instant(now - 1))).Handshake?.State, 'OPEN');
  assert.equal((await describe(now)).Handshake?.State, 'EXPIRED');
  assert.equal((await invite(now)).Handshake?.State, 'OPEN');
});

test('TagResource: it adds tags to every resource type and replaces keys in any case', async () => {
  const rig = await organizationRig();
  for (const ResourceId of [rig.rootId, rig.unitId, rig.memberId, await rig.policy('a')]) {
    await rig.run('TagResource', { ResourceId, Tags: [{ Key: 'team', Value: 'red' }] });
    await rig.run('TagResource', {
      ResourceId,
      Tags: [
        { Key: 'Team', Value: 'blue' },
        { Key: 'cost', Value: '1' },
      ],
    });
    assert.deepEqual((await rig.run('ListTagsForResource', { ResourceId })).Tags, [
      { Key: 'Team', Value: 'blue' },
      { Key: 'cost', Value: '1' },
    ]);
    await rig.run('UntagResource', { ResourceId, TagKeys: ['TEAM', 'absent'] });
    assert.deepEqual((await rig.run('ListTagsForResource', { ResourceId })).Tags, [{ Key: 'cost', Value: '1' }]);
  }
});

test('AttachPolicy: it requires the policy and the target, with the organization in the ARNs, and tags', async () => {
  const rig = await organizationRig();
  const PolicyId = await rig.policy('a');
  await rig.run('TagResource', { ResourceId: rig.unitId, Tags: [{ Key: 'team', Value: 'red' }] });
  const owned = `arn:aws:organizations::${MANAGEMENT}`;
  assert.deepEqual(await rig.requiredAccess('AttachPolicy', { PolicyId, TargetId: rig.unitId }), {
    action: 'organizations:AttachPolicy',
    resources: [
      `${owned}:policy/${rig.organizationId}/service_control_policy/${PolicyId}`,
      `${owned}:ou/${rig.organizationId}/${rig.unitId}`,
    ],
    context: { 'organizations:policytype': SCP },
    tags: [{}, { team: 'red' }],
  });
  const full = await rig.requiredAccess('DescribePolicy', { PolicyId: FULL });
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
  test(`${name}: only with tags it also requires organizations:TagResource`, () => {
    const accessFor = (more: object) => {
      const access = organizationsOperations()[name].access({ ...input, ...more } as never, CALLER) as Access | readonly Access[];
      return (Array.isArray(access) ? access : [access]).map(({ action, context }: Access) => [
        action,
        context?.get('aws:requesttag/team'),
      ]);
    };
    assert.deepEqual(accessFor({}), [[`organizations:${name}`, undefined]]);
    assert.deepEqual(accessFor(TAGS), [
      [`organizations:${name}`, 'red'],
      ['organizations:TagResource', 'red'],
    ]);
  });
}

test('AcceptHandshake: it requires the handshake with the inviting account in its ARN', async () => {
  const rig = await organizationRig();
  const { Handshake } = await rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  const { resources } = await rig.requiredAccess('AcceptHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId: STRANGER });
  assert.deepEqual(resources, [Handshake?.Arn]);
});

test('Retention: new handshakes and account creations delete the expired ones', async () => {
  const rig = await organizationRig();
  const invite = (now = START) => rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }, { now });
  const { Handshake } = await invite();
  await rig.run('CancelHandshake', { HandshakeId: Handshake?.Id ?? '' });
  const day = 24 * 60 * 60_000;
  await invite(instant(START + 44 * day));
  assert.equal((await rig.run('ListHandshakesForOrganization', {})).Handshakes?.length, 2);
  await invite(instant(START + 60 * day));
  assert.equal((await rig.run('ListHandshakesForOrganization', {})).Handshakes?.length, 2);
  assert.equal((await rig.run('ListHandshakesForAccount', {}, { accountId: STRANGER })).Handshakes?.length, 2);

  const create = (days: number) =>
    rig.run('CreateAccount', { AccountName: 'again', Email: 'member@example.com' }, { now: instant(START + days * day) });
  await create(89);
  assert.equal((await rig.run('ListCreateAccountStatus', {})).CreateAccountStatuses?.length, 2);
  await create(90);
  assert.equal((await rig.run('ListCreateAccountStatus', {})).CreateAccountStatuses?.length, 2);
});

// Source: AWS Organizations User Guide, the pages of the services; tedilabs/terraform-aws-organization (the last).
for (const ServicePrincipal of [
  'member.org.stacksets.cloudformation.amazonaws.com',
  'storage-lens.s3.amazonaws.com',
  'notifications.amazon.com',
]) {
  test(`EnableAWSServiceAccess: ${ServicePrincipal} is a service principal`, async () => {
    const { run } = await organizationRig();
    await run('EnableAWSServiceAccess', { ServicePrincipal });
    const { EnabledServicePrincipals } = await run('ListAWSServiceAccessForOrganization', {});
    assert.deepEqual(EnabledServicePrincipals, [{ ServicePrincipal, DateEnabled: START }]);
  });
}

test('DisableAWSServiceAccess: an access that is stored can be disabled, whatever its service', async () => {
  const { run, store } = await organizationRig();
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

test('EnableAWSServiceAccess: services are listed with the time of the first call until disabled', async () => {
  const { run } = await organizationRig();
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
