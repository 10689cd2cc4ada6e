/**
 * Principals that service control policies apply to, and exempt principals. `authorize` decides with a snapshot of a real store.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asked, authorizing } from '#access/authorize.ts';
import { Denied } from '#access/denied.ts';
import { serviceControlLevels } from '#access/service-control.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import type { Principal } from '#core/principal.ts';
import { compilePolicy } from '#policy/engine.ts';
import { addLinkedRole, LINKED_SERVICES, type LinkedService } from '#services/iam/service-linked-roles.ts';
import { roleSession, rootOf } from '#services/kit/fixture.ts';
import { deny, policy } from '../kit/policy.ts';
import { MANAGEMENT, type Organization, openOrganization, START, STRANGER } from './fixture.ts';

const DENY_CHIME = policy(deny('chime:*'));
const VOICE = LINKED_SERVICES.find(({ service }) => service === 'voiceconnector.chime.amazonaws.com') as LinkedService;

/**
 * Returns an identity snapshot of the organization's store, and a function that authorizes an action with this
 * snapshot.
 */
function viewOf(org: Organization) {
  const snapshot = newSnapshot();
  const stacks = newStacks(snapshot);
  const authorize = authorizing({ snapshot, stacks, holds: () => true });
  return {
    snapshot,
    async may(principal: Principal, action: Asked['action'], resource = '*'): Promise<'allowed' | string> {
      return org.store.transaction(async (tx) => {
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

/** Returns the end of the message of a denial by a service control policy. Requirement TS-6. */
function explicitDeny({ organizationId }: { readonly organizationId: string }, policyId: string): string {
  const arn = `arn:aws:organizations::${MANAGEMENT}:policy/${organizationId}/service_control_policy/${policyId}`;
  return `with an explicit deny in a service control policy: ${arn}`;
}

test('Root users: SCPs apply in member accounts, and not in the management account (IAM-5, EVAL-6)', async () => {
  const org = await openOrganization();
  const { may } = viewOf(org);
  const member = rootOf(org.memberId);
  assert.equal(await may(member, 'chime:ListMeetings'), 'allowed');

  const denyChime = await org.policy('deny chime', DENY_CHIME);
  for (const TargetId of [org.rootId, org.memberId, MANAGEMENT]) await org.run('AttachPolicy', { PolicyId: denyChime, TargetId });
  const denied = `User: arn:aws:iam::${org.memberId}:root is not authorized to perform: chime:ListMeetings on resource: *`;
  assert.equal(await may(member, 'chime:ListMeetings'), `${denied} ${explicitDeny(org, denyChime)}`);
  assert.equal(await may(member, 'iam:ListUsers'), 'allowed');
  assert.equal(await may(rootOf(MANAGEMENT), 'chime:ListMeetings'), 'allowed');
  assert.equal(await may(rootOf(STRANGER), 'chime:ListMeetings'), 'allowed');

  await org.run('DetachPolicy', { PolicyId: denyChime, TargetId: org.rootId });
  await org.run('DetachPolicy', { PolicyId: 'p-FullAWSAccess', TargetId: org.memberId });
  await org.run('UpdatePolicy', { PolicyId: denyChime, Content: DENY_CHIME.replace('chime:*', 'iam:*') });
  assert.equal(await may(member, 'chime:ListMeetings'), `${denied} because no service control policy allows the chime:ListMeetings action`);
});

test('Service-linked roles: SCPs apply only to the other roles of the account (EVAL-6, SLR-16)', async () => {
  const org = await openOrganization();
  const { may } = viewOf(org);
  const linked = await org.store.transaction(async (tx) => {
    const call = { tx, accountId: org.memberId, now: START, random: (bytes: number) => new Uint8Array(bytes), emit: async () => {} };
    return addLinkedRole(call as unknown as Parameters<typeof addLinkedRole>[0], VOICE);
  });
  assert.ok(linked !== 'taken');
  const customer = await org.store.transaction((tx) => tx.identity.get(org.memberId, 'role', 'organizationaccountaccessrole'));
  assert.ok(customer !== undefined);

  const action = 'chime:GetVoiceConnector';
  const [before, customerBefore] = [
    await may(roleSession(org.memberId, linked), action),
    await may(roleSession(org.memberId, customer), action),
  ];
  const denyChime = await org.policy('deny chime', DENY_CHIME);
  await org.run('AttachPolicy', { PolicyId: denyChime, TargetId: org.memberId });
  assert.deepEqual([before, customerBefore], ['allowed', 'allowed']);
  assert.equal(await may(roleSession(org.memberId, linked), action), 'allowed');
  assert.ok((await may(roleSession(org.memberId, customer), action)).endsWith(explicitDeny(org, denyChime)));
});

test('serviceControlLevels: root, each unit on the path, and account have one level each (EVAL-6)', async () => {
  const org = await openOrganization();
  const { may, snapshot } = viewOf(org);
  const { OrganizationalUnit } = await org.run('CreateOrganizationalUnit', { ParentId: org.unitId, Name: 'inner' });
  const innerId = OrganizationalUnit?.Id ?? '';
  await org.run('MoveAccount', { AccountId: org.memberId, SourceParentId: org.rootId, DestinationParentId: innerId });
  const policies = [];
  for (const TargetId of [org.rootId, org.unitId, innerId, org.memberId]) {
    const PolicyId = await org.policy(`of ${TargetId}`);
    await org.run('AttachPolicy', { PolicyId, TargetId });
    await org.run('DetachPolicy', { PolicyId: 'p-FullAWSAccess', TargetId });
    policies.push([
      {
        policyId: PolicyId,
        policyArn: `arn:aws:organizations::${MANAGEMENT}:policy/${org.organizationId}/service_control_policy/${PolicyId}`,
      },
    ]);
  }
  assert.equal(await may(rootOf(org.memberId), 'chime:ListMeetings'), 'allowed');
  const levels = serviceControlLevels(snapshot, org.memberId, (_, __, text) => compilePolicy(text));
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
  const org = await openOrganization();
  const { may } = viewOf(org);
  await org.store.transaction((tx) => tx.identity.remove(MANAGEMENT, 'organization-account', org.memberId));
  await assert.rejects(may(rootOf(org.memberId), 'chime:ListMeetings'));
});

test('Organization resources: members may access resources, and other accounts may access only handshakes', async () => {
  const org = await openOrganization();
  const { may } = viewOf(org);
  const owned = `arn:aws:organizations::${MANAGEMENT}:account/${org.organizationId}/${org.memberId}`;
  const handshake = `arn:aws:organizations::${MANAGEMENT}:handshake/${org.organizationId}/invite/h-00000000`;
  assert.equal(await may(rootOf(org.memberId), 'organizations:DescribeAccount', owned), 'allowed');
  assert.match(await may(rootOf(STRANGER), 'organizations:DescribeAccount', owned), /because no resource-based policy allows/);
  assert.equal(await may(rootOf(STRANGER), 'organizations:AcceptHandshake', handshake), 'allowed');
});

test('aws:ResourceOrgID: a policy can limit members to resources of their organization (EVAL-6, CTX-1)', async () => {
  const org = await openOrganization();
  const { may } = viewOf(org);
  const perimeter = (organizationId: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [deny('chime:*', '*', { Condition: { StringNotEquals: { 'aws:ResourceOrgID': organizationId } } })],
    });
  const meeting = `arn:aws:chime:us-east-1:${org.memberId}:meeting/1`;
  const PolicyId = await org.policy('perimeter', perimeter(org.organizationId));
  await org.run('AttachPolicy', { PolicyId, TargetId: org.rootId });
  assert.equal(await may(rootOf(org.memberId), 'chime:GetMeeting', meeting), 'allowed');
  await org.run('UpdatePolicy', { PolicyId, Content: perimeter('o-elsewhere00') });
  assert.ok((await may(rootOf(org.memberId), 'chime:GetMeeting', meeting)).endsWith(explicitDeny(org, PolicyId)));
});
