import type { RegisteredServer } from '#store/engine/servers.ts';
import type { Store, Tx } from '#store/store.ts';
import type { LeaseParts } from './lease-parts.ts';
import { newLeaseTerm } from './lease-term.ts';
import { newRegistration } from './registration.ts';
import { newRenewals } from './renewals.ts';
import { withdrawals } from './withdrawals.ts';

/**
 * Lease on the identity snapshot. After a call that withdraws a permission has returned, no server honors the permission.
 *
 * A server authorizes requests only while its lease holds. The duration of a lease counts from the time at which the server *requested* the
 * state of its snapshot. The lease begins when the database has stored the server's acknowledgment of that state.
 *
 * A change of identity returns when every registered server has acknowledged it, or when every lease requested before the commit has
 * expired. In the second case, a server without an acknowledgment has no lease, and gets none before it registers again. Its row is
 * deleted immediately, so that the next change does not wait for it.
 * Requirement: storage.md 5.2. Decision 0011. The protocol is checked in `test/leases/`.
 */
export interface Lease {
  /** Reports whether the server may authorize with its snapshot now. */
  holds(): boolean;
  /** Returns the remaining milliseconds of the lease: 0 without a lease, `Infinity` if the database has only one server. */
  holdsForMs(): number;
  /** Registers this server and loads the snapshot. Resolves when the lease holds. @throws Error  the database does not respond in time */
  start(): Promise<void>;
  /** Resolves after a renewal that began after the call, even if the renewal failed. */
  renew(): Promise<void>;
  /** Resolves when no server authorizes with a version older than `version`, which must be committed. Never rejects. */
  withdrawn(version: number): Promise<void>;
  /** Removes a server in two phases, so that its lease has expired when its row is deleted. A server that still runs registers again. */
  remove(serverId: string): Promise<'removed' | 'absent'>;
  /** Deletes the tombstones that every server has applied. Returns their number. */
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
      // Tries three times, because the first attempt can be slow for reasons that do not affect the next one.
      for (let turn = 0; turn < 3 && !holds(); turn++) await renewals.once();
      if (!holds()) throw new Error('the database responded too slowly for a lease on identity, three times');
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
 * Wraps a store so that a transaction returns, or fails, only when the identity that it changed or read is in force on every server.
 *
 * A repeated withdrawal changes nothing, because it reads the result of the first one. It also waits, because otherwise it could return
 * while another server still honors the withdrawn permission.
 */
export function withdrawing(store: Store, lease: Pick<Lease, 'withdrawn'>): Store {
  /** Highest version that is known to be in force on every server. */
  let settled = 0;
  /** Pending wait for the highest version so far. Transactions that changed or read this version or an earlier one share it. */
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
          changed = tx.identity.changed() ?? 0;
          seen = tx.identity.seen();
        }
      };
      try {
        const value = await store.transaction(run, options);
        seen = Math.max(seen, changed);
        return value;
      } finally {
        // A failed transaction changed nothing, so only the version that it read counts.
        await settle(seen);
      }
    },
    close: () => store.close(),
  };
}
