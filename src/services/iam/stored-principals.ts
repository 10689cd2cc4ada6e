/**
 * Principals of stored resource-based policies: trust policies of roles, and policies of buckets. A stored policy contains the
 * unique IDs of users and roles. A new user with the name of a deleted user therefore gets no access.
 *
 * Requirement: MATCH-3, policy-engine 53. Source: IAM User Guide, "AWS JSON policy elements: Principal".
 */
import { type AccountId, arn, isAccountId, parseArn } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import { arnOfUniqueId } from './entities.ts';
import { nameKey, nameOfArn } from './names.ts';

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
 * Returns a stored policy as clients see it. A unique ID becomes an ARN, or remains if the user or role was deleted. An
 * account ID becomes the ARN of its root user.
 *
 * `known` has the results of earlier lookups in the same transaction, so that a list looks up each ID once.
 *
 * Source: hashicorp/awspolicyequivalence. It treats an account ID and the ARN of the root user as equal, because IAM
 * returns the ARN.
 */
export async function showPrincipals(
  tx: Pick<Tx, 'identity'>,
  text: string,
  ids: PrincipalIds,
  known = new Map<string, string>(),
): Promise<string> {
  return mapAwsPrincipals(text, async (principal) => {
    if (isAccountId(principal)) return arn('iam', '', principal, 'root');
    const accountId = Object.hasOwn(ids, principal) ? ids[principal] : undefined;
    if (accountId === undefined) return principal;
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

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * Replaces the values of `AWS` in each `Principal` and `NotPrincipal` of a policy document. If no value changes,
 * returns the string that was passed, with its white space.
 */
async function mapAwsPrincipals(text: string, replace: (principal: string) => Promise<string>): Promise<string> {
  let changed = false;
  const replaced = async (principal: Json): Promise<Json> => {
    if (typeof principal !== 'string') return principal;
    const now = await replace(principal);
    changed ||= now !== principal;
    return now;
  };
  const document = JSON.parse(text) as { readonly Statement?: Json };
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  const mapped: Json[] = [];
  for (const statement of statements as readonly Json[]) {
    if (!isObject(statement)) {
      mapped.push(statement);
      continue;
    }
    const members: Record<string, Json> = { ...statement };
    for (const element of ['Principal', 'NotPrincipal']) {
      const principals = statement[element];
      if (!isObject(principals) || principals['AWS'] === undefined) continue;
      const aws = principals['AWS'];
      const list: Json[] = [];
      for (const principal of Array.isArray(aws) ? (aws as readonly Json[]) : [aws]) list.push(await replaced(principal));
      members[element] = { ...principals, AWS: Array.isArray(aws) ? list : (list[0] as Json) };
    }
    mapped.push(members);
  }
  if (!changed) return text;
  return JSON.stringify({ ...document, Statement: Array.isArray(document.Statement) ? mapped : (mapped[0] as Json) });
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
