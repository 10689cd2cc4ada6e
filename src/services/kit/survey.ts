/** Reads of long lists in several transactions, so that other callers get their turn. */
import type { Tx } from '#store/store.ts';
import type { Call } from './operation.ts';

/** One part of a list. `next` is where the following part begins. Absent: this is the last part. */
export interface Part<Item, Cursor> {
  readonly items: readonly Item[];
  readonly next?: Cursor;
}

/**
 * Returns all items of a long list. Reads each part in a transaction of its own, so the parts are not from one moment.
 *
 * `read` reads a part, which must take a few milliseconds only. It may run again after a conflict.
 */
export function surveyed<Item, Cursor>(
  call: Call,
  name: string,
  first: Cursor,
  read: (tx: Tx, from: Cursor) => Promise<Part<Item, Cursor>>,
): readonly Item[] {
  return call.survey(name, async (store) => {
    const items: Item[] = [];
    let from: Cursor | undefined = first;
    while (from !== undefined) {
      const at: Cursor = from;
      const part: Part<Item, Cursor> = await store.transaction((tx) => read(tx, at));
      for (const item of part.items) items.push(item);
      from = part.next;
    }
    return items;
  });
}
