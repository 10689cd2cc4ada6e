import type { RegisteredServer } from '#store/engine/servers.ts';
import type { Store, Tx } from '#store/store.ts';
import type { LeaseParts } from './lease-parts.ts';
import { newLeaseTerm } from './lease-term.ts';
import { newRegistration } from './registration.ts';
import { newRenewals } from './renewals.ts';
import { withdrawals } from './withdrawals.ts';

/**
 * Lease on the identity snapshot: a server may authorize with its snapshot until the lease ends. After a call that
 * withdraws a permission has returned, no server honors the permission.
 *
 * The duration of a lease counts from the time at which the server *requested* the state of its snapshot. The lease
 * begins when the database has stored the server's acknowledgment of that state.
 *
 * A call that changes identity records returns when every registered server has acknowledged the change, or when every
 * lease that was requested before the commit has expired. In the second case, a server that did not acknowledge the
 * change has no lease, and gets no lease before it registers again. The registration of such a server is deleted
 * immediately, so that the next change does not wait for the server.
 * Requirement: storage.md 5.2. Decision 0011. The protocol is checked in `test/leases/`.
 */
export interface Lease {
  /** Reports whether the server may authorize with its snapshot now. */
  holds(): boolean;
  /** Returns the remaining milliseconds of the lease: 0 without a lease, `Infinity` if the database has only one server. */
  holdsForMs(): number;
  /** Registers this server and loads the snapshot. Resolves when the lease holds. @throws Error  the database does not respond in time */
  start(): Promise<void>;
  /** Renews the lease. Resolves at the end of a renewal that began after this call, even if the renewal fails. */
  renew(): Promise<void>;
  /**
   * Resolves when no server authorizes with a snapshot older than `version`. `version` must be committed. Never
   * rejects.
   */
  withdrawn(version: number): Promise<void>;
  /**
   * Removes a server: marks its registration, waits until its lease has expired, and then deletes the registration. If
   * the server still runs, it registers again.
   */
  remove(serverId: string): Promise<'removed' | 'absent'>;
  /** Deletes the tombstones (markers of deleted records) that every server has applied. Returns their number. */
  trim(): Promise<number>;
  /** Drops the lease and deletes the registration. */
  stop(): Promise<void>;
  servers(): Promise<readonly RegisteredServer[]>;
  /** ID of this server's registration. It changes when the server registers again. */
  serverId(): string;
}

/** Creates the lease of one server. Does not query the database before `start`. */
export function newLease(parts: LeaseParts): Lease {
  const { servers, hints, snapshot, clock, shared } = parts;
  const term = newLeaseTerm(parts);
  const registration = newRegistration({ ...parts, term, applied: () => waiting.look() });
  const renewals = newRenewals({ ...parts, attempt: registration.renew, leaseEnds: term.ends });
  const waiting = withdrawals({
    ...parts,
    own: registration.id,
    applied: () => (registration.isComplete() ? snapshot.version() : 0),
  });
  const unsubscribes: (() => void)[] = [];
  let stopped = false;

  function holds(): boolean {
    return shared ? term.holds() : registration.isComplete() && !stopped;
  }

  return {
    holds,
    holdsForMs: () => (holds() ? (shared ? term.ends() - clock.monotonic() : Number.POSITIVE_INFINITY) : 0),
    renew: renewals.renew,
    serverId: registration.id,
    servers: servers.registered,
    async start() {
      if (!shared) await servers.leaveAll();
      // Tries three times, because the first attempt can be slow for reasons that do not affect the next attempt.
      for (let turn = 0; turn < 3 && !holds(); turn++) await renewals.once();
      if (!holds())
        throw new Error('the database responded too slowly three times, so this server could not confirm that its IAM data is current');
      unsubscribes.push(hints.on('identity', () => void renewals.renew()));
      unsubscribes.push(hints.on('identity-applied', waiting.look));
      renewals.start();
    },
    async withdrawn(version) {
      const committed = clock.monotonic();
      hints.hint('identity');
      if (shared) {
        void renewals.renew();
        return waiting.until(version, committed);
      }
      await renewals.renew();
      // If the database failed, the server stops authorizing, because its snapshot is older than the committed version.
      if (snapshot.version() < version) registration.invalidate();
    },
    remove: waiting.remove,
    async trim() {
      if (!shared && registration.isComplete()) await servers.acknowledge(registration.id(), snapshot.version());
      return await servers.trim();
    },
    async stop() {
      stopped = true;
      registration.stop();
      term.drop();
      for (const unsubscribe of unsubscribes) unsubscribe();
      await renewals.stop();
      // The lease has been dropped, so the registration can be deleted immediately.
      await servers.leave(registration.id()).catch(() => {});
    },
  };
}

/**
 * Wraps a store so that a transaction returns, or fails, only when every server uses the version of the identity
 * records that the transaction changed or read.
 *
 * Transactions that only read must also wait: if a call to withdraw a permission is repeated, the second call finds
 * that there is nothing to change. Without waiting, it could return while another server still honors the permission.
 */
export function withdrawing(store: Store, lease: Pick<Lease, 'withdrawn'>): Store {
  /** Highest version of the identity records that is known to be used by every server. */
  let settled = 0;
  /**
   * Highest version that a transaction is waiting for, and the promise that resolves when every server uses this
   * version. Transactions that wait for an earlier version wait for the same promise.
   */
  let latest = { version: 0, done: Promise.resolve() };
  function settle(version: number): Promise<void> | undefined {
    if (version <= settled) return undefined;
    if (version > latest.version) {
      const done = lease.withdrawn(version).then(() => {
        settled = Math.max(settled, version);
      });
      latest = { version, done };
    }
    return latest.done;
  }
  return {
    async transaction(work, options) {
      let changed = 0;
      let seen = 0;
      const run = async (tx: Tx): ReturnType<typeof work> => {
        try {
          return await work(tx);
        } finally {
          const used = tx.usedIdentity;
          changed = used?.changed() ?? 0;
          seen = used?.seen() ?? 0;
        }
      };
      try {
        const value = await store.transaction(run, options);
        seen = Math.max(seen, changed);
        return value;
      } finally {
        // A failed transaction changed nothing, so it waits only for the version that it read.
        await settle(seen);
      }
    },
    close: () => store.close(),
  };
}
