/**
 * Pagination. A token is the key of the last item on the page. A page therefore neither repeats nor skips an existing item if other items
 * are added or deleted during paging.
 *
 * Source: organizations 2016-11-28: MaxResults is at most 20. Assumed: it defaults to 20.
 */
import { invalidInput } from './refusals.ts';

/** Members of a request for a page. */
export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** An item of a list with its sort key. */
export interface Keyed<Item> {
  readonly key: string;
  readonly record: Item;
}

/** One page of a list. */
export interface Page<Item> {
  readonly records: readonly Item[];
  /** Pagination member of a list response. */
  readonly rest: { readonly NextToken?: string };
}

const DEFAULT_RESULTS = 20;
const TOKEN_PREFIX = 'k1.';

function tokenOf(key: string): string {
  return TOKEN_PREFIX + Buffer.from(key, 'utf8').toString('base64url');
}

/** @throws InvalidInputException  the token is invalid */
function keyOfToken(token: string): string {
  const key = token.startsWith(TOKEN_PREFIX) ? Buffer.from(token.slice(TOKEN_PREFIX.length), 'base64url').toString('utf8') : '';
  if (key === '' || tokenOf(key) !== token) throw invalidInput('INVALID_NEXT_TOKEN', 'The provided value for NextToken is not valid.');
  return key;
}

type Read<Item> = (options: { readonly after?: string; readonly limit: number }) => Promise<readonly Keyed<Item>[]>;

/**
 * Returns one page of a stored list, in the order of keys. `keep` filters the items.
 *
 * @throws InvalidInputException  the token is invalid
 */
export async function pageOfStored<Item>(
  request: PageRequest,
  read: Read<Item>,
  keep: (item: Item) => boolean = () => true,
): Promise<Page<Item>> {
  const size = request.MaxResults ?? DEFAULT_RESULTS;
  const limit = Math.max(size + 1, 100);
  let after = request.NextToken === undefined ? undefined : keyOfToken(request.NextToken);
  const kept: Keyed<Item>[] = [];
  while (kept.length <= size) {
    const batch = await read(after === undefined ? { limit } : { after, limit });
    kept.push(...batch.filter((entry) => keep(entry.record)));
    const last = batch.at(-1);
    if (last === undefined || batch.length < limit) break;
    after = last.key;
  }
  return cut(kept, size);
}

/**
 * Returns one page of an in-memory list, in the order of keys, which must be unique.
 *
 * @throws InvalidInputException  the token is invalid
 */
export function pageOf<Item>(request: PageRequest, items: readonly Keyed<Item>[]): Page<Item> {
  const after = request.NextToken === undefined ? undefined : keyOfToken(request.NextToken);
  const sorted = items.filter(({ key }) => after === undefined || key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
  return cut(sorted, request.MaxResults ?? DEFAULT_RESULTS);
}

function cut<Item>(sorted: readonly Keyed<Item>[], size: number): Page<Item> {
  const shown = sorted.slice(0, size);
  const last = shown.at(-1);
  const rest = sorted.length > size && last !== undefined ? { NextToken: tokenOf(last.key) } : {};
  return { records: shown.map(({ record }) => record), rest };
}
