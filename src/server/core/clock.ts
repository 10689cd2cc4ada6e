import type { LeaseClock } from '#access/lease-parts.ts';
import { instant } from '#core/instant.ts';

/** Clocks of this machine. The monotonic clock continues while the process is stopped, and pauses while the machine is suspended. */
export const systemClock: LeaseClock = {
  monotonic: () => performance.now(),
  wall: () => instant(Date.now()),
  after(milliseconds, fn) {
    const timer = setTimeout(fn, milliseconds);
    return () => clearTimeout(timer);
  },
};
