import type { Renewal } from '#store/engine/servers.ts';
import type { LeaseParts } from './lease-parts.ts';
import type { LeaseTerm } from './lease-term.ts';

/**
 * Registration of one server in the database, and the state of the server's snapshot. Owns the steps of a renewal.
 * `renewals.ts` owns the schedule of renewals.
 */
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
   * Invariant (one renewal at a time): two renewals never overlap. Otherwise the late response of an older renewal
   * could revert the snapshot after a newer renewal has extended the lease.
   *
   * @throws Error  the database did not respond
   */
  renew(): Promise<boolean>;
  /** Cancels the effect of the running renewal, and of all later renewals. */
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

  /**
   * Drops the lease and deletes the registration. The next renewal registers the server with a new ID, so that other
   * servers cannot mistake the new registration for the old registration.
   */
  function restart(why: string): false {
    report(`this server is registering in the database again, because ${why}`);
    term.drop();
    // Deletes the registration immediately, because other servers need not wait for a server without a lease.
    void servers.leave(id).catch(() => {});
    id = parts.newId();
    registered = false;
    return false;
  }

  /**
   * Loads all identity records, one page of query results after the other. The server has no lease and is not
   * registered yet, so no other server waits for it.
   *
   * Invariant (version of the first page): records can change while the pages are read. The snapshot gets the version
   * of the first page, and the renewal then reads all changes after this version. So no change is missed.
   */
  async function load(): Promise<void> {
    const loading = snapshot.reload();
    const first = await servers.page();
    let page = first;
    loading.add(page.records);
    while (!page.isLast) {
      page = await servers.page(page.records.at(-1));
      if (stopped) return;
      // The database was restored or replaced between two pages, so the pages do not form one snapshot. The next
      // renewal loads all records again.
      if (page.epoch !== first.epoch) throw new Error('the database was restored or failed over while the server was loading IAM data');
      loading.add(page.records);
    }
    loading.complete(first.version);
    epoch = first.epoch;
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
    if (renewal.registration !== 'active') return restart(`its registration is '${renewal.registration}'`);
    const lost = reasonToReload(renewal, since);
    if (lost !== undefined) {
      complete = false;
      return restart(lost);
    }
    applyChanges(renewal, since);
    if (shared && renewal.version > renewal.acknowledged) {
      const outcome = await servers.acknowledge(id, renewal.version);
      if (stopped) return false;
      if (outcome === 'absent') return restart('it did not confirm a change of IAM data in time');
      hints.hint('identity-applied');
    }
    term.extend(start);
    return true;
  }

  /**
   * Applies the changes of a renewal. The current lease remains valid, because the changes only make the snapshot
   * newer.
   */
  function applyChanges(renewal: Renewal, since: number): void {
    // If `apply` throws, the snapshot remains incomplete and the term has ended, so the server authorizes nothing.
    term.suspend(() => {
      complete = false;
      if (renewal.version > since) snapshot.apply(renewal.version, renewal.changes);
      complete = true;
    });
    parts.applied();
  }

  function reasonToReload(renewal: Renewal, since: number): string | undefined {
    if (epoch !== renewal.epoch) return 'the database was restored or replaced';
    if (renewal.version < since) return 'the IAM data of the database is older than that of this server';
    return renewal.trimmedTo > since ? 'the database no longer lists all IAM deletions since the last update of this server' : undefined;
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
