import type { AccountId, Arn } from '#core/arn.ts';
import type {
  AccessKeyRecord,
  AccountRecord,
  GroupRecord,
  IdentityChange,
  IdentityKind,
  IdentityRecords,
  PolicyRecord,
  RoleRecord,
  UserRecord,
} from '#store/identity/identity.ts';

/**
 * Identity snapshot: every account, principal, key and policy of one version, in memory. Owns the lookup of records. `stacks.ts` links the
 * policies of principals. Only `apply` and `reload` change the snapshot, in the order of versions.
 */
export interface Snapshot {
  /** Returns the version of the snapshot. */
  version(): number;
  /** Applies the changes up to `version`. Then passes each change to the watchers. */
  apply(version: number, changes: readonly IdentityChange[]): void;
  /** Replaces all records with those in `changes`, which are all records of `version`. Passes the differences to the watchers. */
  reload(version: number, changes: readonly IdentityChange[]): void;
  /** Adds a watcher that receives each later change with the previous record. */
  watch(watcher: (change: IdentityChange, before: IdentityRecords[IdentityKind] | undefined) => void): void;
  account(accountId: AccountId): AccountRecord | undefined;
  /** Returns the accounts in the order of their creation. */
  accounts(): readonly AccountRecord[];
  accessKey(accessKeyId: string): AccessKeyRecord | undefined;
  user(accountId: AccountId, userName: string): UserRecord | undefined;
  /** Finds a user by unique ID (`AIDA…`), also after it was renamed. */
  userById(userId: string): UserRecord | undefined;
  /** Finds a group by unique ID (`AGPA…`), also after it was renamed. */
  groupById(groupId: string): GroupRecord | undefined;
  role(accountId: AccountId, roleName: string): RoleRecord | undefined;
  policy(policyArn: Arn): PolicyRecord | undefined;
  record<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string): IdentityRecords[Kind] | undefined;
  /** Returns all records of a kind in an account, in no particular order. */
  records<Kind extends IdentityKind>(accountId: AccountId, kind: Kind): Iterable<IdentityRecords[Kind]>;
}

/** Creates an empty snapshot with version 0. */
export function newSnapshot(): Snapshot {
  let version = 0;
  const byKind = new Map<IdentityKind, Map<string, Map<string, IdentityRecords[IdentityKind]>>>();
  const keys = new Map<string, AccessKeyRecord>();
  const policies = new Map<string, PolicyRecord>();
  const usersById = new Map<string, UserRecord>();
  const groupsById = new Map<string, GroupRecord>();
  const watchers: ((change: IdentityChange, before: IdentityRecords[IdentityKind] | undefined) => void)[] = [];

  function table(kind: IdentityKind, accountId: AccountId): Map<string, IdentityRecords[IdentityKind]> {
    let accounts = byKind.get(kind);
    if (accounts === undefined) byKind.set(kind, (accounts = new Map()));
    let records = accounts.get(accountId);
    if (records === undefined) accounts.set(accountId, (records = new Map()));
    return records;
  }

  function lookUp<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string): IdentityRecords[Kind] | undefined {
    return byKind.get(kind)?.get(accountId)?.get(key) as IdentityRecords[Kind] | undefined;
  }

  function takeIn({ accountId, kind, key, record }: IdentityChange): IdentityRecords[IdentityKind] | undefined {
    const records = table(kind, accountId);
    const before = records.get(key);
    if (record === undefined) records.delete(key);
    else records.set(key, record);
    if (kind === 'access-key') {
      if (record === undefined) keys.delete(key);
      else keys.set(key, record as AccessKeyRecord);
    }
    if (kind === 'user') {
      // Renaming deletes one record and adds another, in either order. The deletion must not remove the added record.
      if (before !== undefined && usersById.get((before as UserRecord).userId) === before) usersById.delete((before as UserRecord).userId);
      if (record !== undefined) usersById.set((record as UserRecord).userId, record as UserRecord);
    }
    if (kind === 'group') {
      if (before !== undefined && groupsById.get((before as GroupRecord).groupId) === before)
        groupsById.delete((before as GroupRecord).groupId);
      if (record !== undefined) groupsById.set((record as GroupRecord).groupId, record as GroupRecord);
    }
    if (kind === 'policy') {
      if (before !== undefined) policies.delete((before as PolicyRecord).arn);
      if (record !== undefined) policies.set((record as PolicyRecord).arn, record as PolicyRecord);
    }
    return before;
  }

  function apply(to: number, changes: readonly IdentityChange[]): void {
    const befores = changes.map(takeIn);
    version = to;
    changes.forEach((change, i) => {
      for (const watcher of watchers) watcher(change, befores[i]);
    });
  }

  /** Returns deletions of all records that are not in `changes`. */
  function* missing(to: number, changes: readonly IdentityChange[]): Iterable<IdentityChange> {
    const name = (kind: string, accountId: string, key: string): string => `${kind}\n${accountId}\n${key}`;
    const there = new Set(changes.map(({ kind, accountId, key }) => name(kind, accountId, key)));
    for (const [kind, accounts] of byKind) {
      for (const [accountId, records] of accounts) {
        for (const key of records.keys())
          if (!there.has(name(kind, accountId, key))) yield { accountId: accountId as AccountId, kind, key, version: to };
      }
    }
  }

  return {
    version: () => version,
    apply,
    reload: (to, changes) => apply(to, [...missing(to, changes), ...changes]),
    watch: (watcher) => void watchers.push(watcher),
    account: (accountId) => lookUp(accountId, 'account', accountId),
    accounts: () => {
      const all = [...(byKind.get('account')?.values() ?? [])].flatMap((records) => [...records.values()] as AccountRecord[]);
      return all.sort((a, b) => a.createdAt - b.createdAt || (a.accountId < b.accountId ? -1 : 1));
    },
    accessKey: (accessKeyId) => keys.get(accessKeyId),
    user: (accountId, userName) => lookUp(accountId, 'user', userName.toLowerCase()),
    userById: (userId) => usersById.get(userId),
    groupById: (groupId) => groupsById.get(groupId),
    role: (accountId, roleName) => lookUp(accountId, 'role', roleName.toLowerCase()),
    policy: (policyArn) => policies.get(policyArn),
    record: lookUp,
    records: (accountId, kind) => (byKind.get(kind)?.get(accountId)?.values() ?? []) as Iterable<never>,
  };
}
