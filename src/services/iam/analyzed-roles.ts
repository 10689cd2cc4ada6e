/** Roles as analyzers for external access read them. */
import type { AccountId } from '#core/arn.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { AnalyzedResource, AnalyzedResourceChanged } from '../kit/analyzed-resources.ts';
import type { Work } from '../kit/events.ts';
import { nameKey, nameOfArn } from './names.ts';
import { shownTrustPolicy } from './trust.ts';

/** Returns the role with an ARN; undefined if the account has none. */
export async function findRole(tx: Tx, accountId: AccountId, arn: string): Promise<AnalyzedResource | undefined> {
  const role = await tx.identity.get(accountId, 'role', nameKey(nameOfArn(arn)));
  return role?.arn === arn ? await toAnalyzed(tx, role) : undefined;
}

/** Returns at most `limit` roles in the order of their names, after the role with the ARN `after`. */
export async function listRoles(
  tx: Tx,
  accountId: AccountId,
  after: string | undefined,
  limit: number,
): Promise<readonly AnalyzedResource[]> {
  const from = after === undefined ? {} : { after: nameKey(nameOfArn(after)) };
  const known = new Map<string, string>();
  const found: AnalyzedResource[] = [];
  for (const { record } of await tx.identity.list(accountId, 'role', { ...from, limit })) found.push(await toAnalyzed(tx, record, known));
  return found;
}

async function toAnalyzed(tx: Tx, role: RoleRecord, known?: Map<string, string>): Promise<AnalyzedResource> {
  return { arn: role.arn, policy: await shownTrustPolicy(tx, role, known) };
}

/** Emits the event of a role that was created or deleted, or whose trust policy changed. */
export async function emitRoleChanged(
  { emit }: Pick<Work, 'emit'>,
  { accountId, arn }: Pick<RoleRecord, 'accountId' | 'arn'>,
): Promise<void> {
  await emit<AnalyzedResourceChanged>({ type: 'AnalyzedResourceChanged', accountId, resourceType: 'AWS::IAM::Role', arn });
}
