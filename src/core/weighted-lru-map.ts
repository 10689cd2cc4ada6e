/** A map whose entries have weights. If they are more than `max` together, the least recently used entries are removed. */
export interface WeightedLruMap<Key, Value> {
  /** Returns the value and marks it as used. */
  get(key: Key): Value | undefined;
  /** Adds or replaces an entry and marks it as used. An entry that alone weighs more than `max` stays until the next one. */
  set(key: Key, value: Value, weight: number): void;
  /** Weight of all entries. */
  readonly weight: number;
}

/** Creates an empty map. */
export function weightedLruMap<Key, Value>(max: number): WeightedLruMap<Key, Value> {
  // In the order of use: the first entry is the least recently used one.
  const entries = new Map<Key, { readonly value: Value; readonly weight: number }>();
  let total = 0;

  function remove(key: Key): void {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  }

  return {
    get(key) {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found.value;
    },
    set(key, value, weight) {
      remove(key);
      for (const oldest of entries.keys()) {
        if (total + weight <= max) break;
        remove(oldest);
      }
      entries.set(key, { value, weight });
      total += weight;
    },
    get weight() {
      return total;
    },
  };
}
