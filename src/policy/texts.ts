/**
 * The numbers of texts that policies and requests compare for equality (Decision 0009): equal numbers are equal texts. Numbers mean
 * nothing beyond this process and are never taken back; there are at most as many as the table allows, so that nobody can fill the memory
 * with texts.
 */

/** In a request: not read; the text itself is compared. */
export const UNREAD = 0;
/** In a request: there is no such text. */
export const ABSENT = 1;
/** The least number of a text. */
const FIRST = 2;

/** The heads of ARNs (account and region), their resource types, regions, organizations: hundreds in a large installation. */
const TEXTS_MAX = 16_384;
const TEXT_MAX = 256;

const NUMBERS = new Map<string, number>();

/** The number of a text; `UNREAD` where the table is full or the text long, and such a text is compared as it is. */
export function numberOf(text: string): number {
  const known = NUMBERS.get(text);
  if (known !== undefined) return known;
  if (NUMBERS.size >= TEXTS_MAX || text.length > TEXT_MAX) return UNREAD;
  const number = FIRST + NUMBERS.size;
  NUMBERS.set(text, number);
  return number;
}
