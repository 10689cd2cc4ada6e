/**
 * Numbers of strings that policies and requests compare for equality (Decision 0009). Equal numbers mean equal strings. A number is valid
 * in this process only and is never freed. `TEXTS_MAX` limits them, so that clients cannot fill the memory with strings.
 */

/** Number in a request whose string was not read. Then the string is compared. */
export const UNREAD = 0;
/** Number in a request that has no such string. */
export const ABSENT = 1;
/** Smallest number of a string. */
const FIRST = 2;

/** Maximum number of strings. They are heads of ARNs (account and region), resource types, regions and organizations: hundreds at most. */
const TEXTS_MAX = 16_384;
const TEXT_MAX = 256;

const NUMBERS = new Map<string, number>();

/** Returns the number of a string, or `UNREAD` if the table is full or the string is too long. Such a string is compared as a string. */
export function numberOf(text: string): number {
  const known = NUMBERS.get(text);
  if (known !== undefined) return known;
  if (NUMBERS.size >= TEXTS_MAX || text.length > TEXT_MAX) return UNREAD;
  const number = FIRST + NUMBERS.size;
  NUMBERS.set(text, number);
  return number;
}
