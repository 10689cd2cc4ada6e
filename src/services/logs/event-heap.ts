/** Log events with their keys, and a heap that merges packs of events. */
import type { Instant } from '#core/instant.ts';
import type { PackedEvent, PackHead } from './tables/packs.ts';

/** Key of a log event, which orders the events of a group. It never changes. */
export interface EventKey {
  readonly at: number;
  readonly packId: number;
  readonly index: number;
}

export interface StoredEvent {
  readonly key: EventKey;
  readonly timestamp: number;
  readonly message: string;
  readonly logStreamName: string;
  readonly ingestedAt: Instant;
}

/** Compares two keys in ascending order. */
export function compareKeys(a: EventKey, b: EventKey): number {
  return a.at - b.at || a.packId - b.packId || a.index - b.index;
}

/** Pack whose next event is at `index`. */
interface Reader {
  readonly head: PackHead;
  readonly events: readonly PackedEvent[];
  index: number;
  event: StoredEvent;
}

export interface EventHeap {
  /** Adds the events of a pack, without those up to `after`. */
  add(head: PackHead, events: readonly PackedEvent[], after: EventKey | undefined): void;
  /** Returns the next event, and leaves it. */
  peek(): StoredEvent | undefined;
  /** Removes the next event. */
  next(): void;
}

/** Creates a heap of packs. Each operation takes logarithmic time in the number of packs. */
export function eventHeap(forward: boolean): EventHeap {
  const readers: Reader[] = [];
  const order = (a: EventKey, b: EventKey): number => (forward ? compareKeys(a, b) : compareKeys(b, a));
  const isLess = (i: number, j: number): boolean => order((readers[i] as Reader).event.key, (readers[j] as Reader).event.key) < 0;

  function swap(i: number, j: number): void {
    [readers[i], readers[j]] = [readers[j] as Reader, readers[i] as Reader];
  }
  function down(): void {
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = left < readers.length && isLess(left, i) ? left : i;
      if (right < readers.length && isLess(right, least)) least = right;
      if (least === i) return;
      swap(i, least);
      i = least;
    }
  }
  function up(): void {
    for (let i = readers.length - 1; i > 0 && isLess(i, (i - 1) >> 1); i = (i - 1) >> 1) swap(i, (i - 1) >> 1);
  }

  return {
    add(head, events, after) {
      const step = forward ? 1 : -1;
      let index = forward ? 0 : events.length - 1;
      for (; index >= 0 && index < events.length; index += step) {
        const event = toEvent(head, events, index);
        if (after !== undefined && order(event.key, after) <= 0) continue;
        readers.push({ head, events, index, event });
        up();
        return;
      }
    },
    peek: () => readers[0]?.event,
    next() {
      const first = readers[0] as Reader;
      first.index += forward ? 1 : -1;
      if (first.index >= 0 && first.index < first.events.length) first.event = toEvent(first.head, first.events, first.index);
      else {
        const last = readers.pop() as Reader;
        if (readers.length > 0 && last !== first) readers[0] = last;
      }
      down();
    },
  };
}

function toEvent({ packId, firstAt, streamName, ingestedAt }: PackHead, events: readonly PackedEvent[], index: number): StoredEvent {
  const [afterFirstMs, message] = events[index] as PackedEvent;
  const timestamp = firstAt + afterFirstMs;
  return { key: { at: timestamp, packId, index }, timestamp, message, logStreamName: streamName, ingestedAt };
}
