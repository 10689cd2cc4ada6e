/** Reads of long lists in several short transactions, so that the transactions of other requests run in between. */
import type { Tx } from '#store/store.ts';
import type { Call } from './operation.ts';

/** One part of a list. `next` is the cursor of the following part. The last part has no `next`. */
export interface Part<Item, Cursor> {
  readonly items: readonly Item[];
  readonly next?: Cursor;
}

/**
 * Returns all items of a long list. Reads each part in a transaction of its own. So the list can change between two
 * parts.
 *
 * `read` reads one part, in a few milliseconds at most. It may run again if its transaction conflicts with another one.
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
