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
 * The identity snapshot: every account, principal, key and policy in memory, as of one version. Owns looking them up;
 * what they may do is linked from it in `stacks.ts`. It is changed only by `apply`, in version order.
 */
export interface Snapshot {
  /** The version all of this is as of. */
  version(): number;
  /** Takes in what changed up to `version`. Emits: each change to the watchers, after all are in. */
  apply(version: number, changes: readonly IdentityChange[]): void;
  /** Takes in everything there is as of `version`: what is not among `changes` is gone. Emits: as `apply`. */
  reload(version: number, changes: readonly IdentityChange[]): void;
  /** `watcher` hears of each change applied from now on, the record before it included. */
  watch(watcher: (change: IdentityChange, before: IdentityRecords[IdentityKind] | undefined) => void): void;
  account(accountId: AccountId): AccountRecord | undefined;
  /** In order of their making. */
  accounts(): readonly AccountRecord[];
  accessKey(accessKeyId: string): AccessKeyRecord | undefined;
  user(accountId: AccountId, userName: string): UserRecord | undefined;
  /** By unique id (`AIDA…`), whatever its name is now. */
  userById(userId: string): UserRecord | undefined;
  group(accountId: AccountId, groupName: string): GroupRecord | undefined;
  role(accountId: AccountId, roleName: string): RoleRecord | undefined;
  policy(policyArn: Arn): PolicyRecord | undefined;
  record<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string): IdentityRecords[Kind] | undefined;
  /** Every record of a kind in an account, in no order. */
  records<Kind extends IdentityKind>(accountId: AccountId, kind: Kind): Iterable<IdentityRecords[Kind]>;
}

/** An empty snapshot of version 0. */
export function newSnapshot(): Snapshot {
  let version = 0;
  const byKind = new Map<IdentityKind, Map<string, Map<string, IdentityRecords[IdentityKind]>>>();
  const keys = new Map<string, AccessKeyRecord>();
  const policies = new Map<string, PolicyRecord>();
  const usersById = new Map<string, UserRecord>();
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
      // A new name is one record removed and another added, in no order: what was added first stays.
      if (before !== undefined && usersById.get((before as UserRecord).userId) === before) usersById.delete((before as UserRecord).userId);
      if (record !== undefined) usersById.set((record as UserRecord).userId, record as UserRecord);
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

  /** Deletions of all that is here and not among `changes`. */
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
    group: (accountId, groupName) => lookUp(accountId, 'group', groupName.toLowerCase()),
    role: (accountId, roleName) => lookUp(accountId, 'role', roleName.toLowerCase()),
    policy: (policyArn) => policies.get(policyArn),
    record: lookUp,
    records: (accountId, kind) => (byKind.get(kind)?.get(accountId)?.values() ?? []) as Iterable<never>,
  };
}
