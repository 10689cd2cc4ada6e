/**
 * Attachments of service control policies to the root, organizational units and accounts.
 */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi, PolicySummary, PolicyTargetSummary } from '#model/generated/organizations.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { concat, fromList, type Read } from '../kit/page.ts';
import { type FoundTarget, managedOrganization, ownOrganization, policyIdsOf, targetOf } from './lookup.ts';
import { pageOf, pageOfStored } from './page.ts';
import { policyOf } from './policies.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, invalidInput, refusal } from './refusals.ts';
import { onResources, policyTypeKey } from './resources.ts';
import { toPolicySummary } from './shapes.ts';

/** Operations on attached service control policies. */
export const attachmentOperations = {
  AttachPolicy: {
    access: (input, caller) => onResources(caller, [input.PolicyId, input.TargetId], policyTypeKey()),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { policyId } = await policyOf(call, input.PolicyId);
      const target = await targetToChange(call.tx, organization, input.TargetId);
      ensureEnabled(organization);
      if (target.attachedPolicyIds.includes(policyId)) throw refusal('DuplicatePolicyAttachmentException');
      if (target.attachedPolicyIds.length >= QUOTAS.policiesPerTarget) {
        throw constraintViolation(
          'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
          'You have attached the maximum number of policies to the specified target.',
        );
      }
      await target.put({ attachedPolicyIds: [...target.attachedPolicyIds, policyId] });
      return {};
    },
  },

  DetachPolicy: {
    access: (input, caller) => onResources(caller, [input.PolicyId, input.TargetId], policyTypeKey()),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { policyId } = await policyOf(call, input.PolicyId);
      const target = await targetToChange(call.tx, organization, input.TargetId);
      if (!target.attachedPolicyIds.includes(policyId)) throw refusal('PolicyNotAttachedException');
      if (target.attachedPolicyIds.length <= QUOTAS.policiesPerTargetMin) {
        throw constraintViolation(
          'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED',
          'You cannot detach the last policy of this type from the target: every entity must have one.',
        );
      }
      await target.put({ attachedPolicyIds: target.attachedPolicyIds.filter((id) => id !== policyId) });
      return {};
    },
  },

  /** Lists the policies attached to the target itself. Inherited policies are not listed. */
  ListPoliciesForTarget: {
    access: (input, caller) => onResources(caller, [input.TargetId], policyTypeKey(input.Filter)),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const target = await targetToChange(call.tx, organization, input.TargetId);
      if (input.Filter !== 'SERVICE_CONTROL_POLICY') return { Policies: [] };
      const policies: PolicySummary[] = [];
      for (const policyId of target.attachedPolicyIds) policies.push(toPolicySummary(organization, await policyOf(call, policyId)));
      const page = pageOf(
        input,
        policies.map((record) => ({ key: record.Id ?? '', record })),
      );
      return { Policies: page.records, ...page.rest };
    },
  },

  ListTargetsForPolicy: {
    access: (input, caller) => onResources(caller, [input.PolicyId], policyTypeKey()),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { policyId } = await policyOf(call, input.PolicyId);
      const page = await pageOfStored(call.tx.identity, input, targetsOf(call, organization), ({ policyIds }) =>
        policyIds.includes(policyId),
      );
      const targets: PolicyTargetSummary[] = [];
      for (const { id } of page.records) {
        const target = await targetToChange(call.tx, organization, id);
        targets.push({ TargetId: target.id, Arn: target.arn, Name: target.name, Type: target.type });
      }
      return { Targets: targets, ...page.rest };
    },
  },

  /**
   * Always throws an error. In AWS, an effective policy merges the policies of a target and its parents. AWS does not
   * merge service control policies, and Belfry has no other policy types. A member account may call this operation for
   * itself.
   *
   * Source: organizations 2016-11-28, DescribeEffectivePolicy: "This operation applies only to management policies."
   */
  DescribeEffectivePolicy: {
    access: (input, caller) => onResources(caller, [input.TargetId ?? caller.accountId], policyTypeKey(input.PolicyType)),
    async handle(call, input) {
      const targetId = input.TargetId ?? call.accountId;
      const organization = targetId === call.accountId ? await ownOrganization(call) : await managedOrganization(call);
      if ((input.PolicyType as string) === 'SERVICE_CONTROL_POLICY') {
        throw invalidInput(
          'INVALID_ENUM',
          'Service control policies do not have an effective policy, because each level is evaluated separately.',
        );
      }
      if ((await targetOf(call.tx, organization, targetId)) === undefined) throw refusal('TargetNotFoundException');
      throw refusal('EffectivePolicyNotFoundException');
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/** A target: its own ID, and the IDs of the policies that are attached to it. */
interface Attached {
  readonly id: string;
  readonly policyIds: readonly string[];
}

/** Returns a reader of all targets of an organization: accounts, units and the root. The targets are in the order of their IDs. */
function targetsOf({ tx, accountId }: Call, organization: OrganizationRecord): Read<Attached> {
  const stored =
    (kind: 'organization-account' | 'organizational-unit'): Read<Attached> =>
    async (after, limit) => {
      const targets = await tx.identity.summaries(accountId, kind, omitUndefined({ after, limit }));
      return targets.map(({ key, record }) => ({ key, record: { id: key, policyIds: policyIdsOf(organization, record) } }));
    };
  const { rootId, attachedPolicyIds } = organization.root;
  return concat([
    { name: '1/', read: stored('organization-account') },
    { name: '2/', read: stored('organizational-unit') },
    { name: '3/', read: fromList([{ key: rootId, record: { id: rootId, policyIds: attachedPolicyIds } }]) },
  ]);
}

/**
 * Returns the root, unit or account with an ID.
 *
 * @throws TargetNotFoundException  the organization has no root, unit or account with this ID
 */
async function targetToChange(tx: Tx, organization: OrganizationRecord, targetId: string): Promise<FoundTarget> {
  const target = await targetOf(tx, organization, targetId);
  if (target === undefined) throw refusal('TargetNotFoundException');
  return target;
}

/**
 * Checks that service control policies are enabled.
 *
 * @throws PolicyTypeNotEnabledException  service control policies are disabled in the root
 */
function ensureEnabled(organization: OrganizationRecord): void {
  if (organization.serviceControl === 'disabled') throw refusal('PolicyTypeNotEnabledException');
}
