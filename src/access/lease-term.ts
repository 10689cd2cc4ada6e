import type { LeaseParts } from './lease-parts.ts';
import { MARGIN } from './withdrawals.ts';

/** Time of the monotonic clock and of the wall clock at one moment. */
export interface LeaseStart {
  readonly monotonic: number;
  /** Difference between the wall clock and the monotonic clock. */
  readonly ahead: number;
}

/** Term of a lease: the time during which the server may authorize with its snapshot. */
export interface LeaseTerm {
  /** Reports whether the term has not ended. */
  holds(): boolean;
  /** End of the term on the monotonic clock. */
  ends(): number;
  /** Reads the clocks. Call this before the request whose response extends the term. */
  start(): LeaseStart;
  /** Sets the end of the term to one lease after `from`. */
  extend(from: LeaseStart): void;
  /** Ends the term now. */
  drop(): void;
  /** Runs a synchronous change without a term. The term continues only if `change` returns. */
  suspend(change: () => void): void;
}

/**
 * Maximum difference between the wall clock and the monotonic clock, as a fraction of a lease. The rest of `MARGIN` covers clocks that run
 * at different rates.
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
      // The monotonic clock may stop while the machine is suspended. Then the wall clock differs.
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
