/** The first items of a long list, in bounded memory. */

export interface TopItems<Item> {
  add(item: Item): void;
  /** Returns the items in order. */
  items(): readonly Item[];
  /** Returns the number of items that were added. */
  total(): number;
}

/** Keeps the first `limit` items in the order of `compare`. Equal items keep the order in which they were added. */
export function topItems<Item>(limit: number, compare: (a: Item, b: Item) => number): TopItems<Item> {
  const kept: Item[] = [];
  let total = 0;
  return {
    add(item) {
      total++;
      const last = kept.at(-1);
      if (last !== undefined && kept.length === limit && compare(item, last) >= 0) return;
      let [low, high] = [0, kept.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (compare(item, kept[middle] as Item) < 0) high = middle;
        else low = middle + 1;
      }
      kept.splice(low, 0, item);
      if (kept.length > limit) kept.pop();
    },
    items: () => kept,
    total: () => total,
  };
}
