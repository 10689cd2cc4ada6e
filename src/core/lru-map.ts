/** A map of at most `max` entries. If the map is full, a new entry replaces the least recently used entry. */
export interface LruMap<Key, Value> {
  /** Returns the value and marks it as used. */
  get(key: Key): Value | undefined;
  /** Adds or replaces an entry and marks it as used. */
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  clear(): void;
  readonly size: number;
}

/** Entry of a circular list in the order of use. The entry `ring` connects the ends of the list. */
interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  newer: Entry<Key, Value>;
  older: Entry<Key, Value>;
}

/**
 * Creates an empty map. `removed` receives each entry that `delete` or a new entry removes, but not those that `clear`
 * removes.
 *
 * A linked list stores the order of use, so a hit changes a few references and creates no garbage. The alternative is
 * to delete and insert the key at each hit. Then `Map` would often copy its table.
 */
export function lruMap<Key, Value>(max: number, removed: (key: Key, value: Value) => void = () => {}): LruMap<Key, Value> {
  const entries = new Map<Key, Entry<Key, Value>>();
  /** Start and end of the list: `ring.older` is the most recently used entry, and `ring.newer` the least recently used one. */
  const ring = {} as Entry<Key, Value>;
  ring.newer = ring.older = ring;

  function unlink({ newer, older }: Entry<Key, Value>): void {
    newer.older = older;
    older.newer = newer;
  }
  function linkAsNewest(entry: Entry<Key, Value>): void {
    entry.newer = ring;
    entry.older = ring.older;
    entry.older.newer = entry;
    ring.older = entry;
  }
  function remove(entry: Entry<Key, Value>): void {
    unlink(entry);
    entries.delete(entry.key);
    removed(entry.key, entry.value);
  }
  function use(key: Key): Entry<Key, Value> | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry === ring.older) return entry;
    unlink(entry);
    linkAsNewest(entry);
    return entry;
  }

  return {
    get: (key) => use(key)?.value,
    set(key, value) {
      const present = use(key);
      if (present !== undefined) {
        present.value = value;
        return;
      }
      if (entries.size >= max) remove(ring.newer);
      const entry = { key, value, newer: ring, older: ring };
      linkAsNewest(entry);
      entries.set(key, entry);
    },
    delete(key) {
      const entry = entries.get(key);
      if (entry !== undefined) remove(entry);
    },
    clear() {
      entries.clear();
      ring.newer = ring.older = ring;
    },
    get size() {
      return entries.size;
    },
  };
}
