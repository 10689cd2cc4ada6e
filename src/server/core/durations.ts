/** Histograms of durations in typed arrays, so that counting costs two additions and no memory. */

/** Upper bounds of the buckets, in milliseconds. The last bucket has no bound. */
export type Bounds = readonly number[];

/** Counts of durations. Plain data that can be sent between threads. */
export interface DurationFigures {
  /** Number of durations in each bucket, one more than the bounds. Not cumulative. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** Returns the index of the bucket of a duration. A duration that equals a bound belongs to the bucket of this bound. */
export function bucketOf(bounds: Bounds, milliseconds: number): number {
  let bucket = 0;
  while (bucket < bounds.length && milliseconds > (bounds[bucket] as number)) bucket++;
  return bucket;
}

/** Bounds of the syncs of the database's log. A sync of a good disk takes about a millisecond. */
export const SYNC_BOUNDS_MS: Bounds = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/** Durations that are counted. */
export interface Durations {
  add(milliseconds: number): void;
  figures(): DurationFigures;
}

/** Creates the counts of durations. */
export function newDurations(bounds: Bounds): Durations {
  const counts = new Float64Array(bounds.length + 1);
  let sumMs = 0;
  return {
    add(milliseconds) {
      counts[bucketOf(bounds, milliseconds)]! += 1;
      sumMs += milliseconds;
    },
    figures: () => ({ counts: [...counts], sumMs }),
  };
}
