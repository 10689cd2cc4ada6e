/**
 * Pages of a list. A marker is the key after which the next page begins, so a page neither repeats nor skips what stays
 * while other things come and go.
 *
 * Source: IAM API reference, ListUsers: MaxItems defaults to 100, Marker comes back only with IsTruncated.
 */
import { AwsError } from '#core/aws-error.ts';

export interface PageRequest {
  readonly MaxItems?: number;
  readonly Marker?: string;
}

export interface Keyed<Thing> {
  readonly key: string;
  readonly record: Thing;
}

export interface Page<Thing> {
  readonly records: readonly Thing[];
  /** What every list answers beside its members. */
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** Items of a page whose request does not say how many. */
export const DEFAULT_ITEMS = 100;
const MARKER_PREFIX = 'k1.';

/** The marker of the page that follows a key. */
export function markerOf(key: string): string {
  return MARKER_PREFIX + Buffer.from(key, 'utf8').toString('base64url');
}

/** @throws AwsError ValidationError where the marker is none of ours */
function keyOfMarker(marker: string): string {
  const key = marker.startsWith(MARKER_PREFIX) ? Buffer.from(marker.slice(MARKER_PREFIX.length), 'base64url').toString('utf8') : '';
  if (key === '' || markerOf(key) !== marker) throw new AwsError('ValidationError', 'Invalid Marker.');
  return key;
}

/**
 * The key that a request's page begins after; undefined for the first page.
 *
 * @throws AwsError ValidationError  the marker is invalid
 */
export function afterMarker({ Marker }: PageRequest): string | undefined {
  return Marker === undefined ? undefined : keyOfMarker(Marker);
}

/** One page of what the store lists in the order of keys; `keep` leaves out what a filter does not want. */
export async function pageOfStored<Thing>(
  request: PageRequest,
  read: Read<Thing>,
  keep: (thing: Thing, key: string) => boolean | Promise<boolean> = () => true,
): Promise<Page<Thing>> {
  const size = request.MaxItems ?? DEFAULT_ITEMS;
  let after = request.Marker === undefined ? undefined : keyOfMarker(request.Marker);
  const kept: Keyed<Thing>[] = [];
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

export type Read<Thing> = (after: string | undefined, limit: number) => Promise<readonly Keyed<Thing>[]>;

/** Several lists as one, each after the one before; the sections' names must be in ascending order and of one length. */
export function inTurn<Thing>(sections: readonly { readonly name: string; readonly read: Read<Thing> }[]): Read<Thing> {
  return async (after, limit) => {
    const found: Keyed<Thing>[] = [];
    for (const { name, read } of sections) {
      if (found.length >= limit) break;
      const from = after === undefined || !after.startsWith(name) ? undefined : after.slice(name.length);
      if (after !== undefined && from === undefined && after > name) continue;
      for (const entry of await read(from, limit - found.length)) found.push({ key: name + entry.key, record: entry.record });
    }
    return found;
  };
}

/** A list at hand, as something to read from. */
export function atHand<Thing>(things: readonly Keyed<Thing>[]): Read<Thing> {
  const sorted = things.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return async (after, limit) => (after === undefined ? sorted : sorted.filter((thing) => thing.key > after)).slice(0, limit);
}

/** One page of a list at hand, in the order of keys, which must differ. */
export function pageOf<Thing>(request: PageRequest, things: readonly Keyed<Thing>[]): Page<Thing> {
  const size = request.MaxItems ?? DEFAULT_ITEMS;
  const after = request.Marker === undefined ? undefined : keyOfMarker(request.Marker);
  const sorted = things.filter((thing) => after === undefined || thing.key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
  return cut(sorted, size);
}

function cut<Thing>(sorted: readonly Keyed<Thing>[], size: number): Page<Thing> {
  const shown = sorted.slice(0, size);
  const last = shown.at(-1);
  return {
    records: shown.map((entry) => entry.record),
    rest: sorted.length > size && last !== undefined ? { IsTruncated: true, Marker: markerOf(last.key) } : { IsTruncated: false },
  };
}
