/**
 * The time in which the trail cannot be written. Owns the counts of the requests without a record, the attempts to write
 * again, and the records and log lines of the gap. `call.ts` decides which requests are answered. Decision 0030.
 */

import type { LeaseClock } from '#access/lease-parts.ts';
import type { AccountId } from '#core/arn.ts';
import { counted } from '#core/counted.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import type { Store } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { StoreUnwritable } from '#store/unwritable.ts';
import { type Handling, lostCountsRow, unrecordedCounts, unrecordedRow } from '#trail/unrecorded.ts';
import type { Log } from '../log.ts';

/** Interval between two attempts to write the trail again. */
const RETRY_MS = 250;
/** Maximum number of accounts whose counts one transaction records. */
const ACCOUNTS_AT_ONCE = 256;
/** Minimum time between two log lines about the start of a gap. */
const LOGGED_EVERY_MS = 60_000;

/** Note of an open gap outside the database, which a later start of the server reads. */
export interface GapNote {
  /** Returns the start of the gap in which the previous process ended, or undefined if it ended outside a gap. */
  read(): string | undefined;
  /** Notes the start of a gap, or its end with `undefined`. @throws Error  the note cannot be written */
  write(from: string | undefined): void;
}

/** Gap of one server. */
export interface TrailGap {
  /** Reports whether the trail could not be written at the last attempt. Meanwhile the server refuses everything that needs a record. */
  isOpen(): boolean;
  /** Opens the gap, because the store could not write a record. Does nothing if it is open. */
  open(why: StoreUnwritable): void;
  /** Counts a request without a record. Call it before the response. */
  count(accountId: AccountId, handling: Handling): void;
}

export interface GapParts {
  readonly store: Store;
  readonly region: string;
  readonly clock: LeaseClock;
  readonly newId: () => string;
  /** Whether reads are answered in a gap, for the log. */
  readonly readsWithoutTrail: boolean;
  /** Absent if the server has no place for the note. */
  readonly note?: GapNote | undefined;
  readonly report: Log;
}

/**
 * Creates the gap of a server, which is closed, and the part that records gaps. In a gap, the part tries four times a
 * second to write the counts. The first success ends the gap, so these records precede those of later requests.
 *
 * Writes: `tx.trail`, one record for each account with counts.
 */
export function trailGap({ store, region, clock, newId, readsWithoutTrail, note, report }: GapParts): {
  readonly gap: TrailGap;
  readonly part: Part;
} {
  const counts = unrecordedCounts();
  let since: Instant | undefined;
  /** Start of a gap in which the previous process ended, until it is recorded. */
  let lost: string | undefined;
  let totals = { answered: 0, refused: 0 };
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  let isLogged = false;
  let cancel: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let stopped = false;

  function open(why: StoreUnwritable): void {
    if (since !== undefined) return;
    since = clock.wall();
    totals = { answered: 0, refused: 0 };
    isLogged = false;
    logStart(why, noted(lost ?? isoSeconds(since)));
    schedule(RETRY_MS);
  }

  function close(): void {
    if (since === undefined) return;
    const from = isoSeconds(since);
    since = undefined;
    noted(undefined);
    if (!isLogged) return;
    const { answered, refused } = totals;
    report(
      `the trail can be written again; since ${from} the server has refused ${counted(refused, 'request')} and answered ${counted(answered, 'read')} without a record`,
      'info',
    );
  }

  function logStart({ message }: StoreUnwritable, isNoted: boolean): void {
    if (isLogged || clock.monotonic() - loggedAtMs < LOGGED_EVERY_MS) return;
    isLogged = true;
    loggedAtMs = clock.monotonic();
    const reads = readsWithoutTrail ? 'refuses changes and answers reads without a record' : 'refuses all requests';
    const crash = isNoted ? '' : '; it could not note this in the data folder, so after a crash the trail would not show it';
    report(`the trail cannot be written (${message}): the server ${reads} until the trail can be written again${crash}`, 'error');
  }

  /** Writes the note. Returns false if it cannot be written: then a crash in the gap leaves no trace. */
  function noted(from: string | undefined): boolean {
    try {
      note?.write(from);
      return note !== undefined;
    } catch {
      return false;
    }
  }

  function schedule(afterMs: number): void {
    if (stopped || cancel !== undefined || writing !== undefined) return;
    cancel = clock.after(afterMs, () => void write());
  }

  async function write(): Promise<void> {
    cancel?.();
    cancel = undefined;
    const attempt = writeCounts();
    writing = attempt.then(() => {});
    const outcome = await attempt;
    writing = undefined;
    if (since !== undefined || lost !== undefined || !counts.isEmpty()) schedule(outcome === 'written' ? 0 : RETRY_MS);
  }

  async function writeCounts(): Promise<'written' | 'nothing' | 'failed'> {
    const taken = counts.take(ACCOUNTS_AT_ONCE);
    const now = clock.wall();
    const rows: TrailRow[] = taken.map((each) => unrecordedRow(each, region, now, newId()));
    if (lost !== undefined) rows.push(lostCountsRow(lost, region, now, newId()));
    if (rows.length === 0) return 'nothing';
    try {
      await store.transaction(async (tx) => {
        for (const row of rows) await tx.trail.append(row);
      });
    } catch (error) {
      counts.putBack(taken);
      // Another error, such as a lost connection, neither opens nor closes a gap.
      if (!(error instanceof StoreUnwritable)) return 'failed';
      open(error);
      logStart(error, true);
      return 'failed';
    }
    lost = undefined;
    close();
    return 'written';
  }

  return {
    gap: {
      isOpen: () => since !== undefined,
      open,
      count(accountId, handling) {
        counts.add(accountId, handling, clock.wall());
        totals[handling]++;
        schedule(RETRY_MS);
      },
    },
    part: {
      name: 'records of requests without a record',
      async start() {
        lost = note?.read();
        if (lost === undefined) return;
        await write();
        if (lost === undefined) noted(undefined);
      },
      async stop() {
        stopped = true;
        cancel?.();
        await writing;
        while ((await writeCounts()) === 'written');
        if (!counts.isEmpty())
          report('the server stops while the trail cannot be written: the counts of requests without a record are lost');
      },
    },
  };
}
