/** Order of keys in lists. Keys are ordered by their UTF-8 bytes. */
import { invalidArgument } from './errors.ts';

/** Returns the greater of two keys. */
export function laterKey(a: string, b: string): string {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) >= 0 ? a : b;
}

/**
 * Returns the smallest string that is greater than every string with the prefix. Returns undefined if there is none, as for an empty
 * prefix.
 *
 *     afterPrefix('logs/')   'logs0'
 */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // Code points from D800 to DFFF are not characters.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

/** Returns the common prefix to which a key belongs: up to the first delimiter after the prefix. */
export function groupOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

/** Number of rows that a list with a delimiter reads at once, at most. */
export const ROWS_AT_ONCE = 100;
/** Number of rows that it reads at once if they all have the same common prefix: one to find the prefix, and one to find that it goes on. */
const ROWS_MIN = 2;

/**
 * Returns the number of rows that a list with a delimiter reads next. It is small if the last rows were mostly skipped, because they had a
 * known common prefix. So the time of a page does not depend on the number of keys with one prefix.
 */
export function nextLimit(limit: number, skippedRows: number): number {
  return 2 * skippedRows > limit ? Math.max(ROWS_MIN, Math.floor(limit / 4)) : Math.min(ROWS_AT_ONCE, 2 * limit);
}

/**
 * Checks the encoding of keys in a response. The writer of the response encodes them.
 *
 * @throws InvalidArgument  another encoding than `url`
 */
export function requireEncoding(encodingType: string | undefined): void {
  if (encodingType !== undefined && encodingType !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', encodingType);
}

/** Maximum number of items of a page. Source: S3 API Reference, ListObjectsV2, `MaxKeys`. */
const PAGE_MAX = 1_000;

/** Returns the number of items of a page. @throws InvalidArgument  a negative number */
export function pageSize(requested: number | undefined, argument: string): number {
  if (requested !== undefined && (requested < 0 || requested > 2_147_483_647))
    throw invalidArgument(`Argument ${argument} must be an integer between 0 and 2147483647`, argument, requested);
  return Math.min(requested ?? PAGE_MAX, PAGE_MAX);
}
