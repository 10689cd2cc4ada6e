/**
 * Pages of a list. A token is the key after which the next page begins, so a page neither repeats nor skips what stays
 * while other things come and go.
 *
 * Source: organizations 2016-11-28: MaxResults is 20 at most. Assumed: 20 where it is absent.
 */
import { invalidInput } from './refusals.ts';

export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

export interface Keyed<Thing> {
  readonly key: string;
  readonly record: Thing;
}

export interface Page<Thing> {
  readonly records: readonly Thing[];
  /** What every list answers beside its members. */
  readonly rest: { readonly NextToken?: string };
}

const DEFAULT_RESULTS = 20;
const TOKEN_PREFIX = 'k1.';

function tokenOf(key: string): string {
  return TOKEN_PREFIX + Buffer.from(key, 'utf8').toString('base64url');
}

/** @throws AwsError InvalidInputException where the token is none of ours */
function keyOfToken(token: string): string {
  const key = token.startsWith(TOKEN_PREFIX) ? Buffer.from(token.slice(TOKEN_PREFIX.length), 'base64url').toString('utf8') : '';
  if (key === '' || tokenOf(key) !== token) throw invalidInput('INVALID_NEXT_TOKEN', 'The provided value for NextToken is not valid.');
  return key;
}

type Read<Thing> = (options: { readonly after?: string; readonly limit: number }) => Promise<readonly Keyed<Thing>[]>;

/** One page of what the store lists in the order of keys; `keep` leaves out what is not asked for. */
export async function pageOfStored<Thing>(
  request: PageRequest,
  read: Read<Thing>,
  keep: (thing: Thing) => boolean = () => true,
): Promise<Page<Thing>> {
  const size = request.MaxResults ?? DEFAULT_RESULTS;
  const limit = Math.max(size + 1, 100);
  let after = request.NextToken === undefined ? undefined : keyOfToken(request.NextToken);
  const kept: Keyed<Thing>[] = [];
  while (kept.length <= size) {
    const batch = await read(after === undefined ? { limit } : { after, limit });
    kept.push(...batch.filter((entry) => keep(entry.record)));
    const last = batch.at(-1);
    if (last === undefined || batch.length < limit) break;
    after = last.key;
  }
  return cut(kept, size);
}

/** One page of a list at hand, in the order of keys, which must differ. */
export function pageOf<Thing>(request: PageRequest, things: readonly Keyed<Thing>[]): Page<Thing> {
  const after = request.NextToken === undefined ? undefined : keyOfToken(request.NextToken);
  const sorted = things.filter(({ key }) => after === undefined || key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
  return cut(sorted, request.MaxResults ?? DEFAULT_RESULTS);
}

function cut<Thing>(sorted: readonly Keyed<Thing>[], size: number): Page<Thing> {
  const shown = sorted.slice(0, size);
  const last = shown.at(-1);
  const rest = sorted.length > size && last !== undefined ? { NextToken: tokenOf(last.key) } : {};
  return { records: shown.map(({ record }) => record), rest };
}
