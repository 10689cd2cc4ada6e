/**
 * Conversions from stored records to the types of the API.
 */
import type { Arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AttachedPermissionsBoundary, Group, Role, Tag, User } from '#model/generated/iam.ts';
import type { RoleRecord, UserRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { TagRecord } from '#store/tag-record.ts';

/**
 * Encodes a policy document as Get and List operations return it: percent-encoded by RFC 3986. Only letters, digits and `-_.~` remain.
 * Requirement IAM-7.
 */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Converts tags to the type of the API. */
export function toTags(tags: readonly TagRecord[]): Tag[] {
  return tags.map((tag) => ({ Key: tag.key, Value: tag.value }));
}

/** Converts tags to the type of the API. An empty list becomes `undefined`. */
export function someTags(tags: readonly TagRecord[]): Tag[] | undefined {
  return tags.length === 0 ? undefined : toTags(tags);
}

/** Type of every permissions boundary. The enum of the model has another value, which AWS does not return. */
const BOUNDARY_TYPE = 'Policy' as 'PermissionsBoundaryPolicy';

/**
 * Converts a boundary to the type of the API.
 *
 * Source: DataDog/stratus-red-team, `aws.persistence.iam-create-backdoor-role`, a record of CreateRole of 2024-08-01; AWS CLI, examples of
 * `iam get-user`.
 */
export function toBoundary(policyArn: Arn | undefined): AttachedPermissionsBoundary | undefined {
  return policyArn === undefined ? undefined : { PermissionsBoundaryType: BOUNDARY_TYPE, PermissionsBoundaryArn: policyArn };
}

/** Converts a user to its form in lists, without tags and boundary. Source: IAM API reference, ListUsers. */
export function toUser(user: IdentitySummaries['user']): User {
  return omitUndefined({
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: user.createdAt,
    PasswordLastUsed: user.passwordLastUsedAt,
  });
}

/** Converts a user to its form in GetUser, with tags and boundary. */
export function toWholeUser(user: UserRecord): User {
  return { ...toUser(user), ...omitUndefined({ PermissionsBoundary: toBoundary(user.permissionsBoundaryArn), Tags: someTags(user.tags) }) };
}

/** Converts a group to the type of the API. */
export function toGroup(group: IdentitySummaries['group']): Group {
  return { Path: group.path, GroupName: group.groupName, GroupId: group.groupId, Arn: group.arn, CreateDate: group.createdAt };
}

/** Converts a role to its form in CreateRole, without MaxSessionDuration. Requirement IAM-6. */
export function toNewRole(role: RoleRecord, trustPolicy: string): Role {
  return omitUndefined({
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodeDocument(trustPolicy),
    Description: role.description,
    PermissionsBoundary: toBoundary(role.permissionsBoundaryArn),
    Tags: someTags(role.tags),
  });
}

/** Converts a role to its form in ListRoles, without PermissionsBoundary, RoleLastUsed and Tags. Source: IAM API reference, ListRoles. */
export function toListedRole(role: RoleRecord, trustPolicy: string): Role {
  const { PermissionsBoundary, Tags, ...rest } = toNewRole(role, trustPolicy);
  return { ...rest, MaxSessionDuration: role.maxSessionSeconds };
}
