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
import {
  arnMask,
  listSubject,
  newSubjects,
  occurrenceMask,
  type Subject,
  type Subjects,
  segmentMask,
  subjectOf,
  unitMask,
} from './subject.ts';

/** Codes of a pattern: UTF-16 units, or these. */
export const MANY = -1;
export const ONE = -2;
/** The same wildcards in the first five segments of an ARN, where they do not match a colon. */
const MANY_IN_SEGMENT = -3;
const ONE_IN_SEGMENT = -4;
/** The k-th variable is `VARIABLE - k`. */
const VARIABLE = -16;

export type Variable = Extract<Piece, { kind: 'variable' }>;

/** A pattern that is ready to be matched. Runs of `*` are one. */
export interface Glob {
  readonly codes: Int32Array;
  readonly variables: readonly Variable[];
  /** Number of units and `?`: the least length of a match, without the values of the variables. */
  readonly least: number;
  /** Offsets of the first and the last `*` in `codes`; -1 if there is none. */
  readonly firstMany: number;
  readonly lastMany: number;
}

/** What a comparison needs besides the pattern and the value. */
export interface Matching {
  /** Steps that are left. The caller replaces it for each decision. */
  budget: StepBudget;
  readonly subjects: Subjects;
}

export function newMatching(budget: StepBudget): Matching {
  return { budget, subjects: newSubjects() };
}

/** Compiles pieces. */
export function newGlob(pieces: readonly Piece[]): Glob {
  return globOf(pieces, false);
}

function globOf(pieces: readonly Piece[], inArn: boolean): Glob {
  const codes: number[] = [];
  const variables: Variable[] = [];
  let colons = inArn ? 5 : 0;
  let least = 0;
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'text':
        for (let i = 0; i < piece.text.length; i++) {
          codes.push(piece.text.charCodeAt(i));
          if (piece.text[i] === ':' && colons > 0) colons--;
        }
        least += piece.text.length;
        break;
      case 'many': {
        const many = colons > 0 ? MANY_IN_SEGMENT : MANY;
        if (codes.at(-1) !== many) codes.push(many);
        break;
      }
      case 'one':
        codes.push(colons > 0 ? ONE_IN_SEGMENT : ONE);
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

/** Compiles the pieces of an ARN pattern with at least five written colons for `globMatchesList`. */
export function newArnGlob(pieces: readonly Piece[]): Glob {
  return globOf(pieces, true);
}

const NO_TEXTS: readonly string[] = [];

/** Compares outside of decisions: what is linked is bounded by the quotas of policies, and linked once. */
const UNBOUNDED: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY };
const LINKING = newMatching(UNBOUNDED);

/**
 * Reports whether a pattern without variables matches `text[from..to)` entirely.
 *
 * @throws StepsExceeded  the budget has fewer steps left than the comparison needs
 */
export function matchesText(glob: Glob, text: string, from = 0, to = text.length, budget: StepBudget = UNBOUNDED): boolean {
  LINKING.budget = budget;
  return globMatches(glob, NO_TEXTS, LINKING, text, from, to);
}

/**
 * Reports whether a pattern matches `value[from..to)` entirely.
 *
 * `texts` are the values of the pattern's variables, which are literal: neither `*` nor `${` means anything in them.
 *
 * @throws StepsExceeded  the budget has fewer steps left than the comparison needs
 */
export function globMatches(glob: Glob, texts: readonly string[], matching: Matching, value: string, from: number, to: number): boolean {
  const { codes, firstMany, lastMany } = glob;
  let { least } = glob;
  for (let i = 0; i < glob.variables.length; i++) least += (texts[i] as string).length;
  const { length } = codes;
  if (firstMany < 0 ? to - from !== least : to - from < least) return false;
  // A unit compared at its place costs less than one of a search.
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
      if (!standsAt(value, begin, text)) return false;
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
      if (!standsAt(value, end, text)) return false;
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
  // From the least position that is reached, the last `*` reaches the end.
  const reached = advance(matching, subject, codes, firstMany, lastMany, texts, end, ahead) && leastPosition(row) <= end;
  clearRow(row);
  return reached;
}

/** Compares one by one. The caller knows that there is room. */
function standsAt(text: string, from: number, part: string): boolean {
  for (let i = part.length - 1; i >= 0; i--) {
    if (text.charCodeAt(from + i) !== part.charCodeAt(i)) return false;
  }
  return true;
}

/** First and last word of the row that hold a position. */
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
  for (let i = first; i < last; i++) {
    budget.stepsLeft -= high - low + 1;
    if (budget.stepsLeft < 0) {
      row.fill(0, low, high + 1);
      throw new StepsExceeded();
    }
    const code = codes[i] as number;
    if (code === MANY || code === MANY_IN_SEGMENT) {
      const mask = code === MANY ? subject.inside : segmentMask(subjects, subject, budget);
      high = fill(row, subjects.arena, mask, low, high, Math.min((end - rest) >>> 5, subject.words - 1));
      continue;
    }
    let mask: number;
    let length = 1;
    if (code >= 0) mask = unitMask(subjects, subject, code, budget);
    else if (code === ONE) mask = subject.inside;
    else if (code === ONE_IN_SEGMENT) mask = segmentMask(subjects, subject, budget);
    else {
      const text = texts[VARIABLE - code] as string;
      length = text.length;
      if (length === 0) continue;
      mask = occurrenceMask(subjects, subject, text, budget);
    }
    if (mask < 0) {
      RANGE.low = low;
      RANGE.high = high;
      return false;
    }
    rest -= length;
    const most = Math.min((end - rest) >>> 5, subject.words - 1);
    high = length === 1 ? step(row, subjects.arena, mask, low, high, most) : leap(row, subjects.arena, mask, low, high, most, length);
    while (low <= high && row[low] === 0) low++;
    while (low < high && row[high] === 0) high--;
    if (low > high) break;
  }
  RANGE.low = low;
  RANGE.high = high;
  return low <= high;
}

/** Moves each position at which the mask is set one further. Returns the last word that may hold one. */
function step(row: Int32Array, arena: Int32Array, mask: number, low: number, high: number, most: number): number {
  let carry = 0;
  for (let w = low; w <= high; w++) {
    const kept = (row[w] as number) & (arena[mask + w] as number);
    row[w] = (kept << 1) | carry;
    carry = kept >>> 31;
  }
  if (high > most) {
    row.fill(0, most + 1, high + 1);
    return most;
  }
  if (carry === 0 || high === most) return high;
  row[high + 1] = carry;
  return high + 1;
}

/** As `step`, by `length` positions. */
function leap(row: Int32Array, arena: Int32Array, mask: number, low: number, high: number, most: number, length: number): number {
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

/**
 * Adds every position that a run of the mask leads to from a position of the row (MatchStar of Parabix: an addition carries
 * from the position to the end of the run).
 */
function fill(row: Int32Array, arena: Int32Array, mask: number, low: number, high: number, most: number): number {
  let carry = 0;
  let w = low;
  for (; w <= most && (w <= high || carry > 0); w++) {
    const reached = row[w] as number;
    const run = arena[mask + w] as number;
    const sum = ((reached & run) >>> 0) + (run >>> 0) + carry;
    carry = sum > 0xffffffff ? 1 : 0;
    row[w] = (sum ^ run) | reached;
  }
  return Math.max(high, w - 1);
}

/** A list with more values is matched as one subject, so that each value is read once for all patterns. */
export const LIST_MIN = 5;

/** Clears the set of matched values of a list, and returns the list as a subject. */
export function beginList(matching: Matching, values: readonly string[]): Subject {
  const subject = listSubject(matching.subjects, values, matching.budget);
  matching.subjects.matched.fill(0, 0, subject.words);
  return subject;
}

/**
 * Adds the values of a list that a pattern matches to the set of matched values. Returns whether there is any.
 *
 * @param isArn only values for which it holds are compared, by segments: `glob` is one of `newArnGlob`
 * @throws StepsExceeded  the budget has fewer steps left than the comparison needs
 */
export function matchList(
  { codes }: Glob,
  texts: readonly string[],
  matching: Matching,
  subject: Subject,
  isArn?: (text: string) => boolean,
): boolean {
  const { subjects, budget } = matching;
  const { row, matched } = subjects;
  const { words, ends } = subject;
  const from = isArn === undefined ? subject.first : arnMask(subjects, subject, isArn, budget);
  takeSteps(budget, words);
  row.set(subjects.arena.subarray(from, from + words));
  RANGE.low = 0;
  RANGE.high = words - 1;
  const reached = advance(matching, subject, codes, 0, codes.length, texts, 32 * words - 1, 0);
  let any = false;
  if (reached) {
    for (let w = RANGE.low; w <= RANGE.high; w++) {
      const found = (row[w] as number) & (subjects.arena[ends + w] as number);
      if (found === 0) continue;
      any = true;
      matched[w] = (matched[w] as number) | found;
    }
  }
  clearRow(row);
  return any;
}

/** Adds one value of a list, by its index, to the set of matched values. */
export function addMatched({ subjects }: Matching, subject: Subject, index: number): void {
  const position = (subject.starts[index] as number) + (subject.texts[index] as string).length;
  subjects.matched[position >>> 5] = (subjects.matched[position >>> 5] as number) | (1 << (position & 31));
}

/** Returns whether every value of a list is in the set of matched values. */
export function allMatched({ subjects }: Matching, subject: Subject): boolean {
  for (let w = 0; w < subject.words; w++) if (subjects.matched[w] !== subjects.arena[subject.ends + w]) return false;
  return true;
}
