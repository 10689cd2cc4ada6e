/**
 * Access to the stored users, groups and roles by name, with AWS's errors for missing and protected ones.
 *
 * Source: IAM, NoSuchEntity messages as recorded. Requirement ERR-2.
 */
import type { AccountId, Arn } from '#core/arn.ts';
import type { IdentityRecords } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { nameKey } from './names.ts';

/** Account and transaction of a read. */
export type Reading = Pick<Call, 'accountId'> & { readonly tx: Pick<Tx, 'identity'> };

/** Kinds of entities that policies can be attached to. */
export type HolderKind = 'user' | 'group' | 'role';
/** Record of a user, group or role. */
export type HolderRecord = IdentityRecords[HolderKind];
/** Record of a user, group or role without policies and tags. */
export type HolderSummary = IdentitySummaries[HolderKind];

/**
 * Returns a user, group or role by name, ignoring case.
 *
 * @throws NoSuchEntityException  the user, group or role does not exist
 */
export async function entity<Kind extends HolderKind>(call: Reading, kind: Kind, name: string): Promise<IdentityRecords[Kind]> {
  const record = await call.tx.identity.get(call.accountId, kind, nameKey(name));
  if (record === undefined) throw missing(kind, name);
  return record;
}

/**
 * Returns a user, group or role by name, ignoring case, without its policies and tags. Reads much less data than
 * `entity`, and throws the same error.
 */
export async function entitySummary<Kind extends HolderKind>(call: Reading, kind: Kind, name: string): Promise<IdentitySummaries[Kind]> {
  const summary = await call.tx.identity.summary(call.accountId, kind, nameKey(name));
  if (summary === undefined) throw missing(kind, name);
  return summary;
}

function missing(kind: HolderKind, name: string): AwsError {
  return new AwsError('NoSuchEntityException', `The ${kind} with name ${name} cannot be found.`);
}

/**
 * Returns the group with a unique ID. Call this function only for a group with members. Such a group cannot be deleted,
 * so it exists.
 */
export async function groupOfId(call: Reading, groupId: string): Promise<IdentitySummaries['group']> {
  const place = await call.tx.identity.get(call.accountId, 'unique-id', groupId);
  return entitySummary(call, 'group', place?.key ?? groupId);
}

/** Returns the name of a user, group or role. */
export function nameOf(record: HolderSummary): string {
  if ('userName' in record) return record.userName;
  return 'roleName' in record ? record.roleName : record.groupName;
}

/**
 * Checks that an entity is not a service-linked role.
 *
 * @throws UnmodifiableEntityException  the role is linked to a service. Requirement SLR-8
 */
export function ensureModifiable(record: HolderSummary): void {
  if ('linkedService' in record && record.linkedService !== undefined) {
    throw new AwsError(
      'UnmodifiableEntityException',
      `Cannot perform the operation on the protected role '${record.roleName}' - this role is only modifiable by AWS`,
    );
  }
}

/**
 * Indexes a user, group or role by its unique ID. Stored trust policies contain the unique IDs of users and roles, and
 * stored users contain those of their groups. Overwrites an earlier entry.
 */
export async function rememberUniqueId(call: Call, id: string, kind: HolderKind, key: string): Promise<void> {
  await call.tx.identity.put(call.accountId, 'unique-id', id, { accountId: call.accountId, kind, key });
}

/** Returns the current ARN of a user or role by its unique ID, or `undefined` if it was deleted. */
export async function arnOfUniqueId(tx: Pick<Tx, 'identity'>, accountId: AccountId, id: string): Promise<Arn | undefined> {
  const place = await tx.identity.get(accountId, 'unique-id', id);
  if (place === undefined) return undefined;
  return (await tx.identity.summary(accountId, place.kind, place.key))?.arn;
}
