import type { Tx } from '#store/store.ts';
import { type ChannelEventRecord, channelEvents } from './tables/channel-events.ts';

/**
 * Follows what is told to messaging sessions: every event once, and after whatever it may depend on.
 *
 * An event is read as soon as it is visible. Of two events, what the later could know of the earlier shows in their numbers (`ChannelEventRecord`),
 * so the order of numbers within one reading is the order of commits wherever there is one. A number that was passed over belongs to a
 * transaction that was still running or was taken back: it is asked for again until it could not come any more. Decision 0014.
 */
export interface Feed {
  /** Reads on, within a transaction. Nothing is taken as read before `taken` is called, so that the transaction may run again. */
  read(tx: Tx): Promise<Reading>;
}

export interface Reading {
  readonly events: readonly ChannelEventRecord[];
  /** Whether these are all that the transaction sees. */
  readonly caughtUp: boolean;
  taken(): void;
}

/** Events a reading at most. */
const READ_MAX = 500;

/** How far before its beginning a feed asks for what was still running then. */
const RUNNING_MAX = 256;

/**
 * Milliseconds for which a number that was passed over is asked for.
 * Assumed: as for the trail (`settled`), no transaction that has written runs longer.
 */
const PASSED_OVER_MS = 30_000;

/** Numbers passed over at once that are asked for: an engine that was restored or fell over may skip any number of them. */
const PASSED_OVER_MAX = 10_000;

/** Begins with what is committed after its first reading. `monotonic` gives milliseconds. */
export function newFeed(monotonic: () => number): Feed {
  let last: number | undefined;
  /** Number that was passed over → until when it is asked for. */
  const passedOver = new Map<number, number>();

  async function begin(tx: Tx): Promise<Reading> {
    const end = await tx.of(channelEvents).last();
    const from = Math.max(end - RUNNING_MAX, 0);
    const there = new Set((await tx.of(channelEvents).after(from, RUNNING_MAX)).map(({ number }) => number));
    return {
      events: [],
      caughtUp: true,
      taken() {
        passOver(from + 1, end, there);
        last = end;
      },
    };
  }

  function passOver(from: number, to: number, except: ReadonlySet<number>): void {
    const until = monotonic() + PASSED_OVER_MS;
    for (let number = Math.max(from, to - PASSED_OVER_MAX); number <= to; number++) if (!except.has(number)) passedOver.set(number, until);
  }

  async function read(tx: Tx): Promise<Reading> {
    if (last === undefined) return begin(tx);
    const known = last;
    const late = await tx.of(channelEvents).among([...passedOver.keys()]);
    const news = await tx.of(channelEvents).after(known, READ_MAX);
    return {
      events: [...late, ...news],
      caughtUp: news.length < READ_MAX,
      taken() {
        for (const { number } of late) passedOver.delete(number);
        const now = monotonic();
        for (const [number, until] of passedOver) if (until < now) passedOver.delete(number);
        last = news.at(-1)?.number ?? known;
        passOver(known + 1, last, new Set(news.map(({ number }) => number)));
      },
    };
  }

  return { read };
}
