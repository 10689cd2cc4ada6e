/** A core whose clock the test sets, with a listener for unmodified clients. Checks for due scans run 20 times a second. */
import { systemClock } from '#server/core/clock.ts';
import { newTestClock } from '../kit/clock.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import type { Keys } from '../kit/keys.ts';

/** Interval of the checks for scans that are due. */
const SCAN_EVERY_MS = 5_000;

/** Starts the core. `sweep` runs the sweeps of the services. */
export async function startClockCore() {
  const { clock, now, offset, advance } = newTestClock((milliseconds, fn) =>
    systemClock.after(milliseconds === SCAN_EVERY_MS ? 50 : milliseconds, fn),
  );
  const core = await startTestCore({ clock });
  const endpoint = await listenForCore(core);
  return {
    ...core,
    now,
    /** Moves the clock of the core. Clients that exist have the old time, so create new ones. */
    advance,
    /** Returns the settings of a client with the time of the core. */
    client: (credentials: Keys = core.credentials, region = 'us-east-1') => ({
      ...{ endpoint, region, credentials, maxAttempts: 1, systemClockOffset: offset(), forcePathStyle: true },
    }),
  };
}
