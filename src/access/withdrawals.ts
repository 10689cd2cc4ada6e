import type { LeaseParts } from './lease-parts.ts';

/**
 * Operations that wait for other servers. The withdrawal of a permission waits until the other servers have
 * acknowledged the change. The removal of a server waits until that server's lease has ended.
 */
export interface Withdrawals {
  /**
   * Resolves when every registered server has acknowledged `version`, or when every lease that was requested before
   * `committed` has expired. `committed` is a time on the monotonic clock, after the commit of `version`.
   */
  until(version: number, committed: number): Promise<void>;
  /** Resolves the waiting operations whose condition now holds. */
  readonly look: () => void;
  readonly remove: (serverId: string) => Promise<'removed' | 'absent'>;
}

/** Dependencies of `withdrawals`. */
export interface WithdrawalParts extends Pick<LeaseParts, 'servers' | 'clock' | 'leaseMilliseconds' | 'report'> {
  /** Returns the ID of this server's registration. */
  readonly own: () => string;
  /** Returns the version of this server's snapshot. */
  readonly applied: () => number;
}

interface Waiting {
  readonly version: number;
  readonly done: () => void;
}

/**
 * Another server's lease counts as expired only this long after its end, because the servers' clocks may run at
 * different rates. The time is a fraction of a lease's duration.
 */
export const MARGIN = 0.05;

/**
 * Interval between checks while an operation waits, as a fraction of a lease's duration. Notifications from other
 * servers ("hints") trigger earlier checks, but they can be lost.
 */
const LOOK_EVERY = 1 / 40;

/** Creates the registry of one server's waiting operations. */
export function withdrawals({ servers, clock, leaseMilliseconds, report, own, applied }: WithdrawalParts): Withdrawals {
  const waiting = new Set<Waiting>();
  const removals = new Map<string, Promise<'removed' | 'absent'>>();
  const allLeasesDead = leaseMilliseconds * (1 + MARGIN);
  let looking = false;
  let again = false;
  let unschedule = (): void => {};

  /** Returns the other servers that have not acknowledged `version`. */
  function behind(all: Awaited<ReturnType<typeof servers.registered>>, version: number): string[] {
    return all.filter((server) => server.id !== own() && server.appliedVersion < version).map((server) => server.id);
  }

  async function lookOnce(): Promise<void> {
    // Selects versions that this server has applied, so they are committed. Selects them before it reads the list of
    // servers: a server that registers later reads the changes of these versions before it gets its first lease.
    const asked = [...waiting].filter((one) => applied() >= one.version);
    if (asked.length === 0) return;
    const all = await servers.registered();
    for (const one of asked) if (behind(all, one.version).length === 0) one.done();
  }

  function look(): void {
    if (waiting.size === 0) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    unschedule();
    lookOnce()
      .catch(() => {
        // The check is repeated below. If all checks fail, the waiting operations end when the leases have expired.
      })
      .finally(() => {
        looking = false;
        if (waiting.size === 0) return;
        if (again) {
          again = false;
          look();
        } else unschedule = clock.after(leaseMilliseconds * LOOK_EVERY, look);
      });
  }

  /**
   * Deletes the registrations of servers that did not acknowledge a version before all older leases expired. So the
   * next change does not wait for these servers.
   * Invariant (lease after acknowledgment): such a server has no lease, and cannot get a lease with its old
   * registration.
   */
  async function expireBehind(version: number): Promise<void> {
    for (const serverId of behind(await servers.registered(), version)) {
      if ((await servers.expire(serverId, version)) === 'expired')
        report(`removed server '${serverId}' from the list of servers, because it did not confirm a change of IAM data in time`);
    }
    look();
  }

  function remove(serverId: string): Promise<'removed' | 'absent'> {
    const known = removals.get(serverId);
    if (known !== undefined) return known;
    const removal = (async () => {
      if ((await servers.drain(serverId)) === 'absent') return 'absent';
      await new Promise<void>((resolve) => void clock.after(allLeasesDead, resolve));
      // If the server still runs, it has noticed the removal and registered again with another ID.
      await servers.remove(serverId);
      return 'removed';
    })();
    removals.set(serverId, removal);
    const forget = (): void => void removals.delete(serverId);
    removal.then(forget, forget);
    return removal;
  }

  return {
    until(version, committed) {
      return new Promise((resolve) => {
        const one: Waiting = {
          version,
          done: () => {
            waiting.delete(one);
            cancel();
            resolve();
          },
        };
        const cancel = clock.after(Math.max(committed + allLeasesDead - clock.monotonic(), 0), () => {
          one.done();
          expireBehind(version).catch(() => {});
        });
        waiting.add(one);
        look();
      });
    },
    look,
    remove,
  };
}
