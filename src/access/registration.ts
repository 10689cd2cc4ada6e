import type { Renewal } from '#store/engine/servers.ts';
import type { LeaseParts } from './lease-parts.ts';
import type { LeaseTerm } from './lease-term.ts';

/** Registration of one server in the database, with the state of its snapshot. Owns the steps of a renewal, but not its schedule. */
export interface Registration {
  /** ID of the registration. It changes when the server registers again. */
  id(): string;
  /** Reports whether the snapshot contains all identity records of its version. */
  isComplete(): boolean;
  /** Marks the snapshot as incomplete. The next renewal loads all identity records. */
  invalidate(): void;
  /**
   * Brings the snapshot up to date and extends the lease. Returns false if the server must register again.
   *
   * Invariant (one renewal at a time): the response of an older renewal would revert the snapshot under a newer lease.
   *
   * @throws Error  the database did not respond
   */
  renew(): Promise<boolean>;
  /** Cancels the effect of the running renewal, and of all later ones. */
  stop(): void;
}

/** Dependencies of `newRegistration`. */
export interface RegistrationParts
  extends Pick<LeaseParts, 'servers' | 'hints' | 'snapshot' | 'clock' | 'shared' | 'name' | 'newId' | 'report'> {
  readonly term: LeaseTerm;
  /** Runs after the snapshot received the changes of a renewal. */
  readonly applied: () => void;
}

/** Creates the registration of one server. Does not query the database before the first renewal. */
export function newRegistration(parts: RegistrationParts): Registration {
  const { servers, hints, snapshot, clock, shared, term, report } = parts;
  let id = parts.newId();
  let registered = false;
  let complete = false;
  let epoch: string | undefined;
  let stopped = false;

  /** Drops the lease and registers with a new ID at the next renewal. Other servers never mistake the new registration for the old one. */
  function restart(why: string): false {
    report(`this server registers again, because ${why}`);
    term.drop();
    // Other servers need not wait for a server without a lease.
    void servers.leave(id).catch(() => {});
    id = parts.newId();
    registered = false;
    return false;
  }

  /** Loads all identity records. The server has no lease and is not registered yet, so no other server waits for it. */
  async function load(): Promise<void> {
    const { version, changes, epoch: of } = await servers.renew(id, 0);
    snapshot.reload(version, changes);
    epoch = of;
    complete = true;
  }

  async function renew(): Promise<boolean> {
    if (!complete) await load();
    if (stopped) return false;
    if (!registered) {
      await servers.register({ id, name: parts.name, startedAt: clock.wall() }, snapshot.version());
      registered = true;
    }
    const start = term.start();
    const since = snapshot.version();
    const renewal = await servers.renew(id, since);
    if (stopped) return false;
    if (renewal.registration !== 'active') return restart(`its registration is ${renewal.registration}`);
    const lost = reasonToReload(renewal, since);
    if (lost !== undefined) {
      complete = false;
      return restart(lost);
    }
    applyChanges(renewal, since);
    if (shared && renewal.version > renewal.acknowledged) {
      const outcome = await servers.acknowledge(id, renewal.version);
      if (stopped) return false;
      if (outcome === 'absent') return restart('it did not acknowledge a change in time');
      hints.hint('identity-applied');
    }
    term.extend(start);
    return true;
  }

  /** Applies the changes of a renewal. The older lease remains valid, because the snapshot only becomes newer. */
  function applyChanges(renewal: Renewal, since: number): void {
    // If `apply` throws, the snapshot is incomplete, and the server decides nothing.
    term.suspend(() => {
      complete = false;
      if (renewal.version > since) snapshot.apply(renewal.version, renewal.changes);
      complete = true;
    });
    parts.applied();
  }

  function reasonToReload(renewal: Renewal, since: number): string | undefined {
    if (epoch !== renewal.epoch) return 'the database was restored or replaced';
    if (renewal.version < since) return 'the version of identity decreased';
    return renewal.trimmedTo > since ? 'the list of deleted records begins after the version of its snapshot' : undefined;
  }

  return {
    id: () => id,
    isComplete: () => complete,
    invalidate: () => {
      complete = false;
    },
    renew,
    stop: () => {
      stopped = true;
    },
  };
}
