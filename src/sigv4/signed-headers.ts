import { lruMap } from '#core/lru-map.ts';
import { ownText } from './canonical.ts';

/** Parsed SignedHeaders list. */
export interface SignedHeaders {
  readonly names: ReadonlySet<string>;
  /** Names in the order of the list. `begin` is the start of the header's line in a canonical request: `\nhost:`. */
  readonly lines: readonly { readonly name: string; readonly begin: string }[];
  /** Whether the names are in ascending order without duplicates. */
  readonly sorted: boolean;
}

const LIST = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/;
const LIST_MAX = 4096;
const CACHED_MAX = 256;
/** Longest list that is cached, in characters. Together with `CACHED_MAX`, it bounds the memory of the cache. */
const CACHED_LENGTH_MAX = 512;

/** Cache of parsed lists. A client sends the same list with every request. */
const cache = lruMap<string, SignedHeaders>(CACHED_MAX);

/**
 * Parses `host;x-amz-date`.
 *
 * Returns `undefined` if the string is not a list of lower-case header names or has more than 4096 characters.
 */
export function readSignedHeaders(list: string): SignedHeaders | undefined {
  const cached = cache.get(list);
  if (cached !== undefined) return cached;
  if (list.length > LIST_MAX || !LIST.test(list)) return undefined;
  const copy = ownText(list);
  const names = copy.split(';');
  const read: SignedHeaders = {
    names: new Set(names),
    lines: names.map((name) => ({ name, begin: `\n${name}:` })),
    sorted: names.every((name, i) => i === 0 || (names[i - 1] as string) < name),
  };
  if (list.length > CACHED_LENGTH_MAX) return read;
  cache.set(copy, read);
  return read;
}
