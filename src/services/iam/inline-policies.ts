/**
 * Inline policies, which are stored in the record of their user, group or role.
 */

import type { IamApi } from '#model/generated/iam.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { ensureWellFormed, storedDocument } from './documents.ts';
import { ensureModifiable, entity, type HolderKind, type HolderRecord, nameOf } from './entities.ts';
import { AwsError } from './errors.ts';
import { nameKey } from './names.ts';
import { type PageRequest, pageOf } from './page.ts';
import { QUOTAS } from './quotas.ts';
import { onEntity } from './resources.ts';
import { encodeDocument } from './shapes.ts';

const SIZE_OF = { user: QUOTAS.UserPolicySize, group: QUOTAS.GroupPolicySize, role: QUOTAS.RolePolicySize } as const;

/** Operations on inline policies. */
export const inlinePolicyOperations = {
  PutUserPolicy: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName, [], 'boundary'),
    handle: (call, input) => putInline(call, 'user', input.UserName, input.PolicyName, input.PolicyDocument),
  },
  PutGroupPolicy: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName),
    handle: (call, input) => putInline(call, 'group', input.GroupName, input.PolicyName, input.PolicyDocument),
  },
  PutRolePolicy: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    handle: (call, input) => putInline(call, 'role', input.RoleName, input.PolicyName, input.PolicyDocument),
  },

  GetUserPolicy: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName),
    async handle(call, input) {
      const user = await entity(call, 'user', input.UserName);
      return { UserName: user.userName, PolicyName: input.PolicyName, PolicyDocument: encodedInline('user', user, input.PolicyName) };
    },
  },
  GetGroupPolicy: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName),
    async handle(call, input) {
      const group = await entity(call, 'group', input.GroupName);
      return {
        GroupName: group.groupName,
        PolicyName: input.PolicyName,
        PolicyDocument: encodedInline('group', group, input.PolicyName),
      };
    },
  },
  GetRolePolicy: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName),
    async handle(call, input) {
      const role = await entity(call, 'role', input.RoleName);
      return { RoleName: role.roleName, PolicyName: input.PolicyName, PolicyDocument: encodedInline('role', role, input.PolicyName) };
    },
  },

  DeleteUserPolicy: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName, [], 'boundary'),
    handle: (call, input) => deleteInline(call, 'user', input.UserName, input.PolicyName),
  },
  DeleteGroupPolicy: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName),
    handle: (call, input) => deleteInline(call, 'group', input.GroupName, input.PolicyName),
  },
  DeleteRolePolicy: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    handle: (call, input) => deleteInline(call, 'role', input.RoleName, input.PolicyName),
  },

  ListUserPolicies: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName),
    handle: (call, input) => listInline(call, 'user', input.UserName, input),
  },
  ListGroupPolicies: {
    access: (input, caller) => onEntity(caller, 'group', input.GroupName),
    handle: (call, input) => listInline(call, 'group', input.GroupName, input),
  },
  ListRolePolicies: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName),
    handle: (call, input) => listInline(call, 'role', input.RoleName, input),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/**
 * Adds an inline policy, or replaces the one with the same name.
 *
 * @throws NoSuchEntityException             the user, group or role does not exist
 * @throws UnmodifiableEntityException       the role is linked to a service
 * @throws MalformedPolicyDocumentException  the document is invalid
 * @throws LimitExceededException            all inline policies of the entity together are too long
 */
async function putInline(call: Call, kind: HolderKind, name: string, policyName: string, document: string): Promise<Record<string, never>> {
  const holder = await entity(call, kind, name);
  ensureModifiable(holder);
  ensureWellFormed(document, 'inline');
  const inlinePolicies = { ...holder.inlinePolicies, [policyName]: storedDocument(document) };
  const size = Object.values(inlinePolicies).reduce((sum, one) => sum + policySize(one), 0);
  if (size > SIZE_OF[kind]) {
    throw new AwsError('LimitExceededException', `Maximum policy size of ${SIZE_OF[kind]} bytes exceeded for ${kind} ${nameOf(holder)}`);
  }
  await call.tx.identity.put(call.accountId, kind, nameKey(name), { ...holder, inlinePolicies });
  return {};
}

/** Returns the document of an inline policy. @throws NoSuchEntityException  the entity has no inline policy with this name */
function inlineDocument(kind: HolderKind, holder: HolderRecord, policyName: string): string {
  const document = Object.hasOwn(holder.inlinePolicies, policyName) ? holder.inlinePolicies[policyName] : undefined;
  if (document === undefined) throw new AwsError('NoSuchEntityException', `The ${kind} policy with name ${policyName} cannot be found.`);
  return document;
}

function encodedInline(kind: HolderKind, holder: HolderRecord, policyName: string): string {
  return encodeDocument(inlineDocument(kind, holder, policyName));
}

async function deleteInline(call: Call, kind: HolderKind, name: string, policyName: string): Promise<Record<string, never>> {
  const holder = await entity(call, kind, name);
  ensureModifiable(holder);
  inlineDocument(kind, holder, policyName);
  const { [policyName]: _, ...inlinePolicies } = holder.inlinePolicies;
  await call.tx.identity.put(call.accountId, kind, nameKey(name), { ...holder, inlinePolicies });
  return {};
}

async function listInline(call: Call, kind: HolderKind, name: string, request: PageRequest) {
  const holder = await entity(call, kind, name);
  const page = pageOf(
    request,
    Object.keys(holder.inlinePolicies).map((policyName) => ({ key: policyName, record: policyName })),
  );
  return { PolicyNames: page.records, ...page.rest };
}
