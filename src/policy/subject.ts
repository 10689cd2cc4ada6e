/**
 * Subjects: strings that patterns are matched against, in the form of bitmaps. For each UTF-16 unit, a bitmap has the
 * positions at which the unit occurs.
 *
 * A subject is one string, or all strings of a list one after the other. A string of `n` units occupies `n + 1`
 * positions: one for each unit, and one for the end of the string. All bitmaps of a subject have `words` words of 32
 * positions. Each string begins at the first position of a word.
 */
import { type StepBudget, StepsExceeded, takeSteps } from './steps.ts';

export interface Subject {
  readonly texts: readonly string[];
  /** Position of the first unit of each string. */
  readonly starts: readonly number[];
  readonly words: number;
  /** `longest`: length of the longest string. `lengths`: lengths of all strings. */
  readonly longest: number;
  readonly lengths: ReadonlySet<number>;
  /**
   * Offset of a bitmap in the arena (the memory of all bitmaps). The bitmap has the positions of all units, without the
   * ends of the strings.
   */
  readonly inside: number;
  /**
   * Offset in the arena of a table for the units below 256. An entry is the offset of the unit's bitmap, 0 if the
   * bitmap is not created yet, or -1 if the unit does not occur.
   */
  readonly units: number;
  /** Positions of the units with a code of 256 or more, by unit. */
  readonly others: ReadonlyMap<number, readonly number[]> | undefined;
  readonly otherUnits: Map<number, number>;
  /**
   * Offsets of bitmaps, by gram (a few consecutive units, which `glob-row.ts` encodes as a number). A bitmap has the
   * positions at which the gram occurs. The offset is -1 if the gram does not occur.
   */
  readonly grams: Map<number, number>;
  /**
   * Offset of a bitmap for each value of a variable. The bitmap has the positions at which the value occurs. The offset
   * is -1 if the value does not occur.
   */
  readonly occurrences: Map<string, number>;
}

/**
 * Cache of the subjects of recent decisions, and the memory of their bitmaps. An entry of `texts` never becomes stale,
 * because its key is the string itself. `forgetLists` clears the entries of lists.
 */
export interface Subjects {
  arena: Int32Array;
  /** Offset of the first free word in the arena. Word 0 is never used, so an offset of 0 can mean "not created". */
  top: number;
  readonly texts: Map<string, Subject>;
  readonly lists: Map<readonly string[], Subject>;
  /** Cache of the segments of the ARNs in a list, by the list. */
  readonly segments: Map<readonly string[], ListSegments>;
  /** Maximum number of words in the bitmaps of one subject. */
  readonly wordsMax: number;
  /** Positions that a pattern has reached, as bits. All bits are zero between comparisons. */
  row: Int32Array;
}

/** Values of a list that are ARNs, split into segments. */
export interface ListSegments {
  /** Indexes of the ARNs in the list. */
  readonly indexes: readonly number[];
  /** Six lists, one for each segment, in the order of the ARNs. */
  readonly lists: readonly (readonly string[])[];
}

/**
 * Maximum number of cached words in the arena (4 MB). The context of one valid request requires at most a quarter of
 * these words.
 */
const ARENA_MAX = 2 ** 20;
const ARENA_MIN = 2 ** 12;
/**
 * Maximum number of cached subjects. A subject is a string that patterns are compared with. A request needs at most about
 * 250, one for each context value.
 */
const SUBJECTS_MAX = 1024;

/**
 * Creates an empty cache. `wordsMax` limits the words in the bitmaps of one subject.
 * A word has one bit for each of 32 UTF-16 units.
 */
export function newSubjects(wordsMax: number): Subjects {
  return {
    wordsMax,
    arena: new Int32Array(ARENA_MIN),
    top: 1,
    texts: new Map(),
    lists: new Map(),
    segments: new Map(),
    row: new Int32Array(64),
  };
}

/**
 * Clears the cache entries of lists. The key of an entry is the list object, so a change of the list's contents makes
 * the entry stale. Callers must call this function before they use a list that can have changed.
 */
export function forgetLists(subjects: Subjects): void {
  if (subjects.lists.size > 0) subjects.lists.clear();
  if (subjects.segments.size > 0) subjects.segments.clear();
}

export function subjectOf(subjects: Subjects, text: string, budget: StepBudget): Subject {
  let subject = subjects.texts.get(text);
  if (subject === undefined) {
    subject = newSubject(subjects, [text], budget);
    subjects.texts.set(text, subject);
  }
  return subject;
}

export function listSubject(subjects: Subjects, texts: readonly string[], budget: StepBudget): Subject {
  let subject = subjects.lists.get(texts);
  if (subject === undefined) {
    subject = newSubject(subjects, texts, budget);
    subjects.lists.set(texts, subject);
  }
  return subject;
}

const UNITS = 256;

function newSubject(subjects: Subjects, texts: readonly string[], budget: StepBudget): Subject {
  if (subjects.top > ARENA_MAX || subjects.texts.size + subjects.lists.size >= SUBJECTS_MAX) forgetAll(subjects);
  let words = 0;
  let longest = 0;
  const starts: number[] = [];
  for (const text of texts) {
    starts.push(32 * words);
    words += (text.length >>> 5) + 1;
    longest = Math.max(longest, text.length);
  }
  if (words > subjects.wordsMax) throw new StepsExceeded();
  takeSteps(budget, 32 * words);
  if (subjects.row.length < words) subjects.row = new Int32Array(2 * words);
  const inside = allocate(subjects, words + UNITS);
  const { arena } = subjects;
  let others: Map<number, number[]> | undefined;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as string;
    const start = starts[i] as number;
    for (let at = 0; at < text.length; at++) {
      setBit(arena, inside, start + at);
      const unit = text.charCodeAt(at);
      if (unit < UNITS) continue;
      others ??= new Map();
      const known = others.get(unit);
      if (known === undefined) others.set(unit, [start + at]);
      else known.push(start + at);
    }
  }
  return {
    texts,
    starts,
    words,
    longest,
    lengths: new Set(texts.map(({ length }) => length)),
    inside,
    units: inside + words,
    others,
    otherUnits: new Map(),
    grams: new Map(),
    occurrences: new Map(),
  };
}

function forgetAll(subjects: Subjects): void {
  subjects.texts.clear();
  subjects.lists.clear();
  subjects.segments.clear();
  subjects.top = 1;
  if (subjects.arena.length > ARENA_MAX) subjects.arena = new Int32Array(ARENA_MIN);
}

/** Allocates `words` zero words and returns their offset. Replaces the arena if it is full, so callers must read `arena` again. */
function allocate(subjects: Subjects, words: number): number {
  const offset = subjects.top;
  const end = offset + words;
  if (end > subjects.arena.length) {
    const wider = new Int32Array(2 * end);
    wider.set(subjects.arena.subarray(0, offset));
    subjects.arena = wider;
  } else {
    subjects.arena.fill(0, offset, end);
  }
  subjects.top = end;
  return offset;
}

function setBit(arena: Int32Array, offset: number, position: number): void {
  const word = offset + (position >>> 5);
  arena[word] = (arena[word] as number) | (1 << (position & 31));
}

/**
 * Returns the offset of the bitmap of a UTF-16 unit, or -1 if the unit does not occur.
 *
 * This function and the functions below subtract steps from the budget without a check. The calling comparison checks
 * the budget.
 */
export function unitMask(subjects: Subjects, subject: Subject, unit: number, budget: StepBudget): number {
  if (unit >= UNITS) return otherMask(subjects, subject, unit, budget);
  const known = subjects.arena[subject.units + unit] as number;
  if (known !== 0) return known;
  const char = String.fromCharCode(unit);
  let offset = -1;
  for (let i = 0; i < subject.texts.length; i++) {
    const text = subject.texts[i] as string;
    for (let at = text.indexOf(char); at >= 0; at = text.indexOf(char, at + 1)) {
      if (offset < 0) offset = allocate(subjects, subject.words);
      setBit(subjects.arena, offset, (subject.starts[i] as number) + at);
    }
  }
  subjects.arena[subject.units + unit] = offset;
  budget.stepsLeft -= 16 * subject.words;
  return offset;
}

function otherMask(subjects: Subjects, subject: Subject, unit: number, budget: StepBudget): number {
  const positions = subject.others?.get(unit);
  if (positions === undefined) return -1;
  const known = subject.otherUnits.get(unit);
  if (known !== undefined) return known;
  const offset = allocate(subjects, subject.words);
  for (const position of positions) setBit(subjects.arena, offset, position);
  subject.otherUnits.set(unit, offset);
  budget.stepsLeft -= subject.words + positions.length;
  return offset;
}

/**
 * Combines the masks (bitmaps) of consecutive units. Position p is in the result if, for each i from 0 to `count - 1`,
 * position p + i is in mask i. Returns the offset of the result, or -1 if the result is empty.
 */
export function conjunction(subjects: Subjects, { words }: Subject, masks: Int32Array, count: number, budget: StepBudget): number {
  budget.stepsLeft -= words * count;
  const offset = allocate(subjects, words);
  const { arena } = subjects;
  let any = 0;
  for (let w = 0; w < words; w++) {
    let both = arena[(masks[0] as number) + w] as number;
    for (let i = 1; i < count; i++) {
      const at = (masks[i] as number) + w;
      const next = w + 1 < words ? (arena[at + 1] as number) << (32 - i) : 0;
      both &= ((arena[at] as number) >>> i) | next;
    }
    arena[offset + w] = both;
    any |= both;
  }
  if (any !== 0) return offset;
  subjects.top = offset;
  return -1;
}

/**
 * Returns the offset of a bitmap with the positions at which `part` occurs, or -1 if `part` does not occur. `part` must
 * not be empty. The time is linear in the length of the subject plus the length of `part`.
 */
export function occurrenceMask(subjects: Subjects, subject: Subject, part: string, budget: StepBudget): number {
  if (part.length > subject.longest) return -1;
  const known = subject.occurrences.get(part);
  if (known !== undefined) return known;
  budget.stepsLeft -= 32 * subject.words + 2 * part.length;
  const borders = bordersOf(part);
  let offset = -1;
  for (let i = 0; i < subject.texts.length; i++) {
    const text = subject.texts[i] as string;
    let matched = 0;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      while (matched > 0 && unit !== part.charCodeAt(matched)) matched = borders[matched - 1] as number;
      if (unit === part.charCodeAt(matched)) matched++;
      if (matched < part.length) continue;
      if (offset < 0) offset = allocate(subjects, subject.words);
      setBit(subjects.arena, offset, (subject.starts[i] as number) + at + 1 - part.length);
      matched = borders[matched - 1] as number;
    }
  }
  subject.occurrences.set(part, offset);
  return offset;
}

/**
 * Returns the length of the longest border for each prefix of `part` (Knuth, Morris, Pratt). A border of a string is a
 * shorter prefix that is also a suffix of the string.
 */
function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length);
  for (let i = 1, length = 0; i < part.length; i++) {
    while (length > 0 && part.charCodeAt(i) !== part.charCodeAt(length)) length = borders[length - 1] as number;
    if (part.charCodeAt(i) === part.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}
