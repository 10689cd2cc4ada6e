/** Loads the identity of one account from a database, with the organization that limits it. */
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { newStacks, type Stacks } from '#access/stacks.ts';
import type { AccountId } from '#core/arn.ts';
import { identityAt, type PastKind } from '#store/identity/identity-history.ts';
import { recordOf } from '#store/identity/record-parts.ts';
import { COUNTER } from '#store/identity/repository.ts';
import type { Sql } from '#store/sql.ts';

/** Identity of one account. The keys of users and roles are in the order of the bytes. */
export interface AccountIdentity {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  readonly userKeys: readonly string[];
  readonly roleKeys: readonly string[];
}

/** Number of records that one statement reads. */
const PAGE = 500;
/** Maximum number of records that stay parsed. Each principal is read once, so only groups and managed policies are read again. */
const PARSED_MAX = 1_000;
/** Kinds that decide which service control policies an account has. Its management account has their records. */
const OF_ORGANIZATION: readonly PastKind[] = ['organization', 'organization-account', 'organizational-unit', 'service-control-policy'];

/** Reads the records of an account that decisions need: about 5 KB of memory for each user. Secrets are not among them. */
export async function accountIdentity(sql: Sql, accountId: AccountId): Promise<AccountIdentity> {
  const version = (await COUNTER.get(sql, 'identity'))?.value ?? 0;
  const stored = identityAt({ sql }, version);
  const snapshot = newSnapshot({ parsedMax: PARSED_MAX });
  const load = snapshot.reload();
  const userKeys: string[] = [];
  const roleKeys: string[] = [];
  let managementAccountId: AccountId | undefined;
  for (let after: { readonly kind: PastKind; readonly key: string } | undefined, more = true; more; ) {
    const page = await stored.page(accountId, PAGE, after);
    load.add(page);
    for (const { kind, key, text } of page) {
      if (kind === 'user') userKeys.push(key);
      else if (kind === 'role') roleKeys.push(key);
      else if (kind === 'organization-member') ({ managementAccountId } = recordOf(kind, text));
    }
    after = page.at(-1);
    more = page.length === PAGE;
  }
  if (managementAccountId !== undefined && managementAccountId !== accountId) {
    for (const kind of OF_ORGANIZATION) {
      for (let key: string | undefined = ''; key !== undefined; ) {
        const page = await stored.page(managementAccountId, PAGE, { kind, key });
        const records: typeof page = page.filter((each) => each.kind === kind);
        load.add(records);
        key = records.length === PAGE ? records.at(-1)?.key : undefined;
      }
    }
  }
  load.complete(version);
  return { snapshot, stacks: newStacks(snapshot), userKeys, roleKeys };
}
