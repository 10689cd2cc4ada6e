import type { LeaseParts } from './lease-parts.ts';

/** Renewals of a lease, on demand and at intervals, one at a time. Owns the schedule of renewals, but not their steps. */
export interface Renewals {
  /** Resolves after a renewal that began after the call, even if the renewal failed. */
  renew(): Promise<void>;
  /** Runs one renewal after the running one, if any, and schedules no other. @throws Error  the database did not respond */
  once(): Promise<void>;
  /** Starts periodic renewals, if other servers can use the database. */
  start(): void;
  /** Stops periodic renewals. Resolves when no renewal runs. */
  stop(): Promise<void>;
}

/** Dependencies of `newRenewals`. */
export interface RenewalParts extends Pick<LeaseParts, 'clock' | 'leaseMilliseconds' | 'shared' | 'report'> {
  /** Runs one renewal. Returns whether it extended the lease. */
  readonly attempt: () => Promise<boolean>;
  /** Returns the end of the lease on the monotonic clock. */
  readonly leaseEnds: () => number;
}

/** Part of a lease after which the next renewal runs. A failed one runs again after an eighth of that time. */
const RENEW_AFTER = 1 / 4;
const RETRY_AFTER = RENEW_AFTER / 8;

/** Creates the renewals of one server. None runs before a call. */
export function newRenewals({ clock, leaseMilliseconds, shared, report, attempt, leaseEnds }: RenewalParts): Renewals {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let failing = false;
  let started = false;
  let stopped = false;
  let unschedule = (): void => {};

  function scheduleAfter(milliseconds: number): void {
    unschedule();
    unschedule = clock.after(milliseconds, () => void renew());
  }

  /** Runs one renewal. The caller must check that no other renewal is running. */
  function run(): Promise<void> {
    const one = attempt()
      .then((extended) => {
        if (!extended || stopped) return;
        if (failing) report('renewed the lease on identity again', 'info');
        failing = false;
      })
      .finally(() => {
        running = undefined;
      });
    running = one.catch(() => {});
    return one;
  }

  function runAndSchedule(): Promise<void> {
    // Another renewal may have begun in the meantime.
    if (running !== undefined) return renew();
    unschedule();
    const began = clock.monotonic();
    return run()
      .then(
        () => true,
        (error: unknown) => {
          // Reports the first failure only, not each retry.
          if (!failing)
            report(`could not renew the lease on identity, without which the server rejects requests: ${(error as Error).message}`);
          failing = true;
          return false;
        },
      )
      .then((responded) => {
        if (stopped || !started || !shared) return;
        const at = clock.monotonic();
        // Retries soon if the server restarted its registration, or if the renewal took longer than a lease.
        const isLate = !responded || at >= leaseEnds();
        scheduleAfter(isLate ? leaseMilliseconds * RETRY_AFTER : Math.max(began + leaseMilliseconds * RENEW_AFTER - at, 0));
      });
  }

  function renew(): Promise<void> {
    if (running === undefined) return runAndSchedule();
    // The running renewal may have read the database before the change that the caller is waiting for.
    next ??= running.then(() => {
      next = undefined;
      return runAndSchedule();
    });
    return next;
  }

  return {
    renew,
    async once() {
      while (running !== undefined) await running;
      await run();
    },
    start() {
      started = true;
      if (shared) scheduleAfter(leaseMilliseconds * RENEW_AFTER);
    },
    async stop() {
      stopped = true;
      unschedule();
      await running;
    },
  };
}
