/**
 * Managed policies attached to users, groups and roles. The record of a user, group or role lists its policies. For
 * each policy, the reverse index lists the users, groups and roles that the policy is attached to.
 */
import type { Arn } from '#core/arn.ts';
import type { AttachedPolicy, IamApi } from '#model/generated/iam.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { ensureModifiable, entity, type HolderKind, type HolderRecord } from './entities.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToAttach } from './managed-policies.ts';
import { AWS_MANAGED_PREFIX, nameKey, nameOfArn } from './names.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { withinQuota } from './quotas.ts';
import { onEntity, policyArnKey } from './resources.ts';
import { attachmentKey } from './reverse-index.ts';

const POLICIES_PER = { user: 'PoliciesPerUser', group: 'PoliciesPerGroup', role: 'PoliciesPerRole' } as const;

/** Operations on attached managed policies. */
export const attachmentOperations = {
  AttachUserPolicy: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName, policyArnKey(input.PolicyArn), 'boundary'),
    handle: (call, input) => attach(call, 'user', input.UserName, input.PolicyArn),
  },
  AttachGroupPolicy: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName, policyArnKey(input.PolicyArn)),
    handle: (call, input) => attach(call, 'group', input.GroupName, input.PolicyArn),
  },
  AttachRolePolicy: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, policyArnKey(input.PolicyArn), 'boundary'),
    handle: (call, input) => attach(call, 'role', input.RoleName, input.PolicyArn),
  },

  DetachUserPolicy: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName, policyArnKey(input.PolicyArn), 'boundary'),
    handle: (call, input) => detach(call, 'user', input.UserName, input.PolicyArn),
  },
  DetachGroupPolicy: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName, policyArnKey(input.PolicyArn)),
    handle: (call, input) => detach(call, 'group', input.GroupName, input.PolicyArn),
  },
  DetachRolePolicy: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, policyArnKey(input.PolicyArn), 'boundary'),
    handle: (call, input) => detach(call, 'role', input.RoleName, input.PolicyArn),
  },

  ListAttachedUserPolicies: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName),
    handle: (call, input) => listAttached(call, 'user', input.UserName, input),
  },
  ListAttachedGroupPolicies: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName),
    handle: (call, input) => listAttached(call, 'group', input.GroupName, input),
  },
  ListAttachedRolePolicies: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName),
    handle: (call, input) => listAttached(call, 'role', input.RoleName, input),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Attaches a managed policy. Changes nothing if it is already attached. */
async function attach(call: Call, kind: HolderKind, name: string, policyArn: string): Promise<Record<string, never>> {
  const holder = await entity(call, kind, name);
  ensureModifiable(holder);
  const policy = await managedPolicyToAttach(call, policyArn);
  if (holder.attachedPolicyArns.includes(policy.arn)) return {};
  withinQuota(POLICIES_PER[kind], holder.attachedPolicyArns.length + 1);
  const key = nameKey(name);
  await call.tx.identity.put(call.accountId, kind, key, { ...holder, attachedPolicyArns: [...holder.attachedPolicyArns, policy.arn] });
  await call.tx.identity.put(call.accountId, 'attachment', attachmentKey(policy.arn, kind, key), { accountId: call.accountId });
  return {};
}

/** Detaches a managed policy. @throws NoSuchEntityException  the policy is not attached */
async function detach(call: Call, kind: HolderKind, name: string, policyArn: string): Promise<Record<string, never>> {
  const attached = policyArn as Arn;
  const holder = await entity(call, kind, name);
  ensureModifiable(holder);
  if (!holder.attachedPolicyArns.includes(attached)) throw new AwsError('NoSuchEntityException', `Policy ${policyArn} was not found.`);
  const key = nameKey(name);
  const attachedPolicyArns = holder.attachedPolicyArns.filter((one) => one !== attached);
  await call.tx.identity.put(call.accountId, kind, key, { ...holder, attachedPolicyArns });
  await call.tx.identity.remove(call.accountId, 'attachment', attachmentKey(attached, kind, key));
  return {};
}

async function listAttached(
  call: Call,
  kind: HolderKind,
  name: string,
  request: PageRequest & { readonly PathPrefix?: string },
): Promise<{ readonly AttachedPolicies: readonly AttachedPolicy[] } & Page<never>['rest']> {
  const holder = await entity(call, kind, name);
  const attached = toAttached(holder).filter((policy) => pathOfPolicy(policy.PolicyArn).startsWith(request.PathPrefix ?? '/'));
  const page = pageOf(
    request,
    attached.map((policy) => ({ key: orderOf(policy.PolicyArn), record: policy })),
  );
  return { AttachedPolicies: page.records, ...page.rest };
}

/** Returns the policies attached to a user, group or role, in the order of their attachment. */
export function toAttached(holder: HolderRecord): { readonly PolicyName: string; readonly PolicyArn: string }[] {
  return holder.attachedPolicyArns.map((policyArn) => ({ PolicyName: nameOfArn(policyArn), PolicyArn: policyArn }));
}

/**
 * Returns the sort key of a policy: `aws/<name>` for an AWS managed policy, otherwise `own/<name>`. A pagination marker
 * contains this key, because an ARN may be too long for a marker.
 */
function orderOf(policyArn: string): string {
  return `${policyArn.startsWith(AWS_MANAGED_PREFIX) ? 'aws' : 'own'}/${nameKey(nameOfArn(policyArn))}`;
}

function pathOfPolicy(policyArn: string): string {
  const from = policyArn.indexOf(':policy/') + ':policy'.length;
  return policyArn.slice(from, policyArn.lastIndexOf('/') + 1);
}
