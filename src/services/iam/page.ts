/**
 * Pagination. A marker is the key of the last item on the page. A page therefore neither repeats nor skips an existing item if other items
 * are added or deleted during paging.
 *
 * Source: IAM API reference, ListUsers: MaxItems defaults to 100, Marker is returned only with IsTruncated.
 */
import { AwsError } from './errors.ts';

/** Members of a request for a page. */
export interface PageRequest {
  readonly MaxItems?: number;
  readonly Marker?: string;
}

/** An item of a list with its sort key. */
export interface Keyed<Item> {
  readonly key: string;
  readonly record: Item;
}

/** One page of a list. */
export interface Page<Item> {
  readonly records: readonly Item[];
  /** Pagination members of a list response. */
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** Items of a page whose request does not say how many. */
export const DEFAULT_ITEMS = 100;
const MARKER_PREFIX = 'k1.';

/** The marker of the page that follows a key. */
export function markerOf(key: string): string {
  return MARKER_PREFIX + Buffer.from(key, 'utf8').toString('base64url');
}

/** @throws ValidationError  the marker is invalid */
function keyOfMarker(marker: string): string {
  const key = marker.startsWith(MARKER_PREFIX) ? Buffer.from(marker.slice(MARKER_PREFIX.length), 'base64url').toString('utf8') : '';
  if (key === '' || markerOf(key) !== marker) throw new AwsError('ValidationError', 'Invalid Marker.');
  return key;
}

/**
 * Returns the key that the page of a request begins after, or undefined for the first page.
 *
 * @throws AwsError ValidationError  the marker is invalid
 */
export function afterMarker({ Marker }: PageRequest): string | undefined {
  return Marker === undefined ? undefined : keyOfMarker(Marker);
}

/**
 * Returns one page of a stored list, in the order of keys.
 *
 * `read` returns up to `limit` items after a key. `keep` filters the items.
 *
 * @throws ValidationError  the marker is invalid
 */
export async function pageOfStored<Item>(
  request: PageRequest,
  read: Read<Item>,
  keep: (item: Item, key: string) => boolean | Promise<boolean> = () => true,
): Promise<Page<Item>> {
  const size = request.MaxItems ?? DEFAULT_ITEMS;
  let after = request.Marker === undefined ? undefined : keyOfMarker(request.Marker);
  const kept: Keyed<Item>[] = [];
  while (kept.length <= size) {
    const batchSize = size + 1;
    const batch = await read(after, batchSize);
    for (const entry of batch) if (await keep(entry.record, entry.key)) kept.push(entry);
    const last = batch.at(-1);
    if (last === undefined || batch.length < batchSize) break;
    after = last.key;
  }
  return cut(kept, size);
}

/** Reads up to `limit` items of a list after a key, in ascending order of keys. */
export type Read<Item> = (after: string | undefined, limit: number) => Promise<readonly Keyed<Item>[]>;

/** Concatenates lists. The names of the sections must have the same length and be in ascending order, because they prefix the keys. */
export function concat<Item>(sections: readonly { readonly name: string; readonly read: Read<Item> }[]): Read<Item> {
  return async (after, limit) => {
    const found: Keyed<Item>[] = [];
    for (const { name, read } of sections) {
      if (found.length >= limit) break;
      const from = after === undefined || !after.startsWith(name) ? undefined : after.slice(name.length);
      if (after !== undefined && from === undefined && after > name) continue;
      for (const entry of await read(from, limit - found.length)) found.push({ key: name + entry.key, record: entry.record });
    }
    return found;
  };
}

/** Returns a reader of an in-memory list, which need not be sorted. */
export function fromList<Item>(items: readonly Keyed<Item>[]): Read<Item> {
  const sorted = items.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return async (after, limit) => (after === undefined ? sorted : sorted.filter((item) => item.key > after)).slice(0, limit);
}

/**
 * Returns one page of an in-memory list, in the order of keys, which must be unique.
 *
 * @throws ValidationError  the marker is invalid
 */
export function pageOf<Item>(request: PageRequest, items: readonly Keyed<Item>[]): Page<Item> {
  const size = request.MaxItems ?? DEFAULT_ITEMS;
  const after = request.Marker === undefined ? undefined : keyOfMarker(request.Marker);
  const sorted = items.filter((item) => after === undefined || item.key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
  return cut(sorted, size);
}

function cut<Item>(sorted: readonly Keyed<Item>[], size: number): Page<Item> {
  const shown = sorted.slice(0, size);
  const last = shown.at(-1);
  return {
    records: shown.map((entry) => entry.record),
    rest: sorted.length > size && last !== undefined ? { IsTruncated: true, Marker: markerOf(last.key) } : { IsTruncated: false },
  };
}
