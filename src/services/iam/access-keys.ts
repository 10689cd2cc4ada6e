/**
 * Access keys of users and of the root user. A secret is returned once, by CreateAccessKey, and stored encrypted. Requirement AUTHN-6.
 */

import { newAccessKeyId } from '#core/access-key-id.ts';
import type { AccountId } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { AccessKeyRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import type { IamDeps } from './deps.ts';
import { entity } from './entities.ts';
import { AwsError } from './errors.ts';
import { iamArn, nameKey } from './names.ts';
import { pageOf } from './page.ts';
import { QUOTAS } from './quotas.ts';
import { onUserOrSelf, userOrSelf } from './resources.ts';

/** Size of a secret: 30 bytes, which are 40 characters in base64. Source: IAM User Guide, "Manage access keys for IAM users". */
const SECRET_BYTES = 30;

/** Returns the operation CreateAccessKey, which encrypts the secret. */
function createOperation(deps: IamDeps) {
  return {
    CreateAccessKey: {
      access: (input, caller) => onUserOrSelf(caller, input.UserName),
      async handle(call, input) {
        const name = userOrSelf(call, input.UserName);
        const user = name === undefined ? undefined : await entity(call, 'user', name);
        const existing = user === undefined ? (await rootAccessKeys(call.tx, call.accountId)).length : user.accessKeyIds.length;
        if (existing >= QUOTAS.AccessKeysPerUser) {
          throw new AwsError('LimitExceededException', `Cannot exceed quota for AccessKeysPerUser: ${QUOTAS.AccessKeysPerUser}`);
        }
        const accessKeyId = newAccessKeyId('AKIA', call.accountId, call.random);
        const secret = Buffer.from(call.random(SECRET_BYTES)).toString('base64');
        const accessKey: AccessKeyRecord = omitUndefined({
          accountId: call.accountId,
          accessKeyId,
          userName: user?.userName,
          sealedSecret: deps.vault.seal(secret, accessKeyId),
          status: 'Active' as const,
          createdAt: call.now,
        });
        await call.tx.identity.put(call.accountId, 'access-key', accessKeyId, accessKey);
        if (user === undefined) {
          await call.tx.identity.put(call.accountId, 'root-access-key', accessKeyId, { accountId: call.accountId });
        } else {
          const accessKeyIds = [...user.accessKeyIds, accessKeyId];
          await call.tx.identity.put(call.accountId, 'user', nameKey(user.userName), { ...user, accessKeyIds });
        }
        return {
          AccessKey: {
            UserName: user?.userName ?? '',
            AccessKeyId: accessKeyId,
            Status: accessKey.status,
            SecretAccessKey: secret,
            CreateDate: call.now,
          },
        };
      },
    },
  } satisfies Partial<ServiceOperations<IamApi>>;
}

/**
 * Operations on existing access keys.
 *
 * Source: API reference, UpdateAccessKey: "If a temporary access key is used, then UserName is required." Assumed: DeleteAccessKey too.
 */
const keyOperations = {
  UpdateAccessKey: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const { Status } = input;
      if (Status === 'Expired') throw new AwsError('InvalidInputException', "Invalid Status 'Expired'. It must be Active or Inactive.");
      const accessKey = await keyOfUser(call, input.UserName, input.AccessKeyId);
      await call.tx.identity.put(call.accountId, 'access-key', accessKey.accessKeyId, { ...accessKey, status: Status });
      return {};
    },
  },

  DeleteAccessKey: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const accessKey = await keyOfUser(call, input.UserName, input.AccessKeyId);
      if (accessKey.userName === undefined) {
        await call.tx.identity.remove(call.accountId, 'root-access-key', accessKey.accessKeyId);
      } else {
        const user = await entity(call, 'user', accessKey.userName);
        const accessKeyIds = user.accessKeyIds.filter((id) => id !== accessKey.accessKeyId);
        await call.tx.identity.put(call.accountId, 'user', nameKey(user.userName), { ...user, accessKeyIds });
      }
      await call.tx.identity.remove(call.accountId, 'access-key', accessKey.accessKeyId);
      return {};
    },
  },

  ListAccessKeys: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      const keys = name === undefined ? await rootAccessKeys(call.tx, call.accountId) : await keysOf(call, name);
      const page = pageOf(
        input,
        keys.map((record) => ({ key: record.accessKeyId, record })),
      );
      return {
        AccessKeyMetadata: page.records.map((record) =>
          omitUndefined({
            UserName: record.userName,
            AccessKeyId: record.accessKeyId,
            Status: record.status,
            CreateDate: record.createdAt,
          }),
        ),
        ...page.rest,
      };
    },
  },

  /**
   * Returns the last use of a key.
   *
   * @throws NoSuchEntityException  the account has no such key. An earlier edition of the API reference lists this error
   *
   * Source: IAM API reference, AccessKeyLastUsed: an unused key has `N/A` for service and region, and no date.
   */
  GetAccessKeyLastUsed: {
    access: (input, caller) => ({
      resources: [iamArn(caller.accountId, 'user', '/', '*')],
      resolve: async (tx) => [await ownerArn(tx, caller.accountId, input.AccessKeyId)],
    }),
    async handle(call, input) {
      const accessKey = await call.tx.identity.get(call.accountId, 'access-key', input.AccessKeyId);
      if (accessKey === undefined) throw noSuchKey(input.AccessKeyId);
      const [use] = await call.tx.lastUses.of(call.accountId, input.AccessKeyId);
      return omitUndefined({
        UserName: accessKey.userName,
        AccessKeyLastUsed:
          use === undefined
            ? { ServiceName: 'N/A', Region: 'N/A' }
            : { LastUsedDate: use.at, ServiceName: use.service, Region: use.region },
      });
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Returns the operations on access keys. */
export function accessKeyOperations(deps: IamDeps) {
  return { ...createOperation(deps), ...keyOperations };
}

/** Returns the access keys of an account's root user. */
export async function rootAccessKeys(tx: Pick<Tx, 'identity'>, accountId: AccountId): Promise<AccessKeyRecord[]> {
  const keys: AccessKeyRecord[] = [];
  for await (const { key } of everySummary(tx, accountId, 'root-access-key')) {
    const record = await tx.identity.get(accountId, 'access-key', key);
    if (record !== undefined) keys.push(record);
  }
  return keys;
}

async function keysOf(call: Call, userName: string): Promise<AccessKeyRecord[]> {
  const user = await entity(call, 'user', userName);
  const keys: AccessKeyRecord[] = [];
  for (const id of user.accessKeyIds) {
    const record = await call.tx.identity.get(call.accountId, 'access-key', id);
    if (record !== undefined) keys.push(record);
  }
  return keys;
}

function noSuchKey(accessKeyId: string): AwsError {
  return new AwsError('NoSuchEntityException', `The Access Key with id ${accessKeyId} cannot be found.`);
}

/**
 * Returns the ARN of the user that a key belongs to. For an unknown key or a key of the root user, returns the ARN with
 * `user/*`, which only policy statements about all users match.
 */
async function ownerArn(tx: Tx, accountId: AccountId, accessKeyId: string): Promise<string> {
  const everyUser = iamArn(accountId, 'user', '/', '*');
  const record = await tx.identity.get(accountId, 'access-key', accessKeyId);
  if (record?.userName === undefined) return everyUser;
  return (await tx.identity.get(accountId, 'user', nameKey(record.userName)))?.arn ?? everyUser;
}

/**
 * Returns a key of the named user or, without a name, of the caller.
 *
 * @throws ValidationError  no name is specified and the caller is neither an IAM user nor the root user
 * @throws NoSuchEntityException  the user or the key does not exist, or the key belongs to another user
 */
async function keyOfUser(call: Call, userName: string | undefined, accessKeyId: string): Promise<AccessKeyRecord> {
  const name = userOrSelf(call, userName);
  const owner = name === undefined ? undefined : (await entity(call, 'user', name)).userName;
  const record = await call.tx.identity.get(call.accountId, 'access-key', accessKeyId);
  if (record === undefined || record.userName !== owner) throw noSuchKey(accessKeyId);
  return record;
}
