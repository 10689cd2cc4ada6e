/**
 * Principals of stored resource-based policies: trust policies of roles, and policies of buckets. A stored policy contains the
 * unique IDs of users and roles. A new user with the name of a deleted user therefore gets no access.
 *
 * Requirement: MATCH-3, policy-engine 53. Source: IAM User Guide, "AWS JSON policy elements: Principal".
 */
import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import { arnOfUniqueId } from './entities.ts';
import { nameKey, nameOfArn } from './names.ts';
import { mapAwsPrincipals, withArns } from './policy-principals.ts';

/** Account of each unique ID in a stored policy. `showPrincipals` needs it to find the user or role. */
export type PrincipalIds = Readonly<Record<string, AccountId>>;

/**
 * Replaces the ARNs of users and roles in a valid policy by their unique IDs.
 *
 * A policy may name an account that does not exist on this server. It may not name users or roles of such an account,
 * because the server does not know their unique IDs.
 *
 * @throws Error  the error that `invalid` returns: a user or role does not exist, or a principal has another form
 */
export async function storePrincipals(
  tx: Tx,
  text: string,
  invalid: (principal: string) => Error,
): Promise<{ readonly text: string; readonly ids: PrincipalIds }> {
  const ids = new Map<string, AccountId>();
  const stored = await mapAwsPrincipals(text, async (principal) => {
    const found = await storedPrincipal(tx, principal);
    if (found === undefined) throw invalid(principal);
    if (found.accountId !== undefined) ids.set(found.text, found.accountId);
    return found.text;
  });
  return { text: stored, ids: Object.fromEntries(ids) };
}

/**
 * Returns a stored policy as clients see it (`withArns`). A unique ID remains if the user or role was deleted.
 *
 * `known` has the results of earlier lookups in the same transaction, so that a list looks up each ID once.
 */
export async function showPrincipals(
  tx: Pick<Tx, 'identity'>,
  text: string,
  ids: PrincipalIds,
  known = new Map<string, string>(),
): Promise<string> {
  return withArns(text, async (principal) => {
    const accountId = Object.hasOwn(ids, principal) ? ids[principal] : undefined;
    if (accountId === undefined) return undefined;
    const shown = known.get(principal) ?? (await arnOfUniqueId(tx, accountId, principal)) ?? principal;
    known.set(principal, shown);
    return shown;
  });
}

async function storedPrincipal(tx: Tx, principal: string): Promise<{ readonly text: string; readonly accountId?: AccountId } | undefined> {
  if (principal === '*' || isAccountId(principal)) return { text: principal };
  const parts = parseArn(principal);
  if (parts === undefined || !isAccountId(parts.accountId)) return undefined;
  const { service, accountId, resource } = parts;
  if (service === 'sts') return { text: principal };
  if (service !== 'iam') return undefined;
  if (resource === 'root') return { text: principal };
  const kind = resource.startsWith('user/') ? 'user' : resource.startsWith('role/') ? 'role' : undefined;
  if (kind === undefined) return undefined;
  const record = await tx.identity.get(accountId, kind, nameKey(nameOfArn(resource)));
  if (record === undefined || record.arn !== principal) return undefined;
  return { text: 'userId' in record ? record.userId : record.roleId, accountId };
}
