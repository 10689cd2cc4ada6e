/** Operations on roles that customers create. `service-linked-roles.ts` creates service-linked roles. */

import { uniqueId } from '#core/base32.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi, Role, RoleLastUsed } from '#model/generated/iam.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import { emitRoleChanged } from './analyzed-roles.ts';
import { ensureModifiable, entity, rememberUniqueId } from './entities.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToBound } from './managed-policies.ts';
import { ID_PREFIXES, iamArn, nameKey } from './names.ts';
import { pageOfStored } from './page.ts';
import { QUOTAS, withinQuota } from './quotas.ts';
import { boundaryKey, onCreated, onEntity, onPath } from './resources.ts';
import { boundaryIndexKey } from './reverse-index.ts';
import { toListedRole, toNewRole } from './shapes.ts';
import { newTags } from './tag-rules.ts';
import { readTrustPolicy, shownTrustPolicy } from './trust.ts';

const DEFAULT_SESSION_SECONDS = 3600;

/** Operations on roles. */
export const roleOperations = {
  CreateRole: {
    access: (input, caller) =>
      onCreated('iam:TagRole', iamArn(caller.accountId, 'role', input.Path ?? '/', input.RoleName), input.Tags, {
        context: boundaryKey(input.PermissionsBoundary),
      }),
    async handle(call, input) {
      const role = await createRole(call, input);
      return { Role: toNewRole(role, await shownTrustPolicy(call.tx, role)) };
    },
  },

  GetRole: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    async handle(call, input) {
      return { Role: await toWholeRole(call, await entity(call, 'role', input.RoleName)) };
    },
  },

  UpdateRole: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    async handle(call, input) {
      const role = await entity(call, 'role', input.RoleName);
      if (role.linkedService !== undefined && input.MaxSessionDuration !== undefined) {
        throw new AwsError(
          'UnmodifiableEntityException',
          `${role.roleName} is an AWS service linked role, max session duration cannot be changed.`,
        );
      }
      await saveRole(
        call,
        withDescription({ ...role, maxSessionSeconds: input.MaxSessionDuration ?? role.maxSessionSeconds }, input.Description),
      );
      return {};
    },
  },

  UpdateRoleDescription: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    async handle(call, input) {
      const role = withDescription(await entity(call, 'role', input.RoleName), input.Description);
      await saveRole(call, role);
      return { Role: await toWholeRole(call, role) };
    },
  },

  UpdateAssumeRolePolicy: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    async handle(call, input) {
      const role = await entity(call, 'role', input.RoleName);
      ensureModifiable(role);
      const { trustPrincipals, ...rest } = role;
      await saveRole(call, { ...rest, ...(await readTrustPolicy(call.tx, input.PolicyDocument)) });
      await emitRoleChanged(call, role);
      return {};
    },
  },

  DeleteRole: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName, [], 'boundary'),
    async handle(call, input) {
      const role = await entity(call, 'role', input.RoleName);
      ensureModifiable(role);
      if (role.attachedPolicyArns.length > 0) throw conflict('detach all policies first.');
      if (Object.keys(role.inlinePolicies).length > 0) throw conflict('delete policies first.');
      await removeRole(call, role);
      return {};
    },
  },

  ListRoles: {
    access: (input, caller) => onPath(caller, 'role', input.PathPrefix),
    async handle(call, input) {
      const { identity } = call.tx;
      const arns = new Map<string, string>();
      const shown = new Map<string, Role>();
      const page = await pageOfStored<IdentitySummaries['role']>(
        identity,
        input,
        (after, limit) => identity.summaries(call.accountId, 'role', omitUndefined({ after, limit })),
        async (summary, key) => {
          if (!summary.path.startsWith(input.PathPrefix ?? '/')) return false;
          const role = await entity(call, 'role', key);
          shown.set(role.roleId, toListedRole(role, await shownTrustPolicy(call.tx, role, arns)));
          return true;
        },
      );
      return { Roles: page.records.map(({ roleId }) => shown.get(roleId) as Role), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/**
 * Creates a role.
 *
 * @throws InvalidInputException  the path begins with /aws-service-role/, which is for service-linked roles. Requirement SLR-17
 *
 * Assumed: the message, and that the path is checked before the rest of the request.
 */
async function createRole(call: Call, input: IamApi['CreateRole']['input']): Promise<RoleRecord> {
  const path = input.Path ?? '/';
  if (path.startsWith('/aws-service-role/')) {
    throw new AwsError(
      'InvalidInputException',
      'Roles with a path beginning with /aws-service-role/ can only be created by CreateServiceLinkedRole.',
    );
  }
  const tags = newTags(input.Tags);
  const trust = await readTrustPolicy(call.tx, input.AssumeRolePolicyDocument);
  const boundary = input.PermissionsBoundary === undefined ? undefined : await managedPolicyToBound(call, input.PermissionsBoundary);
  const role: RoleRecord = {
    ...omitUndefined({
      accountId: call.accountId,
      arn: iamArn(call.accountId, 'role', path, input.RoleName),
      path,
      createdAt: call.now,
      roleName: input.RoleName,
      roleId: uniqueId(ID_PREFIXES.role, call.random),
      description: input.Description,
      maxSessionSeconds: input.MaxSessionDuration ?? DEFAULT_SESSION_SECONDS,
      tags,
      attachedPolicyArns: [],
      inlinePolicies: {},
      permissionsBoundaryArn: boundary?.arn,
    }),
    ...trust,
  };
  await withinRoleQuota(call);
  await addRole(call, role);
  return role;
}

/** Checks the quota of roles. Service-linked roles do not count. Requirement SLR-16. */
async function withinRoleQuota(call: Call): Promise<void> {
  const wanted = (await call.tx.identity.count(call.accountId, 'role')) + 1;
  if (wanted <= QUOTAS.RolesPerAccount) return;
  let linked = 0;
  for await (const { record } of everySummary(call.tx, call.accountId, 'role')) if (record.linkedService !== undefined) linked++;
  withinQuota('RolesPerAccount', wanted - linked);
}

/** Stores a new role. Emits: AnalyzedResourceChanged. @throws EntityAlreadyExistsException  a role with this name exists */
export async function addRole(call: Call, role: RoleRecord): Promise<void> {
  const key = nameKey(role.roleName);
  if ((await call.tx.identity.add(call.accountId, 'role', key, role)) === 'exists') {
    throw new AwsError('EntityAlreadyExistsException', `Role with name ${role.roleName} already exists.`);
  }
  await rememberUniqueId(call, role.roleId, 'role', key);
  if (role.permissionsBoundaryArn !== undefined) {
    await call.tx.identity.put(call.accountId, 'attachment', boundaryIndexKey(role.permissionsBoundaryArn, 'role', key), {
      accountId: call.accountId,
    });
  }
  await emitRoleChanged(call, role);
}

/**
 * Deletes a role and its index entries. Does not delete the entries of attached policies: detach the policies first.
 *
 * Emits: AnalyzedResourceChanged.
 */
export async function removeRole(call: Call, role: RoleRecord): Promise<void> {
  const key = nameKey(role.roleName);
  if (role.permissionsBoundaryArn !== undefined) {
    await call.tx.identity.remove(call.accountId, 'attachment', boundaryIndexKey(role.permissionsBoundaryArn, 'role', key));
  }
  await call.tx.identity.remove(call.accountId, 'unique-id', role.roleId);
  await call.tx.identity.remove(call.accountId, 'role', key);
  await emitRoleChanged(call, role);
}

async function saveRole(call: Call, role: RoleRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'role', nameKey(role.roleName), role);
}

function withDescription(role: RoleRecord, description: string | undefined): RoleRecord {
  return description === undefined ? role : { ...role, description };
}

function conflict(requirement: string): AwsError {
  return new AwsError('DeleteConflictException', `Cannot delete entity, must ${requirement}`);
}

/** Converts a role to its form in GetRole, with the maximum session duration and the last use. Requirement IAM-6. */
export async function toWholeRole(call: Call, role: RoleRecord): Promise<Role> {
  return {
    ...toNewRole(role, await shownTrustPolicy(call.tx, role)),
    MaxSessionDuration: role.maxSessionSeconds,
    RoleLastUsed: await roleLastUsed(call, role),
  };
}

/** Returns the last use of a role, or an empty object for an unused role. */
export async function roleLastUsed(call: Call, role: RoleRecord): Promise<RoleLastUsed> {
  const last = (await call.tx.lastUses.of(call.accountId, role.roleId)).toSorted((a, b) => b.at - a.at)[0];
  return last === undefined ? {} : { LastUsedDate: last.at, Region: last.region };
}
