/** Periodic deletion of expired data. Reads already ignore it, so a late sweep only costs space. */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import { channelEvents } from '#realtime/tables/channel-events.ts';
import type { AddEmit } from '#services/kit/events.ts';
import type { Store } from '#store/store.ts';
import { serviceSweeps } from './services.ts';

/** Interval between sweeps that delete ended meetings, expired users and channels, and old events. */
const SWEEP_EVERY_MS = 60_000;
/** Rows that one transaction deletes. Requests run between two transactions. */
const DELETED_AT_ONCE = 1_000;
/** Retention of channel events. A follower lags by milliseconds and closes its sessions before it lags by this much. */
const CHANNEL_EVENTS_KEPT_MS = 5 * 60_000;
/** Interval between deletions of identity tombstones, which only cost space. */
const TRIM_EVERY_MS = 3_600_000;

export interface SweepParts {
  readonly store: Store;
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly addEmit: AddEmit;
}

/** Returns the function that deletes everything that has expired, in several transactions. */
export function sweeping({ store, now, newId, addEmit }: SweepParts): () => Promise<void> {
  const sweepServices = serviceSweeps(store, (tx) => addEmit({ tx, now: now(), newId }));
  return async () => {
    await store.transaction(async (tx) => {
      await tx.idempotency.forgetExpired(now(), DELETED_AT_ONCE);
      await tx.attempts.forget(now(), DELETED_AT_ONCE);
    });
    await sweepServices();
    const before = instant(now() - CHANNEL_EVENTS_KEPT_MS);
    while ((await store.transaction((tx) => tx.of(channelEvents).forget(before, DELETED_AT_ONCE))) === DELETED_AT_ONCE);
  };
}

/** Creates the part that runs the sweep every minute. */
export function sweepPart(sweep: () => Promise<void>, clock: LeaseClock, report: (line: string) => void): Part {
  return repeated('sweeps', SWEEP_EVERY_MS, clock, () =>
    sweep().catch((error: unknown) => report(`sweep failed: ${(error as Error).message}`)),
  );
}

/** Creates the part that deletes tombstones of identity every hour. */
export function trimPart(lease: Pick<Lease, 'trim'>, clock: LeaseClock, report: (line: string) => void): Part {
  return repeated('identity trim', TRIM_EVERY_MS, clock, () =>
    lease.trim().catch((error: unknown) => report(`deletion of identity tombstones failed: ${(error as Error).message}`)),
  );
}

/** Runs `work`, which never rejects, `everyMs` after the start and after the end of each run. `stop` waits for the current run. */
function repeated(name: string, everyMs: number, clock: LeaseClock, work: () => Promise<unknown>): Part {
  let cancel = (): void => {};
  let running: Promise<unknown> | undefined;
  let stopped = false;

  function schedule(): void {
    if (stopped) return;
    cancel = clock.after(everyMs, () => {
      running = work().then(schedule);
    });
  }

  return {
    name,
    start: schedule,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
