/**
 * Records as clients see them.
 */
import type { Arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AttachedPermissionsBoundary, Group, Role, Tag, User } from '#model/generated/iam.ts';
import type { GroupRecord, RoleRecord, TagRecord, UserRecord } from '#store/identity.ts';

/**
 * A document as Get and List answer it: percent-encoded by RFC 3986, which leaves only letters, digits and `-_.~` alone.
 * Requirement IAM-7.
 */
export function encodeDocument(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function toTags(tags: readonly TagRecord[]): Tag[] {
  return tags.map((tag) => ({ Key: tag.key, Value: tag.value }));
}

/** Absent where there are none. */
export function someTags(tags: readonly TagRecord[]): Tag[] | undefined {
  return tags.length === 0 ? undefined : toTags(tags);
}

/** Source: IAM API reference, AttachedPermissionsBoundary. */
export function toBoundary(policyArn: Arn | undefined): AttachedPermissionsBoundary | undefined {
  return policyArn === undefined ? undefined : { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: policyArn };
}

/** As lists have it: tags and boundary come from GetUser only. Source: IAM API reference, ListUsers. */
export function toUser(user: UserRecord): User {
  return omitUndefined({
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: user.createdAt,
    PasswordLastUsed: user.passwordLastUsedAt,
  });
}

export function toWholeUser(user: UserRecord): User {
  return { ...toUser(user), ...omitUndefined({ PermissionsBoundary: toBoundary(user.permissionsBoundaryArn), Tags: someTags(user.tags) }) };
}

export function toGroup(group: GroupRecord): Group {
  return { Path: group.path, GroupName: group.groupName, GroupId: group.groupId, Arn: group.arn, CreateDate: group.createdAt };
}

/** As CreateRole answers: without MaxSessionDuration. Requirement IAM-6. */
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

/** As ListRoles has it. Source: IAM API reference, ListRoles: without PermissionsBoundary, RoleLastUsed and Tags. */
export function toListedRole(role: RoleRecord, trustPolicy: string): Role {
  const { PermissionsBoundary, Tags, ...rest } = toNewRole(role, trustPolicy);
  return { ...rest, MaxSessionDuration: role.maxSessionSeconds };
}
