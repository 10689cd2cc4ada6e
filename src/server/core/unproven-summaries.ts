/**
 * Writes summary records into the trail: counts of requests without a proven identity that have no record of their own.
 * Owns the timer and the retry. `trail/unproven.ts` owns the counts.
 */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Part } from '#core/part.ts';
import type { Store } from '#store/store.ts';
import { type Omitted, omittedRow, type UnprovenRecords, unprovenRecords } from '#trail/unproven.ts';

/**
 * Time from the first request without a record to the first summary. It is short, so that the trail soon shows that a
 * flood of such requests began.
 */
const FIRST_SUMMARY_MS = 1_000;
/** Interval between two summaries of a flood. A server that is killed loses the counts of at most this time. */
const SUMMARY_EVERY_MS = 60_000;

export interface SummaryParts {
  readonly store: Store;
  readonly region: string;
  readonly recordsPerMinute: number;
  readonly clock: LeaseClock;
  readonly newId: () => string;
  readonly report: (what: string) => void;
}

/** Limit on the records of requests without a proven identity, and summaries of the requests without a record. */
export interface BoundedUnproven {
  readonly unproven: UnprovenRecords;
  /** Part that writes the summaries. `stop` writes the last counts, so call it after the last request and before the store stops. */
  readonly part: Part;
}

/**
 * Creates the limit on the records of unproven requests, and the part that writes the summaries. The first request
 * without a record starts the timer for a summary.
 *
 * Writes: `tx.trail`. It writes one summary record for each account with omitted requests, one second after the first
 * omitted request and then every minute.
 */
export function boundUnproven({ store, region, recordsPerMinute, clock, newId, report }: SummaryParts): BoundedUnproven {
  let cancel: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  const unproven = unprovenRecords({ recordsPerMinute, onOmitted: schedule });

  function schedule(): void {
    if (stopped || cancel !== undefined || writing !== undefined) return;
    const sinceLastMs = clock.monotonic() - lastAtMs;
    cancel = clock.after(Math.max(FIRST_SUMMARY_MS, SUMMARY_EVERY_MS - sinceLastMs), () => void write());
  }

  async function write(): Promise<void> {
    cancel?.();
    cancel = undefined;
    const omitted = unproven.takeOmitted();
    if (omitted.length === 0) return;
    lastAtMs = clock.monotonic();
    writing = append(omitted).catch((error) => {
      unproven.putBack(omitted);
      const then = stopped ? 'their count is lost' : 'will retry';
      report(
        `could not write the summary of ${requestsIn(omitted)} unauthenticated requests to the trail (${then}): ${(error as Error).message}`,
      );
    });
    await writing;
    writing = undefined;
    // Requests that were omitted meanwhile, and counts that could not be written, wait for the next summary.
    schedule();
  }

  function append(omitted: readonly Omitted[]): Promise<void> {
    const at = clock.wall();
    const rows = omitted.map((each) => omittedRow(each, region, at, newId()));
    return store.transaction(async (tx) => {
      for (const row of rows) await tx.trail.append(row);
    });
  }

  return {
    unproven,
    part: {
      name: 'summaries of unproven requests',
      async stop() {
        stopped = true;
        await writing;
        await write();
      },
    },
  };
}

function requestsIn(omitted: readonly Omitted[]): number {
  return omitted.reduce((sum, each) => sum + each.requests, 0);
}
