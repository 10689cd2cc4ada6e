/**
 * Matching of patterns with `*`, `?` and variables, without backtracking.
 *
 * The matcher keeps the set of positions of the value that the pattern has reached, as bits, and advances the whole set
 * by one unit of the pattern at a time. One comparison takes at most (units of the pattern as written) x (words of the
 * value's bitmaps) steps, which is at most a constant x (length of the value) x ceil(length of the pattern / 32): a
 * pattern with more units than the value does not match, and a variable counts as one unit however long its value is.
 * Units are UTF-16 code units, so `?` matches half of a surrogate pair.
 */
import type { Piece } from './pattern.ts';
import { type StepBudget, StepsExceeded, takeSteps } from './steps.ts';
import { conjunction, listSubject, newSubjects, occurrenceMask, type Subject, type Subjects, subjectOf, unitMask } from './subject.ts';

/** Codes of a pattern: UTF-16 units, or these. */
export const MANY = -1;
export const ONE = -2;
/** Code of a variable: the k-th variable is `VARIABLE - k`. */
const VARIABLE = -16;

export type Variable = Extract<Piece, { kind: 'variable' }>;

/** Compiled pattern. Consecutive `*` are merged. */
export interface Glob {
  readonly codes: Int32Array;
  readonly variables: readonly Variable[];
  /** Number of units and `?`, which is the minimum length of a match without the values of the variables. */
  readonly least: number;
  /** Offsets of the first and the last `*` in `codes`; -1 if there is none. */
  readonly firstMany: number;
  readonly lastMany: number;
}

/** Working memory and budget of comparisons. */
export interface Matching {
  /** Remaining steps. The caller replaces the budget for each decision. */
  budget: StepBudget;
  readonly subjects: Subjects;
}

/** Creates the memory of comparisons. `wordsMax` limits the words in the bitmaps of one value. A longer value exceeds every budget. */
export function newMatching(budget: StepBudget, wordsMax = Number.POSITIVE_INFINITY): Matching {
  return { budget, subjects: newSubjects(wordsMax) };
}

/** Compiles the pieces of a pattern. */
export function newGlob(pieces: readonly Piece[]): Glob {
  const codes: number[] = [];
  const variables: Variable[] = [];
  let least = 0;
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'text':
        for (let i = 0; i < piece.text.length; i++) codes.push(piece.text.charCodeAt(i));
        least += piece.text.length;
        break;
      case 'many':
        if (codes.at(-1) !== MANY) codes.push(MANY);
        break;
      case 'one':
        codes.push(ONE);
        least++;
        break;
      case 'variable':
        codes.push(VARIABLE - variables.length);
        variables.push(piece);
        break;
    }
  }
  return { codes: Int32Array.from(codes), variables, least, firstMany: codes.indexOf(MANY), lastMany: codes.lastIndexOf(MANY) };
}

const NO_TEXTS: readonly string[] = [];

/** Budget of comparisons outside decisions. Linking happens once, and the quotas of policies limit its work. */
const UNBOUNDED: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY };
const LINKING = newMatching(UNBOUNDED);

/**
 * Reports whether a pattern without variables matches `text[from..to)` entirely.
 *
 * @throws StepsExceeded  the budget has too few steps left
 */
export function matchesText(glob: Glob, text: string, from = 0, to = text.length, budget: StepBudget = UNBOUNDED): boolean {
  LINKING.budget = budget;
  return globMatches(glob, NO_TEXTS, LINKING, text, from, to);
}

/**
 * Reports whether a pattern matches `value[from..to)` entirely.
 *
 * `texts` has the values of the pattern's variables. They are literal: `*` and `${` have no meaning in them.
 *
 * @throws StepsExceeded  the budget has too few steps left
 */
export function globMatches(glob: Glob, texts: readonly string[], matching: Matching, value: string, from: number, to: number): boolean {
  const { codes, firstMany, lastMany } = glob;
  const least = leastLength(glob, texts);
  const { length } = codes;
  if (firstMany < 0 ? to - from !== least : to - from < least) return false;
  // Comparing a unit at a fixed position costs less than searching for it.
  takeSteps(matching.budget, 1 + (least >>> 2));

  let begin = from;
  const head = firstMany < 0 ? length : firstMany;
  for (let i = 0; i < head; i++) {
    const code = codes[i] as number;
    if (code >= 0) {
      if (value.charCodeAt(begin) !== code) return false;
      begin++;
    } else if (code === ONE) {
      begin++;
    } else {
      const text = texts[VARIABLE - code] as string;
      if (!occursAt(value, begin, text)) return false;
      begin += text.length;
    }
  }
  if (firstMany < 0) return true;
  let end = to;
  for (let i = length - 1; i > lastMany; i--) {
    const code = codes[i] as number;
    if (code >= 0) {
      if (value.charCodeAt(--end) !== code) return false;
    } else if (code === ONE) {
      end--;
    } else {
      const text = texts[VARIABLE - code] as string;
      end -= text.length;
      if (!occursAt(value, end, text)) return false;
    }
  }
  if (firstMany === lastMany) return true;

  const { subjects } = matching;
  const subject = subjectOf(subjects, value, matching.budget);
  const { row } = subjects;
  row[begin >>> 5] = 1 << (begin & 31);
  let ahead = 0;
  for (let i = firstMany; i < lastMany; i++) {
    const code = codes[i] as number;
    ahead += code >= 0 || code === ONE ? 1 : code === MANY ? 0 : (texts[VARIABLE - code] as string).length;
  }
  RANGE.low = begin >>> 5;
  RANGE.high = RANGE.low;
  // The last `*` reaches the end from the smallest position in the row.
  const reached = advance(matching, subject, codes, firstMany, lastMany, texts, end, ahead) && leastPosition(row) <= end;
  clearRow(row);
  return reached;
}

/** Returns the length of the shortest match. */
function leastLength({ least, variables }: Glob, texts: readonly string[]): number {
  let length = least;
  for (let i = 0; i < variables.length; i++) length += (texts[i] as string).length;
  return length;
}

/** Reports whether `part` occurs at `from`. The text must be long enough. */
function occursAt(text: string, from: number, part: string): boolean {
  for (let i = part.length - 1; i >= 0; i--) {
    if (text.charCodeAt(from + i) !== part.charCodeAt(i)) return false;
  }
  return true;
}

/** First and last word of the row that contain a position. */
const RANGE = { low: 0, high: 0 };

function leastPosition(row: Int32Array): number {
  const word = row[RANGE.low] as number;
  return 32 * RANGE.low + 31 - Math.clz32(word & -word);
}

function clearRow(row: Int32Array): void {
  if (RANGE.low <= RANGE.high) row.fill(0, RANGE.low, RANGE.high + 1);
}

/**
 * Advances the row over `codes[first..last)`. Returns whether any position is left.
 *
 * Positions beyond `end` do not count, and neither do those from which the `ahead` units of the rest do not fit.
 */
function advance(
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

/** Result of `next`: offset of the positions at which codes can be consumed (-1 if there are none), and the number of codes. */
const NEXT = { mask: 0, length: 0 };

/** Looks up the positions of the code at `at`, or of as many codes as form a gram. Returns the number of these codes. */
function next(
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

/** Maximum number of units that are advanced in one pass. The positions of such a gram are computed once for each subject. */
const GRAM = 4;
/** Maximum number of cached grams of one subject. */
const GRAMS_MAX = 512;
/** Bytes of a gram that mean a wildcard, and no unit. */
const [ANY, NO_UNIT] = [0, 1];

/** Returns the byte of a code in a gram, or -1. */
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

/** Returns the offset of the positions at which a gram can be consumed. Returns -1 if there are none, and 0 if the cache is full. */
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

/** Returns the offset of the positions at which a code of one unit can be consumed, or -1. */
function codeMask(subjects: Subjects, subject: Subject, code: number, budget: StepBudget): number {
  if (code >= 0) return unitMask(subjects, subject, code, budget);
  return subject.inside;
}

/** Moves each position at which the mask is set by `length`, which is less than 32. Returns the last word that may hold one. */
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

/** Like `leap`, by one word or more. */
function leapFar(row: Int32Array, arena: Int32Array, mask: number, low: number, high: number, most: number, length: number): number {
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

/** Adds every position after the smallest one. In a single string, a `*` reaches these positions. */
function fillAll(row: Int32Array, low: number, high: number, most: number): number {
  const word = row[low] as number;
  row[low] = word | -word;
  if (most > low) row.fill(-1, low + 1, most + 1);
  return Math.max(high, most);
}

/** Minimum number of values that are matched as one subject, so that each value is read once for all patterns. */
export const LIST_MIN = 5;

/**
 * Marks the values of a list that a pattern matches, by their index in `found`. Reports whether there are any. Existing marks remain.
 *
 * @throws StepsExceeded  the budget has too few steps left
 */
export function matchList(glob: Glob, texts: readonly string[], matching: Matching, values: readonly string[], found: Uint8Array): boolean {
  const subject = listSubject(matching.subjects, values, matching.budget);
  const length = leastLength(glob, texts);
  takeSteps(matching.budget, 1 + (values.length >>> 2));
  if (glob.firstMany < 0 ? !subject.lengths.has(length) : length > subject.longest) return false;
  if (glob.firstMany < 0 && glob.variables.length === 0) return matchEach(glob, matching, values, found);
  const { row } = matching.subjects;
  const { words, starts } = subject;
  const everywhere = glob.codes[0] === MANY;
  if (everywhere) row.fill(-1, 0, words);
  else for (let i = 0; i < starts.length; i++) row[(starts[i] as number) >>> 5] = 1;
  const reached = advanceList(glob, texts, matching, subject, everywhere ? 1 : 0);
  let any = false;
  if (reached) {
    const open = glob.codes.at(-1) === MANY;
    for (let i = 0; i < starts.length; i++) {
      if (!(open ? isReached(row, subject, i) : endIsReached(row, subject, i))) continue;
      found[i] = 1;
      any = true;
    }
  }
  row.fill(0, 0, words);
  return any;
}

/** Advances the row, which all values share, over the codes from `first` on. Returns whether any position is left. */
function advanceList({ codes }: Glob, texts: readonly string[], matching: Matching, subject: Subject, first: number): boolean {
  const { subjects, budget } = matching;
  const { row } = subjects;
  const { words } = subject;
  let many = false;
  for (let i = first; i < codes.length; ) {
    const atStart = i === 0;
    budget.stepsLeft -= atStart ? subject.starts.length : words;
    if (budget.stepsLeft < 0) {
      row.fill(0, 0, words);
      throw new StepsExceeded();
    }
    if (codes[i] === MANY) {
      many = true;
      i++;
      continue;
    }
    i += next(matching, subject, codes, i, codes.length, texts);
    const { mask, length } = NEXT;
    if (length === 0) continue;
    if (mask < 0) return false;
    if (length > 31) {
      if (many) fillLists(row, subject);
      leapFar(row, subjects.arena, mask, 0, words - 1, words - 1, length);
    } else if (atStart) {
      if (!leapFromStarts(row, subjects.arena, subject, mask, length)) return false;
    } else if (many) {
      if (!fillAndLeap(row, subjects.arena, subject, mask, length)) return false;
    } else if (!leapAll(row, subjects.arena, words, mask, length)) return false;
    many = false;
  }
  // The code after the last `*` can be a variable with an empty value.
  if (many && codes[codes.length - 1] !== MANY) fillLists(row, subject);
  return true;
}

/** Like `leap`, from the first position of each string. Reports whether any position is left. */
function leapFromStarts(row: Int32Array, arena: Int32Array, { starts }: Subject, mask: number, length: number): boolean {
  let any = 0;
  for (let i = 0; i < starts.length; i++) {
    const w = (starts[i] as number) >>> 5;
    const kept = (arena[mask + w] as number) & 1;
    row[w] = kept << length;
    any |= kept;
  }
  return any !== 0;
}

/** Like `leap`, over all words. Reports whether any position is left. */
function leapAll(row: Int32Array, arena: Int32Array, words: number, mask: number, length: number): boolean {
  const down = 32 - length;
  let carry = 0;
  let any = 0;
  for (let w = 0; w < words; w++) {
    const kept = (row[w] as number) & (arena[mask + w] as number);
    any |= kept;
    row[w] = (kept << length) | carry;
    carry = kept >>> down;
  }
  return any !== 0;
}

/** Adds every position after the smallest one of each string. A `*` reaches these positions. */
function fillLists(row: Int32Array, { starts, words }: Subject): void {
  for (let i = 0; i < starts.length; i++) {
    const end = i + 1 < starts.length ? (starts[i + 1] as number) >>> 5 : words;
    let w = (starts[i] as number) >>> 5;
    while (w < end && row[w] === 0) w++;
    if (w === end) continue;
    row[w] = (row[w] as number) | -(row[w] as number);
    for (w++; w < end; w++) row[w] = -1;
  }
}

/** `fillLists` and `leapAll` in one pass. */
function fillAndLeap(row: Int32Array, arena: Int32Array, { starts, words }: Subject, mask: number, length: number): boolean {
  const down = 32 - length;
  let any = 0;
  for (let i = 0; i < starts.length; i++) {
    const end = i + 1 < starts.length ? (starts[i + 1] as number) >>> 5 : words;
    let w = (starts[i] as number) >>> 5;
    while (w < end && row[w] === 0) w++;
    if (w === end) continue;
    let kept = ((row[w] as number) | -(row[w] as number)) & (arena[mask + w] as number);
    row[w] = kept << length;
    any |= kept;
    for (w++; w < end; w++) {
      const carry = kept >>> down;
      kept = arena[mask + w] as number;
      row[w] = (kept << length) | carry;
      any |= kept;
    }
  }
  return any !== 0;
}

function isReached(row: Int32Array, { starts, words }: Subject, index: number): boolean {
  const end = index + 1 < starts.length ? (starts[index + 1] as number) >>> 5 : words;
  for (let w = (starts[index] as number) >>> 5; w < end; w++) if (row[w] !== 0) return true;
  return false;
}

function endIsReached(row: Int32Array, { starts, texts }: Subject, index: number): boolean {
  const position = (starts[index] as number) + (texts[index] as string).length;
  return (((row[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
}

/** Like `matchList`, for a pattern that matches only values of its own length. */
function matchEach(glob: Glob, matching: Matching, values: readonly string[], found: Uint8Array): boolean {
  takeSteps(matching.budget, values.length);
  let any = false;
  for (let i = 0; i < values.length; i++) {
    const text = values[i] as string;
    if (text.length !== glob.least || !globMatches(glob, NO_TEXTS, matching, text, 0, text.length)) continue;
    found[i] = 1;
    any = true;
  }
  return any;
}
