import type { LeaseParts } from './lease-parts.ts';

/**
 * Renewals of a server's lease on its identity snapshot, on demand and at intervals, one at a time. Owns the schedule
 * of renewals. `registration.ts` owns the steps of a renewal.
 */
export interface Renewals {
  /** Renews the lease. Resolves at the end of a renewal that began after this call, even if the renewal fails. */
  renew(): Promise<void>;
  /**
   * Waits for a running renewal, and then runs one renewal. Does not schedule further renewals.
   *
   * @throws Error  the database did not respond
   */
  once(): Promise<void>;
  /** Starts periodic renewals, if other servers can use the database. */
  start(): void;
  /** Stops periodic renewals. Resolves when no renewal runs. */
  stop(): Promise<void>;
}

/** Dependencies of `newRenewals`. */
export interface RenewalParts extends Pick<LeaseParts, 'clock' | 'leaseMilliseconds' | 'shared' | 'report'> {
  /** Runs one renewal. Returns whether the renewal extended the lease. */
  readonly attempt: () => Promise<boolean>;
  /** Returns the end of the lease on the monotonic clock. */
  readonly leaseEnds: () => number;
}

/**
 * Time from the beginning of a renewal to the next renewal, as a fraction of a lease's duration. After a failed
 * renewal, the server waits only an eighth of this time.
 */
const RENEW_AFTER = 1 / 4;
const RETRY_AFTER = RENEW_AFTER / 8;

/** Creates the renewals of one server. No renewal runs before a method is called. */
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
        if (failing) report('this server has confirmed again that its IAM data is current', 'info');
        failing = false;
      })
      .finally(() => {
        running = undefined;
      });
    running = one.catch(() => {});
    return one;
  }

  function runAndSchedule(): Promise<void> {
    // Another call may have begun a renewal since the previous renewal ended.
    if (running !== undefined) return renew();
    unschedule();
    const began = clock.monotonic();
    return run()
      .then(
        () => true,
        (error: unknown) => {
          // Reports the first failure only, not each retry.
          if (!failing)
            report(
              `could not confirm that the IAM data of this server is current; the server will reject requests unless a later attempt succeeds: ${(error as Error).message}`,
            );
          failing = true;
          return false;
        },
      )
      .then((responded) => {
        if (stopped || !started || !shared) return;
        const at = clock.monotonic();
        // Retries soon if the renewal failed, if the server must register again, or if the lease has already ended.
        const isLate = !responded || at >= leaseEnds();
        scheduleAfter(isLate ? leaseMilliseconds * RETRY_AFTER : Math.max(began + leaseMilliseconds * RENEW_AFTER - at, 0));
      });
  }

  function renew(): Promise<void> {
    if (running === undefined) return runAndSchedule();
    // The caller waits for a change of identity records. The running renewal may have read the database before that
    // change, so the caller needs the next renewal.
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
