import { AwsError } from '#core/aws-error.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { cutPage } from '../kit/page.ts';

/** Pagination members of a list request. */
export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Pagination member of a list response. */
  readonly rest: { readonly NextToken?: string };
}

/**
 * Returns one page of a list, in the order of keys.
 *
 * `read` returns up to `limit` items after a key. A token is the key of the last item on the page. So a page neither
 * repeats nor skips an item if other items are added or deleted. A token is valid only for the `scope` that it was
 * created for. A token is not secret, because the response also contains the last item.
 *
 * @throws BadRequestException  the token is invalid or belongs to another scope. Assumed: the message.
 */
export async function pageOf<Item>(
  scope: string,
  { MaxResults, NextToken }: PageRequest,
  read: (limit: number, after: string | undefined) => Promise<readonly Item[]>,
  keyOf: (item: Item) => string,
  defaultResults = 50,
): Promise<Page<Item>> {
  const size = MaxResults ?? defaultResults;
  const found = await read(size + 1, NextToken === undefined ? undefined : keyOfToken(scope, NextToken));
  const { items, last } = cutPage(found, size);
  return { items, rest: omitUndefined({ NextToken: last === undefined ? undefined : tokenOf(scope, keyOf(last)) }) };
}

/** Returns a token for the position of a key in the list `scope`. */
export function tokenOf(scope: string, key: string): string {
  return Buffer.from(JSON.stringify([scope, key])).toString('base64url');
}

/** Returns the key in a token. @throws BadRequestException  the token is invalid or belongs to another scope */
export function keyOfToken(scope: string, token: string): string {
  const begin = JSON.stringify([scope]).slice(0, -1);
  const text = Buffer.from(token, 'base64url').toString('utf8');
  const key = text.startsWith(`${begin},"`) ? keyIn(text) : undefined;
  if (key === undefined || tokenOf(scope, key) !== token) throw new AwsError('BadRequestException', 'Invalid NextToken');
  return key;
}

function keyIn(text: string): string | undefined {
  try {
    const [, key] = JSON.parse(text) as readonly unknown[];
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}
