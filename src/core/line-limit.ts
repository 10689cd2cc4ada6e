/** Limit of log lines: one line in an interval for each key, such as a target. Bounds the log while something fails again and again. */
import { lruMap } from './lru-map.ts';

export interface LineLimit {
  /**
   * Admits a line about `count` items. Returns the number of items since the last line of the key that had no line, or undefined if the line is
   * omitted. Then its items are counted for the next line.
   */
  admit(key: string, count?: number): number | undefined;
}

/** Interval between two lines about one key. */
const LINE_EVERY_MS = 60_000;
/** Most keys whose last line is remembered. */
const KEYS_MAX = 1_000;

/** Creates a limit. `monotonic` returns milliseconds. */
export function lineLimit(monotonic: () => number): LineLimit {
  const lastOf = lruMap<string, { readonly at: number; readonly omitted: number }>(KEYS_MAX);
  return {
    admit(key, count = 1) {
      const last = lastOf.get(key);
      const now = monotonic();
      if (last !== undefined && now - last.at < LINE_EVERY_MS) {
        lastOf.set(key, { ...last, omitted: last.omitted + count });
        return undefined;
      }
      lastOf.set(key, { at: now, omitted: 0 });
      return last?.omitted ?? 0;
    },
  };
}
