/**
 * Service control policies. `attachments.ts` attaches them.
 */

import { omitUndefined } from '#core/omit-undefined.ts';
import type { OrganizationsApi, PolicyType } from '#model/generated/organizations.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { POLICY_QUOTAS, policySize } from '#policy/validate/policy-size.ts';
import type { OrganizationRecord, ServiceControlPolicyRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import { notYetImplemented } from '../kit/not-yet.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import { AwsError } from './errors.ts';
import { everyAccount, everyUnit, managedOrganization, policyIdsOf } from './lookup.ts';
import { newPolicyId } from './names.ts';
import { pageOfStored } from './page.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, invalidInput, refusal } from './refusals.ts';
import { onNewPolicy, onOrganization, onResources, policyTypeKey, requestTags, withTagging } from './resources.ts';
import { toPolicySummary } from './shapes.ts';
import { mergedTags } from './tag-rules.ts';

/** Operations on service control policies. */
export const policyOperations = {
  CreatePolicy: {
    access: (input, caller) => withTagging(onNewPolicy(caller, [...policyTypeKey(input.Type), ...requestTags(input.Tags)]), input.Tags),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { tx, accountId } = call;
      ensureTypeAvailable(organization, 'CreatePolicy', input.Type);
      ensureContent(input.Content);
      await ensureNameIsFree(call, input.Name);
      if ((await tx.identity.count(accountId, 'service-control-policy')) >= QUOTAS.policies) {
        throw constraintViolation('POLICY_NUMBER_LIMIT_EXCEEDED', 'You have exceeded the number of policies allowed in an organization.');
      }
      const policy: ServiceControlPolicyRecord = {
        accountId,
        policyId: newPolicyId(call.random),
        name: input.Name,
        description: input.Description,
        content: input.Content,
        tags: mergedTags([], input.Tags),
      };
      await add(call, policy);
      return { Policy: toPolicy(organization, policy) };
    },
  },

  /** Changes a policy. The new content applies to all targets of the policy from the next request on. */
  UpdatePolicy: {
    access: (input, caller) => onResources(caller, [input.PolicyId], policyTypeKey()),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const policy = await policyToChange(call, input.PolicyId);
      if (input.Content !== undefined) ensureContent(input.Content);
      if (input.Name !== undefined && input.Name !== policy.name) await ensureNameIsFree(call, input.Name);
      const changed: ServiceControlPolicyRecord = {
        ...policy,
        name: input.Name ?? policy.name,
        description: input.Description ?? policy.description,
        content: input.Content ?? policy.content,
      };
      await call.tx.identity.put(call.accountId, 'service-control-policy', policy.policyId, changed);
      return { Policy: toPolicy(organization, changed) };
    },
  },

  DeletePolicy: {
    access: (input, caller) => onResources(caller, [input.PolicyId], policyTypeKey()),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { policyId } = await policyToChange(call, input.PolicyId);
      if (await isAttached(call.tx, organization, policyId)) throw refusal('PolicyInUseException');
      await call.tx.identity.remove(call.accountId, 'service-control-policy', policyId);
      return {};
    },
  },

  DescribePolicy: {
    access: (input, caller) => onResources(caller, [input.PolicyId], policyTypeKey()),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      return { Policy: toPolicy(organization, await policyOf(call, input.PolicyId)) };
    },
  },

  /** Lists the policies of a type. For types other than service control policies the list is empty. */
  ListPolicies: {
    access: (input) => onOrganization(policyTypeKey(input.Filter)),
    async handle(call, input) {
      const organization = await managedOrganization(call);
      if (input.Filter !== 'SERVICE_CONTROL_POLICY') return { Policies: [] };
      const page = await pageOfStored<ListedPolicy>(call.tx.identity, input, async (after, limit) => {
        const stored = await call.tx.identity.summaries(call.accountId, 'service-control-policy', omitUndefined({ after, limit }));
        const own = FULL_AWS_ACCESS.policyId > (after ?? '') ? [{ key: FULL_AWS_ACCESS.policyId, record: FULL_AWS_ACCESS }] : [];
        return [...own, ...stored].sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
      });
      return { Policies: page.records.map((policy) => toPolicySummary(organization, policy)), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/**
 * Checks that an organization can have policies of a type.
 *
 * @throws PolicyTypeNotAvailableForOrganizationException  the organization has only the consolidated billing features
 * @throws NotYetImplementedException                      AWS has policies of this type, but Belfry does not
 */
export function ensureTypeAvailable(organization: OrganizationRecord, operation: string, type: PolicyType): void {
  if (organization.featureSet !== 'ALL') throw refusal('PolicyTypeNotAvailableForOrganizationException');
  if (type !== 'SERVICE_CONTROL_POLICY') throw notYetImplemented(`${operation} for policies of type ${type}`);
}

type ListedPolicy = Pick<ServiceControlPolicyRecord, 'policyId' | 'name' | 'description'>;
type PolicyFacts = Pick<ServiceControlPolicyRecord, 'policyId' | 'name' | 'description' | 'content'>;

async function isAttached(tx: Tx, organization: OrganizationRecord, policyId: string): Promise<boolean> {
  if (organization.root.attachedPolicyIds.includes(policyId)) return true;
  for await (const unit of everyUnit(tx, organization)) if (policyIdsOf(organization, unit).includes(policyId)) return true;
  for await (const account of everyAccount(tx, organization)) if (policyIdsOf(organization, account).includes(policyId)) return true;
  return false;
}

/** Returns a policy of the caller's organization, or FullAWSAccess. @throws PolicyNotFoundException  the policy does not exist */
export async function policyOf(call: Call, policyId: string): Promise<PolicyFacts> {
  if (policyId === FULL_AWS_ACCESS.policyId) return FULL_AWS_ACCESS;
  const policy = await call.tx.identity.get(call.accountId, 'service-control-policy', policyId);
  if (policy === undefined) throw refusal('PolicyNotFoundException');
  return policy;
}

/**
 * Returns a policy that the caller's account may change.
 *
 * @throws InvalidInputException    the policy is FullAWSAccess, which AWS manages
 * @throws PolicyNotFoundException  the policy does not exist
 */
export async function policyToChange(call: Call, policyId: string): Promise<ServiceControlPolicyRecord> {
  if (policyId === FULL_AWS_ACCESS.policyId) throw invalidInput('IMMUTABLE_POLICY', 'You cannot change an AWS managed policy.');
  const policy = await call.tx.identity.get(call.accountId, 'service-control-policy', policyId);
  if (policy === undefined) throw refusal('PolicyNotFoundException');
  return policy;
}

function toPolicy(
  organization: OrganizationRecord,
  policy: PolicyFacts,
): NonNullable<OrganizationsApi['CreatePolicy']['output']['Policy']> {
  return { PolicySummary: toPolicySummary(organization, policy), Content: policy.content };
}

/**
 * Checks the content of a policy.
 *
 * @throws ConstraintViolationException      the content is too long. White space counts
 * @throws MalformedPolicyDocumentException  the content is not a valid service control policy
 *
 * Source: AWS Organizations User Guide, "Quotas": the size of a service control policy.
 */
function ensureContent(content: string): void {
  const { characters } = POLICY_QUOTAS.serviceControl;
  if (policySize(content, 'service-control') > characters) {
    throw constraintViolation('POLICY_CONTENT_LIMIT_EXCEEDED', 'You have exceeded the maximum policy size.');
  }
  const problem = malformedPolicyText(content, 'service-control');
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
}

/** Checks that a policy name is not in use. @throws DuplicatePolicyException  the organization or AWS has a policy with this name */
async function ensureNameIsFree(call: Call, name: string): Promise<void> {
  if (name === FULL_AWS_ACCESS.name) throw refusal('DuplicatePolicyException');
  for await (const { record } of everySummary(call.tx, call.accountId, 'service-control-policy')) {
    if (record.name === name) throw refusal('DuplicatePolicyException');
  }
}

async function add(call: Call, policy: ServiceControlPolicyRecord): Promise<void> {
  const outcome = await call.tx.identity.add(call.accountId, 'service-control-policy', policy.policyId, policy);
  // A random ID is in use with a probability of 1 in 2^50 per existing policy. The client can retry.
  if (outcome === 'exists') throw new AwsError('ServiceException', 'The new policy ID is in use. Try again.');
}
