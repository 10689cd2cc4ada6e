/**
 * Strings that patterns are matched against, as bits: for each character, the positions at which it occurs.
 *
 * A subject is one string, or the strings of a list one after the other, each of which begins with a new word. A string of
 * `n` units occupies `n + 1` positions: one for each unit, and one for its end. All bitmaps of a subject have `words` words of
 * 32 positions.
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
  /** Offset of the bitmap of the positions of units in the arena. */
  readonly inside: number;
  /** Offset of a table with the offset of the bitmap of each unit below 256. 0: not created yet. -1: the unit does not occur. */
  readonly units: number;
  /** Positions of the units from 256, by unit. */
  readonly others: ReadonlyMap<number, readonly number[]> | undefined;
  readonly otherUnits: Map<number, number>;
  /** Offsets of the bitmaps of positions of a gram (consecutive units), by the number of the gram in `glob-row.ts`. -1: it does not occur. */
  readonly grams: Map<number, number>;
  /** Offsets of the bitmaps of positions of a longer string. -1 if it does not occur. */
  readonly occurrences: Map<string, number>;
}

/** Cache of the subjects of recent decisions, and the memory of their bitmaps. Its key is the string itself, so it never becomes stale. */
export interface Subjects {
  arena: Int32Array;
  /** First free word. The first word is never used, so that no offset is 0. */
  top: number;
  readonly texts: Map<string, Subject>;
  readonly lists: Map<readonly string[], Subject>;
  /** Cache of the segments of the ARNs in a list, by the list. */
  readonly segments: Map<readonly string[], ListSegments>;
  /** Maximum number of words in the bitmaps of one subject. */
  readonly wordsMax: number;
  /** Positions that a pattern has reached, as bits. All zero between comparisons. */
  row: Int32Array;
}

/** Values of a list that are ARNs, split into segments. */
export interface ListSegments {
  /** Indexes of the ARNs in the list. */
  readonly indexes: readonly number[];
  /** Six lists, one for each segment, in the order of the ARNs. */
  readonly lists: readonly (readonly string[])[];
}

/** Maximum number of cached words (4 MB). The context of one valid request requires at most a quarter of it. */
const ARENA_MAX = 2 ** 20;
const ARENA_MIN = 2 ** 12;
/** Maximum number of cached subjects. A request has at most about 250 context values. */
const SUBJECTS_MAX = 1024;

/** Creates an empty cache. `wordsMax` limits the words in the bitmaps of one subject. A word is for 32 units. */
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

/** Clears the cached lists. The cache identifies a list by its object, so call this before a list can have changed. */
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
 * Returns the offset of the bitmap of a UTF-16 unit, or -1 if it does not occur.
 *
 * Like the functions below, it takes steps without checking the budget, because the calling comparison checks it.
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
 * Combines the masks of consecutive units. Position p is in the result if p + i is in the i-th mask for each i below `count`. Returns the
 * offset of the bitmap, or -1 if it is empty.
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
 * Returns the offset of the bitmap of positions at which a non-empty `part` occurs, or -1 if it does not occur. Takes linear time in the
 * subject and `part`.
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

/** Returns for each prefix the length of its longest proper prefix that is also its suffix (Knuth, Morris, Pratt). */
function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length);
  for (let i = 1, length = 0; i < part.length; i++) {
    while (length > 0 && part.charCodeAt(i) !== part.charCodeAt(length)) length = borders[length - 1] as number;
    if (part.charCodeAt(i) === part.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}
