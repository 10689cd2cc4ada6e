import type { Tx } from '#store/store.ts';
import { type ChannelEventRecord, channelEvents } from './tables/channel-events.ts';

/**
 * Follower of the stored channel events. It reads every event once, and after all events that it may depend on.
 *
 * It reads an event as soon as it is visible. If an event may depend on another, it has the larger number (`ChannelEventRecord`). So one
 * reading returns dependent events in the order of their commits. A missing number belongs to a transaction that is still running or was
 * rolled back. The feed queries missing numbers until no such transaction can still run. Decision 0014.
 */
export interface Feed {
  /** Reads the next events in a transaction, which may run again: the feed advances only when `taken` is called. */
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

/** Number of event numbers before the first reading that may belong to running transactions. */
const RUNNING_MAX = 256;

/**
 * Time for which the feed queries a missing number, in milliseconds.
 * Assumed: as for the trail (`settled`), no transaction that has written runs longer.
 */
const MISSING_MS = 30_000;

/** Maximum number of missing numbers to query in one gap. A database that was restored or failed over can leave a much larger gap. */
const MISSING_MAX = 10_000;

/** Creates a feed that begins with events committed after its first reading. `monotonic` returns milliseconds. */
export function newFeed(monotonic: () => number): Feed {
  let last: number | undefined;
  /** Deadlines of missing numbers, until which the feed queries them. */
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
