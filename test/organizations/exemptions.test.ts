/**
 * Principals that service control policies apply to, and exempt principals. `authorize` decides with a snapshot of a real store.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { type Asked, authorizing } from '../../src/access/authorize.ts';
import { Denied } from '../../src/access/denied.ts';
import { serviceControlLevels } from '../../src/access/service-control.ts';
import { newSnapshot } from '../../src/access/snapshot.ts';
import { newStacks } from '../../src/access/stacks.ts';
import { compilePolicy } from '../../src/policy/engine.ts';
import { addLinkedRole, LINKED_SERVICES, type LinkedService } from '../../src/services/iam/service-linked-roles.ts';
import { MANAGEMENT, type OrganizationRig, organizationRig, START, STRANGER } from './rig.ts';

const DENY_CHIME = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'chime:*', Resource: '*' }] });
const VOICE = LINKED_SERVICES.find(({ service }) => service === 'voiceconnector.chime.amazonaws.com') as LinkedService;

/** Returns a server's view of the rig's store, and a function that authorizes a principal's action. */
function viewOf(rig: OrganizationRig) {
  const snapshot = newSnapshot();
  const stacks = newStacks(snapshot);
  const authorize = authorizing({ snapshot, stacks, holds: () => true });
  return {
    snapshot,
    async may(principal: Principal, action: Asked['action'], resource = '*'): Promise<'allowed' | string> {
      return rig.store.transaction(async (tx) => {
        const { version, changes } = await tx.identity.changesSince(snapshot.version());
        snapshot.apply(version, changes);
        try {
          await authorize(
            {
              received: {
                requestId: '',
                rawHeaders: [],
                sourceIp: '127.0.0.1',
              },
              authenticated: { principal, region: 'us-east-1', identityVersion: version },
              profile: 'sdk',
              asked: [{ action, resources: [resource] }],
              now: START,
            },
            tx,
          );
          return 'allowed';
        } catch (error) {
          assert.ok(error instanceof Denied);
          return error.message;
        }
      });
    },
  };
}

const root = (accountId: AccountId): Principal => ({
  type: 'Root',
  accountId,
  arn: arn('iam', '', accountId, 'root'),
  principalId: accountId,
});

function roleSession(accountId: AccountId, role: { readonly arn: Arn; readonly roleName: string; readonly roleId: string }): Principal {
  return {
    type: 'AssumedRole',
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${role.roleName}/s` as Arn,
    principalId: `${role.roleId}:s`,
    roleArn: role.arn,
    roleId: role.roleId,
    roleName: role.roleName,
    sessionName: 's',
    session: {
      issuedAt: START,
      expiresAt: instant(START + 3_600_000),
      mfaAuthenticated: false,
      tags: {},
      transitiveTagKeys: [],
      chained: false,
    },
  };
}

/** Returns the end of a denial by a service control policy. Requirement TS-6. */
function explicitDeny({ organizationId }: { readonly organizationId: string }, policyId: string): string {
  const arn = `arn:aws:organizations::${MANAGEMENT}:policy/${organizationId}/service_control_policy/${policyId}`;
  return `with an explicit deny in a service control policy: ${arn}`;
}

test("Root users: a policy applies to a member's, and not to the management account's (IAM-5, EVAL-6)", async () => {
  const rig = await organizationRig();
  const { may } = viewOf(rig);
  const member = root(rig.memberId);
  assert.equal(await may(member, 'chime:ListMeetings'), 'allowed');

  const denyChime = await rig.policy('deny chime', DENY_CHIME);
  for (const TargetId of [rig.rootId, rig.memberId, MANAGEMENT]) await rig.run('AttachPolicy', { PolicyId: denyChime, TargetId });
  const denied = `User: arn:aws:iam::${rig.memberId}:root is not authorized to perform: chime:ListMeetings on resource: *`;
  assert.equal(await may(member, 'chime:ListMeetings'), `${denied} ${explicitDeny(rig, denyChime)}`);
  assert.equal(await may(member, 'iam:ListUsers'), 'allowed');
  assert.equal(await may(root(MANAGEMENT), 'chime:ListMeetings'), 'allowed');
  assert.equal(await may(root(STRANGER), 'chime:ListMeetings'), 'allowed');

  await rig.run('DetachPolicy', { PolicyId: denyChime, TargetId: rig.rootId });
  await rig.run('DetachPolicy', { PolicyId: 'p-FullAWSAccess', TargetId: rig.memberId });
  await rig.run('UpdatePolicy', { PolicyId: denyChime, Content: DENY_CHIME.replace('chime:*', 'iam:*') });
  assert.equal(await may(member, 'chime:ListMeetings'), `${denied} because no service control policy allows the chime:ListMeetings action`);
});

test('Service-linked roles: they are exempt, and other roles of the account are not (EVAL-6, SLR-16)', async () => {
  const rig = await organizationRig();
  const { may } = viewOf(rig);
  const linked = await rig.store.transaction(async (tx) => {
    const call = { tx, accountId: rig.memberId, now: START, random: (bytes: number) => new Uint8Array(bytes) };
    return addLinkedRole(call as unknown as Parameters<typeof addLinkedRole>[0], VOICE);
  });
  assert.ok(linked !== 'taken');
  const customer = await rig.store.transaction((tx) => tx.identity.get(rig.memberId, 'role', 'organizationaccountaccessrole'));
  assert.ok(customer !== undefined);

  const action = 'chime:GetVoiceConnector';
  const [before, customerBefore] = [
    await may(roleSession(rig.memberId, linked), action),
    await may(roleSession(rig.memberId, customer), action),
  ];
  const denyChime = await rig.policy('deny chime', DENY_CHIME);
  await rig.run('AttachPolicy', { PolicyId: denyChime, TargetId: rig.memberId });
  assert.deepEqual([before, customerBefore], ['allowed', 'allowed']);
  assert.equal(await may(roleSession(rig.memberId, linked), action), 'allowed');
  assert.ok((await may(roleSession(rig.memberId, customer), action)).endsWith(explicitDeny(rig, denyChime)));
});

test('serviceControlLevels: one level for the root, each unit on the path, and the account (EVAL-6)', async () => {
  const rig = await organizationRig();
  const { may, snapshot } = viewOf(rig);
  const { OrganizationalUnit } = await rig.run('CreateOrganizationalUnit', { ParentId: rig.unitId, Name: 'inner' });
  const innerId = OrganizationalUnit?.Id ?? '';
  await rig.run('MoveAccount', { AccountId: rig.memberId, SourceParentId: rig.rootId, DestinationParentId: innerId });
  const policies = [];
  for (const TargetId of [rig.rootId, rig.unitId, innerId, rig.memberId]) {
    const PolicyId = await rig.policy(`of ${TargetId}`);
    await rig.run('AttachPolicy', { PolicyId, TargetId });
    await rig.run('DetachPolicy', { PolicyId: 'p-FullAWSAccess', TargetId });
    policies.push([
      {
        policyId: PolicyId,
        policyArn: `arn:aws:organizations::${MANAGEMENT}:policy/${rig.organizationId}/service_control_policy/${PolicyId}`,
      },
    ]);
  }
  assert.equal(await may(root(rig.memberId), 'chime:ListMeetings'), 'allowed');
  const levels = serviceControlLevels(snapshot, rig.memberId, (_, __, text) => compilePolicy(text));
  assert.deepEqual(
    levels?.map((level) => level.map(({ policyId, policyArn }) => ({ policyId, policyArn }))),
    policies,
  );
  assert.equal(
    serviceControlLevels(snapshot, MANAGEMENT, (_, __, text) => compilePolicy(text)),
    undefined,
  );
  assert.equal(
    serviceControlLevels(snapshot, STRANGER, (_, __, text) => compilePolicy(text)),
    undefined,
  );
});

test('serviceControlLevels: incomplete records of an organization cause an error (EVAL-12)', async () => {
  const rig = await organizationRig();
  const { may } = viewOf(rig);
  await rig.store.transaction((tx) => tx.identity.remove(MANAGEMENT, 'organization-account', rig.memberId));
  await assert.rejects(may(root(rig.memberId), 'chime:ListMeetings'));
});

test('Resources of an organization: members may access them, and other accounts only handshakes', async () => {
  const rig = await organizationRig();
  const { may } = viewOf(rig);
  const owned = `arn:aws:organizations::${MANAGEMENT}:account/${rig.organizationId}/${rig.memberId}`;
  const handshake = `arn:aws:organizations::${MANAGEMENT}:handshake/${rig.organizationId}/invite/h-00000000`;
  assert.equal(await may(root(rig.memberId), 'organizations:DescribeAccount', owned), 'allowed');
  assert.match(await may(root(STRANGER), 'organizations:DescribeAccount', owned), /because no resource-based policy allows/);
  assert.equal(await may(root(STRANGER), 'organizations:AcceptHandshake', handshake), 'allowed');
});

test('aws:ResourceOrgID: a policy can limit members to resources of their organization (EVAL-6, CTX-1)', async () => {
  const rig = await organizationRig();
  const { may } = viewOf(rig);
  const perimeter = (organizationId: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Deny', Action: 'chime:*', Resource: '*', Condition: { StringNotEquals: { 'aws:ResourceOrgID': organizationId } } },
      ],
    });
  const meeting = `arn:aws:chime:us-east-1:${rig.memberId}:meeting/1`;
  const PolicyId = await rig.policy('perimeter', perimeter(rig.organizationId));
  await rig.run('AttachPolicy', { PolicyId, TargetId: rig.rootId });
  assert.equal(await may(root(rig.memberId), 'chime:GetMeeting', meeting), 'allowed');
  await rig.run('UpdatePolicy', { PolicyId, Content: perimeter('o-elsewhere00') });
  assert.ok((await may(root(rig.memberId), 'chime:GetMeeting', meeting)).endsWith(explicitDeny(rig, PolicyId)));
});
