/**
 * Groups and their members.
 */

import { uniqueId } from '#core/base32.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { GroupRecord, UserRecord } from '#store/identity/identity.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { Keyed } from '../kit/page.ts';
import { entity, everyRecord } from './entities.ts';
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
      return { Group: toGroup(group) };
    },
  },

  GetGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const group = await entity(call, 'group', input.GroupName);
      const page = await pageOfStored(input, async (after, limit) => {
        const prefix = `${nameKey(group.groupName)} `;
        const entries = await call.tx.identity.list(call.accountId, 'membership', omitUndefined({ prefix, after, limit }));
        const members: Keyed<UserRecord>[] = [];
        for (const { key } of entries) members.push({ key, record: await entity(call, 'user', key.slice(prefix.length)) });
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
      const [member] = await call.tx.identity.list(call.accountId, 'membership', { prefix: `${key} `, limit: 1 });
      if (member !== undefined) throw conflict('remove users from group first.');
      if (group.attachedPolicyArns.length > 0) throw conflict('detach all policies first.');
      if (Object.keys(group.inlinePolicies).length > 0) throw conflict('delete policies first.');
      await call.tx.identity.remove(call.accountId, 'group', key);
      return {};
    },
  },

  ListGroups: {
    access: (input, caller) => onPath(caller, 'group', input.PathPrefix),
    async handle(call, input) {
      const page = await pageOfStored<GroupRecord>(
        input,
        (after, limit) => call.tx.identity.list(call.accountId, 'group', omitUndefined({ after, limit })),
        (group) => group.path.startsWith(input.PathPrefix ?? '/'),
      );
      return { Groups: page.records.map(toGroup), ...page.rest };
    },
  },

  AddUserToGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const group = await entity(call, 'group', input.GroupName);
      const user = await entity(call, 'user', input.UserName);
      if (user.groupNames.includes(group.groupName)) return {};
      withinQuota('GroupsPerUser', user.groupNames.length + 1);
      const [groupKey, userKey] = [nameKey(group.groupName), nameKey(user.userName)];
      await call.tx.identity.put(call.accountId, 'user', userKey, { ...user, groupNames: [...user.groupNames, group.groupName] });
      await call.tx.identity.put(call.accountId, 'membership', membershipKey(groupKey, userKey), { accountId: call.accountId });
      return {};
    },
  },

  /** Assumed: removing a user that is not in the group succeeds if both exist. */
  RemoveUserFromGroup: {
    access: (input, caller) => onGroup(caller, input.GroupName),
    async handle(call, input) {
      const group = await entity(call, 'group', input.GroupName);
      const user = await entity(call, 'user', input.UserName);
      if (!user.groupNames.includes(group.groupName)) return {};
      const [groupKey, userKey] = [nameKey(group.groupName), nameKey(user.userName)];
      const groupNames = user.groupNames.filter((name) => name !== group.groupName);
      await call.tx.identity.put(call.accountId, 'user', userKey, { ...user, groupNames });
      await call.tx.identity.remove(call.accountId, 'membership', membershipKey(groupKey, userKey));
      return {};
    },
  },

  ListGroupsForUser: {
    access: (input, caller) => onUser(caller, input.UserName),
    async handle(call, input) {
      const user = await entity(call, 'user', input.UserName);
      const page = pageOf(
        input,
        user.groupNames.map((name) => ({ key: nameKey(name), record: name })),
      );
      const groups: GroupRecord[] = [];
      for (const name of page.records) groups.push(await entity(call, 'group', name));
      return { Groups: groups.map(toGroup), ...page.rest };
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
    for (const policyArn of group.attachedPolicyArns) {
      await moveIndex(call, 'attachment', attachmentKey(policyArn, 'group', oldKey), attachmentKey(policyArn, 'group', newKey));
    }
  }
  if (groupName === group.groupName) return;
  const members: string[] = [];
  for await (const { key } of everyRecord(tx, accountId, 'membership', `${oldKey} `)) members.push(key.slice(oldKey.length + 1));
  for (const userKey of members) {
    const user = await entity(call, 'user', userKey);
    const groupNames = user.groupNames.map((one) => (one === group.groupName ? groupName : one));
    await tx.identity.put(accountId, 'user', userKey, { ...user, groupNames });
    if (oldKey !== newKey) await moveIndex(call, 'membership', membershipKey(oldKey, userKey), membershipKey(newKey, userKey));
  }
}
