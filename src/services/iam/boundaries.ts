/**
 * Permissions boundaries of users and roles. A boundary grants nothing. It only limits other policies. Requirement EVAL-4.
 */

import type { IamApi } from '#model/generated/iam.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { ensureModifiable, entity } from './entities.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToBound } from './managed-policies.ts';
import { nameKey } from './names.ts';
import { boundaryKey, onEntity } from './resources.ts';
import { boundaryIndexKey } from './reverse-index.ts';

/** Operations on permissions boundaries. */
export const boundaryOperations = {
  PutUserPermissionsBoundary: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName, boundaryKey(input.PermissionsBoundary)),
    handle: (call, input) => putBoundary(call, 'user', input.UserName, input.PermissionsBoundary),
  },
  PutRolePermissionsBoundary: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, boundaryKey(input.PermissionsBoundary)),
    handle: (call, input) => putBoundary(call, 'role', input.RoleName, input.PermissionsBoundary),
  },
  DeleteUserPermissionsBoundary: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName, [], 'boundary'),
    handle: (call, input) => deleteBoundary(call, 'user', input.UserName),
  },
  DeleteRolePermissionsBoundary: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    handle: (call, input) => deleteBoundary(call, 'role', input.RoleName),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

async function putBoundary(call: Call, kind: 'user' | 'role', name: string, policyArn: string): Promise<Record<string, never>> {
  const bounded = await entity(call, kind, name);
  ensureModifiable(bounded);
  const policy = await managedPolicyToBound(call, policyArn);
  const key = nameKey(name);
  if (bounded.permissionsBoundaryArn !== undefined) {
    await call.tx.identity.remove(call.accountId, 'attachment', boundaryIndexKey(bounded.permissionsBoundaryArn, kind, key));
  }
  await call.tx.identity.put(call.accountId, kind, key, { ...bounded, permissionsBoundaryArn: policy.arn });
  await call.tx.identity.put(call.accountId, 'attachment', boundaryIndexKey(policy.arn, kind, key), { accountId: call.accountId });
  return {};
}

/** Removes the permissions boundary of a user or role. @throws NoSuchEntityException  there is no boundary. Assumed: the message */
async function deleteBoundary(call: Call, kind: 'user' | 'role', name: string): Promise<Record<string, never>> {
  const bounded = await entity(call, kind, name);
  ensureModifiable(bounded);
  const { permissionsBoundaryArn, ...free } = bounded;
  if (permissionsBoundaryArn === undefined) {
    throw new AwsError('NoSuchEntityException', `The permissions boundary for ${kind} ${name} cannot be found.`);
  }
  const key = nameKey(name);
  await call.tx.identity.put(call.accountId, kind, key, free as typeof bounded);
  await call.tx.identity.remove(call.accountId, 'attachment', boundaryIndexKey(permissionsBoundaryArn, kind, key));
  return {};
}
