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
  conjunction,
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
  const reached = advance(matching, subject, codes, firstMany, lastMany, texts, end, ahead, -1) && leastPosition(row) <= end;
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
 * `from` is the offset of the positions to begin with, -1 if they are in the row.
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
  from: number,
): boolean {
  const { subjects, budget } = matching;
  const { row } = subjects;
  let { low, high } = RANGE;
  let rest = ahead;
  /** Mask of the runs that a `*` before the next code reaches; 0 if there is none. */
  let run = 0;
  let source = from < 0 ? row : subjects.arena;
  let offset = Math.max(from, 0);
  for (let i = first; i < last; ) {
    budget.stepsLeft -= high - low + 1;
    if (budget.stepsLeft < 0) {
      row.fill(0, low, high + 1);
      throw new StepsExceeded();
    }
    const code = codes[i] as number;
    if (code === MANY || code === MANY_IN_SEGMENT) {
      const most = Math.min((end - rest) >>> 5, subject.words - 1);
      if (code === MANY && subject.texts.length === 1 && source === row) high = fillAll(row, low, high, most);
      else run = code === MANY ? subject.inside : segmentMask(subjects, subject, budget);
      i++;
      continue;
    }
    let length = 1;
    let mask = 0;
    if (code <= VARIABLE) {
      const text = texts[VARIABLE - code] as string;
      i++;
      if (text.length === 0) continue;
      length = text.length;
      mask = occurrenceMask(subjects, subject, text, budget);
    } else {
      length = gramLength(codes, i, last);
      if (length > 1) mask = gramMask(subjects, subject, codes, i, length, budget);
      if (mask === 0) {
        length = 1;
        mask = codeMask(subjects, subject, code, budget);
      }
      i += length;
    }
    if (mask < 0) return source === row ? ended(low, high, false) : ended(0, -1, false);
    // A new mask may have moved the arena.
    if (source !== row) source = subjects.arena;
    rest -= length;
    const most = Math.min((end - rest) >>> 5, subject.words - 1);
    if (length > 31) {
      if (source !== row) row.set(source.subarray(offset, offset + subject.words));
      if (run > 0) high = fill(row, subjects.arena, run, low, high, subject.words - 1);
      high = leapFar(row, subjects.arena, mask, low, high, most, length);
    } else if (run > 0) high = fillAndLeap(row, source, offset, subjects.arena, run, mask, low, high, most, length);
    else high = leap(row, source, offset, subjects.arena, mask, low, high, most, length);
    run = 0;
    source = row;
    offset = 0;
    while (low <= high && row[low] === 0) low++;
    while (low < high && row[high] === 0) high--;
    if (low > high) break;
  }
  if (source !== row) row.set(source.subarray(offset, offset + subject.words));
  if (run > 0 && low <= high) high = fill(row, subjects.arena, run, low, high, subject.words - 1);
  return ended(low, high, low <= high);
}

function ended(low: number, high: number, reached: boolean): boolean {
  RANGE.low = low;
  RANGE.high = high;
  return reached;
}

/** Most units that are advanced in one pass: the positions of such a gram are found once for each subject. */
const GRAM = 4;
/** Most grams of one subject that are kept. Text with more of them matches no pattern for long. */
const GRAMS_MAX = 512;
/** Bytes of a gram that stand for a wildcard, one in a segment, and no unit. */
const [ANY, ANY_IN_SEGMENT, NO_UNIT] = [0, 1, 2];

/** The byte of a code in a gram; -1 if it has none. */
function gramByte(code: number): number {
  if (code === ONE) return ANY;
  if (code === ONE_IN_SEGMENT) return ANY_IN_SEGMENT;
  return code > NO_UNIT && code < 256 ? code : -1;
}

/** Number of codes from `at` on that form a gram: at most `GRAM`. */
function gramLength(codes: Int32Array, at: number, last: number): number {
  let length = 0;
  while (length < GRAM && at + length < last && gramByte(codes[at + length] as number) >= 0) length++;
  return length;
}

/** The offset of the positions at which a gram can be consumed; -1 if there is none, and 0 if no more grams are kept. */
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

/** The offset of the positions at which a code of one unit can be consumed; -1 if there is none. */
function codeMask(subjects: Subjects, subject: Subject, code: number, budget: StepBudget): number {
  if (code >= 0) return unitMask(subjects, subject, code, budget);
  return code === ONE ? subject.inside : segmentMask(subjects, subject, budget);
}

/** Moves each position of the source at which the mask is set by `length`, which is less than 32, and writes the row. Returns the last word that may hold one. */
function leap(
  row: Int32Array,
  source: Int32Array,
  offset: number,
  arena: Int32Array,
  mask: number,
  low: number,
  high: number,
  most: number,
  length: number,
): number {
  const down = 32 - length;
  let carry = 0;
  for (let w = low; w <= high; w++) {
    const kept = (source[offset + w] as number) & (arena[mask + w] as number);
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

/** As `leap`, by a word or more. */
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

/** Adds every position after the least one. In a single string, that is what a `*` reaches. */
function fillAll(row: Int32Array, low: number, high: number, most: number): number {
  const word = row[low] as number;
  row[low] = word | -word;
  if (most > low) row.fill(-1, low + 1, most + 1);
  return Math.max(high, most);
}

/**
 * Adds every position that a run of units leads to from a position of the row (MatchStar of Parabix: an addition carries from the
 * position to the end of the run).
 */
function fill(row: Int32Array, arena: Int32Array, run: number, low: number, high: number, most: number): number {
  let carry = 0;
  let w = low;
  for (; w <= most && (w <= high || carry > 0); w++) {
    const reached = row[w] as number;
    const units = arena[run + w] as number;
    const added = reached & units;
    const sum = (added + units + carry) | 0;
    carry = (added | (units & ~sum)) >>> 31;
    row[w] = (sum ^ units) | reached;
  }
  return Math.max(high, w - 1);
}

/** `fill` and `leap` in one pass. */
function fillAndLeap(
  row: Int32Array,
  source: Int32Array,
  offset: number,
  arena: Int32Array,
  run: number,
  mask: number,
  low: number,
  high: number,
  most: number,
  length: number,
): number {
  const down = 32 - length;
  let added = 0;
  let moved = 0;
  let w = low;
  for (; w <= most && (w <= high || added > 0 || moved !== 0); w++) {
    const reached = source[offset + w] as number;
    const units = arena[run + w] as number;
    const from = reached & units;
    const sum = (from + units + added) | 0;
    added = (from | (units & ~sum)) >>> 31;
    const kept = ((sum ^ units) | reached) & (arena[mask + w] as number);
    row[w] = (kept << length) | moved;
    moved = kept >>> down;
  }
  if (high >= w) row.fill(0, w, high + 1);
  return w - 1;
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
  glob: Glob,
  texts: readonly string[],
  matching: Matching,
  subject: Subject,
  isArn?: (text: string) => boolean,
): boolean {
  const { subjects, budget } = matching;
  const { row, matched } = subjects;
  const { words, ends } = subject;
  const { codes } = glob;
  if (isArn === undefined && glob.firstMany < 0 && glob.variables.length === 0) return matchEach(glob, matching, subject);
  const from = isArn === undefined ? subject.first : arnMask(subjects, subject, isArn, budget);
  takeSteps(budget, words);
  // A leading `*` reaches every position.
  const everywhere = codes[0] === MANY;
  const begin = everywhere ? subject.everywhere : from;
  RANGE.low = 0;
  RANGE.high = words - 1;
  const reached = advance(matching, subject, codes, everywhere ? 1 : 0, codes.length, texts, 32 * words - 1, 0, begin);
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

/** As `matchList`, for a pattern that is compared with values of its own length only. */
function matchEach(glob: Glob, matching: Matching, subject: Subject): boolean {
  const { texts } = subject;
  takeSteps(matching.budget, 1 + texts.length);
  let any = false;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as string;
    if (text.length !== glob.least || !globMatches(glob, NO_TEXTS, matching, text, 0, text.length)) continue;
    addMatched(matching, subject, i);
    any = true;
  }
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
