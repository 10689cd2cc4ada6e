import type { LeaseParts } from './lease-parts.ts';
import { MARGIN } from './withdrawals.ts';

/** Moment at which the duration of a lease begins, as read from the monotonic clock and the wall clock. */
export interface LeaseStart {
  readonly monotonic: number;
  /** Time of the wall clock minus the time of the monotonic clock at this moment, in milliseconds. */
  readonly ahead: number;
}

/** Term of a lease: the time until which the server may authorize with its snapshot. */
export interface LeaseTerm {
  /** Reports whether the term has not ended. */
  holds(): boolean;
  /** End of the term on the monotonic clock. */
  ends(): number;
  /** Reads the clocks. Call `start` before you send the database query that renews the lease. */
  start(): LeaseStart;
  /** Sets the end of the term: `from` plus the duration of one lease. */
  extend(from: LeaseStart): void;
  /** Ends the term now. */
  drop(): void;
  /**
   * Runs a synchronous change, during which `holds` returns false. The term continues only if `change` does not throw.
   */
  suspend(change: () => void): void;
}

/**
 * The difference between the wall clock and the monotonic clock may change by this fraction of a lease's duration
 * during a lease. After a larger change, the term ends. `MARGIN` is how long another server waits after the end of a
 * lease, also as a fraction of the duration. The other half of `MARGIN` covers clocks that run at different rates.
 */
const DISAGREEMENT = MARGIN / 2;

/** Creates a term that has ended. */
export function newLeaseTerm({ clock, leaseMilliseconds }: Pick<LeaseParts, 'clock' | 'leaseMilliseconds'>): LeaseTerm {
  let until = Number.NEGATIVE_INFINITY;
  /** Difference between the clocks when the lease was requested. */
  let ahead = 0;

  function drop(): void {
    until = Number.NEGATIVE_INFINITY;
  }

  return {
    holds() {
      const at = clock.monotonic();
      if (at >= until) return false;
      // The monotonic clock may stop while the machine is suspended, so that `at` is too early. Then the difference
      // between the two clocks has changed.
      if (Math.abs(clock.wall() - at - ahead) <= leaseMilliseconds * DISAGREEMENT) return true;
      drop();
      return false;
    },
    ends: () => until,
    start() {
      const monotonic = clock.monotonic();
      return { monotonic, ahead: clock.wall() - monotonic };
    },
    extend(from) {
      until = from.monotonic + leaseMilliseconds;
      ahead = from.ahead;
    },
    drop,
    suspend(change) {
      const heldUntil = until;
      drop();
      change();
      until = heldUntil;
    },
  };
}
