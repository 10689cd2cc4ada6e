/**
 * Reads log events in the order of their times, forward or backward, with bounded work. Packs can overlap in time, so the reader merges them:
 * it passes an event on when no unread pack can have an earlier one (Decision 0035).
 */
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { instant } from '#core/instant.ts';
import { type EventKey, eventHeap, type StoredEvent } from './event-heap.ts';
import { BODIES_MAX, type LogPacks, type PackHead, type PackPlace } from './tables/packs.ts';

/** Length of the windows of packs. A pack never has events of two windows. */
export const WINDOW_MS = 60_000;

/** Maximum number of packs whose heads one page reads. */
const HEADS_MAX = 2_048;
/** Number of heads that one statement reads. */
const HEADS_AT_ONCE = 128;
/** Maximum size of the packs whose events one page reads. They take some 20 ms. Assumed: the number. */
const BYTES_MAX = 2 * 2 ** 20;

/** Maximum size of the packs whose events one statement reads, if they are more than one. */
const PART_BYTES_MAX = 2 ** 19;

/**
 * Position between two events. `after` is the event at which the previous page ended. Packs up to `floor` are finished. `until` is the last
 * pack of a set whose events the previous page began to pass on without those of later packs. A position without members is the start.
 */
export interface ReadPosition {
  readonly after?: EventKey | undefined;
  readonly floor?: PackPlace | undefined;
  readonly until?: PackPlace | undefined;
}

export interface EventRange {
  readonly of: 'group' | 'stream';
  readonly id: string;
  readonly direction: 'forward' | 'backward';
  readonly position: ReadPosition;
  /** First time, inclusive. */
  readonly from: number;
  /** Last time, exclusive. */
  readonly until: number;
  /** Selects packs by the name of their stream. */
  readonly accepts: (streamName: string) => boolean;
}

/** Result of a page. `next` is absent if there are no more events in the range. */
export interface ReadResult {
  readonly next?: ReadPosition;
}

/** Receives an event. It returns 'last' if the page must end after this event, or 'full' if the event belongs to the next page. */
export type Visit = (event: StoredEvent) => 'continue' | 'last' | 'full';

/**
 * Passes the events of a range to `visit`, in the order of time, pack and index. Ends after a bounded amount of reading.
 *
 * If packs of more than 2 MiB overlap at one time, the page passes their events on and leaves the order there: an event of an unread pack
 * can be earlier. No event is lost or repeated.
 */
export async function readEvents(packs: LogPacks, range: EventRange, visit: Visit): Promise<ReadResult> {
  const forward = range.direction === 'forward';
  const heap = eventHeap(forward);
  let after = range.position.after;
  let finished = false;
  let bytes = 0;
  let heads = 0;
  let place = range.position.floor ?? startOf(range);
  const { until } = range.position;

  /** Passes events on that come before a place, or all events. Returns false if the page ended. */
  function pass(before: PackHead | undefined): boolean {
    for (let event = heap.peek(); event !== undefined; event = heap.peek()) {
      if (before !== undefined && !isBefore(event, before, forward)) return true;
      if (isWanted(event, range)) {
        const result = visit(event);
        if (result === 'full') return false;
        after = event.key;
        if (result === 'last') return false;
      } else after = event.key;
      heap.next();
    }
    return true;
  }
  const positionNow = (until?: PackPlace): ReadPosition => ({ after, floor: floorOf(range, after), until });
  /** Passes all events on, although unread packs can have earlier ones. The packs read so far are then finished. */
  const passSet = (): ReadResult => ({ next: pass(undefined) ? { floor: place } : positionNow(place) });

  while (!finished) {
    const page = await readHeads(packs, range, place);
    finished = page.length < HEADS_AT_ONCE;
    let done = 0;
    for (const part of partsOf(page)) {
      const wanted = part.filter((head) => range.accepts(head.streamName) && overlaps(head, range, after, forward));
      const bodies = await packs.events(wanted.map(({ packId }) => packId));
      for (const head of part) {
        if (until !== undefined && isAfter(placeOf(head, forward), until, forward)) return passSet();
        if (!pass(head)) return { next: positionNow(until) };
        const events = wanted.includes(head) ? bodies.get(head.packId) : undefined;
        if (events !== undefined) {
          heap.add(head, events, range.position.after);
          bytes += head.bytes;
        }
        place = placeOf(head, forward);
      }
      heads += part.length;
      done += part.length;
      const isEnd = finished && done === page.length;
      if (isEnd || until !== undefined || (heads < HEADS_MAX && bytes < BYTES_MAX)) continue;
      if (heap.peek() === undefined) return { next: { floor: place } };
      // The next page reads the overlapping packs again. If no event was passed on, that page would read no further than this one.
      return after === range.position.after ? passSet() : { next: positionNow() };
    }
  }
  return pass(undefined) ? {} : { next: positionNow(until) };
}

/** Splits packs into parts whose events one statement reads. */
function partsOf(heads: readonly PackHead[]): readonly (readonly PackHead[])[] {
  const parts: PackHead[][] = [];
  let bytes = 0;
  for (const head of heads) {
    let part = parts.at(-1);
    if (part === undefined || part.length >= BODIES_MAX || bytes + head.bytes > PART_BYTES_MAX) {
      parts.push((part = []));
      bytes = 0;
    }
    part.push(head);
    bytes += head.bytes;
  }
  return parts;
}

const isWanted = ({ timestamp }: StoredEvent, { from, until }: EventRange): boolean => timestamp >= from && timestamp < until;

/** Reports whether an event comes before all events of a pack and of those that follow the pack. */
function isBefore({ key }: StoredEvent, head: PackHead, forward: boolean): boolean {
  const at = forward ? head.firstAt : head.lastAt;
  if (key.at !== at) return forward ? key.at < at : key.at > at;
  return forward ? key.packId < head.packId : key.packId > head.packId;
}

function isAfter(a: PackPlace, b: PackPlace, forward: boolean): boolean {
  const order = a.at - b.at || a.packId - b.packId;
  return forward ? order > 0 : order < 0;
}

const placeOf = (head: PackHead, forward: boolean): PackPlace => ({ at: forward ? head.firstAt : head.lastAt, packId: head.packId });

/** Reports whether a pack can have events of the range that are not passed on yet. */
function overlaps({ firstAt, lastAt }: PackHead, { from, until }: EventRange, after: EventKey | undefined, forward: boolean): boolean {
  if (lastAt < from || firstAt >= until) return false;
  return after === undefined || (forward ? lastAt >= after.at : firstAt <= after.at);
}

function readHeads(packs: LogPacks, { of, id, direction, from, until }: EventRange, place: PackPlace): Promise<readonly PackHead[]> {
  const limit = HEADS_AT_ONCE;
  return direction === 'forward'
    ? packs.forward({ of, id, from: place, until, limit })
    : packs.backward({ of, id, from: place, until: from, limit });
}

/** Returns the place after which the first packs of a range are. */
function startOf({ direction, position, from, until }: EventRange): PackPlace {
  if (direction === 'forward') return windowStart(Math.max(from, position.after?.at ?? 0));
  return windowEnd(Math.min(until, position.after?.at ?? Number.MAX_SAFE_INTEGER - WINDOW_MS));
}

/** Returns the floor of the next page: that of this page, as long as packs of its window remain. */
function floorOf({ direction, position }: EventRange, after: EventKey | undefined): PackPlace | undefined {
  const { floor } = position;
  if (floor === undefined || after === undefined) return floor;
  if (direction === 'forward') return floor.at >= windowStart(after.at).at ? floor : undefined;
  return floor.at <= windowEnd(after.at).at ? floor : undefined;
}

const windowStart = (at: number): PackPlace => ({ at: at - (at % WINDOW_MS), packId: 0 });
const windowEnd = (at: number): PackPlace => ({ at: at - (at % WINDOW_MS) + WINDOW_MS, packId: 0 });

/** Returns the first time of events that a retention leaves. */
export function retainedFrom(now: Instant, retentionInDays: number | undefined): Instant {
  return instant(retentionInDays === undefined ? 0 : now - retentionInDays * DAY_MS);
}
