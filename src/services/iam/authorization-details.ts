/**
 * GetAccountAuthorizationDetails: all users, groups, roles and their policies in one paginated list. Requirement COMP-4.
 */

import { omitUndefined } from '#core/omit-undefined.ts';
import type { GroupDetail, IamApi, ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail } from '#model/generated/iam.ts';
import type { GroupRecord, PolicyRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { concat, fromList, type Read } from '../kit/page.ts';
import { toAttached } from './attachments.ts';
import type { HolderRecord } from './entities.ts';
import { awsPolicies, policyUse } from './managed-policies.ts';
import { pageOfStored } from './page.ts';
import { ownPolicies, toListedPolicy } from './policies.ts';
import { toWholeVersion } from './policy-versions.ts';
import { roleLastUsed } from './roles.ts';
import { encodeDocument, someTags, toBoundary } from './shapes.ts';
import { shownTrustPolicy } from './trust.ts';

type Detail =
  | { readonly kind: 'User'; readonly record: UserRecord }
  | { readonly kind: 'Group'; readonly record: GroupRecord }
  | { readonly kind: 'Role'; readonly record: RoleRecord }
  | { readonly kind: 'LocalManagedPolicy' | 'AWSManagedPolicy'; readonly record: PolicyRecord };

/** GetAccountAuthorizationDetails. */
export const authorizationDetailsOperations = {
  GetAccountAuthorizationDetails: {
    async handle(call, input) {
      const wanted = (kind: Detail['kind']): boolean => (input.Filter ?? []).length === 0 || (input.Filter ?? []).includes(kind);
      const page = await pageOfStored(
        input,
        concat(sectionsOf(call).filter((section) => wanted(section.kind))),
        // AWS managed policies are listed only if they are in use.
        async (detail) => {
          if (detail.kind !== 'AWSManagedPolicy') return true;
          const use = await policyUse(call, detail.record.arn);
          return use.attachmentCount + use.boundaryCount > 0;
        },
      );
      const users: UserDetail[] = [];
      const groups: GroupDetail[] = [];
      const roles: RoleDetail[] = [];
      const policies: ManagedPolicyDetail[] = [];
      for (const detail of page.records) {
        if (detail.kind === 'User') users.push(toUserDetail(detail.record));
        else if (detail.kind === 'Group') groups.push(toGroupDetail(detail.record));
        else if (detail.kind === 'Role') roles.push(await toRoleDetail(call, detail.record));
        else policies.push(await toPolicyDetail(call, detail.record));
      }
      return { UserDetailList: users, GroupDetailList: groups, RoleDetailList: roles, Policies: policies, ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Returns the sections of the list. Their names are in ascending order, as `concat` requires. */
function sectionsOf(call: Call): readonly { readonly name: string; readonly kind: Detail['kind']; readonly read: Read<Detail> }[] {
  const stored = (kind: 'user' | 'group' | 'role', name: Detail['kind']): Read<Detail> => {
    return async (after, limit) => {
      const entries = await call.tx.identity.list(call.accountId, kind, omitUndefined({ after, limit }));
      return entries.map(({ key, record, size }) => ({ key, record: { kind: name, record } as Detail, size }));
    };
  };
  const own: Read<Detail> = async (after, limit) =>
    (await ownPolicies(call)(after, limit)).map((entry) => ({ ...entry, record: { kind: 'LocalManagedPolicy', record: entry.record } }));
  const aws = awsPolicies(call).map(({ key, record }) => ({ key, record: { kind: 'AWSManagedPolicy' as const, record } }));
  return [
    { name: '1/', kind: 'User', read: stored('user', 'User') },
    { name: '2/', kind: 'Group', read: stored('group', 'Group') },
    { name: '3/', kind: 'Role', read: stored('role', 'Role') },
    { name: '4/', kind: 'LocalManagedPolicy', read: own },
    { name: '5/', kind: 'AWSManagedPolicy', read: fromList<Detail>(aws) },
  ];
}

function toInline(holder: HolderRecord): PolicyDetail[] {
  return Object.entries(holder.inlinePolicies).map(([name, document]) => ({ PolicyName: name, PolicyDocument: encodeDocument(document) }));
}

function toUserDetail(user: UserRecord): UserDetail {
  return omitUndefined({
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: user.createdAt,
    UserPolicyList: toInline(user),
    GroupList: [...user.groupNames],
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

async function toRoleDetail(call: Call, role: RoleRecord): Promise<RoleDetail> {
  return omitUndefined({
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodeDocument(await shownTrustPolicy(call.tx, role)),
    InstanceProfileList: [],
    RolePolicyList: toInline(role),
    AttachedManagedPolicies: toAttached(role),
    PermissionsBoundary: toBoundary(role.permissionsBoundaryArn),
    Tags: someTags(role.tags),
    RoleLastUsed: await roleLastUsed(call, role),
  });
}

async function toPolicyDetail(call: Call, policy: PolicyRecord): Promise<ManagedPolicyDetail> {
  return {
    ...toListedPolicy(policy, await policyUse(call, policy.arn)),
    PolicyVersionList: policy.versions.toReversed().map((version) => toWholeVersion(policy, version)),
  };
}
