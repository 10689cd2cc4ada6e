import type { LeaseClock } from '#access/lease-parts.ts';
import { instant } from '#core/instant.ts';

/** Time as this machine has it. The monotonic clock goes on while a process is stopped, and stands still while its machine is. */
export const systemClock: LeaseClock = {
  monotonic: () => performance.now(),
  wall: () => instant(Date.now()),
  after(milliseconds, fn) {
    const timer = setTimeout(fn, milliseconds);
    return () => clearTimeout(timer);
  },
};
