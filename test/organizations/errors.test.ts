/**
 * Errors of the Organizations operations, in the order of the checks of each operation. A failed call changes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { ALLOW_ALL, type As, MANAGEMENT, type OrganizationRig, organizationRig, organizationsRig, START, STRANGER } from './rig.ts';

const SCP = 'SERVICE_CONTROL_POLICY';
const FULL = 'p-FullAWSAccess';
const NO_UNIT = 'ou-aaaa-aaaaaaaa';
const NO_POLICY = 'p-aaaaaaaaaa';
const NO_ACCOUNT = '999999999999';

type Name = keyof OrganizationsApi;

/** Operations that only the management account may call, each with a valid input. */
const MANAGED: readonly (readonly [name: Name, input: (rig: OrganizationRig) => object])[] = [
  ['DeleteOrganization', () => ({})],
  ['ListRoots', () => ({})],
  ['EnablePolicyType', (rig) => ({ RootId: rig.rootId, PolicyType: SCP })],
  ['DisablePolicyType', (rig) => ({ RootId: rig.rootId, PolicyType: SCP })],
  ['CreateOrganizationalUnit', (rig) => ({ ParentId: rig.rootId, Name: 'new' })],
  ['UpdateOrganizationalUnit', (rig) => ({ OrganizationalUnitId: rig.unitId, Name: 'new' })],
  ['DeleteOrganizationalUnit', (rig) => ({ OrganizationalUnitId: rig.unitId })],
  ['DescribeOrganizationalUnit', (rig) => ({ OrganizationalUnitId: rig.unitId })],
  ['ListOrganizationalUnitsForParent', (rig) => ({ ParentId: rig.rootId })],
  ['ListParents', (rig) => ({ ChildId: rig.unitId })],
  ['ListChildren', (rig) => ({ ParentId: rig.rootId, ChildType: 'ACCOUNT' })],
  ['ListAccounts', () => ({})],
  ['ListAccountsForParent', (rig) => ({ ParentId: rig.rootId })],
  ['DescribeAccount', (rig) => ({ AccountId: rig.memberId })],
  ['CreateAccount', () => ({ AccountName: 'new', Email: 'new@example.com' })],
  ['DescribeCreateAccountStatus', () => ({ CreateAccountRequestId: 'car-00000000' })],
  ['ListCreateAccountStatus', () => ({})],
  ['MoveAccount', (rig) => ({ AccountId: rig.memberId, SourceParentId: rig.rootId, DestinationParentId: rig.unitId })],
  ['RemoveAccountFromOrganization', (rig) => ({ AccountId: rig.memberId })],
  ['CloseAccount', (rig) => ({ AccountId: rig.memberId })],
  ['InviteAccountToOrganization', () => ({ Target: { Id: STRANGER, Type: 'ACCOUNT' } })],
  ['ListHandshakesForOrganization', () => ({})],
  ['CreatePolicy', () => ({ Name: 'new', Description: '', Type: SCP, Content: ALLOW_ALL })],
  ['UpdatePolicy', () => ({ PolicyId: NO_POLICY, Name: 'new' })],
  ['DeletePolicy', () => ({ PolicyId: NO_POLICY })],
  ['DescribePolicy', () => ({ PolicyId: FULL })],
  ['ListPolicies', () => ({ Filter: SCP })],
  ['AttachPolicy', (rig) => ({ PolicyId: FULL, TargetId: rig.memberId })],
  ['DetachPolicy', (rig) => ({ PolicyId: FULL, TargetId: rig.memberId })],
  ['ListPoliciesForTarget', (rig) => ({ TargetId: rig.memberId, Filter: SCP })],
  ['ListTargetsForPolicy', () => ({ PolicyId: FULL })],
  ['DescribeEffectivePolicy', (rig) => ({ TargetId: rig.unitId, PolicyType: 'TAG_POLICY' })],
  ['EnableAWSServiceAccess', () => ({ ServicePrincipal: 'ram.amazonaws.com' })],
  ['DisableAWSServiceAccess', () => ({ ServicePrincipal: 'ram.amazonaws.com' })],
  ['ListAWSServiceAccessForOrganization', () => ({})],
  ['ListDelegatedAdministrators', () => ({})],
  ['TagResource', (rig) => ({ ResourceId: rig.memberId, Tags: [{ Key: 'a', Value: 'b' }] })],
  ['UntagResource', (rig) => ({ ResourceId: rig.memberId, TagKeys: ['a'] })],
  ['ListTagsForResource', (rig) => ({ ResourceId: rig.memberId })],
];

for (const [name, input] of MANAGED) {
  test(`${name}: without an organization it is NotInUse, and by a member AccessDenied`, async () => {
    const rig = await organizationRig();
    const before = await rig.state();
    await assert.rejects(rig.run(name, input(rig) as never, { accountId: STRANGER }), { code: 'AWSOrganizationsNotInUseException' });
    await assert.rejects(rig.run(name, input(rig) as never, { accountId: rig.memberId }), { code: 'AccessDeniedException' });
    assert.equal(await rig.state(), before);
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
  /** Checked if public reports quote it. */
  readonly message?: string;
  readonly as?: (rig: OrganizationRig) => As;
  /** Creates the preconditions and returns the request. */
  readonly input: (rig: OrganizationRig) => object | Promise<object>;
}

async function withTenAttachments(rig: OrganizationRig): Promise<string> {
  for (let i = 0; i < 9; i++) await rig.run('AttachPolicy', { PolicyId: await rig.policy(`p${i}`), TargetId: rig.memberId });
  return rig.policy('eleventh');
}

async function deepest(rig: OrganizationRig): Promise<string> {
  let ParentId = rig.unitId;
  for (let depth = 2; depth <= 5; depth++) {
    const { OrganizationalUnit } = await rig.run('CreateOrganizationalUnit', { ParentId, Name: `level ${depth}` });
    ParentId = OrganizationalUnit?.Id ?? '';
  }
  return ParentId;
}

async function invite(rig: OrganizationRig): Promise<string> {
  const { Handshake } = await rig.run('InviteAccountToOrganization', { Target: { Id: STRANGER, Type: 'ACCOUNT' } });
  return Handshake?.Id ?? '';
}

const closed = async (rig: OrganizationRig) => {
  await rig.run('CloseAccount', { AccountId: rig.memberId });
  return { AccountId: rig.memberId };
};
const asStranger = () => ({ accountId: STRANGER });
const asMember = (rig: OrganizationRig) => ({ accountId: rig.memberId });
const after = (days: number) => () => ({ now: instant(START + days * 24 * 60 * 60_000) });
const MISSING_PREREQUISITES =
  'The member account is missing one or more of the prerequisites required to operate as a standalone account. To add what is missing, ' +
  'sign-in to the member account using the AWS Organizations console, then select to leave the organization. You will then be prompted ' +
  'to enter any missing information.';

// biome-ignore format: a table
const ERRORS: readonly ErrorCase[] = [
  { name: 'CreateOrganization', title: 'a second time', code: 'AlreadyInOrganizationException', input: () => ({}) },
  { name: 'CreateOrganization', title: 'by a member', code: 'AlreadyInOrganizationException', as: (rig) => ({ accountId: rig.memberId }), input: () => ({}) },
  { name: 'DeleteOrganization', title: 'with a member', code: 'OrganizationNotEmptyException', input: () => ({}) },
  { name: 'EnablePolicyType', title: 'in another root', code: 'RootNotFoundException', input: () => ({ RootId: 'r-zzzz', PolicyType: SCP }) },
  { name: 'EnablePolicyType', title: 'a type that is not built', code: 'NotYetImplementedException', input: (rig) => ({ RootId: rig.rootId, PolicyType: 'TAG_POLICY' }) },
  { name: 'EnablePolicyType', title: 'a second time', code: 'PolicyTypeAlreadyEnabledException', input: (rig) => ({ RootId: rig.rootId, PolicyType: SCP }) },
  { name: 'DisablePolicyType', title: 'a type that is not enabled', code: 'PolicyTypeNotEnabledException', input: (rig) => ({ RootId: rig.rootId, PolicyType: 'TAG_POLICY' }) },

  { name: 'CreateOrganizationalUnit', title: 'in an unknown parent', code: 'ParentNotFoundException', input: () => ({ ParentId: NO_UNIT, Name: 'a' }) },
  { name: 'CreateOrganizationalUnit', title: 'at depth six', code: 'ConstraintViolationException', reason: 'OU_DEPTH_LIMIT_EXCEEDED', message: 'You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.', input: async (rig) => ({ ParentId: await deepest(rig), Name: 'a' }) },
  { name: 'CreateOrganizationalUnit', title: 'with a used name', code: 'DuplicateOrganizationalUnitException', input: (rig) => ({ ParentId: rig.rootId, Name: 'unit' }) },
  { name: 'UpdateOrganizationalUnit', title: 'an unknown unit', code: 'OrganizationalUnitNotFoundException', input: () => ({ OrganizationalUnitId: NO_UNIT, Name: 'a' }) },
  { name: 'UpdateOrganizationalUnit', title: 'to a used name', code: 'DuplicateOrganizationalUnitException', input: async (rig) => {
    await rig.run('CreateOrganizationalUnit', { ParentId: rig.rootId, Name: 'other' });
    return { OrganizationalUnitId: rig.unitId, Name: 'other' };
  } },
  { name: 'DeleteOrganizationalUnit', title: 'with a unit in it', code: 'OrganizationalUnitNotEmptyException', input: async (rig) => {
    await deepest(rig);
    return { OrganizationalUnitId: rig.unitId };
  } },
  { name: 'DeleteOrganizationalUnit', title: 'with an account in it', code: 'OrganizationalUnitNotEmptyException', input: async (rig) => {
    await rig.run('MoveAccount', { AccountId: rig.memberId, SourceParentId: rig.rootId, DestinationParentId: rig.unitId });
    return { OrganizationalUnitId: rig.unitId };
  } },
  { name: 'ListChildren', title: 'of an unknown parent', code: 'ParentNotFoundException', input: () => ({ ParentId: NO_UNIT, ChildType: 'ACCOUNT' }) },
  { name: 'ListParents', title: 'of an unknown child', code: 'ChildNotFoundException', input: () => ({ ChildId: NO_ACCOUNT }) },

  { name: 'DescribeAccount', title: 'outside the organization', code: 'AccountNotFoundException', input: () => ({ AccountId: STRANGER }) },
  { name: 'DescribeCreateAccountStatus', title: 'of an unknown request', code: 'CreateAccountStatusNotFoundException', input: () => ({ CreateAccountRequestId: 'car-00000000' }) },
  { name: 'MoveAccount', title: 'an unknown account', code: 'AccountNotFoundException', input: (rig) => ({ AccountId: STRANGER, SourceParentId: rig.rootId, DestinationParentId: rig.unitId }) },
  { name: 'MoveAccount', title: 'from an unknown parent', code: 'SourceParentNotFoundException', input: (rig) => ({ AccountId: rig.memberId, SourceParentId: NO_UNIT, DestinationParentId: rig.unitId }) },
  { name: 'MoveAccount', title: 'into an unknown parent', code: 'DestinationParentNotFoundException', input: (rig) => ({ AccountId: rig.memberId, SourceParentId: rig.rootId, DestinationParentId: NO_UNIT }) },
  { name: 'MoveAccount', title: 'to its current parent', code: 'DuplicateAccountException', input: (rig) => ({ AccountId: rig.memberId, SourceParentId: rig.unitId, DestinationParentId: rig.rootId }) },
  { name: 'MoveAccount', title: 'from another parent', code: 'AccountNotFoundException', input: async (rig) => {
    const { OrganizationalUnit } = await rig.run('CreateOrganizationalUnit', { ParentId: rig.rootId, Name: 'other' });
    return { AccountId: rig.memberId, SourceParentId: OrganizationalUnit?.Id, DestinationParentId: rig.unitId };
  } },
  { name: 'RemoveAccountFromOrganization', title: 'the management account', code: 'MasterCannotLeaveOrganizationException', input: () => ({ AccountId: MANAGEMENT }) },
  { name: 'RemoveAccountFromOrganization', title: 'a closed account', code: 'ConstraintViolationException', reason: 'ACCOUNT_CANNOT_LEAVE_ORGANIZATION', input: closed },
  { name: 'RemoveAccountFromOrganization', title: 'an account created three days ago', code: 'ConstraintViolationException', reason: 'WAIT_PERIOD_ACTIVE', as: after(3), input: (rig) => ({ AccountId: rig.memberId }) },
  { name: 'RemoveAccountFromOrganization', title: 'an account created four days ago', code: 'ConstraintViolationException', reason: 'MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED', message: MISSING_PREREQUISITES, as: after(4), input: (rig) => ({ AccountId: rig.memberId }) },
  { name: 'LeaveOrganization', title: 'by an account created now', code: 'ConstraintViolationException', reason: 'WAIT_PERIOD_ACTIVE', as: asMember, input: () => ({}) },
  { name: 'LeaveOrganization', title: 'by the management account', code: 'MasterCannotLeaveOrganizationException', input: () => ({}) },
  { name: 'LeaveOrganization', title: 'by an account without an organization', code: 'AWSOrganizationsNotInUseException', as: asStranger, input: () => ({}) },
  { name: 'CloseAccount', title: 'the management account', code: 'ConstraintViolationException', reason: 'CANNOT_CLOSE_MANAGEMENT_ACCOUNT', input: () => ({ AccountId: MANAGEMENT }) },
  { name: 'CloseAccount', title: 'a second time', code: 'AccountAlreadyClosedException', input: closed },

  { name: 'InviteAccountToOrganization', title: 'an organization', code: 'InvalidInputException', reason: 'INVALID_PARTY_TYPE_TARGET', input: () => ({ Target: { Id: 'o-1234567890', Type: 'ORGANIZATION' } }) },
  { name: 'InviteAccountToOrganization', title: 'an account of another server', code: 'InvalidInputException', reason: 'TARGET_NOT_SUPPORTED', input: () => ({ Target: { Id: NO_ACCOUNT, Type: 'ACCOUNT' } }) },
  { name: 'InviteAccountToOrganization', title: 'a member', code: 'HandshakeConstraintViolationException', reason: 'ALREADY_IN_AN_ORGANIZATION', input: () => ({ Target: { Id: 'member@example.com', Type: 'EMAIL' } }) },
  { name: 'InviteAccountToOrganization', title: 'a second time', code: 'DuplicateHandshakeException', input: async (rig) => {
    await invite(rig);
    return { Target: { Id: STRANGER, Type: 'ACCOUNT' } };
  } },
  { name: 'AcceptHandshake', title: 'of another account', code: 'HandshakeNotFoundException', as: (rig) => ({ accountId: rig.memberId }), input: async (rig) => ({ HandshakeId: await invite(rig) }) },
  { name: 'AcceptHandshake', title: 'by the inviting account', code: 'HandshakeNotFoundException', input: async (rig) => ({ HandshakeId: await invite(rig) }) },
  { name: 'AcceptHandshake', title: 'after its expiration', code: 'InvalidHandshakeTransitionException', as: () => ({ accountId: STRANGER, ...LATER }), input: async (rig) => ({ HandshakeId: await invite(rig) }) },
  { name: 'AcceptHandshake', title: 'after its cancellation', code: 'InvalidHandshakeTransitionException', as: asStranger, input: async (rig) => {
    const HandshakeId = await invite(rig);
    await rig.run('CancelHandshake', { HandshakeId });
    return { HandshakeId };
  } },
  { name: 'AcceptHandshake', title: 'by an account that has joined an organization', code: 'HandshakeConstraintViolationException', reason: 'ALREADY_IN_AN_ORGANIZATION', as: asStranger, input: async (rig) => {
    const HandshakeId = await invite(rig);
    await rig.run('CreateOrganization', {}, asStranger());
    return { HandshakeId };
  } },
  { name: 'DeclineHandshake', title: 'a second time', code: 'HandshakeAlreadyInStateException', as: asStranger, input: async (rig) => {
    const HandshakeId = await invite(rig);
    await rig.run('DeclineHandshake', { HandshakeId }, asStranger());
    return { HandshakeId };
  } },
  { name: 'CancelHandshake', title: 'by the invited account', code: 'HandshakeNotFoundException', as: asStranger, input: async (rig) => ({ HandshakeId: await invite(rig) }) },
  { name: 'DescribeHandshake', title: 'of other accounts', code: 'HandshakeNotFoundException', as: (rig) => ({ accountId: rig.memberId }), input: async (rig) => ({ HandshakeId: await invite(rig) }) },

  { name: 'CreatePolicy', title: 'of a type that is not built', code: 'NotYetImplementedException', input: () => ({ Name: 'a', Description: '', Type: 'TAG_POLICY', Content: '{}' }) },
  { name: 'CreatePolicy', title: 'of 10,241 characters', code: 'ConstraintViolationException', reason: 'POLICY_CONTENT_LIMIT_EXCEEDED', message: 'You have exceeded the maximum policy size.', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: sized(10_241) }) },
  { name: 'CreatePolicy', title: 'with an invalid document', code: 'MalformedPolicyDocumentException', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: '{"Version":"2012-10-17"}' }) },
  { name: 'CreatePolicy', title: 'with a Principal', code: 'MalformedPolicyDocumentException', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}' }) },
  { name: 'CreatePolicy', title: 'with a used name', code: 'DuplicatePolicyException', message: 'A policy with the specified name and type already exists.', input: async (rig) => {
    await rig.policy('a');
    return { Name: 'a', Description: '', Type: SCP, Content: ALLOW_ALL };
  } },
  { name: 'CreatePolicy', title: 'with a repeated tag key', code: 'InvalidInputException', reason: 'DUPLICATE_TAG_KEY', input: () => ({ Name: 'a', Description: '', Type: SCP, Content: ALLOW_ALL, Tags: [{ Key: 'k', Value: '1' }, { Key: 'K', Value: '2' }] }) },
  { name: 'UpdatePolicy', title: 'FullAWSAccess', code: 'InvalidInputException', reason: 'IMMUTABLE_POLICY', input: () => ({ PolicyId: FULL, Content: ALLOW_ALL }) },
  { name: 'UpdatePolicy', title: 'to an invalid document', code: 'MalformedPolicyDocumentException', input: async (rig) => ({ PolicyId: await rig.policy('a'), Content: 'x' }) },
  { name: 'UpdatePolicy', title: 'to a used name', code: 'DuplicatePolicyException', input: async (rig) => ({ PolicyId: await rig.policy('a'), Name: 'FullAWSAccess' }) },
  { name: 'DeletePolicy', title: 'FullAWSAccess', code: 'InvalidInputException', reason: 'IMMUTABLE_POLICY', input: () => ({ PolicyId: FULL }) },
  { name: 'DeletePolicy', title: 'that is attached', code: 'PolicyInUseException', input: async (rig) => {
    const PolicyId = await rig.policy('a');
    await rig.run('AttachPolicy', { PolicyId, TargetId: rig.unitId });
    return { PolicyId };
  } },
  { name: 'DescribePolicy', title: 'an unknown policy', code: 'PolicyNotFoundException', input: () => ({ PolicyId: NO_POLICY }) },
  { name: 'ListPolicies', title: 'with an invalid token', code: 'InvalidInputException', reason: 'INVALID_NEXT_TOKEN', input: () => ({ Filter: SCP, NextToken: 'x' }) },

  { name: 'AttachPolicy', title: 'an unknown policy', code: 'PolicyNotFoundException', input: (rig) => ({ PolicyId: NO_POLICY, TargetId: rig.unitId }) },
  { name: 'AttachPolicy', title: 'to an unknown target', code: 'TargetNotFoundException', input: () => ({ PolicyId: FULL, TargetId: NO_UNIT }) },
  { name: 'AttachPolicy', title: 'to an account outside the organization', code: 'TargetNotFoundException', input: () => ({ PolicyId: FULL, TargetId: STRANGER }) },
  { name: 'AttachPolicy', title: 'while the type is disabled', code: 'PolicyTypeNotEnabledException', input: async (rig) => {
    await rig.run('DisablePolicyType', { RootId: rig.rootId, PolicyType: SCP });
    return { PolicyId: FULL, TargetId: rig.unitId };
  } },
  { name: 'AttachPolicy', title: 'a second time', code: 'DuplicatePolicyAttachmentException', input: (rig) => ({ PolicyId: FULL, TargetId: rig.unitId }) },
  { name: 'AttachPolicy', title: 'an eleventh policy', code: 'ConstraintViolationException', reason: 'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED', message: 'You have attached the maximum number of policies to the specified target.', input: async (rig) => ({ PolicyId: await withTenAttachments(rig), TargetId: rig.memberId }) },
  { name: 'DetachPolicy', title: 'a policy that is not attached', code: 'PolicyNotAttachedException', input: async (rig) => ({ PolicyId: await rig.policy('a'), TargetId: rig.unitId }) },
  { name: 'DetachPolicy', title: 'the last policy', code: 'ConstraintViolationException', reason: 'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED', input: (rig) => ({ PolicyId: FULL, TargetId: rig.unitId }) },
  { name: 'DescribeEffectivePolicy', title: 'of service control policies', code: 'InvalidInputException', reason: 'INVALID_ENUM', input: () => ({ PolicyType: SCP }) },
  { name: 'DescribeEffectivePolicy', title: 'of other types', code: 'EffectivePolicyNotFoundException', input: () => ({ PolicyType: 'TAG_POLICY' }) },

  { name: 'EnableAWSServiceAccess', title: 'a domain of another company', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', input: () => ({ ServicePrincipal: 'chime.example.com' }) },
  { name: 'EnableAWSServiceAccess', title: 'a service without integration', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', input: () => ({ ServicePrincipal: 'chime.amazonaws.com' }) },
  // Source: pepperize/cdk-organizations issue 1718. The other name of StackSets is accepted.
  { name: 'EnableAWSServiceAccess', title: 'the wrong name of StackSets', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', message: 'You specified an unrecognized service principal.', input: () => ({ ServicePrincipal: 'stacksets.cloudformation.amazonaws.com' }) },
  { name: 'DisableAWSServiceAccess', title: 'a service without integration', code: 'InvalidInputException', reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL', input: () => ({ ServicePrincipal: 'chime.amazonaws.com' }) },

  { name: 'TagResource', title: 'an unknown resource', code: 'TargetNotFoundException', input: () => ({ ResourceId: NO_UNIT, Tags: [] }) },
  { name: 'TagResource', title: 'FullAWSAccess', code: 'InvalidInputException', reason: 'TARGET_NOT_SUPPORTED', input: () => ({ ResourceId: FULL, Tags: [] }) },
  { name: 'TagResource', title: 'with a reserved key', code: 'InvalidInputException', reason: 'INVALID_SYSTEM_TAGS_PARAMETER', input: (rig) => ({ ResourceId: rig.unitId, Tags: [{ Key: 'AWS:x', Value: '' }] }) },
  { name: 'TagResource', title: 'with 51 tags', code: 'ConstraintViolationException', reason: 'MAX_TAG_LIMIT_EXCEEDED', input: (rig) => ({ ResourceId: rig.unitId, Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) }) },
];

for (const { name, title, code, reason, message, as, input } of ERRORS) {
  test(`${name}: ${title} is ${reason ?? code}`, async () => {
    const rig = await organizationRig();
    const request = await input(rig);
    const before = await rig.state();
    await assert.rejects(rig.run(name, request as never, as?.(rig)), {
      code,
      ...omitUndefined({ members: reason === undefined ? undefined : { Reason: reason }, message }),
    });
    assert.equal(await rig.state(), before);
  });
}

test('EnablePolicyType: an organization with consolidated billing has no service control policies', async () => {
  const { run } = await organizationsRig();
  await run('CreateOrganization', { FeatureSet: 'CONSOLIDATED_BILLING' });
  const { Roots } = await run('ListRoots', {});
  await assert.rejects(run('EnablePolicyType', { RootId: Roots?.[0]?.Id ?? '', PolicyType: SCP }), {
    code: 'PolicyTypeNotAvailableForOrganizationException',
  });
});

test('CreatePolicy: 10,240 characters are accepted', async () => {
  const rig = await organizationRig();
  assert.match(await rig.policy('a', sized(10_240)), /^p-[0-9a-z]{10}$/);
});
