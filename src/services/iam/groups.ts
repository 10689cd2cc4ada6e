/**
 * Groups and their members.
 */

import { uniqueId } from '#core/base32.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { GroupRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { Keyed } from '../kit/page.ts';
import { entity, entitySummary, groupOfId, rememberUniqueId } from './entities.ts';
import { AwsError } from './errors.ts';
import { ID_PREFIXES, iamArn, nameKey } from './names.ts';
import { pageOf, pageOfStored } from './page.ts';
import { withinQuota } from './quotas.ts';
import { onArn, onGroup, onPath, onRenamed, onUser } from './resources.ts';
import { attachmentKey, membershipKey, moveIndex } from './reverse-index.ts';
import { toGroup, toUser } from './shapes.ts';

/** Operations on groups and their members. */
export const groupOperations = {
  CreateGroup: {
    access: (input, caller) => onArn(iamArn(caller.accountId, 'group', input.Path ?? '/', input.GroupName)),
    async handle(call, input) {
      const path = input.Path ?? '/';
      withinQuota('GroupsPerAccount', (await call.tx.identity.count(call.accountId, 'group')) + 1);
      const group: GroupRecord = {
        accountId: call.accountId,
        arn: iamArn(call.accountId, 'group', path, input.GroupName),
        path,
        createdAt: call.now,
        groupName: input.GroupName,
        groupId: uniqueId(ID_PREFIXES.group, call.random),
        attachedPolicyArns: [],
        inlinePolicies: {},
      };
      const outcome = await call.tx.identity.add(call.accountId, 'group', nameKey(input.GroupName), group);
      if (outcome === 'exists') throw groupExists(input.GroupName);
      await rememberUniqueId(call, group.groupId, 'group', nameKey(input.GroupName));
      return { Group: toGroup(group) };
    },
  },

  GetGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const group = await entitySummary(call, 'group', input.GroupName);
      const page = await pageOfStored(call.tx.identity, input, async (after, limit) => {
        const prefix = membershipKey(group.groupId, '');
        const entries = await call.tx.identity.list(call.accountId, 'membership', omitUndefined({ prefix, after, limit }));
        const members: Keyed<IdentitySummaries['user']>[] = [];
        for (const { key } of entries) members.push({ key, record: await entitySummary(call, 'user', key.slice(prefix.length)) });
        return members;
      });
      return { Group: toGroup(group), Users: page.records.map(toUser), ...page.rest };
    },
  },

  UpdateGroup: {
    access: (input, caller) => {
      const access = onGroup(caller, input.GroupName);
      if (input.NewGroupName === undefined && input.NewPath === undefined) return access;
      const { GroupName: name, NewGroupName: newName, NewPath: newPath } = input;
      return [access, onRenamed(caller, 'group', { name, newName, newPath })];
    },
    async handle(call, input) {
      await renameGroup(call, input.GroupName, input.NewGroupName, input.NewPath);
      return {};
    },
  },

  DeleteGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const group = await entity(call, 'group', input.GroupName);
      const key = nameKey(group.groupName);
      const [member] = await call.tx.identity.list(call.accountId, 'membership', { prefix: membershipKey(group.groupId, ''), limit: 1 });
      if (member !== undefined) throw conflict('remove users from group first.');
      if (group.attachedPolicyArns.length > 0) throw conflict('detach all policies first.');
      if (Object.keys(group.inlinePolicies).length > 0) throw conflict('delete policies first.');
      await call.tx.identity.remove(call.accountId, 'unique-id', group.groupId);
      await call.tx.identity.remove(call.accountId, 'group', key);
      return {};
    },
  },

  ListGroups: {
    access: (input, caller) => onPath(caller, 'group', input.PathPrefix),
    async handle(call, input) {
      const page = await pageOfStored<IdentitySummaries['group']>(
        call.tx.identity,
        input,
        (after, limit) => call.tx.identity.summaries(call.accountId, 'group', omitUndefined({ after, limit })),
        (group) => group.path.startsWith(input.PathPrefix ?? '/'),
      );
      return { Groups: page.records.map(toGroup), ...page.rest };
    },
  },

  AddUserToGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const { groupId } = await entitySummary(call, 'group', input.GroupName);
      const user = await entity(call, 'user', input.UserName);
      if (user.groupIds.includes(groupId)) return {};
      withinQuota('GroupsPerUser', user.groupIds.length + 1);
      const userKey = nameKey(user.userName);
      await call.tx.identity.put(call.accountId, 'user', userKey, { ...user, groupIds: [...user.groupIds, groupId] });
      await call.tx.identity.put(call.accountId, 'membership', membershipKey(groupId, userKey), { accountId: call.accountId });
      return {};
    },
  },

  /**
   * Removes a user from a group. Assumed: removing a user that is not in the group succeeds if the user and the group
   * exist.
   */
  RemoveUserFromGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const { groupId } = await entitySummary(call, 'group', input.GroupName);
      const user = await entity(call, 'user', input.UserName);
      if (!user.groupIds.includes(groupId)) return {};
      const userKey = nameKey(user.userName);
      await call.tx.identity.put(call.accountId, 'user', userKey, { ...user, groupIds: user.groupIds.filter((id) => id !== groupId) });
      await call.tx.identity.remove(call.accountId, 'membership', membershipKey(groupId, userKey));
      return {};
    },
  },

  ListGroupsForUser: {
    access: (input, caller) => onUser(caller, input.UserName),
    async handle(call, input) {
      const { groupIds } = await entitySummary(call, 'user', input.UserName);
      const groups: IdentitySummaries['group'][] = [];
      for (const groupId of groupIds) groups.push(await groupOfId(call, groupId));
      const page = pageOf(
        input,
        groups.map((record) => ({ key: nameKey(record.groupName), record })),
      );
      return { Groups: page.records.map(toGroup), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

function groupExists(name: string): AwsError {
  return new AwsError('EntityAlreadyExistsException', `Group with name ${name} already exists.`);
}

function conflict(requirement: string): AwsError {
  return new AwsError('DeleteConflictException', `Cannot delete entity, must ${requirement}`);
}

async function renameGroup(call: Call, name: string, newName: string | undefined, newPath: string | undefined): Promise<void> {
  const { tx, accountId } = call;
  const group = await entity(call, 'group', name);
  const path = newPath ?? group.path;
  const groupName = newName ?? group.groupName;
  const [oldKey, newKey] = [nameKey(group.groupName), nameKey(groupName)];
  const renamed: GroupRecord = { ...group, path, groupName, arn: iamArn(accountId, 'group', path, groupName) };
  if (oldKey === newKey) {
    await tx.identity.put(accountId, 'group', oldKey, renamed);
  } else {
    if ((await tx.identity.add(accountId, 'group', newKey, renamed)) === 'exists') throw groupExists(groupName);
    await tx.identity.remove(accountId, 'group', oldKey);
    await rememberUniqueId(call, group.groupId, 'group', newKey);
    for (const policyArn of group.attachedPolicyArns) {
      await moveIndex(call, 'attachment', attachmentKey(policyArn, 'group', oldKey), attachmentKey(policyArn, 'group', newKey));
    }
  }
}
