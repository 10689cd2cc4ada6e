import type { RegisteredServer, Renewal } from '#store/engine/servers.ts';
import type { Store, Tx } from '#store/store.ts';
import type { LeaseParts } from './lease-parts.ts';
import { MARGIN, withdrawals } from './withdrawals.ts';

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

/** Maximum difference between the wall clock and the monotonic clock, as a fraction of a lease. The rest of `MARGIN` is for their rates. */
const DISAGREEMENT = MARGIN / 2;

/** Creates the lease of one server. Does not query the database before `start`. */
export function newLease(parts: LeaseParts): Lease {
  const { servers, hints, snapshot, clock, leaseMilliseconds, shared, report } = parts;
  let id = parts.newId();
  let registered = false;
  /** End of the lease on the monotonic clock. */
  let until = Number.NEGATIVE_INFINITY;
  /** Difference between the wall clock and the monotonic clock when the lease was requested. */
  let ahead = 0;
  /** Whether the snapshot contains all identity records of its version. */
  let complete = false;
  let epoch: string | undefined;
  let failing = false;
  let stopped = false;
  let started = false;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let unschedule = (): void => {};
  const unsubscribes: (() => void)[] = [];
  const waiting = withdrawals({ ...parts, own: () => id, applied: () => (complete ? snapshot.version() : 0) });

  function drop(): void {
    until = Number.NEGATIVE_INFINITY;
  }

  function holds(): boolean {
    if (!shared) return complete && !stopped;
    const at = clock.monotonic();
    if (at >= until) return false;
    // The monotonic clock may stop while the machine is suspended. Then the wall clock differs.
    if (Math.abs(clock.wall() - at - ahead) <= leaseMilliseconds * DISAGREEMENT) return true;
    drop();
    return false;
  }

  /** Drops the lease and registers with a new ID at the next renewal. Facts about the old ID remain true. */
  function restart(why: string): void {
    report(`this server registers again, because ${why}`);
    drop();
    // Other servers need not wait for a server without a lease.
    void servers.leave(id).catch(() => {});
    id = parts.newId();
    registered = false;
  }

  /** Loads all identity records. The server has no lease and is not registered yet, so no other server waits for it. */
  async function load(): Promise<void> {
    const { version, changes, epoch: of } = await servers.renew(id, 0);
    snapshot.reload(version, changes);
    epoch = of;
    complete = true;
  }

  async function renewOnce(): Promise<void> {
    if (!complete) await load();
    if (stopped) return;
    if (!registered) {
      await servers.register({ id, name: parts.name, startedAt: clock.wall() }, snapshot.version());
      registered = true;
    }
    const asked = clock.monotonic();
    const aheadThen = clock.wall() - asked;
    const since = snapshot.version();
    const renewal = await servers.renew(id, since);
    if (stopped) return;
    if (renewal.registration !== 'active') return restart(`its registration is ${renewal.registration}`);
    const lost = reasonToReload(renewal, since);
    if (lost !== undefined) {
      complete = false;
      return restart(lost);
    }
    takeIn(renewal, since);
    if (shared && renewal.version > renewal.acknowledged) {
      const outcome = await servers.acknowledge(id, renewal.version);
      if (stopped) return;
      if (outcome === 'absent') return restart('it did not acknowledge a change in time');
      hints.hint('identity-applied');
    }
    until = asked + leaseMilliseconds;
    ahead = aheadThen;
    if (failing) report('the lease is renewed again');
    failing = false;
  }

  /** Applies the changes of a renewal. The older lease remains valid, because the snapshot only becomes newer. */
  function takeIn(renewal: Renewal, since: number): void {
    const heldUntil = until;
    // If `apply` throws, the snapshot is incomplete, and the server decides nothing.
    drop();
    complete = false;
    if (renewal.version > since) snapshot.apply(renewal.version, renewal.changes);
    complete = true;
    until = heldUntil;
    waiting.look();
  }

  function reasonToReload(renewal: Renewal, since: number): string | undefined {
    if (epoch !== renewal.epoch) return 'the database has another history';
    if (renewal.version < since) return 'the version of identity went back';
    return renewal.trimmedTo > since ? 'what was deleted since is not listed any more' : undefined;
  }

  /**
   * Runs one renewal. Invariant (one renewal at a time): the response of an older renewal would revert the snapshot under a newer lease.
   *
   * @throws Error  the database did not respond
   */
  function attempt(): Promise<void> {
    const one = renewOnce().finally(() => {
      running = undefined;
    });
    running = one.catch(() => {});
    return one;
  }

  function renewed(): Promise<void> {
    // Another renewal may have begun in the meantime.
    if (running !== undefined) return renew();
    unschedule();
    const began = clock.monotonic();
    return attempt()
      .then(
        () => true,
        (error: unknown) => {
          // Reports the first failure only, not each retry.
          if (!failing) report(`the lease was not renewed: ${(error as Error).message}`);
          failing = true;
          return false;
        },
      )
      .then((asked) => {
        if (stopped || !started || !shared) return;
        const quarter = leaseMilliseconds / 4;
        // Retries soon if the server restarted its registration, or if the renewal took longer than a lease.
        const wait = !asked || clock.monotonic() >= until ? quarter / 8 : Math.max(began + quarter - clock.monotonic(), 0);
        unschedule();
        unschedule = clock.after(wait, () => void renew());
      });
  }

  function renew(): Promise<void> {
    if (running === undefined) return renewed();
    // The running renewal may have read the database before the change that the caller knows.
    next ??= running.then(() => {
      next = undefined;
      return renewed();
    });
    return next;
  }

  return {
    holds,
    holdsForMs: () => (holds() ? (shared ? until - clock.monotonic() : Number.POSITIVE_INFINITY) : 0),
    renew,
    serverId: () => id,
    servers: servers.registered,
    async start() {
      if (!shared) await servers.leaveAll();
      // Tries three times, because the first attempt can be slow for reasons that do not affect the next one.
      for (let turn = 0; turn < 3 && !holds(); turn++) {
        while (running !== undefined) await running;
        await attempt();
      }
      if (!holds()) throw new Error('The database answers more slowly than a lease on identity lasts.');
      started = true;
      unsubscribes.push(hints.on('identity', () => void renew()));
      unsubscribes.push(hints.on('identity-applied', waiting.look));
      if (shared) unschedule = clock.after(leaseMilliseconds / 4, () => void renew());
    },
    async withdrawn(version) {
      const committed = clock.monotonic();
      hints.hint('identity');
      if (shared) {
        void renew();
        return waiting.until(version, committed);
      }
      await renew();
      // If the database failed, the server stops authorizing, because its snapshot is older than the committed version.
      if (snapshot.version() < version) complete = false;
    },
    remove: waiting.remove,
    async trim() {
      if (!shared && complete) await servers.acknowledge(id, snapshot.version());
      return await servers.trim();
    },
    async stop() {
      stopped = true;
      drop();
      unschedule();
      for (const off of unsubscribes) off();
      await running;
      // The lease has been dropped, so the registration can be deleted immediately.
      await servers.leave(id).catch(() => {});
    },
  };
}

/**
 * Wraps a store so that a transaction returns, or fails, only when the identity that it changed or read is in force on every server.
 *
 * A repeated withdrawal changes nothing, and its response depends on the first one. Without the wait for what it read, it would return
 * while another server still honors the withdrawn permission.
 */
export function withdrawing(store: Store, lease: Pick<Lease, 'withdrawn'>): Store {
  /** Highest version that is known to be in force on every server. */
  let settled = 0;
  /** The wait for the highest version, which many transactions may have read. */
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
    async transaction(work) {
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
        const value = await store.transaction(run);
        seen = Math.max(seen, changed);
        return value;
      } finally {
        // The change of a failed transaction has no version.
        await settle(seen);
      }
    },
    close: () => store.close(),
  };
}
