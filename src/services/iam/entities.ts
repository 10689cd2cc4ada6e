/**
 * Access to the stored users, groups and roles by name, with AWS's errors for missing and protected ones.
 *
 * Source: IAM, NoSuchEntity messages as recorded. Requirement ERR-2.
 */
import type { AccountId, Arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { nameKey } from './names.ts';

/** Kinds of entities that policies can be attached to. */
export type HolderKind = 'user' | 'group' | 'role';
/** Record of a user, group or role. */
export type HolderRecord = IdentityRecords[HolderKind];

/**
 * Returns a user, group or role by name, ignoring case.
 *
 * @throws NoSuchEntityException  it does not exist
 */
export async function entity<Kind extends HolderKind>(call: Call, kind: Kind, name: string): Promise<IdentityRecords[Kind]> {
  const record = await call.tx.identity.get(call.accountId, kind, nameKey(name));
  if (record === undefined) throw new AwsError('NoSuchEntityException', `The ${kind} with name ${name} cannot be found.`);
  return record;
}

/** Returns the name of a user, group or role. */
export function nameOf(record: HolderRecord): string {
  if ('userName' in record) return record.userName;
  return 'roleName' in record ? record.roleName : record.groupName;
}

/** @throws UnmodifiableEntityException  the role is linked to a service. Requirement SLR-8 */
export function ensureModifiable(record: HolderRecord): void {
  if ('linkedService' in record && record.linkedService !== undefined) {
    throw new AwsError(
      'UnmodifiableEntityException',
      `Cannot perform the operation on the protected role '${record.roleName}' - this role is only modifiable by AWS`,
    );
  }
}

/** Indexes a user or role by its unique ID, so that an ID in a trust policy can be shown as an ARN. Overwrites an earlier entry. */
export async function rememberUniqueId(call: Call, id: string, kind: 'user' | 'role', key: string): Promise<void> {
  await call.tx.identity.put(call.accountId, 'unique-id', id, { accountId: call.accountId, kind, key });
}

/** Returns the current ARN of a user or role by its unique ID, or `undefined` if it was deleted. */
export async function arnOfUniqueId(tx: Tx, accountId: AccountId, id: string): Promise<Arn | undefined> {
  const place = await tx.identity.get(accountId, 'unique-id', id);
  if (place === undefined) return undefined;
  return (await tx.identity.get(accountId, place.kind, place.key))?.arn;
}

/** Yields all records of a kind in an account, in the order of their keys. Reads them in batches of 500. */
export async function* everyRecord<Kind extends IdentityKind>(
  tx: Tx,
  accountId: AccountId,
  kind: Kind,
  prefix?: string,
): AsyncGenerator<{ readonly key: string; readonly record: IdentityRecords[Kind] }> {
  // A SAML provider has up to 2 MiB of metadata.
  const batchSize = 16;
  let after: string | undefined;
  for (;;) {
    const batch = await tx.identity.list(accountId, kind, {
      limit: batchSize,
      ...omitUndefined({ prefix, after }),
    });
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < batchSize) return;
    after = last.key;
  }
}
