/**
 * Keys of the reverse indexes: from a policy to the users, groups and roles that have it, and from the unique ID of a
 * group to its members. The indexes are the records `attachment` and `membership` of `IdentityRecords`.
 */
import type { Call } from '../kit/operation.ts';
import type { HolderKind } from './entities.ts';

/** Returns the index key of a policy that is attached to an entity. `key` is the store key of the entity. */
export function attachmentKey(policyArn: string, kind: HolderKind, key: string): string {
  return `${policyArn} ${kind}/${key}`;
}

/** Suffix of the index keys of permissions boundaries. */
export const BOUNDARY_SUFFIX = ' boundary';

/** Returns the index key of a policy that is the permissions boundary of a user or role. */
export function boundaryIndexKey(policyArn: string, kind: 'user' | 'role', key: string): string {
  return `${policyArn} ${kind}/${key}${BOUNDARY_SUFFIX}`;
}

/** Returns the index key of a user in a group. An empty `userKey` returns the prefix of the keys of all members. */
export function membershipKey(groupId: string, userKey: string): string {
  return `${groupId} ${userKey}`;
}

/** Moves an entry of a reverse index to another key. */
export async function moveIndex(call: Call, kind: 'attachment' | 'membership', from: string, to: string): Promise<void> {
  await call.tx.identity.remove(call.accountId, kind, from);
  await call.tx.identity.put(call.accountId, kind, to, { accountId: call.accountId });
}

/** Parses a key of the attachment index into the entity and its use of the policy. */
export function readAttachmentKey(
  policyArn: string,
  indexKey: string,
): { readonly kind: HolderKind; readonly key: string; readonly use: 'policy' | 'boundary' } {
  const [holder = '', boundary] = indexKey.slice(policyArn.length + 1).split(' ');
  const slash = holder.indexOf('/');
  return { kind: holder.slice(0, slash) as HolderKind, key: holder.slice(slash + 1), use: boundary === undefined ? 'policy' : 'boundary' };
}
