import { askControl } from '#server/operator/ask-control.ts';
import { type Keys, keysOf } from '../../kit/keys.ts';
import { allow, policy } from '../../kit/policy.ts';
import type { AnyOutput, Recorder, ServiceCalls } from '../recorder.ts';

const SCP = 'SERVICE_CONTROL_POLICY';
const CONTENT = policy(allow('*'));

/** Records calls on an organization with units, policies and a member account: successes, then errors of each operation. */
export async function organizations(recorder: Recorder): Promise<readonly Keys[]> {
  const calls = recorder.of('organizations');
  const { RootId, Organization } = await newOrganization(calls);
  const unit = await units(calls, RootId);
  const memberId = await accounts(calls, RootId, unit);
  await policies(calls, unit);
  await serviceAccessAndTags(calls, unit);
  const member = await memberCalls(recorder, memberId);
  await removals(recorder, RootId);
  const partner = await invitations(recorder);
  await calls.ok('DisablePolicyType', { RootId, PolicyType: SCP });
  recorder.name(Organization.Id, 'organization');
  return [member, partner];
}

async function newOrganization({ ok, call }: ServiceCalls): Promise<{ readonly RootId: string; readonly Organization: AnyOutput }> {
  await call('DescribeOrganization');
  const { Organization } = await ok('CreateOrganization');
  await call('CreateOrganization');
  await ok('DescribeOrganization');
  const { Roots } = await ok('ListRoots');
  const RootId = Roots[0].Id;
  await ok('EnablePolicyType', { RootId, PolicyType: SCP });
  await call('EnablePolicyType', { RootId, PolicyType: SCP });
  await call('EnablePolicyType', { RootId: 'r-zzzz', PolicyType: SCP });
  await call('DisablePolicyType', { RootId, PolicyType: 'TAG_POLICY' });
  return { RootId, Organization };
}

async function units({ ok, call }: ServiceCalls, RootId: string): Promise<string> {
  const { OrganizationalUnit } = await ok('CreateOrganizationalUnit', {
    ParentId: RootId,
    Name: 'unit',
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const unit = OrganizationalUnit.Id;
  await ok('CreateOrganizationalUnit', { ParentId: RootId, Name: 'other' });
  await call('CreateOrganizationalUnit', { ParentId: RootId, Name: 'unit' });
  await call('CreateOrganizationalUnit', { ParentId: 'ou-aaaa-aaaaaaaa', Name: 'unit' });
  await ok('DescribeOrganizationalUnit', { OrganizationalUnitId: unit });
  await call('DescribeOrganizationalUnit', { OrganizationalUnitId: 'ou-aaaa-aaaaaaaa' });
  await ok('UpdateOrganizationalUnit', { OrganizationalUnitId: unit, Name: 'renamed' });
  await call('UpdateOrganizationalUnit', { OrganizationalUnitId: unit, Name: 'other' });
  await call('UpdateOrganizationalUnit', { OrganizationalUnitId: 'ou-aaaa-aaaaaaaa', Name: 'x' });
  await ok('ListOrganizationalUnitsForParent', { ParentId: RootId });
  await call('ListOrganizationalUnitsForParent', { ParentId: 'ou-aaaa-aaaaaaaa' });
  return unit;
}

/** Creates an account and moves the account into the unit. Returns the account's ID. */
async function accounts({ ok, call }: ServiceCalls, RootId: string, unit: string): Promise<string> {
  const { CreateAccountStatus } = await ok('CreateAccount', {
    AccountName: 'member',
    Email: 'member@example.com',
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const { AccountId } = CreateAccountStatus;
  await call('CreateAccount', { AccountName: 'member', Email: 'member@example.com' });
  await ok('DescribeCreateAccountStatus', { CreateAccountRequestId: CreateAccountStatus.Id });
  await call('DescribeCreateAccountStatus', { CreateAccountRequestId: 'car-00000000' });
  await ok('ListCreateAccountStatus');
  await ok('DescribeAccount', { AccountId });
  await call('DescribeAccount', { AccountId: '999999999999' });
  await ok('ListAccounts');
  await ok('MoveAccount', { AccountId, SourceParentId: RootId, DestinationParentId: unit });
  await call('MoveAccount', { AccountId, SourceParentId: unit, DestinationParentId: unit });
  await call('MoveAccount', { AccountId, SourceParentId: RootId, DestinationParentId: unit });
  await call('MoveAccount', { AccountId: '999999999999', SourceParentId: RootId, DestinationParentId: unit });
  await call('MoveAccount', { AccountId, SourceParentId: unit, DestinationParentId: 'ou-aaaa-aaaaaaaa' });
  await call('MoveAccount', { AccountId, SourceParentId: 'ou-aaaa-aaaaaaaa', DestinationParentId: unit });
  await ok('ListAccountsForParent', { ParentId: unit });
  await ok('ListParents', { ChildId: AccountId });
  await call('ListParents', { ChildId: '999999999999' });
  await ok('ListChildren', { ParentId: unit, ChildType: 'ACCOUNT' });
  await call('ListChildren', { ParentId: 'ou-aaaa-aaaaaaaa', ChildType: 'ACCOUNT' });
  await call('DeleteOrganizationalUnit', { OrganizationalUnitId: unit });
  return AccountId;
}

async function policies({ ok, call }: ServiceCalls, unit: string): Promise<void> {
  const { Policy } = await ok('CreatePolicy', {
    Name: 'ceiling',
    Description: 'd',
    Type: SCP,
    Content: CONTENT,
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const PolicyId = Policy.PolicySummary.Id;
  await call('CreatePolicy', { Name: 'ceiling', Description: 'd', Type: SCP, Content: CONTENT });
  await call('CreatePolicy', { Name: 'bad', Description: 'd', Type: SCP, Content: '{"Version":"2012-10-17"}' });
  await call('CreatePolicy', { Name: 'tags', Description: 'd', Type: 'TAG_POLICY', Content: '{}' });
  await ok('DescribePolicy', { PolicyId });
  await call('DescribePolicy', { PolicyId: 'p-aaaaaaaaaa' });
  await ok('UpdatePolicy', { PolicyId, Name: 'ceiling 2' });
  await call('UpdatePolicy', { PolicyId: 'p-FullAWSAccess', Content: CONTENT });
  await call('UpdatePolicy', { PolicyId, Content: 'x' });
  await ok('ListPolicies', { Filter: SCP });
  await call('ListPolicies', { Filter: SCP, NextToken: 'forged' });
  await ok('AttachPolicy', { PolicyId, TargetId: unit });
  await call('AttachPolicy', { PolicyId, TargetId: unit });
  await call('AttachPolicy', { PolicyId: 'p-aaaaaaaaaa', TargetId: unit });
  await call('AttachPolicy', { PolicyId, TargetId: 'ou-aaaa-aaaaaaaa' });
  await ok('ListPoliciesForTarget', { TargetId: unit, Filter: SCP });
  await call('ListPoliciesForTarget', { TargetId: 'ou-aaaa-aaaaaaaa', Filter: SCP });
  await ok('ListTargetsForPolicy', { PolicyId });
  await call('ListTargetsForPolicy', { PolicyId: 'p-aaaaaaaaaa' });
  await call('DeletePolicy', { PolicyId });
  await ok('DetachPolicy', { PolicyId, TargetId: unit });
  await call('DetachPolicy', { PolicyId, TargetId: unit });
  await call('DetachPolicy', { PolicyId: 'p-FullAWSAccess', TargetId: unit });
  await ok('DeletePolicy', { PolicyId });
  await call('DeletePolicy', { PolicyId: 'p-FullAWSAccess' });
  await call('DescribeEffectivePolicy', { PolicyType: 'TAG_POLICY' });
}

async function serviceAccessAndTags({ ok, call }: ServiceCalls, unit: string): Promise<void> {
  await ok('EnableAWSServiceAccess', { ServicePrincipal: 'cloudtrail.amazonaws.com' });
  await call('EnableAWSServiceAccess', { ServicePrincipal: 'chime.example.com' });
  await ok('ListAWSServiceAccessForOrganization');
  await ok('DisableAWSServiceAccess', { ServicePrincipal: 'cloudtrail.amazonaws.com' });
  await ok('ListDelegatedAdministrators');
  await ok('TagResource', { ResourceId: unit, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListTagsForResource', { ResourceId: unit });
  await ok('UntagResource', { ResourceId: unit, TagKeys: ['phase'] });
  for (const operation of ['TagResource', 'ListTagsForResource', 'UntagResource'])
    await call(operation, { ResourceId: 'ou-aaaa-aaaaaaaa', Tags: [], TagKeys: [] });
}

/** Calls operations as the member account. Returns the keys of the member account. */
async function memberCalls(recorder: Recorder, AccountId: string): Promise<Keys> {
  const { Credentials } = await recorder.ok('sts', 'AssumeRole', {
    RoleArn: `arn:aws:iam::${AccountId}:role/OrganizationAccountAccessRole`,
    RoleSessionName: 'member',
  });
  const member = keysOf(Credentials);
  for (const operation of ['ListRoots', 'CreateOrganization', 'DescribeOrganization', 'LeaveOrganization', 'ListHandshakesForAccount'])
    await recorder.call('organizations', operation, {}, member);
  return member;
}

async function removals(recorder: Recorder, RootId: string): Promise<void> {
  const { ok, call } = recorder.of('organizations');
  const { CreateAccountStatus: another } = await ok('CreateAccount', { AccountName: 'second', Email: 'second@example.com' });
  await call('InviteAccountToOrganization', { Target: { Id: another.AccountId, Type: 'ACCOUNT' } });
  await call('InviteAccountToOrganization', { Target: { Id: '999999999999', Type: 'ACCOUNT' } });
  await ok('ListHandshakesForOrganization');
  for (const operation of ['AcceptHandshake', 'DeclineHandshake', 'CancelHandshake', 'DescribeHandshake'])
    await call(operation, { HandshakeId: 'h-aaaaaaaaaa' });
  await call('RemoveAccountFromOrganization', { AccountId: recorder.accountId });
  await call('RemoveAccountFromOrganization', { AccountId: '999999999999' });
  await ok('CloseAccount', { AccountId: another.AccountId });
  await call('CloseAccount', { AccountId: another.AccountId });
  await call('CloseAccount', { AccountId: recorder.accountId });
  await call('RemoveAccountFromOrganization', { AccountId: another.AccountId });
  await call('DeleteOrganization');
  const { OrganizationalUnit: empty } = await ok('CreateOrganizationalUnit', { ParentId: RootId, Name: 'empty' });
  await ok('DeleteOrganizationalUnit', { OrganizationalUnitId: empty.Id });
}

/** Invites an account that the operator created outside of the organization. Returns the keys of the account. */
async function invitations(recorder: Recorder): Promise<Keys> {
  const { ok, call } = recorder.of('organizations');
  const reply = await askControl(recorder.server.dataFolder, { command: 'account create', name: 'partner' });
  if (!reply.ok || reply.administrator === undefined) throw new Error('the partner account was not created');
  const partner = reply.administrator;
  const invite = async () => (await ok('InviteAccountToOrganization', { Target: { Id: partner.accountId, Type: 'ACCOUNT' } })).Handshake.Id;
  const HandshakeId = await invite();
  await call('InviteAccountToOrganization', { Target: { Id: partner.accountId, Type: 'ACCOUNT' } });
  await ok('DescribeHandshake', { HandshakeId }, partner);
  await ok('ListHandshakesForAccount', {}, partner);
  await ok('DeclineHandshake', { HandshakeId }, partner);
  await call('DeclineHandshake', { HandshakeId }, partner);
  await call('AcceptHandshake', { HandshakeId }, partner);
  const cancelled = await invite();
  await ok('CancelHandshake', { HandshakeId: cancelled });
  await call('AcceptHandshake', { HandshakeId: cancelled }, partner);
  await ok('AcceptHandshake', { HandshakeId: await invite() }, partner);
  await ok('LeaveOrganization', {}, partner);
  await ok('AcceptHandshake', { HandshakeId: await invite() }, partner);
  await ok('RemoveAccountFromOrganization', { AccountId: partner.accountId });
  await ok('CreateOrganization', {}, partner);
  await call('AcceptHandshake', { HandshakeId: cancelled }, partner);
  await ok('DeleteOrganization', {}, partner);
  return partner;
}
