/** A clock for a core in the thread of the test, whose wall time the test moves forward. */
import { instant } from '#core/instant.ts';
import { systemClock } from '#server/core/clock.ts';

/**
 * Returns a clock that starts at the present time. The monotonic clock and timers keep real time.
 *
 * `after` replaces the function that starts timers, so that a test can shorten, collect or run them.
 */
export function newTestClock(after: typeof systemClock.after = systemClock.after) {
  let offset = 0;
  const now = () => instant(Date.now() + offset);
  return {
    /** The part `clock` of the core. */
    clock: { ...systemClock, wall: now, after },
    /** Returns the wall time of the core. */
    now,
    /** Returns the difference to the time of the machine in milliseconds, such as for the `systemClockOffset` of clients. */
    offset: () => offset,
    /** Moves the wall time forward. */
    advance(milliseconds: number): void {
      offset += milliseconds;
    },
  };
}
