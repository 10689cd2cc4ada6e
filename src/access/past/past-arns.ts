import type { AccountId } from '#core/arn.ts';
import { formerArns, identityAt } from '#store/identity/identity-history.ts';
import type { Store } from '#store/store.ts';

/** Number of records that one transaction reads. */
const PAGE = 100;

/**
 * Returns the ARNs that users and roles of an account had as of a version of identity, by their unique IDs. An ID is absent if its user or role
 * did not exist. Reads in short transactions.
 *
 * @throws RangeError  the version is not kept any more
 */
export async function pastArns(
  store: Pick<Store, 'transaction'>,
  version: number,
  accountId: AccountId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const id of ids) {
    const arn = await store.transaction(async (tx) => {
      const place = await tx.identity.get(accountId, 'unique-id', id);
      if (place?.kind !== 'user' && place?.kind !== 'role') return undefined;
      const at = identityAt(tx, version);
      const user = place.kind === 'user' ? await at.record(accountId, 'user', place.key) : undefined;
      const role = place.kind === 'role' ? await at.record(accountId, 'role', place.key) : undefined;
      return user?.userId === id ? user.arn : role?.roleId === id ? role.arn : undefined;
    });
    if (arn !== undefined) found.set(id, arn);
  }
  // The others were renamed or deleted since then, so a former version has their IDs.
  for (const kind of ['user', 'role'] as const) {
    const wanted = new Set(ids.filter((id) => !found.has(id) && id.startsWith(kind === 'user' ? 'AIDA' : 'AROA')));
    for (let after: string | undefined = ''; after !== undefined && [...wanted].some((id) => !found.has(id)); ) {
      const from: string = after;
      const { arns, next } = await store.transaction((tx) => formerArns(tx, version, { accountId, kind, ids: wanted }, from, PAGE));
      for (const [id, arn] of arns) found.set(id, arn);
      after = next;
    }
  }
  return found;
}
