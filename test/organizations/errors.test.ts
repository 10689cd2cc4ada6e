/**
 * Errors of the Organizations operations, in the order of the checks of each operation. A failed call changes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { ALLOW_ALL } from '../kit/policy.ts';
import { type As, MANAGEMENT, type Organization, openOrganization, openOrganizations, START, STRANGER } from './fixture.ts';

const SCP = 'SERVICE_CONTROL_POLICY';
const FULL = 'p-FullAWSAccess';
const NO_UNIT = 'ou-aaaa-aaaaaaaa';
const NO_POLICY = 'p-aaaaaaaaaa';
const NO_ACCOUNT = '999999999999';

type Name = keyof OrganizationsApi;

/** Operations that only the management account may call, each with a valid input. */
const MANAGED: readonly (readonly [name: Name, input: (org: Organization) => object])[] = [
  ['DeleteOrganization', () => ({})],
  ['ListRoots', () => ({})],
  ['EnablePolicyType', (org) => ({ RootId: org.rootId, PolicyType: SCP })],
  ['DisablePolicyType', (org) => ({ RootId: org.rootId, PolicyType: SCP })],
  ['CreateOrganizationalUnit', (org) => ({ ParentId: org.rootId, Name: 'new' })],
  ['UpdateOrganizationalUnit', (org) => ({ OrganizationalUnitId: org.unitId, Name: 'new' })],
  ['DeleteOrganizationalUnit', (org) => ({ OrganizationalUnitId: org.unitId })],
  ['DescribeOrganizationalUnit', (org) => ({ OrganizationalUnitId: org.unitId })],
  ['ListOrganizationalUnitsForParent', (org) => ({ ParentId: org.rootId })],
  ['ListParents', (org) => ({ ChildId: org.unitId })],
  ['ListChildren', (org) => ({ ParentId: org.rootId, ChildType: 'ACCOUNT' })],
  ['ListAccounts', () => ({})],
  ['ListAccountsForParent', (org) => ({ ParentId: org.rootId })],
  ['DescribeAccount', (org) => ({ AccountId: org.memberId })],
  ['CreateAccount', () => ({ AccountName: 'new', Email: 'new@example.com' })],
  ['DescribeCreateAccountStatus', () => ({ CreateAccountRequestId: 'car-00000000' })],
  ['ListCreateAccountStatus', () => ({})],
  ['MoveAccount', (org) => ({ AccountId: org.memberId, SourceParentId: org.rootId, DestinationParentId: org.unitId })],
  ['RemoveAccountFromOrganization', (org) => ({ AccountId: org.memberId })],
  ['CloseAccount', (org) => ({ AccountId: org.memberId })],
  ['InviteAccountToOrganization', () => ({ Target: { Id: STRANGER, Type: 'ACCOUNT' } })],
  ['ListHandshakesForOrganization', () => ({})],
  ['CreatePolicy', () => ({ Name: 'new', Description: '', Type: SCP, Content: ALLOW_ALL })],
  ['UpdatePolicy', () => ({ PolicyId: NO_POLICY, Name: 'new' })],
  ['DeletePolicy', () => ({ PolicyId: NO_POLICY })],
  ['DescribePolicy', () => ({ PolicyId: FULL })],
  ['ListPolicies', () => ({ Filter: SCP })],
  ['AttachPolicy', (org) => ({ PolicyId: FULL, TargetId: org.memberId })],
  ['DetachPolicy', (org) => ({ PolicyId: FULL, TargetId: org.memberId })],
  ['ListPoliciesForTarget', (org) => ({ TargetId: org.memberId, Filter: SCP })],
  ['ListTargetsForPolicy', () => ({ PolicyId: FULL })],
  ['DescribeEffectivePolicy', (org) => ({ TargetId: org.unitId, PolicyType: 'TAG_POLICY' })],
  ['EnableAWSServiceAccess', () => ({ ServicePrincipal: 'ram.amazonaws.com' })],
  ['DisableAWSServiceAccess', () => ({ ServicePrincipal: 'ram.amazonaws.com' })],
  ['ListAWSServiceAccessForOrganization', () => ({})],
  ['ListDelegatedAdministrators', () => ({})],
  ['TagResource', (org) => ({ ResourceId: org.memberId, Tags: [{ Key: 'a', Value: 'b' }] })],
  ['UntagResource', (org) => ({ ResourceId: org.memberId, TagKeys: ['a'] })],
  ['ListTagsForResource', (org) => ({ ResourceId: org.memberId })],
];

for (const [name, input] of MANAGED) {
  test(`${name}: an account without an organization gets NotInUse, and a member gets AccessDenied`, async () => {
    const org = await openOrganization();
    const before = await org.identityState();
    await assert.rejects(org.run(name, input(org) as never, { accountId: STRANGER }), { code: 'AWSOrganizationsNotInUseException' });
    await assert.rejects(org.run(name, input(org) as never, { accountId: org.memberId }), { code: 'AccessDeniedException' });
    assert.equal(await org.identityState(), before);
  });
}

const LATER: As = { now: instant(START + 15 * 24 * 60 * 60_000) };
const tooLong = (Sid: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid, Effect: 'Allow', Action: '*', Resource: '*' }] });
const sized = (characters: number) => tooLong('a'.repeat(characters - tooLong('').length));

interface ErrorCase {
  readonly title: string;
  readonly name: Name;
  readonly code: string;
  readonly reason?: string;
  /** Message that a public report quotes. If absent, the test does not check the message. */
  readonly message?: string;
  readonly as?: (org: Organization) => As;
  /** Creates the preconditions and returns the request. */
  readonly input: (org: Organization) => object | Promise<object>;
}

async function withTenAttachments(org: Organization): Promise<string> {
  for (let i = 0; i < 9; i++) await org.run('AttachPolicy', { PolicyId: await org.policy(`p${i}`), TargetId: org.memberId });
  return org.policy('eleventh');
}

async function deepest(org: Organization): Promise<string> {
  let ParentId = org.unitId;
  for (let depth = 2; depth <= 5; depth++) {
    const { OrganizationalUnit } = await org.run('CreateOrganizationalUnit', { ParentId, Name: `level ${depth}` });
    ParentId = OrganizationalUnit?.Id ?? '';
  }
  return ParentId;
}

async function invite(org: Organization): Promise<string> {
  const { Handshake } = await org.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  return Handshake?.Id ?? '';
}

const closed = async (org: Organization) => {
  await org.run('CloseAccount', { AccountId: org.memberId });
  return { AccountId: org.memberId };
};
const asStranger = () => ({ accountId: STRANGER });
const asMember = (org: Organization) => ({ accountId: org.memberId });
const after = (days: number) => () => ({ now: instant(START + days * 24 * 60 * 60_000) });
const MISSING_PREREQUISITES =
  'The member account is missing one or more of the prerequisites required to operate as a standalone account. To add what is missing, ' +
  'sign-in to the member account using the AWS Organizations console, then select to leave the organization. You will then be prompted ' +
  'to enter any missing information.';

// biome-ignore format: a table
const ERRORS: readonly ErrorCase[] = [
  { name: 'CreateOrganization', title: 'a second time', code: 'AlreadyInOrganizationException', input: () => ({}) },
  { name: 'CreateOrganization', title: 'by a member', code: 'AlreadyInOrganizationException', as: (org) => ({ accountId: org.memberId }), input: () => ({}) },
  { name: 'DeleteOrganization', title: 'with a member', code: 'OrganizationNotEmptyException', input: () => ({}) },
  { name: 'EnablePolicyType', title: 'in another root', code: 'RootNotFoundException', input: () => ({ RootId: 'r-zzzz', PolicyType: SCP }) },
  { name: 'EnablePolicyType', title: 'a type that is not built', code: 'NotYetImplementedException', input: (org) => ({ RootId: org.rootId, PolicyType: 'TAG_POLICY' }) },
  { name: 'EnablePolicyType', title: 'a second time', code: 'PolicyTypeAlreadyEnabledException', input: (org) => ({ RootId: org.rootId, PolicyType: SCP }) },
  { name: 'DisablePolicyType', title: 'a type that is not enabled', code: 'PolicyTypeNotEnabledException', input: (org) => ({ RootId: org.rootId, PolicyType: 'TAG_POLICY' }) },

  { name: 'CreateOrganizationalUnit', title: 'in an unknown parent', code: 'ParentNotFoundException', input: () => ({ ParentId: NO_UNIT, Name: 'a' }) },
  { name: 'CreateOrganizationalUnit', title: 'at depth six', code: 'ConstraintViolationException', reason: 'OU_DEPTH_LIMIT_EXCEEDED', message: 'You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.', input: async (org) => ({ ParentId: await deepest(org), Name: 'a' }) },
  { name: 'CreateOrganizationalUnit', title: 'with a used name', code: 'DuplicateOrganizationalUnitException', input: (org) => ({ ParentId: org.rootId, Name: 'unit' }) },
  { name: 'UpdateOrganizationalUnit', title: 'an unknown unit', code: 'OrganizationalUnitNotFoundException', input: () => ({ OrganizationalUnitId: NO_UNIT, Name: 'a' }) },
  { name: 'UpdateOrganizationalUnit', title: 'to a used name', code: 'DuplicateOrganizationalUnitException', input: async (org) => {
    await org.run('CreateOrganizationalUnit', { ParentId: org.rootId, Name: 'other' });
    return { OrganizationalUnitId: org.unitId, Name: 'other' };
  } },
  { name: 'DeleteOrganizationalUnit', title: 'with a unit in it', code: 'OrganizationalUnitNotEmptyException', input: async (org) => {
    await deepest(org);
    return { OrganizationalUnitId: org.unitId };
  } },
  { name: 'DeleteOrganizationalUnit', title: 'with an account in it', code: 'OrganizationalUnitNotEmptyException', input: async (org) => {
    await org.run('MoveAccount', { AccountId: org.memberId, SourceParentId: org.rootId, DestinationParentId: org.unitId });
    return { OrganizationalUnitId: org.unitId };
  } },
  { name: 'ListChildren', title: 'of an unknown parent', code: 'ParentNotFoundException', input: () => ({ ParentId: NO_UNIT, ChildType: 'ACCOUNT' }) },
  { name: 'ListParents', title: 'of an unknown child', code: 'ChildNotFoundException', input: () => ({ ChildId: NO_ACCOUNT }) },

  { name: 'DescribeAccount', title: 'outside the organization', code: 'AccountNotFoundException', input: () => ({ AccountId: STRANGER }) },
  { name: 'DescribeCreateAccountStatus', title: 'of an unknown request', code: 'CreateAccountStatusNotFoundException', input: () => ({ CreateAccountRequestId: 'car-00000000' }) },
  { name: 'MoveAccount', title: 'an unknown account', code: 'AccountNotFoundException', input: (org) => ({ AccountId: STRANGER, SourceParentId: org.rootId, DestinationParentId: org.unitId }) },
  { name: 'MoveAccount', title: 'from an unknown parent', code: 'SourceParentNotFoundException', input: (org) => ({ AccountId: org.memberId, SourceParentId: NO_UNIT, DestinationParentId: org.unitId }) },
  { name: 'MoveAccount', title: 'into an unknown parent', code: 'DestinationParentNotFoundException', input: (org) => ({ AccountId: org.memberId, SourceParentId: org.rootId, DestinationParentId: NO_UNIT }) },
  { name: 'MoveAccount', title: 'to its current parent', code: 'DuplicateAccountException', input: (org) => ({ AccountId: org.memberId, SourceParentId: org.unitId, DestinationParentId: org.rootId }) },
  { name: 'MoveAccount', title: 'from another parent', code: 'AccountNotFoundException', input: async (org) => {
    const { OrganizationalUnit } = await org.run('CreateOrganizationalUnit', { ParentId: org.rootId, Name: 'other' });
    return { AccountId: org.memberId, SourceParentId: OrganizationalUnit?.Id, DestinationParentId: org.unitId };
  } },
  { name: 'RemoveAccountFromOrganization', title: 'the management account', code: 'MasterCannotLeaveOrganizationException', input: () => ({ AccountId: MANAGEMENT }) },
  { name: 'RemoveAccountFromOrganization', title: 'a closed account', code: 'ConstraintViolationException', reason: 'ACCOUNT_CANNOT_LEAVE_ORGANIZATION', input: closed },
  { name: 'RemoveAccountFromOrganization', title: 'an account created three days ago', code: 'ConstraintViolationException', reason: 'WAIT_PERIOD_ACTIVE', as: after(3), input: (org) => ({ AccountId: org.memberId }) },
  { name: 'RemoveAccountFromOrganization', title: 'an account created four days ago', code: 'ConstraintViolationException', reason: 'MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED', message: MISSING_PREREQUISITES, as: after(4), input: (org) => ({ AccountId: org.memberId }) },
  { name: 'LeaveOrganization', title: 'by an account created now', code: 'ConstraintViolationException', reason: 'WAIT_PERIOD_ACTIVE', as: asMember, input: () => ({}) },
  { name: 'LeaveOrganization', title: 'by the management account', code: 'MasterCannotLeaveOrganizationException', input: () => ({}) },
  { name: 'LeaveOrganization', title: 'by an account without an organization', code: 'AWSOrganizationsNotInUseException', as: asStranger, input: () => ({}) },
  { name: 'CloseAccount', title: 'the management account', code: 'ConstraintViolationException', reason: 'CANNOT_CLOSE_MANAGEMENT_ACCOUNT', input: () => ({ AccountId: MANAGEMENT }) },
  { name: 'CloseAccount', title: 'a second time', code: 'AccountAlreadyClosedException', input: closed },

  { name: 'InviteAccountToOrganization', title: 'an organization', code: 'InvalidInputException', reason: 'INVALID_PARTY_TYPE_TARGET', input: () => ({ Target: { Id: 'o-1234567890', Type: 'ORGANIZATION' } }) },
  { name: 'InviteAccountToOrganization', title: 'an account of another server', code: 'InvalidInputException', reason: 'TARGET_NOT_SUPPORTED', input: () => ({ Target: { Id: NO_ACCOUNT, Type: 'ACCOUNT' } }) },
  { name: 'InviteAccountToOrganization', title: 'a member', code: 'HandshakeConstraintViolationException', reason: 'ALREADY_IN_AN_ORGANIZATION', input: () => ({ Target: { Id: 'member@example.com', Type: 'EMAIL' } }) },
  { name: 'InviteAccountToOrganization', title: 'a second time', code: 'DuplicateHandshakeException', input: async (org) => {
    await invite(org);
    return { Target: { Id: STRANGER, Type: 'ACCOUNT' } };
  } },
  { name: 'AcceptHandshake', title: 'of another account', code: 'HandshakeNotFoundException', as: (org) => ({ accountId: org.memberId }), input: async (org) => ({ HandshakeId: await invite(org) }) },
  { name: 'AcceptHandshake', title: 'by the inviting account', code: 'HandshakeNotFoundException', input: async (org) => ({ HandshakeId: await invite(org) }) },
  { name: 'AcceptHandshake', title: 'after its expiration', code: 'InvalidHandshakeTransitionException', as: () => ({ accountId: STRANGER, ...LATER }), input: async (org) => ({ HandshakeId: await invite(org) }) },
  { name: 'AcceptHandshake', title: 'after its cancellation', code: 'InvalidHandshakeTransitionException', as: asStranger, input: async (org) => {
    const HandshakeId = await invite(org);
    await org.run('CancelHandshake', { HandshakeId });
    return { HandshakeId };
  } },
  { name: 'AcceptHandshake', title: 'by an account that has joined an organization', code: 'HandshakeConstraintViolationException', reason: 'ALREADY_IN_AN_ORGANIZATION', as: asStranger, input: async (org) => {
    const HandshakeId = await invite(org);
    await org.run('CreateOrganization', {}, asStranger());
    return { HandshakeId };
  } },
  { name: 'DeclineHandshake', title: 'a second time', code: 'HandshakeAlreadyInStateException', as: asStranger, input: async (org) => {
    const HandshakeId = await invite(org);
    await org.run('DeclineHandshake', { HandshakeId }, asStranger());
    return { HandshakeId };
  } },
  { name: 'CancelHandshake', title: 'by the invited account', code: 'HandshakeNotFoundException', as: asStranger, input: async (org) => ({ HandshakeId: await invite(org) }) },
  { name: 'DescribeHandshake', title: 'of other accounts', code: 'HandshakeNotFoundException', as: (org) => ({ accountId: org.memberId }), input: async (org) => ({ HandshakeId: await invite(org) }) },

  { name: 'CreatePolicy', title: 'of a type that is not built', code: 'NotYetImplementedException', input: () => ({ Name: 'a', Description: '', Type: 'TAG_POLICY', Content: '{}' }) },
  { name: 'CreatePolicy', title: 'of 10,241 characters', code: 'ConstraintViolationException', reason: 'POLICY_CONTENT_LIMIT_EXCEEDED', message: 'You have exceeded the maximum policy size.', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: sized(10_241) }) },
  { name: 'CreatePolicy', title: 'with an invalid document', code: 'MalformedPolicyDocumentException', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: '{"Version":"2012-10-17"}' }) },
  { name: 'CreatePolicy', title: 'with a Principal', code: 'MalformedPolicyDocumentException', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}' }) },
  { name: 'CreatePolicy', title: 'with a used name', code: 'DuplicatePolicyException', message: 'A policy with the specified name and type already exists.', input: async (org) => {
    await org.policy('a');
    return { Name: 'a', Description: '', Type: SCP, Content: ALLOW_ALL };
  } },
  { name: 'CreatePolicy', title: 'with a repeated tag key', code: 'InvalidInputException', reason: 'DUPLICATE_TAG_KEY', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: ALLOW_ALL, Tags: [{ Key: 'k', Value: '1' }, { Key: 'K', Value: '2' }] }) },
  { name: 'UpdatePolicy', title: 'FullAWSAccess', code: 'InvalidInputException', reason: 'IMMUTABLE_POLICY', input: () => ({ PolicyId: FULL, Content: ALLOW_ALL }) },
  { name: 'UpdatePolicy', title: 'to an invalid document', code: 'MalformedPolicyDocumentException', input: async (org) => ({ PolicyId: await org.policy('a'), Content: 'x' }) },
  { name: 'UpdatePolicy', title: 'to a used name', code: 'DuplicatePolicyException', input: async (org) => ({ PolicyId: await org.policy('a'), Name: 'FullAWSAccess' }) },
  { name: 'DeletePolicy', title: 'FullAWSAccess', code: 'InvalidInputException', reason: 'IMMUTABLE_POLICY', input: () => ({ PolicyId: FULL }) },
  { name: 'DeletePolicy', title: 'that is attached', code: 'PolicyInUseException', input: async (org) => {
    const PolicyId = await org.policy('a');
    await org.run('AttachPolicy', { PolicyId, TargetId: org.unitId });
    return { PolicyId };
  } },
  { name: 'DescribePolicy', title: 'an unknown policy', code: 'PolicyNotFoundException', input: () => ({ PolicyId: NO_POLICY }) },
  { name: 'ListPolicies', title: 'with an invalid token', code: 'InvalidInputException', reason: 'INVALID_NEXT_TOKEN', input: () => ({ Filter: SCP, NextToken: 'x' }) },

  { name: 'AttachPolicy', title: 'an unknown policy', code: 'PolicyNotFoundException', input: (org) => ({ PolicyId: NO_POLICY, TargetId: org.unitId }) },
  { name: 'AttachPolicy', title: 'to an unknown target', code: 'TargetNotFoundException', input: () => ({ PolicyId: FULL, TargetId: NO_UNIT }) },
  { name: 'AttachPolicy', title: 'to an account outside the organization', code: 'TargetNotFoundException', input: () => ({ PolicyId: FULL, TargetId: STRANGER }) },
  { name: 'AttachPolicy', title: 'while the type is disabled', code: 'PolicyTypeNotEnabledException', input: async (org) => {
    await org.run('DisablePolicyType', { RootId: org.rootId, PolicyType: SCP });
    return { PolicyId: FULL, TargetId: org.unitId };
  } },
  { name: 'AttachPolicy', title: 'a second time', code: 'DuplicatePolicyAttachmentException', input: (org) => ({ PolicyId: FULL, TargetId: org.unitId }) },
  { name: 'AttachPolicy', title: 'an eleventh policy', code: 'ConstraintViolationException', reason: 'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED', message: 'You have attached the maximum number of policies to the specified target.', input: async (org) => ({ PolicyId: await withTenAttachments(org), TargetId: org.memberId }) },
  { name: 'DetachPolicy', title: 'a policy that is not attached', code: 'PolicyNotAttachedException', input: async (org) => ({ PolicyId: await org.policy('a'), TargetId: org.unitId }) },
  { name: 'DetachPolicy', title: 'the last policy', code: 'ConstraintViolationException', reason: 'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED', input: (org) => ({ PolicyId: FULL, TargetId: org.unitId }) },
  { name: 'DescribeEffectivePolicy', title: 'of service control policies', code: 'InvalidInputException', reason: 'INVALID_ENUM', input: () => ({ PolicyType: SCP }) },
  { name: 'DescribeEffectivePolicy', title: 'of other types', code: 'EffectivePolicyNotFoundException', input: () => ({ PolicyType: 'TAG_POLICY' }) },

  { name: 'EnableAWSServiceAccess', title: 'a domain of another company', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', input: () => ({ ServicePrincipal: 'chime.example.com' }) },
  { name: 'EnableAWSServiceAccess', title: 'a service without integration', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', input: () => ({ ServicePrincipal: 'chime.amazonaws.com' }) },
  // Source: pepperize/cdk-organizations issue 1718. Organizations accepts StackSets only as
  // `member.org.stacksets.cloudformation.amazonaws.com`.
  { name: 'EnableAWSServiceAccess', title: 'the wrong name of StackSets', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', message: 'You specified an unrecognized service principal.', input: () => ({ ServicePrincipal: 'stacksets.cloudformation.amazonaws.com' }) },
  { name: 'DisableAWSServiceAccess', title: 'a service without integration', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', input: () => ({ ServicePrincipal: 'chime.amazonaws.com' }) },

  { name: 'TagResource', title: 'an unknown resource', code: 'TargetNotFoundException', input: () => ({ ResourceId: NO_UNIT, Tags: [] }) },
  { name: 'TagResource', title: 'FullAWSAccess', code: 'InvalidInputException', reason: 'TARGET_NOT_SUPPORTED', input: () => ({ ResourceId: FULL, Tags: [] }) },
  { name: 'TagResource', title: 'with a reserved key', code: 'InvalidInputException', reason: 'INVALID_SYSTEM_TAGS_PARAMETER', input: (org) => ({ ResourceId: org.unitId, Tags: [{ Key: 'AWS:x', Value: '' }] }) },
  { name: 'TagResource', title: 'with 51 tags', code: 'ConstraintViolationException', reason: 'MAX_TAG_LIMIT_EXCEEDED', input: (org) => ({ ResourceId: org.unitId, Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) }) },
];

for (const { name, title, code, reason, message, as, input } of ERRORS) {
  test(`${name}: ${title} is ${reason ?? code}`, async () => {
    const org = await openOrganization();
    const request = await input(org);
    const before = await org.identityState();
    await assert.rejects(org.run(name, request as never, as?.(org)), {
      code,
      ...omitUndefined({ members: reason === undefined ? undefined : { Reason: reason }, message }),
    });
    assert.equal(await org.identityState(), before);
  });
}

test('EnablePolicyType: an organization with consolidated billing has no service control policies', async () => {
  const { run } = await openOrganizations();
  await run('CreateOrganization', { FeatureSet: 'CONSOLIDATED_BILLING' });
  const { Roots } = await run('ListRoots', {});
  await assert.rejects(run('EnablePolicyType', { RootId: Roots?.[0]?.Id ?? '', PolicyType: SCP }), {
    code: 'PolicyTypeNotAvailableForOrganizationException',
  });
});

test('CreatePolicy: a policy of 10,240 characters is accepted', async () => {
  const org = await openOrganization();
  assert.match(await org.policy('a', sized(10_240)), /^p-[0-9a-z]{10}$/);
});
