/**
 * Service control policies end to end: a running server, the real clients, and member accounts with and without policies.
 */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import {
  AcceptHandshakeCommand,
  AttachPolicyCommand,
  CloseAccountCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DescribeAccountCommand,
  DescribeOrganizationCommand,
  DetachPolicyCommand,
  DisablePolicyTypeCommand,
  EnablePolicyTypeCommand,
  InviteAccountToOrganizationCommand,
  LeaveOrganizationCommand,
  ListAccountsCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
  RemoveAccountFromOrganizationCommand,
  UpdatePolicyCommand,
} from '@aws-sdk/client-organizations';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { askControl } from '#server/operator/ask-control.ts';
import { accountOn, startAccount } from '../kit/account.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { everyEvent } from '../kit/trail.ts';

const FULL = 'p-FullAWSAccess';
const account = await startAccount();
const { server } = account;
const organizations = new OrganizationsClient(server.client());
const DENY_USERS = policy(deny('iam:ListUsers'));
const ONLY_CHIME = policy(allow('chime:*'));

let rootId = '';
let emails = 0;

/** Creates a member account and assumes its administrator role. */
async function newMember() {
  const { CreateAccountStatus } = await organizations.send(
    new CreateAccountCommand({ AccountName: 'member', Email: `member${++emails}@example.com` }),
  );
  assert.equal(CreateAccountStatus?.State, 'SUCCEEDED');
  const accountId = CreateAccountStatus.AccountId as string;
  const keys = await account.assume(account.keys, `arn:aws:iam::${accountId}:role/OrganizationAccountAccessRole`);
  const member = accountOn(server, { accountId, keys });
  return { ...member, meetings: member.meetings(), organizations: new OrganizationsClient(member.client()) };
}
type Member = Awaited<ReturnType<typeof newMember>>;

/** Allows a created account to leave the organization, with the operator command `account make-standalone`. */
async function makeStandalone({ accountId }: Member): Promise<void> {
  assert.ok((await askControl(server.dataFolder, { command: 'account make-standalone', accountId })).ok);
}

let names = 0;
async function newPolicy(Content: string): Promise<string> {
  const { Policy } = await organizations.send(
    new CreatePolicyCommand({ Name: `policy ${++names}`, Description: '', Type: 'SERVICE_CONTROL_POLICY', Content }),
  );
  return Policy?.PolicySummary?.Id as string;
}

const attach = (PolicyId: string, TargetId: string) => organizations.send(new AttachPolicyCommand({ PolicyId, TargetId }));
const detach = (PolicyId: string, TargetId: string) => organizations.send(new DetachPolicyCommand({ PolicyId, TargetId }));
const listUsers = (member: Member) => member.admin.send(new ListUsersCommand({}));
const sessionArn = (member: Member) => `arn:aws:sts::${member.accountId}:assumed-role/OrganizationAccountAccessRole/me`;
const explicitly = (member: Member) => ({
  name: 'AccessDenied',
  message: new RegExp(
    `^User: ${sessionArn(member)} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::${member.accountId}:user/ with an explicit deny in a service control policy: arn:aws:organizations::[0-9]{12}:policy/o-[a-z0-9]+/service_control_policy/p-[a-z0-9]+$`,
  ),
});
const implicitly = (member: Member) => ({
  name: 'AccessDenied',
  message: `User: ${sessionArn(member)} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::${member.accountId}:user/ because no service control policy allows the iam:ListUsers action`,
});

before(async () => {
  await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  const { Roots } = await organizations.send(new ListRootsCommand({}));
  rootId = Roots?.[0]?.Id as string;
  await organizations.send(new EnablePolicyTypeCommand({ RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' }));
});

test('Service control policies: a policy on a member applies until it is detached (EVAL-6)', async () => {
  const member = await newMember();
  await listUsers(member);
  const denyUsers = await newPolicy(DENY_USERS);
  await attach(denyUsers, member.accountId);
  await assert.rejects(listUsers(member), explicitly(member));
  await detach(denyUsers, member.accountId);
  await listUsers(member);
});

test("Service control policies: without FullAWSAccess, only the account's own policy allows calls (EVAL-6)", async () => {
  const member = await newMember();
  await attach(await newPolicy(ONLY_CHIME), member.accountId);
  await listUsers(member);
  await detach(FULL, member.accountId);
  await assert.rejects(listUsers(member), implicitly(member));
  await member.meetings.send(
    new CreateMeetingCommand({ ClientRequestToken: 'token', ExternalMeetingId: 'meeting', MediaRegion: 'us-east-1' }),
  );
});

test('Service control policies: a changed policy applies from the next request (EVAL-6)', async () => {
  const member = await newMember();
  const policyId = await newPolicy(policy(deny('iam:CreateUser')));
  await attach(policyId, member.accountId);
  await listUsers(member);
  await organizations.send(new UpdatePolicyCommand({ PolicyId: policyId, Content: DENY_USERS }));
  await assert.rejects(listUsers(member), explicitly(member));
});

test('Service control policies: a policy on a unit applies to the accounts that are in the unit (EVAL-6)', async () => {
  const member = await newMember();
  const { OrganizationalUnit: outer } = await organizations.send(new CreateOrganizationalUnitCommand({ ParentId: rootId, Name: 'outer' }));
  const { OrganizationalUnit: inner } = await organizations.send(
    new CreateOrganizationalUnitCommand({ ParentId: outer?.Id, Name: 'inner' }),
  );
  await attach(await newPolicy(DENY_USERS), outer?.Id as string);
  const move = (SourceParentId: string, DestinationParentId: string) =>
    organizations.send(new MoveAccountCommand({ AccountId: member.accountId, SourceParentId, DestinationParentId }));
  await listUsers(member);
  await move(rootId, inner?.Id as string);
  await assert.rejects(listUsers(member), explicitly(member));
  await move(inner?.Id as string, rootId);
  await listUsers(member);
});

test('Service control policies: a policy on the root applies to all but the management account (EVAL-6)', async () => {
  const member = await newMember();
  const denyUsers = await newPolicy(DENY_USERS);
  await attach(denyUsers, rootId);
  await attach(denyUsers, server.accountId);
  await assert.rejects(listUsers(member), explicitly(member));
  await account.admin.send(new ListUsersCommand({}));
  await detach(denyUsers, rootId);
  await listUsers(member);
});

test('Service control policies: disabling the policy type permanently detaches all policies (EVAL-6)', async () => {
  const member = await newMember();
  await attach(await newPolicy(DENY_USERS), member.accountId);
  await assert.rejects(listUsers(member), explicitly(member));
  await organizations.send(new DisablePolicyTypeCommand({ RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  await listUsers(member);
  await organizations.send(new EnablePolicyTypeCommand({ RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  await listUsers(member);
  const { Policies } = await organizations.send(
    new ListPoliciesForTargetCommand({ TargetId: member.accountId, Filter: 'SERVICE_CONTROL_POLICY' }),
  );
  assert.deepEqual(
    Policies?.map(({ Id }) => Id),
    [FULL],
  );
});

test('Service control policies: no policy applies to an account that left or was removed (EVAL-6)', async () => {
  const [removed, left] = [await newMember(), await newMember()];
  const denyUsers = await newPolicy(DENY_USERS);
  for (const member of [removed, left]) {
    await attach(denyUsers, member.accountId);
    await makeStandalone(member);
  }
  await organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId: removed.accountId }));
  await left.organizations.send(new LeaveOrganizationCommand({}));
  for (const member of [removed, left]) await listUsers(member);
  await assert.rejects(left.organizations.send(new DescribeOrganizationCommand({})), { name: 'AWSOrganizationsNotInUseException' });
});

test('Service control policies: a created account can leave only if the operator allows it (EVAL-6)', async () => {
  const member = await newMember();
  await attach(await newPolicy(DENY_USERS), member.accountId);
  for (const leaving of [
    () => member.organizations.send(new LeaveOrganizationCommand({})),
    () => organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId: member.accountId })),
  ]) {
    await assert.rejects(leaving, { name: 'ConstraintViolationException', Reason: 'WAIT_PERIOD_ACTIVE' });
  }
  await assert.rejects(listUsers(member), explicitly(member));
  await makeStandalone(member);
  const recorded = await everyEvent(new CloudTrailClient(member.client()));
  assert.equal(recorded.filter(({ eventName }) => eventName === 'MakeAccountStandalone').length, 1);
  await member.organizations.send(new LeaveOrganizationCommand({}));
  await listUsers(member);
});

test('AcceptHandshake: only the invited account can accept, and policies apply from then on (EVAL-6)', async () => {
  const [invited, other] = [await newMember(), await newMember()];
  await makeStandalone(invited);
  await organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId: invited.accountId }));
  const { Handshake } = await organizations.send(
    new InviteAccountToOrganizationCommand({ Target: { Id: invited.accountId, Type: 'ACCOUNT' } }),
  );
  const denyUsers = await newPolicy(DENY_USERS);
  await attach(denyUsers, rootId);
  await listUsers(invited);
  const accept = new AcceptHandshakeCommand({ HandshakeId: Handshake?.Id });
  await assert.rejects(other.organizations.send(accept), { name: 'HandshakeNotFoundException' });
  await listUsers(invited);
  assert.equal((await invited.organizations.send(accept)).Handshake?.State, 'ACCEPTED');
  await assert.rejects(listUsers(invited), explicitly(invited));
  await detach(denyUsers, rootId);
});

test('CloseAccount: a closed account may only call GetCallerIdentity', async () => {
  const member = await newMember();
  await organizations.send(new CloseAccountCommand({ AccountId: member.accountId }));
  await assert.rejects(listUsers(member), implicitly(member));
  await member.sts().send(new GetCallerIdentityCommand({}));
  await assert.rejects(organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId: member.accountId })), {
    name: 'ConstraintViolationException',
    Reason: 'ACCOUNT_CANNOT_LEAVE_ORGANIZATION',
  });
});

test("Condition keys: a policy can test the principal's organization and path in the organization (CTX-1)", async () => {
  const member = await newMember();
  const { Organization } = await organizations.send(new DescribeOrganizationCommand({}));
  const roleOf = async (condition: object) => {
    const role = await member.role(`condition${++names}`, trust(member.rootArn), allow('iam:ListUsers', '*', { Condition: condition }));
    return member.iam(await member.assume(member.keys, role));
  };
  const id = await roleOf({ StringEquals: { 'aws:PrincipalOrgID': Organization?.Id } });
  const path = await roleOf({ 'ForAnyValue:StringEquals': { 'aws:PrincipalOrgPaths': `${Organization?.Id}/${rootId}/` } });
  for (const iam of [id, path]) await iam.send(new ListUsersCommand({}));
  const { OrganizationalUnit: unit } = await organizations.send(
    new CreateOrganizationalUnitCommand({ ParentId: rootId, Name: 'elsewhere' }),
  );
  await organizations.send(new MoveAccountCommand({ AccountId: member.accountId, SourceParentId: rootId, DestinationParentId: unit?.Id }));
  await id.send(new ListUsersCommand({}));
  await assert.rejects(path.send(new ListUsersCommand({})), { name: 'AccessDenied' });
});

test('DescribeOrganization: a member account may call it, but not the operations of the management account', async () => {
  const member = await newMember();
  const { Organization } = await member.organizations.send(new DescribeOrganizationCommand({}));
  assert.equal(Organization?.MasterAccountId, server.accountId);
  for (const command of [new ListAccountsCommand({}), new DescribeAccountCommand({ AccountId: member.accountId })]) {
    await assert.rejects(member.organizations.send(command as ListAccountsCommand), {
      name: 'AccessDeniedException',
      message: "You don't have permissions to access this resource.",
    });
  }
  await assert.rejects(member.organizations.send(new DetachPolicyCommand({ PolicyId: FULL, TargetId: member.accountId })), {
    name: 'AccessDeniedException',
  });
});

test('ListParents: an ID that does not match its pattern is InvalidInputException with its reason', async () => {
  await assert.rejects(organizations.send(new ListParentsCommand({ ChildId: 'null' })), {
    name: 'InvalidInputException',
    message: 'You provided a value that does not match the required pattern.',
    Reason: 'INVALID_PATTERN',
  });
});
