import type { RegisteredServer, Renewal } from '#store/engine/servers.ts';
import type { Store, Tx } from '#store/store.ts';
import type { LeaseParts } from './lease-parts.ts';
import { MARGIN, withdrawals } from './withdrawals.ts';

/**
 * The lease on the identity snapshot: when the call that withdrew something has answered, no server honours what was withdrawn.
 *
 * A server authorizes only while its lease holds. The lease is counted from the moment at which the server *requested* the state by which it
 * decides, and begins when the database has stored the server's acknowledgement of that state.
 *
 * A change of identity returns when every registered server has acknowledged it, or when every lease requested before the commit is dead. In
 * the second case a server without the acknowledgement has no lease, and gets none before it registers again. Its row is deleted at once, so
 * the next change does not wait for it.
 * Requirement: storage.md 5.2. Decision 0011. The protocol is checked in `test/leases/`.
 */
export interface Lease {
  /** Whether what the snapshot says may be honoured now. */
  holds(): boolean;
  /** Returns for how many milliseconds the lease still holds if it is not renewed: 0 without one, Infinity for the only server. */
  holdsForMs(): number;
  /** Registers this server and takes in all of identity. Resolves once the lease holds. @throws Error where the database does not answer */
  start(): Promise<void>;
  /** Resolves after a renewal that began after the call, whether it got a lease or not. */
  renew(): Promise<void>;
  /** Resolves once no server honours anything older than `version`, which has been committed. Never rejects. */
  withdrawn(version: number): Promise<void>;
  /** Takes a server out in two phases, so that it has no lease when it is gone. One that still runs registers anew. */
  remove(serverId: string): Promise<'removed' | 'absent'>;
  /** Deletes the tombstones that every server has taken in. */
  trim(): Promise<number>;
  /** Gives up the lease, then the registration. */
  stop(): Promise<void>;
  servers(): Promise<readonly RegisteredServer[]>;
  /** What this server is registered as; it changes where a server must begin anew. */
  serverId(): string;
}

/** Of a lease: by how much the wall clock and the monotonic one may disagree. The rest of the margin is for their rates. */
const DISAGREEMENT = MARGIN / 2;

/** Makes the lease of one server; nothing is asked before `start`. */
export function newLease(parts: LeaseParts): Lease {
  const { servers, hints, snapshot, clock, leaseMilliseconds, shared, report } = parts;
  let id = parts.newId();
  let registered = false;
  /** The lease's end on the monotonic clock. */
  let until = Number.NEGATIVE_INFINITY;
  /** How far the wall clock was ahead of the monotonic one when the lease was asked for. */
  let ahead = 0;
  /** Whether the snapshot is all of identity as of its version. */
  let complete = false;
  let epoch: string | undefined;
  let failing = false;
  let stopped = false;
  let started = false;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let unschedule = (): void => {};
  const unheard: (() => void)[] = [];
  const waiting = withdrawals({ ...parts, own: () => id, applied: () => (complete ? snapshot.version() : 0) });

  function drop(): void {
    until = Number.NEGATIVE_INFINITY;
  }

  function holds(): boolean {
    if (!shared) return complete && !stopped;
    const at = clock.monotonic();
    if (at >= until) return false;
    // A clock that stood still with its machine counts too little: the wall clock tells.
    if (Math.abs(clock.wall() - at - ahead) <= leaseMilliseconds * DISAGREEMENT) return true;
    drop();
    return false;
  }

  /** Goes on under another name: what is known of the old one stays true of it. */
  function beginAnew(why: string): void {
    report(`this server registers anew, because ${why}`);
    drop();
    // Without a lease nobody has to wait for it.
    void servers.leave(id).catch(() => {});
    id = parts.newId();
    registered = false;
  }

  /** Takes everything in, without a lease and before anybody waits for this server. */
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
    if (renewal.registration !== 'active') return beginAnew(`its registration is ${renewal.registration}`);
    const lost = reasonToReload(renewal, since);
    if (lost !== undefined) {
      complete = false;
      return beginAnew(lost);
    }
    takeIn(renewal, since);
    if (shared && renewal.version > renewal.acknowledged) {
      const outcome = await servers.acknowledge(id, renewal.version);
      if (stopped) return;
      if (outcome === 'absent') return beginAnew('it did not acknowledge a change in time');
      hints.hint('identity-applied');
    }
    until = asked + leaseMilliseconds;
    ahead = aheadThen;
    if (failing) report('the lease is renewed again');
    failing = false;
  }

  /** Applies the changes of a renewal. The older lease holds on, since the snapshot only becomes newer. */
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
   * Runs one renewal. Invariant (one renewal at a time): the response of an older one would take the snapshot back under a newer lease.
   *
   * @throws Error the database did not answer
   */
  function attempt(): Promise<void> {
    const one = renewOnce().finally(() => {
      running = undefined;
    });
    running = one.catch(() => {});
    return one;
  }

  function renewed(): Promise<void> {
    // Another one may have begun since the last one ended.
    if (running !== undefined) return renew();
    unschedule();
    const began = clock.monotonic();
    return attempt()
      .then(
        () => true,
        (error: unknown) => {
          // Once, however often it is tried.
          if (!failing) report(`the lease was not renewed: ${(error as Error).message}`);
          failing = true;
          return false;
        },
      )
      .then((asked) => {
        if (stopped || !started || !shared) return;
        const quarter = leaseMilliseconds / 4;
        // One that began anew or read for longer than a lease lasts is not done yet.
        const wait = !asked || clock.monotonic() >= until ? quarter / 8 : Math.max(began + quarter - clock.monotonic(), 0);
        unschedule();
        unschedule = clock.after(wait, () => void renew());
      });
  }

  function renew(): Promise<void> {
    if (running === undefined) return renewed();
    // The one that runs may have asked before what the caller knows of.
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
      // What slows the first down need not slow the second.
      for (let turn = 0; turn < 3 && !holds(); turn++) {
        while (running !== undefined) await running;
        await attempt();
      }
      if (!holds()) throw new Error('The database answers more slowly than a lease on identity lasts.');
      started = true;
      unheard.push(hints.on('identity', () => void renew()));
      unheard.push(hints.on('identity-applied', waiting.look));
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
      // Should the file fail, nothing is decided by what is older than it says.
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
      for (const off of unheard) off();
      await running;
      // The lease is given up already, so nothing has to be waited for.
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
