/** Reads of long lists in several short transactions, so that the transactions of other requests run in between. */
import type { Store, Tx } from '#store/store.ts';
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
export function surveyed<Item, Cursor>(call: Call, name: string, first: Cursor, read: ReadPart<Item, Cursor>): readonly Item[] {
  return call.survey(name, async (store) => {
    const items: Item[] = [];
    for await (const part of inParts(store, first, read)) for (const item of part) items.push(item);
    return items;
  });
}

/** Reads one part of a list. */
export type ReadPart<Item, Cursor> = (tx: Tx, from: Cursor) => Promise<Part<Item, Cursor>>;

/** Yields the parts of a long list, as `surveyed` reads them. No transaction is open while the caller handles a part. */
export async function* inParts<Item, Cursor>(
  store: Pick<Store, 'transaction'>,
  first: Cursor,
  read: ReadPart<Item, Cursor>,
): AsyncGenerator<readonly Item[]> {
  let from: Cursor | undefined = first;
  while (from !== undefined) {
    const at: Cursor = from;
    const part: Part<Item, Cursor> = await store.transaction((tx) => read(tx, at));
    yield part.items;
    from = part.next;
  }
}
