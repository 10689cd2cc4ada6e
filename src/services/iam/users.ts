/**
 * Users. Renaming a user also updates the records that refer to it by name: access keys, groups, attachments and MFA devices.
 */
import { arn } from '#core/arn.ts';
import { uniqueId } from '#core/base32.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi, User } from '#model/generated/iam.ts';
import type { UserRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { entity, rememberUniqueId } from './entities.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToBound } from './managed-policies.ts';
import { ID_PREFIXES, iamArn, nameKey } from './names.ts';
import { pageOfStored } from './page.ts';
import { withinQuota } from './quotas.ts';
import { boundaryKey, onCreated, onPath, onRenamed, onUser, onUserOrSelf, userOrSelf } from './resources.ts';
import { attachmentKey, boundaryIndexKey, membershipKey, moveIndex } from './reverse-index.ts';
import { toUser, toWholeUser } from './shapes.ts';
import { newTags } from './tag-rules.ts';

/** Operations on users. */
export const userOperations = {
  CreateUser: {
    access: (input, caller) =>
      onCreated('iam:TagUser', iamArn(caller.accountId, 'user', input.Path ?? '/', input.UserName), input.Tags, {
        context: boundaryKey(input.PermissionsBoundary),
      }),
    handle: async (call, input) => ({ User: toWholeUser(await createUser(call, input)) }),
  },

  GetUser: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      return { User: name === undefined ? await rootUser(call) : toWholeUser(await entity(call, 'user', name)) };
    },
  },

  UpdateUser: {
    access: (input, caller) => {
      const access = onUser(caller, input.UserName);
      if (input.NewUserName === undefined && input.NewPath === undefined) return access;
      const { UserName: name, NewUserName: newName, NewPath: newPath } = input;
      return [access, onRenamed(caller, 'user', { name, newName, newPath })];
    },
    async handle(call, input) {
      await renameUser(call, input.UserName, input.NewUserName, input.NewPath);
      return {};
    },
  },

  DeleteUser: {
    access: (input, caller) => onUser(caller, input.UserName),
    async handle(call, input) {
      const user = await entity(call, 'user', input.UserName);
      ensureDeletable(user);
      const key = nameKey(user.userName);
      if (user.permissionsBoundaryArn !== undefined) {
        await call.tx.identity.remove(call.accountId, 'attachment', boundaryIndexKey(user.permissionsBoundaryArn, 'user', key));
      }
      await call.tx.identity.remove(call.accountId, 'unique-id', user.userId);
      await call.tx.identity.remove(call.accountId, 'user', key);
      return {};
    },
  },

  ListUsers: {
    access: (input, caller) => onPath(caller, 'user', input.PathPrefix),
    async handle(call, input) {
      const page = await pageOfStored<IdentitySummaries['user']>(
        call.tx.identity,
        input,
        (after, limit) => call.tx.identity.summaries(call.accountId, 'user', omitUndefined({ after, limit })),
        (user) => user.path.startsWith(input.PathPrefix ?? '/'),
      );
      return { Users: page.records.map(toUser), ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

async function createUser(call: Call, input: IamApi['CreateUser']['input']): Promise<UserRecord> {
  const tags = newTags(input.Tags);
  const path = input.Path ?? '/';
  const key = nameKey(input.UserName);
  const boundary = input.PermissionsBoundary === undefined ? undefined : await managedPolicyToBound(call, input.PermissionsBoundary);
  withinQuota('UsersPerAccount', (await call.tx.identity.count(call.accountId, 'user')) + 1);
  const user: UserRecord = omitUndefined({
    accountId: call.accountId,
    arn: iamArn(call.accountId, 'user', path, input.UserName),
    path,
    createdAt: call.now,
    userName: input.UserName,
    userId: uniqueId(ID_PREFIXES.user, call.random),
    tags,
    groupIds: [],
    accessKeyIds: [],
    attachedPolicyArns: [],
    inlinePolicies: {},
    permissionsBoundaryArn: boundary?.arn,
  });
  if ((await call.tx.identity.add(call.accountId, 'user', key, user)) === 'exists') throw userExists(input.UserName);
  await rememberUniqueId(call, user.userId, 'user', key);
  if (boundary !== undefined) {
    await call.tx.identity.put(call.accountId, 'attachment', boundaryIndexKey(boundary.arn, 'user', key), { accountId: call.accountId });
  }
  return user;
}

function userExists(name: string): AwsError {
  return new AwsError('EntityAlreadyExistsException', `User with name ${name} already exists.`);
}

async function renameUser(call: Call, name: string, newName: string | undefined, newPath: string | undefined): Promise<void> {
  const { tx, accountId } = call;
  const user = await entity(call, 'user', name);
  const path = newPath ?? user.path;
  const userName = newName ?? user.userName;
  const [oldKey, newKey] = [nameKey(user.userName), nameKey(userName)];
  const renamed: UserRecord = { ...user, path, userName, arn: iamArn(accountId, 'user', path, userName) };
  if (oldKey === newKey) {
    await tx.identity.put(accountId, 'user', oldKey, renamed);
  } else {
    if ((await tx.identity.add(accountId, 'user', newKey, renamed)) === 'exists') throw userExists(userName);
    await tx.identity.remove(accountId, 'user', oldKey);
    await rememberUniqueId(call, user.userId, 'user', newKey);
    for (const policyArn of user.attachedPolicyArns) {
      await moveIndex(call, 'attachment', attachmentKey(policyArn, 'user', oldKey), attachmentKey(policyArn, 'user', newKey));
    }
    if (user.permissionsBoundaryArn !== undefined) {
      const boundary = user.permissionsBoundaryArn;
      await moveIndex(call, 'attachment', boundaryIndexKey(boundary, 'user', oldKey), boundaryIndexKey(boundary, 'user', newKey));
    }
    for (const groupId of user.groupIds) {
      await moveIndex(call, 'membership', membershipKey(groupId, oldKey), membershipKey(groupId, newKey));
    }
  }
  for (const serial of user.mfaSerialNumbers ?? []) {
    const device = await tx.identity.get(accountId, 'mfa-device', nameKey(serial));
    if (device !== undefined)
      await tx.identity.put(accountId, 'mfa-device', nameKey(serial), { ...device, owner: { type: 'IAMUser', userName } });
  }
  for (const accessKeyId of user.accessKeyIds) {
    const accessKey = await tx.identity.get(accountId, 'access-key', accessKeyId);
    if (accessKey !== undefined) await tx.identity.put(accountId, 'access-key', accessKeyId, { ...accessKey, userName });
  }
}

/**
 * Conditions that prevent the deletion of a user, in the order of the checks. The second value of each row is the end
 * of the error message.
 *
 * Source: DeleteConflict messages as quoted in public reports (groups: mozilla-services/userplex 17; devices: rebuy-de/aws-nuke 281;
 * login profiles: cloud-custodian 1663). Requirement ERR-3.
 * Assumed: the order.
 */
// biome-ignore format: a table
const DELETE_CONFLICTS: readonly (readonly [applies: (user: UserRecord) => boolean, requirement: string])[] = [
  [(user) => user.accessKeyIds.length > 0,                  'delete access keys first.'],
  [(user) => user.groupIds.length > 0,                      'remove users from group first.'],
  [(user) => user.attachedPolicyArns.length > 0,            'detach all policies first.'],
  [(user) => Object.keys(user.inlinePolicies).length > 0,   'delete policies first.'],
  [(user) => user.loginProfile !== undefined,               'delete login profile first.'],
  [(user) => (user.mfaSerialNumbers ?? []).length > 0,      'delete MFA device first.'],
];

function ensureDeletable(user: UserRecord): void {
  for (const [applies, requirement] of DELETE_CONFLICTS) {
    if (applies(user)) throw new AwsError('DeleteConflictException', `Cannot delete entity, must ${requirement}`);
  }
}

/**
 * Returns the root user as GetUser shows it: its unique ID is the account ID, and it has no name or path.
 *
 * Source: IAM API reference, GetUser: a request without a user name, signed by the root user.
 */
async function rootUser(call: Call): Promise<User> {
  const account = await call.tx.identity.get(call.accountId, 'account', call.accountId);
  const root = { UserId: call.accountId, Arn: arn('iam', '', call.accountId, 'root'), CreateDate: account?.createdAt ?? call.now };
  return root as unknown as User;
}
