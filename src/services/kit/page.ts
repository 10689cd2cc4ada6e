/**
 * Pagination. A token contains the key of the last item on the page. Therefore the next page neither repeats nor skips
 * an existing item if other items are added or deleted during paging. Services use different names for the page size
 * and the token, and return different errors. A `PageFormat` contains the names and errors of one service.
 */
import type { AwsError } from '#core/aws-error.ts';

/** Item of a list with its sort key. */
export interface Keyed<Item> {
  readonly key: string;
  readonly record: Item;
}

/** Reads up to `limit` items of a list after a key, in ascending order of keys. */
export type Read<Item> = (after: string | undefined, limit: number) => Promise<readonly Keyed<Item>[]>;

/**
 * Filter of a list: reports whether the list includes an item. The filter may also read the item's details for the
 * response. These reads then count toward the maximum work for one page (`WORK_MAX`).
 */
export type Keep<Item> = (item: Item, key: string) => boolean | Promise<boolean>;

/**
 * Measures the work of a transaction. `work` returns the number of characters that the transaction has read, plus 500
 * for each SQL statement (see `Identity.work`).
 */
export interface WorkMeter {
  work(): number;
}

/** One page of a list. `rest` has the pagination members of the response, such as the next token. */
export interface Page<Item, Rest> {
  readonly records: readonly Item[];
  readonly rest: Rest;
}

/** Format of one service's pagination: the members of requests and responses, and the error. */
export interface PageFormat<Request, Rest> {
  /** Number of items on a page if the request does not set a page size. */
  readonly defaultSize: number;
  readonly sizeOf: (request: Request) => number | undefined;
  readonly tokenOf: (request: Request) => string | undefined;
  /** Returns the pagination members of a response. `token` is `undefined` on the last page. */
  readonly rest: (token: string | undefined) => Rest;
  readonly invalidToken: () => AwsError;
}

/**
 * Functions that return pages in the format of one service. If the token of a request is invalid, they throw the error
 * that `PageFormat.invalidToken` returns.
 */
export interface Paging<Request, Rest> {
  /** Returns one page of an in-memory list, in the order of keys, which must be unique. */
  pageOf<Item>(request: Request, items: readonly Keyed<Item>[]): Page<Item, Rest>;
  /**
   * Returns one page of a stored list, in the order of keys. `keep` selects the items, all by default. The page ends
   * early if its items need much work. It then has fewer items than requested, and may be empty.
   */
  pageOfStored<Item>(meter: WorkMeter, request: Request, read: Read<Item>, keep?: Keep<Item>): Promise<Page<Item, Rest>>;
  /** Returns the key after which the page of a request begins, or `undefined` for the first page. */
  afterKey(request: Request): string | undefined;
  sizeOf(request: Request): number;
  /** Returns the pagination members of a response. `last` is the key of the page's last item if more items follow. */
  restAfter(last: string | undefined): Rest;
}

/** Creates the functions that return pages in the format of one service. */
export function paging<Request, Rest>(format: PageFormat<Request, Rest>): Paging<Request, Rest> {
  const sizeOf = (request: Request): number => format.sizeOf(request) ?? format.defaultSize;
  const restAfter = (last: string | undefined): Rest => format.rest(last === undefined ? undefined : tokenOfKey(last));
  function afterKey(request: Request): string | undefined {
    const token = format.tokenOf(request);
    const key = token === undefined ? undefined : keyOfToken(token);
    if (token !== undefined && key === undefined) throw format.invalidToken();
    return key;
  }
  function toPage<Item>(sorted: readonly Keyed<Item>[], size: number): Page<Item, Rest> {
    const { items, last } = cutPage(sorted, size);
    return { records: items.map(({ record }) => record), rest: restAfter(last?.key) };
  }
  return {
    sizeOf,
    afterKey,
    restAfter,
    pageOf(request, items) {
      const after = afterKey(request);
      return toPage(sortedAfter(items, after), sizeOf(request));
    },
    async pageOfStored(meter, request, read, keep) {
      const size = sizeOf(request);
      const { kept, readTo } = await readKept(meter, read, afterKey(request), size + 1, keep);
      if (readTo === undefined) return toPage(kept, size);
      return { records: kept.map(({ record }) => record), rest: restAfter(readTo) };
    },
  };
}

/**
 * Cuts a list to the size of a page. The list was read with the limit `size + 1`, so an additional item shows that more
 * items follow. In that case `last` is the last item on the page.
 */
export function cutPage<Item>(read: readonly Item[], size: number): { readonly items: readonly Item[]; readonly last: Item | undefined } {
  const items = read.slice(0, size);
  return { items, last: read.length > size ? items.at(-1) : undefined };
}

/**
 * Maximum items in one read. It is low because items can be large: a policy can have five versions of 12,288
 * characters.
 */
const BATCH_MAX = 16;
/**
 * Maximum work for one page, in characters (see `Identity.work`). This amount of work takes about 20 ms. If a page
 * needs more work, the page ends early, so that one request does not delay other requests. Assumed: the number.
 */
const WORK_MAX = 2 * 2 ** 20;

/**
 * Items of a page. If the page ended early, because the work exceeded `WORK_MAX`, `readTo` is the key of the last item
 * that was read. Otherwise `readTo` is absent.
 */
interface Kept<Item> {
  readonly kept: readonly Keyed<Item>[];
  readonly readTo?: string;
}

/** Reads until there are `count` items that `keep` selects, the list ends, or the work exceeds `WORK_MAX`. Reads at least one item. */
async function readKept<Item>(
  meter: WorkMeter,
  read: Read<Item>,
  start: string | undefined,
  count: number,
  keep: Keep<Item> = () => true,
): Promise<Kept<Item>> {
  const kept: Keyed<Item>[] = [];
  const workBefore = meter.work();
  let after = start;
  while (kept.length < count) {
    const limit = Math.min(count - kept.length, BATCH_MAX);
    const batch = await read(after, limit);
    for (const entry of batch) {
      if (await keep(entry.record, entry.key)) kept.push(entry);
      if (kept.length < count && meter.work() - workBefore > WORK_MAX) return { kept, readTo: entry.key };
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < limit) break;
    after = last.key;
  }
  return { kept };
}

/**
 * Concatenates the lists in `sections`. The key of an item in the result is the name of its section followed by its key
 * in that section. For ascending keys, the names must have the same length and be in ascending order.
 */
export function concat<Item>(sections: readonly { readonly name: string; readonly read: Read<Item> }[]): Read<Item> {
  return async (after, limit) => {
    const found: Keyed<Item>[] = [];
    for (const { name, read } of sections) {
      if (found.length >= limit) break;
      const from = after === undefined || !after.startsWith(name) ? undefined : after.slice(name.length);
      if (after !== undefined && from === undefined && after > name) continue;
      for (const entry of await read(from, limit - found.length)) found.push({ ...entry, key: name + entry.key });
    }
    return found;
  };
}

/** Returns a reader of an in-memory list, which need not be sorted. */
export function fromList<Item>(items: readonly Keyed<Item>[]): Read<Item> {
  return async (after, limit) => sortedAfter(items, after).slice(0, limit);
}

function sortedAfter<Item>(items: readonly Keyed<Item>[], after: string | undefined): readonly Keyed<Item>[] {
  return items.filter(({ key }) => after === undefined || key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
}

const TOKEN_PREFIX = 'k1.';

function tokenOfKey(key: string): string {
  return TOKEN_PREFIX + Buffer.from(key, 'utf8').toString('base64url');
}

function keyOfToken(token: string): string | undefined {
  const key = token.startsWith(TOKEN_PREFIX) ? Buffer.from(token.slice(TOKEN_PREFIX.length), 'base64url').toString('utf8') : '';
  return key !== '' && tokenOfKey(key) === token ? key : undefined;
}
