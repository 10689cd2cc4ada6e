/** Writes the counts of unproven requests into the trail. Owns the timer and the retry; `trail/unproven.ts` owns the counts. */
import { randomUUID } from 'node:crypto';
import type { Instant } from '#core/instant.ts';
import type { Store } from '#store/store.ts';
import { type Omitted, omittedRow, type UnprovenRecords, unprovenRecords } from '#trail/unproven.ts';

/** From the first omitted request to its summary, so that the trail soon shows that a flood began. */
const FIRST_SUMMARY_MS = 1_000;
/** Between two summaries of a flood that goes on. A server that is killed loses the counts of at most this time. */
const SUMMARY_EVERY_MS = 60_000;

export interface SummaryParts {
  readonly store: Store;
  readonly region: string;
  readonly recordsPerMinute: number;
  readonly now: () => Instant;
  readonly report: (what: string) => void;
}

/** The bound on unproven records, with the summaries of what it omits. */
export interface BoundedUnproven {
  readonly unproven: UnprovenRecords;
  /** Writes the last counts. Call it while the store is open and after the last request. */
  stop(): Promise<void>;
}

/**
 * Starts the bound of one server.
 *
 * Writes: `tx.trail`, one summary record for each account with omitted requests, a second after the first and then every minute.
 */
export function boundUnproven({ store, region, recordsPerMinute, now, report }: SummaryParts): BoundedUnproven {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  const unproven = unprovenRecords({ recordsPerMinute, onOmitted: schedule });

  function schedule(): void {
    if (stopped || timer !== undefined || writing !== undefined) return;
    const sinceLastMs = performance.now() - lastAtMs;
    timer = setTimeout(() => void write(), Math.max(FIRST_SUMMARY_MS, SUMMARY_EVERY_MS - sinceLastMs));
    timer.unref();
  }

  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    lastAtMs = performance.now();
    const omitted = unproven.takeOmitted();
    if (omitted.length === 0) return;
    writing = append(omitted).catch((error) => {
      unproven.putBack(omitted);
      const then = stopped ? 'their count is lost' : 'will retry';
      report(`could not record that ${requestsIn(omitted)} unproven requests were omitted (${then}): ${(error as Error).message}`);
    });
    await writing;
    writing = undefined;
    // Requests that were omitted meanwhile, and counts that were put back, wait for the next summary.
    schedule();
  }

  function append(omitted: readonly Omitted[]): Promise<void> {
    const at = now();
    const rows = omitted.map((each) => omittedRow(each, region, at, randomUUID()));
    return store.transaction(async (tx) => {
      for (const row of rows) await tx.trail.append(row);
    });
  }

  return {
    unproven,
    async stop() {
      stopped = true;
      await writing;
      await write();
    },
  };
}

function requestsIn(omitted: readonly Omitted[]): number {
  return omitted.reduce((sum, each) => sum + each.requests, 0);
}
