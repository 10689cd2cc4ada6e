import type { Tx } from '#store/store.ts';
import { type ChannelEventRecord, channelEvents } from './tables/channel-events.ts';

/**
 * Feed of the stored channel events. It returns every event once, and after all events that the event may depend on.
 *
 * Each event has a number (`ChannelEventRecord`). If an event may depend on an earlier event, it has a larger number
 * than the earlier event. So a reading that returns events by number returns them in a valid order.
 * If a number is missing, the transaction of that event is still running or was rolled back. Each reading looks for the
 * missing numbers again, until their transactions can no longer be running. Decision 0014.
 */
export interface Feed {
  /** Reads the next events. The transaction may be retried, so the feed advances only when `taken` is called. */
  read(tx: Tx): Promise<Reading>;
}

/** Events of one reading. */
export interface Reading {
  readonly events: readonly ChannelEventRecord[];
  /** Whether the reading has all events that were visible to its transaction. */
  readonly caughtUp: boolean;
  /** Advances the feed, so that the next reading does not return these events. */
  taken(): void;
}

/** Maximum number of new events in a reading. */
const READ_MAX = 500;

/** Count of the newest event numbers. The first reading looks for missing numbers in this range. */
const RUNNING_MAX = 256;

/**
 * Time for which readings look for a missing event number, in milliseconds.
 * Assumed: a transaction that has written an event commits or is rolled back within this time.
 */
const MISSING_MS = 30_000;

/**
 * Maximum number of missing event numbers to look for between two events. After a restore or a failover of the
 * database, many more numbers can be missing.
 */
const MISSING_MAX = 10_000;

/** Creates a feed that begins with events committed after its first reading. `monotonic` returns milliseconds. */
export function newFeed(monotonic: () => number): Feed {
  let last: number | undefined;
  /** Missing event numbers, each with the monotonic time until which readings look for it. */
  const missing = new Map<number, number>();

  async function begin(tx: Tx): Promise<Reading> {
    const end = await tx.of(channelEvents).last();
    const from = Math.max(end - RUNNING_MAX, 0);
    const visible = new Set((await tx.of(channelEvents).after(from, RUNNING_MAX)).map(({ number }) => number));
    return {
      events: [],
      caughtUp: true,
      taken() {
        addMissing(from + 1, end, visible);
        last = end;
      },
    };
  }

  function addMissing(from: number, to: number, visible: ReadonlySet<number>): void {
    const until = monotonic() + MISSING_MS;
    for (let number = Math.max(from, to - MISSING_MAX); number <= to; number++) if (!visible.has(number)) missing.set(number, until);
  }

  async function read(tx: Tx): Promise<Reading> {
    if (last === undefined) return begin(tx);
    const known = last;
    const late = await tx.of(channelEvents).among([...missing.keys()]);
    const next = await tx.of(channelEvents).after(known, READ_MAX);
    return {
      events: [...late, ...next],
      caughtUp: next.length < READ_MAX,
      taken() {
        for (const { number } of late) missing.delete(number);
        const now = monotonic();
        for (const [number, until] of missing) if (until < now) missing.delete(number);
        last = next.at(-1)?.number ?? known;
        addMissing(known + 1, last, new Set(next.map(({ number }) => number)));
      },
    };
  }

  return { read };
}
