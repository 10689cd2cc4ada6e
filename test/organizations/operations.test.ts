/**
 * What the operations of Organizations do, where nothing is refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { CALLER } from '../../src/services/chime-fixture.ts';
import type { Access } from '../../src/services/operation.ts';
import { organizationsOperations } from '../../src/services/organizations/operations.ts';
import { ALLOW_ALL, MANAGEMENT, organizationRig, organizationsRig, START, STRANGER } from './rig.ts';

const SCP = 'SERVICE_CONTROL_POLICY';
const FULL = 'p-FullAWSAccess';

test('CreateOrganization: the caller manages it, and ids and ARNs are as the model has them', async () => {
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

test('DeleteOrganization: nothing of it is left, and its account may make another', async () => {
  const rig = await organizationRig();
  await rig.policy('a');
  const { Handshake } = await rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  await rig.makeStandalone(rig.memberId);
  await rig.run('RemoveAccountFromOrganization', { AccountId: rig.memberId });
  await rig.run('DeleteOrganization', {});
  await assert.rejects(rig.run('DescribeOrganization', {}), { code: 'AWSOrganizationsNotInUseException' });
  const seen = await rig.run('DescribeHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId: STRANGER });
  assert.equal(seen.Handshake?.State, 'CANCELED');
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

test('CreateAccount: an account of this server, under the root, entered by a role that trusts the management account', async () => {
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

test('CreateAccount: an address that an account has, in whatever case, fails in its status and makes nothing', async () => {
  const rig = await organizationRig();
  const { CreateAccountStatus } = await rig.run('CreateAccount', { AccountName: 'again', Email: 'MEMBER@example.com' });
  assert.equal(CreateAccountStatus?.State, 'FAILED');
  assert.equal(CreateAccountStatus?.FailureReason, 'EMAIL_ALREADY_EXISTS');
  assert.equal(CreateAccountStatus?.AccountId, undefined);
  assert.equal((await rig.run('ListAccounts', {})).Accounts?.length, 2);
  const failed = await rig.run('ListCreateAccountStatus', { States: ['FAILED'] });
  assert.deepEqual(failed.CreateAccountStatuses, [CreateAccountStatus]);
});

test('EnablePolicyType: FullAWSAccess is on all there is, and on all that comes', async () => {
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

test('DisablePolicyType: nothing is attached to anything any more, and enabling it anew puts FullAWSAccess on all', async () => {
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

test('Units: five deep, with their paths, parents and children; names are unique in a parent only', async () => {
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

test('Policies: made, changed, attached, listed, detached, deleted', async () => {
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

test('Lists come in pages that neither repeat nor skip, FullAWSAccess among the policies', async () => {
  const rig = await organizationRig();
  const made = new Set([FULL]);
  for (let i = 0; i < 44; i++) made.add(await rig.policy(`p${i}`));
  const found: (string | undefined)[] = [];
  const sizes: number[] = [];
  for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
    const page: OrganizationsApi['ListPolicies']['output'] = await rig.run('ListPolicies', {
      Filter: SCP,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    found.push(...(page.Policies ?? []).map(({ Id }) => Id));
    sizes.push(page.Policies?.length ?? 0);
    token = page.NextToken;
  }
  assert.deepEqual(sizes, [20, 20, 5]);
  assert.equal(found.length, made.size);
  assert.deepEqual(new Set(found), made);
});

test('An invited account joins when it accepts, by id or address, and either side sees the handshake', async () => {
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

test('An invitation expires after 15 days, and then another may be sent', async () => {
  const rig = await organizationRig();
  const invite = (now = START) => rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }, { now });
  const { Handshake } = await invite();
  const now = instant(START + 15 * 24 * 60 * 60_000);
  const seen = (at: typeof now) => rig.run('DescribeHandshake', { HandshakeId: Handshake?.Id ?? '' }, { now: at });
  assert.equal((await seen(instant(now - 1))).Handshake?.State, 'OPEN');
  assert.equal((await seen(now)).Handshake?.State, 'EXPIRED');
  assert.equal((await invite(now)).Handshake?.State, 'OPEN');
});

test('Tags of everything are put on, replaced whatever their case, and taken off', async () => {
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

test('AttachPolicy asks for the policy and the target, by ARNs that name the organization, with their tags', async () => {
  const rig = await organizationRig();
  const PolicyId = await rig.policy('a');
  await rig.run('TagResource', { ResourceId: rig.unitId, Tags: [{ Key: 'team', Value: 'red' }] });
  const owned = `arn:aws:organizations::${MANAGEMENT}`;
  assert.deepEqual(await rig.asked('AttachPolicy', { PolicyId, TargetId: rig.unitId }), {
    action: 'organizations:AttachPolicy',
    resources: [
      `${owned}:policy/${rig.organizationId}/service_control_policy/${PolicyId}`,
      `${owned}:ou/${rig.organizationId}/${rig.unitId}`,
    ],
    context: { 'organizations:policytype': SCP },
    tags: [{}, { team: 'red' }],
  });
  const full = await rig.asked('DescribePolicy', { PolicyId: FULL });
  assert.deepEqual(full.resources, ['arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess']);
});

const TAGS = { Tags: [{ Key: 'Team', Value: 'red' }] };
// biome-ignore format: a table
const MADE_WITH_TAGS: readonly (readonly [name: keyof OrganizationsApi, input: object])[] = [
  ['CreateOrganizationalUnit',    { ParentId: 'r-0000', Name: 'a' }],
  ['CreateAccount',               { AccountName: 'a', Email: 'a@example.com' }],
  ['CreatePolicy',                { Name: 'a', Description: '', Type: SCP, Content: '' }],
  ['InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } }],
];

for (const [name, input] of MADE_WITH_TAGS) {
  test(`${name}: with tags asks for organizations:TagResource besides, and without for nothing more`, () => {
    const asked = (more: object) => {
      const access = organizationsOperations()[name].access({ ...input, ...more } as never, CALLER) as Access | readonly Access[];
      return (Array.isArray(access) ? access : [access]).map(({ action, context }: Access) => [
        action,
        context?.get('aws:requesttag/team'),
      ]);
    };
    assert.deepEqual(asked({}), [[`organizations:${name}`, undefined]]);
    assert.deepEqual(asked(TAGS), [
      [`organizations:${name}`, 'red'],
      ['organizations:TagResource', 'red'],
    ]);
  });
}

test('AcceptHandshake asks for the handshake in the name of the account that invites', async () => {
  const rig = await organizationRig();
  const { Handshake } = await rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  const { resources } = await rig.asked('AcceptHandshake', { HandshakeId: Handshake?.Id ?? '' }, { accountId: STRANGER });
  assert.deepEqual(resources, [Handshake?.Arn]);
});

test('Handshakes that ended long ago, and old requests for accounts, are forgotten when others come', async () => {
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

test('Services that have trusted access are listed with the time they have it from, until it is taken', async () => {
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
