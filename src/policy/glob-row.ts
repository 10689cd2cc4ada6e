/**
 * The row of a comparison: the set of positions of the value that the pattern has reached, as bits. This file advances
 * the row over the codes of a pattern (its characters, wildcards and variables).
 */
import { MANY, type Matching, ONE, VARIABLE } from './glob.ts';
import { type StepBudget, StepsExceeded } from './steps.ts';
import { conjunction, occurrenceMask, type Subject, type Subjects, unitMask } from './subject.ts';

/** First and last word of the row (the reached positions as bits) that contain a position. */
export const RANGE = { low: 0, high: 0 };

/** Returns the smallest position in the row (the reached positions as bits). */
export function leastPosition(row: Int32Array): number {
  const word = row[RANGE.low] as number;
  return 32 * RANGE.low + 31 - Math.clz32(word & -word);
}

/** Sets all bits of the row to zero for the next comparison. */
export function clearRow(row: Int32Array): void {
  if (RANGE.low <= RANGE.high) row.fill(0, RANGE.low, RANGE.high + 1);
}

/**
 * Advances the row (the reached positions as bits) over `codes[first..last)`. Returns whether any position is left.
 *
 * `ahead` is the minimum number of units that the codes match. Ignores positions beyond `end`. Also ignores positions
 * that leave too little space before `end` for the remaining codes.
 */
export function advance(
  matching: Matching,
  subject: Subject,
  codes: Int32Array,
  first: number,
  last: number,
  texts: readonly string[],
  end: number,
  ahead: number,
): boolean {
  const { subjects, budget } = matching;
  const { row } = subjects;
  let { low, high } = RANGE;
  let rest = ahead;
  for (let i = first; i < last; ) {
    budget.stepsLeft -= high - low + 1;
    if (budget.stepsLeft < 0) {
      row.fill(0, low, high + 1);
      throw new StepsExceeded();
    }
    if (codes[i] === MANY) {
      high = fillAll(row, low, high, (end - rest) >>> 5);
      i++;
      continue;
    }
    i += next(matching, subject, codes, i, last, texts);
    const { mask, length } = NEXT;
    if (length === 0) continue;
    if (mask < 0) break;
    rest -= length;
    const most = (end - rest) >>> 5;
    if (length > 31) high = leapFar(row, subjects.arena, mask, low, high, most, length);
    else high = leap(row, subjects.arena, mask, low, high, most, length);
    while (low <= high && row[low] === 0) low++;
    while (low < high && row[high] === 0) high--;
    if (low > high) break;
  }
  RANGE.low = low;
  RANGE.high = high;
  return low <= high && NEXT.mask >= 0;
}

/**
 * Result of `next`. `mask` is the offset of the bitmap of positions at which the next codes match, or -1 if there are
 * none. `length` is the number of units that the codes match.
 */
export const NEXT = { mask: 0, length: 0 };

/**
 * Sets `NEXT` for the code at `at`, or for the gram (run of up to four codes) that begins there.
 * Returns the number of codes that `NEXT` covers.
 */
export function next(
  { subjects, budget }: Matching,
  subject: Subject,
  codes: Int32Array,
  at: number,
  last: number,
  texts: readonly string[],
): number {
  const code = codes[at] as number;
  if (code <= VARIABLE) {
    const text = texts[VARIABLE - code] as string;
    NEXT.length = text.length;
    NEXT.mask = text.length === 0 ? 0 : occurrenceMask(subjects, subject, text, budget);
    return 1;
  }
  const length = gramLength(codes, at, last);
  NEXT.mask = length > 1 ? gramMask(subjects, subject, codes, at, length, budget) : 0;
  NEXT.length = length;
  if (NEXT.mask !== 0) return length;
  NEXT.length = 1;
  NEXT.mask = codeMask(subjects, subject, code, budget);
  return 1;
}

/**
 * Maximum length of a gram, in codes. A gram is a run of codes over which the row advances in one pass. The positions
 * of a gram are computed once for each subject (the string to match).
 */
const GRAM = 4;
/** Maximum number of cached grams of one subject. */
const GRAMS_MAX = 512;
/**
 * `ANY` is the byte for the wildcard `?` in a gram. `NO_UNIT` fills the unused bytes of a gram with fewer than four
 * codes.
 */
const [ANY, NO_UNIT] = [0, 1];

/** Returns the byte that represents a code in a gram, or -1 if a gram cannot contain the code. */
function gramByte(code: number): number {
  if (code === ONE) return ANY;
  return code > NO_UNIT && code < 256 ? code : -1;
}

/** Returns the number of codes from `at` that form a gram, at most `GRAM`. */
function gramLength(codes: Int32Array, at: number, last: number): number {
  let length = 0;
  while (length < GRAM && at + length < last && gramByte(codes[at + length] as number) >= 0) length++;
  return length;
}

/**
 * Returns the offset of the bitmap of positions at which a gram (run of codes) matches. Returns -1 if it matches
 * nowhere, and 0 if the cache is full.
 */
function gramMask(subjects: Subjects, subject: Subject, codes: Int32Array, at: number, length: number, budget: StepBudget): number {
  let gram = 0;
  for (let i = 0; i < GRAM; i++) gram = (gram << 8) | (i < length ? gramByte(codes[at + i] as number) : NO_UNIT);
  const known = subject.grams.get(gram);
  if (known !== undefined) return known;
  if (subject.grams.size >= GRAMS_MAX) return 0;
  let offset = 0;
  for (let i = 0; i < length && offset >= 0; i++) {
    offset = codeMask(subjects, subject, codes[at + i] as number, budget);
    MASKS[i] = offset;
  }
  if (offset >= 0) offset = conjunction(subjects, subject, MASKS, length, budget);
  subject.grams.set(gram, offset);
  return offset;
}

const MASKS = new Int32Array(GRAM);

/** Returns the offset of the bitmap of positions at which a character or `?` matches, or -1 if there are none. */
function codeMask(subjects: Subjects, subject: Subject, code: number, budget: StepBudget): number {
  if (code >= 0) return unitMask(subjects, subject, code, budget);
  return subject.inside;
}

/**
 * Removes all positions from the row that the bitmap at the offset `mask` does not have, and advances the remaining
 * positions by `length`, which is less than 32. Returns the last word that may contain a position.
 */
function leap(row: Int32Array, arena: Int32Array, mask: number, low: number, high: number, most: number, length: number): number {
  const down = 32 - length;
  let carry = 0;
  for (let w = low; w <= high; w++) {
    const kept = (row[w] as number) & (arena[mask + w] as number);
    row[w] = (kept << length) | carry;
    carry = kept >>> down;
  }
  if (high > most) {
    row.fill(0, most + 1, high + 1);
    return most;
  }
  if (carry === 0 || high === most) return high;
  row[high + 1] = carry;
  return high + 1;
}

/** Does the work of `leap` for a `length` of 32 or more. */
export function leapFar(row: Int32Array, arena: Int32Array, mask: number, low: number, high: number, most: number, length: number): number {
  const words = length >>> 5;
  const bits = length & 31;
  for (let w = high; w >= low; w--) {
    const kept = (row[w] as number) & (arena[mask + w] as number);
    row[w] = 0;
    const to = w + words;
    if (kept === 0 || to > most) continue;
    row[to] = (row[to] as number) | (kept << bits);
    if (bits > 0 && to < most) row[to + 1] = (row[to + 1] as number) | (kept >>> (32 - bits));
  }
  return Math.min(high + words + 1, most);
}

/** Sets the bits of all positions after the smallest reached one in the row, because a `*` reaches all of them. */
function fillAll(row: Int32Array, low: number, high: number, most: number): number {
  const word = row[low] as number;
  row[low] = word | -word;
  if (most > low) row.fill(-1, low + 1, most + 1);
  return Math.max(high, most);
}
