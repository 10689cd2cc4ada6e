/**
 * The organization, its root, and the policy types that are enabled in the root.
 */

import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import { ORGANIZATION_KEY, type OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { cancelOpenHandshakes } from './handshake-states.ts';
import { managedOrganization, organizationOf, ownOrganization, putOrganization } from './lookup.ts';
import { emitChanged } from './membership.ts';
import { newOrganizationId, newRootId } from './names.ts';
import { pageOf } from './page.ts';
import { ensureTypeAvailable } from './policies.ts';
import { refusal } from './refusals.ts';
import { onResources, policyTypeKey } from './resources.ts';
import { toOrganization, toRoot } from './shapes.ts';

/** Operations on the organization and its root. */
export const organizationOperations = {
  /** Creates an organization with the caller's account as management account. Service control policies are not yet enabled in the root. */
  CreateOrganization: {
    async handle(call, input) {
      const { tx, accountId, now } = call;
      if ((await organizationOf(tx, accountId)) !== undefined) throw refusal('AlreadyInOrganizationException');
      const organization: OrganizationRecord = {
        accountId,
        organizationId: newOrganizationId(call.random),
        featureSet: input.FeatureSet ?? 'ALL',
        createdAt: now,
        serviceControl: 'disabled',
        root: { rootId: newRootId(call.random), attachedPolicyIds: [], tags: [] },
      };
      await putOrganization(tx, organization);
      await tx.identity.put(accountId, 'organization-member', ORGANIZATION_KEY, { accountId, managementAccountId: accountId });
      await tx.identity.put(accountId, 'organization-account', accountId, {
        accountId,
        memberId: accountId,
        parentId: organization.root.rootId,
        joinedAt: now,
        joinedMethod: 'INVITED',
        status: 'ACTIVE',
        attachedPolicyIds: [],
        tags: [],
      });
      return { Organization: await toOrganization(tx, organization) };
    },
  },

  DescribeOrganization: {
    async handle(call) {
      return { Organization: await toOrganization(call.tx, await ownOrganization(call)) };
    },
  },

  /**
   * Deletes the organization with its units, policies and open invitations.
   *
   * Source: AWS Organizations User Guide, "Deleting an organization".
   */
  DeleteOrganization: {
    async handle(call) {
      await managedOrganization(call);
      const { tx, accountId } = call;
      if ((await tx.identity.count(accountId, 'organization-account')) > 1) throw refusal('OrganizationNotEmptyException');
      await cancelOpenHandshakes(call);
      await tx.identity.removeAll(accountId, 'organizational-unit');
      await tx.identity.removeAll(accountId, 'service-control-policy');
      await tx.identity.removeAll(accountId, 'account-creation');
      await tx.identity.remove(accountId, 'organization-account', accountId);
      await tx.identity.remove(accountId, 'organization-member', ORGANIZATION_KEY);
      await tx.identity.remove(accountId, 'organization', ORGANIZATION_KEY);
      await emitChanged(call, { accountId });
      return {};
    },
  },

  ListRoots: {
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const page = pageOf(input, [{ key: organization.root.rootId, record: toRoot(organization) }]);
      return { Roots: page.records, ...page.rest };
    },
  },

  EnablePolicyType: {
    access: (input, caller) => onResources(caller, [input.RootId], policyTypeKey(input.PolicyType)),
    handle: (call, input) => switchPolicyType(call, input, 'enabled'),
  },

  DisablePolicyType: {
    access: (input, caller) => onResources(caller, [input.RootId], policyTypeKey(input.PolicyType)),
    handle: (call, input) => switchPolicyType(call, input, 'disabled'),
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/**
 * Enables or disables service control policies. Enabling attaches FullAWSAccess to every target. Disabling permanently detaches all
 * policies from every target.
 *
 * Source: AWS Organizations User Guide, "Enabling and disabling policy types".
 */
async function switchPolicyType(
  call: Call,
  input: OrganizationsApi['EnablePolicyType']['input'],
  wanted: OrganizationRecord['serviceControl'],
): Promise<OrganizationsApi['EnablePolicyType']['output']> {
  const organization = await managedOrganization(call);
  if (input.RootId !== organization.root.rootId) throw refusal('RootNotFoundException');
  if (wanted === 'enabled') ensureTypeAvailable(organization, 'EnablePolicyType', input.PolicyType);
  else if (input.PolicyType !== 'SERVICE_CONTROL_POLICY') throw refusal('PolicyTypeNotEnabledException');
  if (organization.serviceControl === wanted) {
    throw refusal(wanted === 'enabled' ? 'PolicyTypeAlreadyEnabledException' : 'PolicyTypeNotEnabledException');
  }
  const attachedPolicyIds = wanted === 'enabled' ? [FULL_AWS_ACCESS.policyId] : [];
  const changed: OrganizationRecord = {
    ...organization,
    serviceControl: wanted,
    attachmentPeriod: (organization.attachmentPeriod ?? 0) + 1,
    root: { ...organization.root, attachedPolicyIds },
  };
  await putOrganization(call.tx, changed);
  return { Root: toRoot(changed) };
}
