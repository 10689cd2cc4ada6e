/**
 * Users, groups and roles as the store has them: sought by name, or refused in AWS's words.
 *
 * Source: IAM, NoSuchEntity texts as recorded. Requirement ERR-2.
 */
import type { AccountId, Arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../operation.ts';
import { nameKey } from './names.ts';

/** What policies are attached to. */
export type HolderKind = 'user' | 'group' | 'role';
export type HolderRecord = IdentityRecords[HolderKind];

/** @throws AwsError NoSuchEntity */
export async function entity<Kind extends HolderKind>(call: Call, kind: Kind, name: string): Promise<IdentityRecords[Kind]> {
  const record = await call.tx.identity.get(call.accountId, kind, nameKey(name));
  if (record === undefined) throw new AwsError('NoSuchEntityException', `The ${kind} with name ${name} cannot be found.`);
  return record;
}

export function nameOf(record: HolderRecord): string {
  if ('userName' in record) return record.userName;
  return 'roleName' in record ? record.roleName : record.groupName;
}

/** @throws AwsError UnmodifiableEntity where AWS made the role for a service. Requirement SLR-8. */
export function ensureModifiable(record: HolderRecord): void {
  if ('linkedService' in record && record.linkedService !== undefined) {
    throw new AwsError(
      'UnmodifiableEntityException',
      `Cannot perform the operation on the protected role '${record.roleName}' - this role is only modifiable by AWS`,
    );
  }
}

/** A user or role that its unique id leads to. Written with the entity, so that an id in a trust policy can be shown as an ARN again. */
export async function rememberUniqueId(call: Call, id: string, kind: 'user' | 'role', key: string): Promise<void> {
  await call.tx.identity.put(call.accountId, 'unique-id', id, { accountId: call.accountId, kind, key });
}

/** The ARN that an id stands for now; undefined where what it stood for is gone. */
export async function arnOfUniqueId(tx: Tx, accountId: AccountId, id: string): Promise<Arn | undefined> {
  const place = await tx.identity.get(accountId, 'unique-id', id);
  if (place === undefined) return undefined;
  return (await tx.identity.get(accountId, place.kind, place.key))?.arn;
}

/** Everything of one kind in an account, read in batches. */
export async function* everyRecord<Kind extends IdentityKind>(
  tx: Tx,
  accountId: AccountId,
  kind: Kind,
  prefix?: string,
): AsyncGenerator<{ readonly key: string; readonly record: IdentityRecords[Kind] }> {
  const batchSize = 500;
  let after: string | undefined;
  for (;;) {
    const batch = await tx.identity.list(accountId, kind, {
      limit: batchSize,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    });
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < batchSize) return;
    after = last.key;
  }
}
