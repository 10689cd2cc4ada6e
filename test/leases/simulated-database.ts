import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { RegisteredServer, Servers } from '#store/engine/servers.ts';
import type { HeldKind, IdentityChange, StoredRecord } from '#store/identity/identity.ts';

export const ACCOUNT = '111122223333' as AccountId;

/** Faults that the simulation can build into the statements of the database. */
export type DatabaseFault =
  | 'acknowledgements are ignored'
  | 'removed at once'
  | 'rows and version from two snapshots'
  | 'acknowledged before applied'
  | 'an asynchronous replica answers';

/** Function that executes a statement over the simulated network. */
export type Ask = <T>(execute: () => T) => Promise<T>;

/** Simulated database with the identity records and the registered servers. A statement applies all its changes at once, like a commit. */
export interface SimulatedDatabase {
  /** Writes or deletes a key. Returns the version of the change. */
  write(key: string, deleted: boolean): number;
  isDeleted(key: string): boolean | undefined;
  registeredIds(): readonly string[];
  /** Replaces the database by its standby. This changes the epoch, which identifies the history of a database. */
  failOver(): void;
  /** Copies the current state to the replica. */
  replicate(): void;
  /** Returns the registry of servers as one server uses it. The registry executes each statement with `ask`. */
  serversFor(ask: Ask): Servers;
}

/** Creates a database with one key. A page of records has at most `pageMax` records. */
export function newDatabase(leaseMilliseconds: number, fault: DatabaseFault | undefined, pageMax: number): SimulatedDatabase {
  const documents = new Map<string, { version: number; deleted: boolean }>([['first', { version: 1, deleted: false }]]);
  const registry = new Map<string, RegisteredServer>();
  let version = 1;
  let trimmedTo = 0;
  let epoch = 1;
  let replica = { version, documents: new Map(documents) };
  const source = () => (fault === 'an asynchronous replica answers' ? replica : { version, documents });
  const changesAfter = (since: number): IdentityChange[] =>
    [...source().documents]
      .filter(([, one]) => one.version > since)
      .map(([key, one]) => ({
        accountId: ACCOUNT,
        kind: 'group',
        key,
        version: one.version,
        ...(one.deleted ? {} : { text: '{}' }),
      }));
  /** Returns the first records after `key`, in the order of keys. */
  const pageAfter = (key: string): StoredRecord<HeldKind>[] =>
    [...source().documents]
      .filter(([each, { deleted }]) => !deleted && each > key)
      .map(([each]) => ({ accountId: ACCOUNT, kind: 'group' as const, key: each, text: '{}' }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, pageMax);
  const change = (id: string, more: Partial<RegisteredServer>): RegisteredServer | undefined => {
    const row = registry.get(id);
    if (row !== undefined) registry.set(id, { ...row, ...more });
    return row;
  };
  const trim = (): number => {
    const slowest = Math.min(...[...registry.values()].map((row) => row.appliedVersion));
    if (!Number.isFinite(slowest)) return 0;
    trimmedTo = Math.max(trimmedTo, slowest);
    let count = 0;
    for (const [key, one] of documents) if (one.deleted && one.version <= trimmedTo && documents.delete(key)) count++;
    return count;
  };

  return {
    write(key, deleted) {
      version++;
      documents.set(key, { version, deleted });
      return version;
    },
    isDeleted: (key) => documents.get(key)?.deleted,
    registeredIds: () => [...registry.keys()],
    failOver: () => void epoch++,
    replicate: () => void (replica = { version, documents: new Map(documents) }),
    serversFor: (ask) => ({
      leaseMilliseconds: async () => leaseMilliseconds,
      register: (server, known) =>
        ask(() => {
          if (registry.has(server.id)) return;
          registry.set(server.id, {
            ...server,
            startedAt: instant(server.startedAt),
            appliedVersion: known,
            state: 'active',
            address: '',
            seenAt: instant(0),
          });
        }),
      async page(after) {
        const key = after?.key ?? '';
        const early = fault === 'rows and version from two snapshots' ? await ask(() => pageAfter(key)) : undefined;
        return await ask(() => {
          const records = early ?? pageAfter(key);
          return { version: source().version, epoch: String(epoch), records, isLast: records.length < pageMax };
        });
      },
      async renew(id, since) {
        const early = fault === 'rows and version from two snapshots' ? await ask(() => changesAfter(since)) : undefined;
        return await ask(() => {
          const row = registry.get(id);
          if (fault === 'acknowledged before applied') change(id, { appliedVersion: version });
          return {
            version: source().version,
            trimmedTo,
            epoch: String(epoch),
            registration: row?.state ?? 'absent',
            acknowledged: row?.appliedVersion ?? 0,
            changes: early ?? changesAfter(since),
          };
        });
      },
      acknowledge: (id, known) =>
        ask(() => {
          const row = registry.get(id);
          if (row === undefined) return 'absent';
          if (row.appliedVersion < known) change(id, { appliedVersion: known });
          return 'acknowledged';
        }),
      expire: (id, needed) =>
        ask(() => ((registry.get(id)?.appliedVersion ?? needed) < needed && registry.delete(id) ? 'expired' : 'kept')),
      seen: () => ask(() => undefined),
      registered: () => ask(() => (fault === 'acknowledgements are ignored' ? [] : [...registry.values()])),
      drain: (id) =>
        ask(() => {
          if (change(id, { state: 'draining' }) === undefined) return 'absent';
          if (fault === 'removed at once') registry.delete(id);
          return 'draining';
        }),
      remove: (id) => ask(() => (registry.get(id)?.state === 'draining' && registry.delete(id) ? 'removed' : 'absent')),
      leave: (id) => ask(() => void registry.delete(id)),
      leaveAll: async () => registry.clear(),
      trim: () => ask(trim),
    }),
  };
}
