/**
 * Periodic deletion of expired data. Most reads ignore expired data, so a late sweep costs only space. An expired app
 * instance user or channel exists until the sweep.
 */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import { channelEvents } from '#realtime/tables/channel-events.ts';
import type { AddEmit } from '#services/kit/events.ts';
import type { TaskParts } from '#services/kit/service.ts';
import type { Store } from '#store/store.ts';
import { type ServiceTask, serviceSweeps, serviceTasks } from './services.ts';

/** Interval between sweeps that delete ended meetings, expired users and channels, and old events. */
const SWEEP_EVERY_MS = 60_000;
/** Maximum number of rows that one transaction deletes. Requests run between two transactions. */
const DELETED_AT_ONCE = 1_000;
/**
 * Retention of channel events. A server usually reads an event within milliseconds. A server that cannot read events
 * closes its messaging sessions long before this time has passed.
 */
const CHANNEL_EVENTS_KEPT_MS = 5 * 60_000;
/** Interval between deletions of tombstones (rows that mark deleted identity records). Tombstones cost only space. */
const TRIM_EVERY_MS = HOUR_MS;

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

/** Returns the background work of the services. */
export function tasksOf({ store, now, newId, addEmit }: SweepParts, parts: TaskParts): readonly ServiceTask[] {
  return serviceTasks(store, (tx) => addEmit({ tx, now: now(), newId }), parts);
}

/** Creates the parts that run the background work of the services. `guarded` returns the work with a check. */
export function taskParts(
  tasks: readonly ServiceTask[],
  guarded: (run: () => Promise<void>) => () => Promise<void>,
  clock: LeaseClock,
  report: (line: string) => void,
): readonly Part[] {
  return tasks.map(({ name, everyMs, run }) => {
    let stopped = false;
    const work = guarded(() => run(() => stopped));
    const part = repeated(name, everyMs, clock, () =>
      work().catch((error: unknown) => report(`${name} failed: ${(error as Error).message}`)),
    );
    return {
      ...part,
      async stop() {
        stopped = true;
        await part.stop?.();
      },
    };
  });
}

/** Creates the part that deletes the tombstones of deleted identity records every hour. */
export function trimPart(lease: Pick<Lease, 'trim'>, clock: LeaseClock, report: (line: string) => void): Part {
  return repeated('identity trim', TRIM_EVERY_MS, clock, () =>
    lease.trim().catch((error: unknown) => report(`could not delete the records of deleted IAM entities: ${(error as Error).message}`)),
  );
}

/**
 * Creates a part that runs `work` repeatedly. It waits `firstMs` milliseconds before the first run, and `everyMs`
 * between two runs. `work` must not reject. `stop` waits for the current run.
 */
export function repeated(name: string, everyMs: number, clock: LeaseClock, work: () => Promise<unknown>, firstMs = everyMs): Part {
  let cancel = (): void => {};
  let running: Promise<unknown> | undefined;
  let stopped = false;

  function schedule(afterMs: number): void {
    if (stopped) return;
    cancel = clock.after(afterMs, () => {
      running = work().then(() => schedule(everyMs));
    });
  }

  return {
    name,
    start: () => schedule(firstMs),
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
