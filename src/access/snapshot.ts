import { type AccountId, type Arn, parseArn } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type {
  AccessKeyRecord,
  AccountRecord,
  GroupRecord,
  HeldKind,
  IdentityChange,
  IdentityRecords,
  PolicyRecord,
  RoleRecord,
  StoredRecord,
  UserRecord,
} from '#store/identity/identity.ts';
import { recordOf } from '#store/identity/record-parts.ts';
import { type HeldChange, isHeld, type KindOfAccount, newHeldRecords } from './held-records.ts';

/**
 * Identity snapshot: all accounts, principals, access keys and policies in memory, as of one version of the database's
 * identity records. Owns the look-up of records. `stacks.ts` combines the policies of each principal for decisions.
 * Only `apply` and `reload` change the snapshot, in the order of versions.
 *
 * Records are in memory as their stored text, because most records are rarely used. A look-up parses the record. The
 * most recently used records stay parsed: a look-up returns the same object until the record changes or is not used for
 * a while. So callers can use the object as the key of a cache. But a new object does not mean that the record has
 * changed.
 */
export interface Snapshot {
  /** Returns the version of the snapshot. */
  version(): number;
  /**
   * Applies the changes up to `version`. Then passes each change to the watchers. Ignores kinds not in `HELD_KINDS`.
   */
  apply(version: number, changes: readonly IdentityChange[]): void;
  /** Starts to replace all records. The snapshot is unchanged until `complete`. */
  reload(): SnapshotLoad;
  watch(watcher: SnapshotWatcher): void;
  account(accountId: AccountId): AccountRecord | undefined;
  /** Finds an account by its alias. */
  accountByAlias(alias: string): AccountRecord | undefined;
  accessKey(accessKeyId: string): AccessKeyRecord | undefined;
  user(accountId: AccountId, userName: string): UserRecord | undefined;
  /** Finds a user by unique ID (`AIDA…`), also after it was renamed. */
  userById(accountId: AccountId, userId: string): UserRecord | undefined;
  /** Finds a group by unique ID (`AGPA…`), also after it was renamed. */
  groupById(accountId: AccountId, groupId: string): GroupRecord | undefined;
  role(accountId: AccountId, roleName: string): RoleRecord | undefined;
  policy(policyArn: Arn): PolicyRecord | undefined;
  record<Kind extends KindOfAccount>(accountId: AccountId, kind: Kind, key: string): IdentityRecords[Kind] | undefined;
}

/** Replacement of all records of a snapshot. The new records are added in several calls. */
export interface SnapshotLoad {
  add(records: readonly StoredRecord<HeldKind>[]): void;
  /** Replaces the records and the version of the snapshot. Then notifies the watchers. */
  complete(version: number): void;
}

/** Watcher of the snapshot, which receives its changes. */
export interface SnapshotWatcher {
  /** Receives a change. `before` is the previous text of the record. */
  changed(change: HeldChange, before: string | undefined): void;
  /** Runs after all records were replaced. */
  replaced(): void;
}

/** Options of `newSnapshot`. */
export interface SnapshotOptions {
  /** Function that parses the text of a record. Default: `recordOf`. Tests pass a function that counts the calls. */
  readonly parse?: typeof recordOf;
  /** Maximum number of records that stay parsed. Default: `PARSED_MAX`. */
  readonly parsedMax?: number;
}

/** Maximum number of records that stay parsed. It is sufficient for the records of about 3,000 principals. */
export const PARSED_MAX = 10_000;

/** Creates an empty snapshot with version 0. */
export function newSnapshot({ parse = recordOf, parsedMax = PARSED_MAX }: SnapshotOptions = {}): Snapshot {
  let version = 0;
  let held = newHeldRecords();
  /**
   * Parsed records by their text. Two records never have the same text, because it contains the account and the name.
   */
  const parsed = lruMap<string, IdentityRecords[HeldKind]>(parsedMax);
  const watchers: SnapshotWatcher[] = [];

  function parsedOf<Kind extends HeldKind>(kind: Kind, text: string | undefined): IdentityRecords[Kind] | undefined {
    if (text === undefined) return undefined;
    let record = parsed.get(text);
    if (record === undefined) parsed.set(text, (record = parse(kind, text)));
    return record as IdentityRecords[Kind];
  }

  function lookUp<Kind extends KindOfAccount>(accountId: AccountId, kind: Kind, key: string): IdentityRecords[Kind] | undefined {
    return parsedOf(kind, held.get(accountId, kind, key));
  }

  function byUniqueId<Kind extends 'user' | 'group'>(accountId: AccountId, kind: Kind, id: string): IdentityRecords[Kind] | undefined {
    const key = held.keyOf(accountId, id);
    const record = key === undefined ? undefined : lookUp(accountId, kind, key);
    if (record === undefined) return undefined;
    return ('userId' in record ? record.userId : record.groupId) === id ? record : undefined;
  }

  function takeIn(change: HeldChange): string | undefined {
    const { text } = change;
    return text === undefined ? held.delete(change) : held.put({ ...change, text });
  }

  return {
    version: () => version,
    apply(to, all) {
      const changes = all.filter(isHeld);
      const befores = changes.map(takeIn);
      version = to;
      changes.forEach((change, i) => {
        for (const watcher of watchers) watcher.changed(change, befores[i]);
      });
    },
    reload() {
      const loaded = newHeldRecords();
      return {
        add: (records) => records.forEach(loaded.put),
        complete(to) {
          held = loaded;
          version = to;
          for (const watcher of watchers) watcher.replaced();
        },
      };
    },
    watch: (watcher) => void watchers.push(watcher),
    account: (accountId) => lookUp(accountId, 'account', accountId),
    accountByAlias(alias) {
      const accountId = held.accountOfAlias(alias);
      const account = accountId && lookUp(accountId, 'account', accountId);
      return account?.alias === alias ? account : undefined;
    },
    accessKey: (accessKeyId) => parsedOf('access-key', held.accessKey(accessKeyId)),
    user: (accountId, userName) => lookUp(accountId, 'user', userName.toLowerCase()),
    userById: (accountId, userId) => byUniqueId(accountId, 'user', userId),
    groupById: (accountId, groupId) => byUniqueId(accountId, 'group', groupId),
    role: (accountId, roleName) => lookUp(accountId, 'role', roleName.toLowerCase()),
    policy(policyArn) {
      const name = policyArn.slice(policyArn.lastIndexOf('/') + 1);
      const policy = lookUp(parseArn(policyArn)?.accountId as AccountId, 'policy', name.toLowerCase());
      return policy?.arn === policyArn ? policy : undefined;
    },
    record: lookUp,
  };
}
