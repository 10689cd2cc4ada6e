/**
 * GetAccountAuthorizationDetails: all users, groups, roles and their policies in one paginated list. Requirement COMP-4.
 */

import { omitUndefined } from '#core/omit-undefined.ts';
import type { GroupDetail, IamApi, ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail } from '#model/generated/iam.ts';
import type { GroupRecord, PolicyRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { concat, fromList, type Read } from '../kit/page.ts';
import { toAttached } from './attachments.ts';
import { groupOfId, type HolderRecord } from './entities.ts';
import { awsPolicies, type PolicyUse, policyUse } from './managed-policies.ts';
import { pageOfStored } from './page.ts';
import { toListedPolicy } from './policies.ts';
import { toWholeVersion } from './policy-versions.ts';
import { roleLastUsed } from './roles.ts';
import { encodeDocument, someTags, toBoundary } from './shapes.ts';
import { shownTrustPolicy } from './trust.ts';

type Detail =
  | { readonly kind: 'User'; readonly record: UserRecord }
  | { readonly kind: 'Group'; readonly record: GroupRecord }
  | { readonly kind: 'Role'; readonly record: RoleRecord }
  | { readonly kind: 'LocalManagedPolicy' | 'AWSManagedPolicy'; readonly record: PolicyRecord };

/** One item of the response. Exactly one member is set. */
interface ShownDetail {
  readonly user?: UserDetail;
  readonly group?: GroupDetail;
  readonly role?: RoleDetail;
  readonly policy?: ManagedPolicyDetail;
}

/** Operations that return all entities of an account. The only such operation is GetAccountAuthorizationDetails. */
export const authorizationDetailsOperations = {
  GetAccountAuthorizationDetails: {
    async handle(call, input) {
      const wanted = (kind: Detail['kind']): boolean => (input.Filter ?? []).length === 0 || (input.Filter ?? []).includes(kind);
      const reader = newReader(call);
      const shown = new Map<Detail['record'], ShownDetail>();
      const page = await pageOfStored(
        call.tx.identity,
        input,
        concat(sectionsOf(call).filter((section) => wanted(section.kind))),
        async (detail) => {
          const details = await reader(detail);
          if (details !== undefined) shown.set(detail.record, details);
          return details !== undefined;
        },
      );
      const users: UserDetail[] = [];
      const groups: GroupDetail[] = [];
      const roles: RoleDetail[] = [];
      const policies: ManagedPolicyDetail[] = [];
      for (const { record } of page.records) {
        const { user, group, role, policy } = shown.get(record) as ShownDetail;
        if (user !== undefined) users.push(user);
        if (group !== undefined) groups.push(group);
        if (role !== undefined) roles.push(role);
        if (policy !== undefined) policies.push(policy);
      }
      return { UserDetailList: users, GroupDetailList: groups, RoleDetailList: roles, Policies: policies, ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/**
 * Returns the sections of the list, one for each kind of entity. The names of the sections are in ascending order, as `concat` requires.
 */
function sectionsOf(call: Call): readonly { readonly name: string; readonly kind: Detail['kind']; readonly read: Read<Detail> }[] {
  const stored = (kind: 'user' | 'group' | 'role' | 'policy', name: Detail['kind']): Read<Detail> => {
    return async (after, limit) => {
      const entries = await call.tx.identity.list(call.accountId, kind, omitUndefined({ after, limit }));
      return entries.map(({ key, record }) => ({ key, record: { kind: name, record } as Detail }));
    };
  };
  const aws = awsPolicies(call).map(({ key, record }) => ({ key, record: { kind: 'AWSManagedPolicy' as const, record } }));
  return [
    { name: '1/', kind: 'User', read: stored('user', 'User') },
    { name: '2/', kind: 'Group', read: stored('group', 'Group') },
    { name: '3/', kind: 'Role', read: stored('role', 'Role') },
    { name: '4/', kind: 'LocalManagedPolicy', read: stored('policy', 'LocalManagedPolicy') },
    { name: '5/', kind: 'AWSManagedPolicy', read: fromList<Detail>(aws) },
  ];
}

/** Returns a function that converts an item of the list, or returns `undefined` for an AWS managed policy that is not in use. */
function newReader(call: Call): (detail: Detail) => Promise<ShownDetail | undefined> {
  const arns = new Map<string, string>();
  const groupNames = new Map<string, string>();
  async function groupName(groupId: string): Promise<string> {
    const name = groupNames.get(groupId) ?? (await groupOfId(call, groupId)).groupName;
    groupNames.set(groupId, name);
    return name;
  }
  async function namesOf({ groupIds }: UserRecord): Promise<string[]> {
    const names: string[] = [];
    for (const groupId of groupIds) names.push(await groupName(groupId));
    return names;
  }
  return async ({ kind, record }) => {
    if (kind === 'User') return { user: toUserDetail(record, await namesOf(record)) };
    if (kind === 'Group') return { group: toGroupDetail(record) };
    if (kind === 'Role') return { role: await toRoleDetail(call, record, arns) };
    const use = await policyUse(call, record.arn);
    if (kind === 'AWSManagedPolicy' && use.attachmentCount + use.boundaryCount === 0) return undefined;
    return { policy: toPolicyDetail(record, use) };
  };
}

function toInline(holder: HolderRecord): PolicyDetail[] {
  return Object.entries(holder.inlinePolicies).map(([name, document]) => ({ PolicyName: name, PolicyDocument: encodeDocument(document) }));
}

function toUserDetail(user: UserRecord, groupNames: readonly string[]): UserDetail {
  return omitUndefined({
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: user.createdAt,
    UserPolicyList: toInline(user),
    GroupList: groupNames,
    AttachedManagedPolicies: toAttached(user),
    PermissionsBoundary: toBoundary(user.permissionsBoundaryArn),
    Tags: someTags(user.tags),
  });
}

function toGroupDetail(group: GroupRecord): GroupDetail {
  return {
    Path: group.path,
    GroupName: group.groupName,
    GroupId: group.groupId,
    Arn: group.arn,
    CreateDate: group.createdAt,
    GroupPolicyList: toInline(group),
    AttachedManagedPolicies: toAttached(group),
  };
}

async function toRoleDetail(call: Call, role: RoleRecord, arns: Map<string, string>): Promise<RoleDetail> {
  return omitUndefined({
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodeDocument(await shownTrustPolicy(call.tx, role, arns)),
    InstanceProfileList: [],
    RolePolicyList: toInline(role),
    AttachedManagedPolicies: toAttached(role),
    PermissionsBoundary: toBoundary(role.permissionsBoundaryArn),
    Tags: someTags(role.tags),
    RoleLastUsed: await roleLastUsed(call, role),
  });
}

function toPolicyDetail(policy: PolicyRecord, use: PolicyUse): ManagedPolicyDetail {
  return {
    ...toListedPolicy(policy, use),
    PolicyVersionList: policy.versions.toReversed().map((version) => toWholeVersion(policy, version)),
  };
}
