/** A map of at most `max` entries. A new entry replaces the one that was used least recently. */
export interface LruMap<Key, Value> {
  /** Returns the value and marks it as used. */
  get(key: Key): Value | undefined;
  /** Adds or replaces an entry and marks it as used. */
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  clear(): void;
  readonly size: number;
}

/** Creates an empty map. The order of use is the insertion order of a `Map`, whose first key is the least recently used. */
export function lruMap<Key, Value>(max: number): LruMap<Key, Value> {
  const entries = new Map<Key, Value>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.delete(key);
      if (entries.size >= max) entries.delete(entries.keys().next().value as Key);
      entries.set(key, value);
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
