/** Pages of the lists of IAM Access Analyzer. */
import { createHash } from 'node:crypto';
import { omitUndefined } from '#core/omit-undefined.ts';
import { cutPage } from '../../kit/page.ts';
import { invalidField } from './errors.ts';

/** Maximum and default number of results on a page. Assumed: both, because neither the model nor the documentation has limits. */
const RESULTS_MAX = 100;

export interface PageRequest {
  readonly maxResults?: number;
  readonly nextToken?: string;
}

/** Returns the number of results on a page. @throws ValidationException  it is less than one */
export function pageSize({ maxResults = RESULTS_MAX }: PageRequest): number {
  if (maxResults < 1) throw invalidField('maxResults', `Invalid maxResults '${maxResults}'. It must be at least 1.`);
  return Math.min(maxResults, RESULTS_MAX);
}

/**
 * Returns the place in a page token. `list` identifies the list. A token is valid only for the list that returned it.
 *
 * @throws ValidationException  the token is invalid, or is of another list
 */
export function placeIn(list: unknown, { nextToken }: PageRequest): readonly (string | number)[] | undefined {
  if (nextToken === undefined) return undefined;
  const dot = nextToken.indexOf('.');
  const place = nextToken.slice(0, dot) === markOf(list) ? placeOf(nextToken.slice(dot + 1)) : undefined;
  if (place === undefined) throw invalidField('nextToken', 'Invalid nextToken.');
  return place;
}

function placeOf(encoded: string): readonly (string | number)[] | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
    const isPlace = Array.isArray(place) && place.every((each) => isPlacePart(each));
    return isPlace ? (place as readonly (string | number)[]) : undefined;
  } catch {
    return undefined;
  }
}

/** PostgreSQL cannot compare strings with NUL. */
function isPlacePart(value: unknown): boolean {
  return typeof value === 'string' ? !value.includes('\0') && value.isWellFormed() : Number.isSafeInteger(value);
}

/** Returns the member with the token of a place. */
export function tokenAt(list: unknown, place: readonly (string | number)[] | undefined): { readonly nextToken?: string } {
  const token = place && `${markOf(list)}.${Buffer.from(JSON.stringify(place)).toString('base64url')}`;
  return omitUndefined({ nextToken: token });
}

function markOf(list: unknown): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 16);
}

/** Returns a page of a list in the order of one string, such as names. `read` returns at most `limit` items after a string. */
export async function pageOfNames<Item>(
  list: unknown,
  request: PageRequest,
  read: (after: string, limit: number) => Promise<readonly Item[]>,
  nameOf: (item: Item) => string,
): Promise<{ readonly items: readonly Item[]; readonly rest: { readonly nextToken?: string } }> {
  const size = pageSize(request);
  const [after = ''] = placeIn(list, request) ?? [];
  const { items, last } = cutPage(await read(String(after), size + 1), size);
  return { items, rest: tokenAt(list, last === undefined ? undefined : [nameOf(last)]) };
}

/** Returns a page of a list in memory, in its own order. The list must not change between two pages. */
export function pageOfList<Item>(
  list: unknown,
  request: PageRequest,
  items: readonly Item[],
): { readonly items: readonly Item[]; readonly rest: { readonly nextToken?: string } } {
  const from = Number(placeIn(list, request)?.[0] ?? 0);
  const to = from + pageSize(request);
  return { items: items.slice(from, to), rest: tokenAt(list, to < items.length ? [to] : undefined) };
}
