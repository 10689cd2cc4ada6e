/** Access of users and roles that was not used for a period. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { FoundAccess } from './found-access.ts';

/** A user or role that analyzers for unused access read. */
export interface AnalyzedPrincipal {
  readonly resourceType: 'AWS::IAM::User' | 'AWS::IAM::Role';
  readonly arn: string;
  readonly tags: readonly TagRecord[];
}

const DAY_MS = 24 * 60 * 60_000;

/** Returns the unused access of a user or role. */
export async function unusedAccess(
  tx: Tx,
  accountId: AccountId,
  { resourceType, arn }: AnalyzedPrincipal,
  { now, ageDays }: { readonly now: Instant; readonly ageDays: number },
): Promise<readonly FoundAccess[]> {
  if (resourceType !== 'AWS::IAM::Role') return [];
  const role = await tx.identity.get(accountId, 'role', keyOf(arn));
  if (role === undefined || role.linkedService !== undefined || role.createdAt > now - ageDays * DAY_MS) return [];
  const last = (await tx.lastUses.of(accountId, role.roleId)).toSorted((a, b) => b.at - a.at)[0];
  if (last === undefined) return [{ findingType: 'UnusedIAMRole' }];
  return last.at > now - ageDays * DAY_MS ? [] : [{ findingType: 'UnusedIAMRole', lastAccessed: last.at }];
}

/** Returns at most `limit` users, then roles, of an account after the one with the ARN `after`. */
export async function principalsAfter(
  tx: Tx,
  accountId: AccountId,
  after: string | undefined,
  limit: number,
): Promise<readonly AnalyzedPrincipal[]> {
  const found: AnalyzedPrincipal[] = [];
  const isRole = after?.includes(':role/') === true;
  if (!isRole) {
    const users = await tx.identity.list(accountId, 'user', { ...(after !== undefined && { after: keyOf(after) }), limit });
    found.push(...users.map(({ record: { arn, tags } }) => ({ resourceType: 'AWS::IAM::User' as const, arn, tags })));
  }
  if (found.length < limit) {
    const roles = await tx.identity.list(accountId, 'role', {
      ...(isRole && { after: keyOf(after as string) }),
      limit: limit - found.length,
    });
    found.push(...roles.map(({ record: { arn, tags } }) => ({ resourceType: 'AWS::IAM::Role' as const, arn, tags })));
  }
  return found;
}

/** Returns the user or role with an ARN; undefined if the account has none. */
export async function principalOf(tx: Tx, accountId: AccountId, arn: string): Promise<AnalyzedPrincipal | undefined> {
  const kind = arn.includes(':role/') ? 'role' : 'user';
  const record = await tx.identity.get(accountId, kind, keyOf(arn));
  if (record === undefined || record.arn !== arn) return undefined;
  return { resourceType: kind === 'role' ? 'AWS::IAM::Role' : 'AWS::IAM::User', arn, tags: record.tags };
}

function keyOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1).toLowerCase();
}
