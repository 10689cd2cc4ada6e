/** Loads the identity of one account from a database, with the organization that limits it. */
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { newStacks, type Stacks } from '#access/stacks.ts';
import type { AccountId } from '#core/arn.ts';
import type { RoleRecord, StoredRecord, UserRecord } from '#store/identity/identity.ts';
import { identityAt, type PastKind } from '#store/identity/identity-history.ts';
import { recordOf } from '#store/identity/record-parts.ts';
import { COUNTER } from '#store/identity/repository.ts';
import type { Sql } from '#store/sql.ts';

/**
 * Identity of one account. Its groups, managed policies and organization stay in memory. Its users and roles are in the snapshot only while
 * their page is read, so the memory does not depend on their number.
 */
export interface AccountIdentity {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  /** Yields the users in the order of their keys. The snapshot has the last user that was yielded. */
  users(): AsyncGenerator<UserRecord>;
  /** Yields the roles in the order of their keys. The snapshot has the last role that was yielded. */
  roles(): AsyncGenerator<RoleRecord>;
}

/** Number of records that one statement reads. A role can have 40 KB. */
const PAGE = 200;
/** Maximum number of records that stay parsed. Each principal is read once, so only groups and managed policies are read again. */
const PARSED_MAX = 1_000;
/** Kinds that decide which service control policies an account has. Its management account has their records. */
const OF_ORGANIZATION: readonly PastKind[] = ['organization', 'organization-account', 'organizational-unit', 'service-control-policy'];
/** Kinds that principals share. */
const SHARED: readonly PastKind[] = ['account', 'group', 'organization-member', 'policy', ...OF_ORGANIZATION];

/** Reads the shared records of an account that decisions need. Secrets are not among them. */
export async function accountIdentity(sql: Sql, accountId: AccountId): Promise<AccountIdentity> {
  const version = (await COUNTER.get(sql, 'identity'))?.value ?? 0;
  const stored = identityAt({ sql }, version);
  const snapshot = newSnapshot({ parsedMax: PARSED_MAX });
  const load = snapshot.reload();

  async function* pagesOf<Kind extends PastKind>(owner: AccountId, kind: Kind): AsyncGenerator<readonly StoredRecord<PastKind>[]> {
    for (let key: string | undefined = ''; key !== undefined; ) {
      const page = await stored.page(owner, PAGE, { kind, key });
      const records: typeof page = page.filter((each) => each.kind === kind);
      yield records;
      key = records.length === PAGE ? records.at(-1)?.key : undefined;
    }
  }

  let managementAccountId: AccountId | undefined;
  for (const kind of SHARED) {
    for await (const records of pagesOf(accountId, kind)) {
      load.add(records);
      for (const { text } of records) if (kind === 'organization-member') ({ managementAccountId } = recordOf(kind, text));
    }
  }
  if (managementAccountId !== undefined && managementAccountId !== accountId)
    for (const kind of OF_ORGANIZATION) for await (const records of pagesOf(managementAccountId, kind)) load.add(records);
  load.complete(version);

  /** Yields the records of a kind that `find` reads from the snapshot. */
  async function* inPages<Item>(kind: 'user' | 'role', find: (key: string) => Item | undefined): AsyncGenerator<Item> {
    for await (const records of pagesOf(accountId, kind)) {
      const added = records.map((record) => ({ ...record, version }));
      snapshot.apply(version, added);
      for (const { key } of records) yield find(key) as Item;
      const removed = added.map(({ text: _, ...record }) => record);
      snapshot.apply(version, removed);
    }
  }

  return {
    snapshot,
    stacks: newStacks(snapshot),
    users: () => inPages('user', (key) => snapshot.user(accountId, key)),
    roles: () => inPages('role', (key) => snapshot.role(accountId, key)),
  };
}
