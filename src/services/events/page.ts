import { omitUndefined } from '#core/omit-undefined.ts';
import { paging } from '../kit/page.ts';
import { invalid } from './errors.ts';

/** Pagination members of a list request. */
export interface PageRequest {
  readonly Limit?: number;
  readonly NextToken?: string;
}

/**
 * Functions that return pages of lists in the format of EventBridge.
 *
 * Source: events 2015-10-07: Limit is at most 100. Assumed: it defaults to 100, and the message for an invalid token.
 */
export const { pageOfStored } = paging<PageRequest, { readonly NextToken?: string }>({
  defaultSize: 100,
  sizeOf: ({ Limit }) => Limit,
  tokenOf: ({ NextToken }) => NextToken,
  rest: (NextToken) => omitUndefined({ NextToken }),
  invalidToken: () => invalid('Parameter NextToken is not valid.'),
});

/** Reads up to `limit` records after a key. */
type ReadRecords<Item> = (after: string, limit: number) => Promise<readonly Item[]>;

/**
 * Returns a reader of records for `pageOfStored`. If there is a prefix, the reader begins before the first key with it and ends after
 * the last one.
 */
export function readByName<Item>(read: ReadRecords<Item>, nameOf: (item: Item) => string, prefix = '') {
  return async (after: string | undefined, limit: number) => {
    if (prefix === '') return (await read(after ?? '', limit)).map((record) => ({ key: nameOf(record), record }));
    const before = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) - 1) + LAST;
    const found = await read(after !== undefined && after > before ? after : before, limit);
    const named = found.filter((record) => nameOf(record).startsWith(prefix));
    return named.map((record) => ({ key: nameOf(record), record }));
  };
}

/** Character above all characters of names, which are ASCII. */
const LAST = '\x7f';
