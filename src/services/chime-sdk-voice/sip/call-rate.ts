/** Calls of the last second, for `CpsLimit`. Each server counts its own decisions. Source: sip.md §4. */

/** Counts accepted calls. */
export interface CallRate {
  /** Takes one call. Returns false if `limit` calls were taken in the last second. */
  take(key: string, limit: number): boolean;
}

const WINDOW_MS = 1_000;
/** Keys after which old entries are removed. */
const KEYS_MAX = 10_000;

/** Creates the count of one server. `windowMs` is the length of the window, by default one second. */
export function callRate(now: () => number, windowMs = WINDOW_MS): CallRate {
  const taken = new Map<string, number[]>();

  function removeOld(): void {
    for (const [key, times] of taken) if ((times.at(-1) ?? 0) + windowMs <= now()) taken.delete(key);
  }

  return {
    take(key, limit) {
      if (taken.size > KEYS_MAX) removeOld();
      const times = (taken.get(key) ?? []).filter((time) => time + windowMs > now());
      const isFree = times.length < limit;
      if (isFree) times.push(now());
      taken.set(key, times);
      return isFree;
    },
  };
}
