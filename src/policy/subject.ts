/**
 * Strings that patterns are matched against, as bits: for each character, the positions at which it occurs.
 *
 * A subject is one string, or the strings of a list one after the other. The i-th string of `n` units occupies `n + 1`
 * positions: one for each unit, and one for its end. All bitmaps of a subject have `words` words of 32 positions.
 */
import { type StepBudget, takeSteps } from './steps.ts';

export interface Subject {
  readonly texts: readonly string[];
  /** Position of the first unit of each string. */
  readonly starts: readonly number[];
  readonly words: number;
  /** Length of the longest string. */
  readonly longest: number;
  /** Offsets of bitmaps in the arena: positions of units, first positions, end positions. */
  readonly inside: number;
  readonly first: number;
  readonly ends: number;
  /** Offset of a table with the offset of each bitmap of a unit below 256: 0 is not built yet, -1 does not occur. */
  readonly units: number;
  /** Positions of the other units. */
  readonly others: ReadonlyMap<number, readonly number[]> | undefined;
  readonly otherUnits: Map<number, number>;
  /** Offsets of bitmaps of the positions at which a longer string occurs; -1 if it does not. */
  readonly occurrences: Map<string, number>;
  /** Offsets: units other than `:`, and first positions of ARNs; 0 is not built yet. */
  segments: number;
  arns: number;
}

/** Subjects of recent decisions, and the memory of their bitmaps. Contents, not requests, identify a string: it never becomes stale. */
export interface Subjects {
  arena: Int32Array;
  /** First free word. The first word is never used, so that no offset is 0. */
  top: number;
  readonly texts: Map<string, Subject>;
  readonly lists: Map<readonly string[], Subject>;
  /** Positions that a pattern has reached. All zero between two comparisons. */
  row: Int32Array;
  /** End positions of the strings of a list that some pattern matches. */
  matched: Int32Array;
}

/** Most words of bitmaps that are kept: 4 MB. The context of one legal request needs a quarter of it. */
const ARENA_MAX = 2 ** 20;
const ARENA_MIN = 2 ** 12;
/** Most subjects that are kept. A request has at most some 250 context values. */
const SUBJECTS_MAX = 1024;

export function newSubjects(): Subjects {
  return {
    arena: new Int32Array(ARENA_MIN),
    top: 1,
    texts: new Map(),
    lists: new Map(),
    row: new Int32Array(64),
    matched: new Int32Array(64),
  };
}

/** Forgets the lists, which are recognized by identity. Required before a list may have changed. */
export function forgetLists(subjects: Subjects): void {
  if (subjects.lists.size > 0) subjects.lists.clear();
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
const COLON = 0x3a;

function newSubject(subjects: Subjects, texts: readonly string[], budget: StepBudget): Subject {
  if (subjects.top > ARENA_MAX || subjects.texts.size + subjects.lists.size >= SUBJECTS_MAX) forgetAll(subjects);
  let positions = 0;
  let longest = 0;
  const starts: number[] = [];
  for (const text of texts) {
    starts.push(positions);
    positions += text.length + 1;
    longest = Math.max(longest, text.length);
  }
  takeSteps(budget, positions);
  const words = (positions + 31) >>> 5;
  if (subjects.row.length < words) {
    subjects.row = new Int32Array(2 * words);
    subjects.matched = new Int32Array(2 * words);
  }
  const inside = allocate(subjects, 3 * words + UNITS);
  const first = inside + words;
  const ends = first + words;
  const { arena } = subjects;
  let others: Map<number, number[]> | undefined;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as string;
    const start = starts[i] as number;
    setBit(arena, first, start);
    setBit(arena, ends, start + text.length);
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
    inside,
    first,
    ends,
    units: ends + words,
    others,
    otherUnits: new Map(),
    occurrences: new Map(),
    segments: 0,
    arns: 0,
  };
}

function forgetAll(subjects: Subjects): void {
  subjects.texts.clear();
  subjects.lists.clear();
  subjects.top = 1;
  if (subjects.arena.length > ARENA_MAX) subjects.arena = new Int32Array(ARENA_MIN);
}

/** The offset of `words` words, all zero. Moves the arena if it is full: callers read `arena` again. */
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
 * The offset of the bitmap of a UTF-16 unit; -1 if it does not occur.
 *
 * Takes its steps without a check, as the other functions below do: they run within a comparison, which checks.
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

/** The offset of the bitmap of all units but colons: what a wildcard in one of the first five segments of an ARN matches. */
export function segmentMask(subjects: Subjects, subject: Subject, budget: StepBudget): number {
  if (subject.segments === 0) {
    const colons = unitMask(subjects, subject, COLON, budget);
    const offset = allocate(subjects, subject.words);
    const { arena } = subjects;
    for (let w = 0; w < subject.words; w++) {
      arena[offset + w] = (arena[subject.inside + w] as number) & (colons < 0 ? -1 : ~(arena[colons + w] as number));
    }
    subject.segments = offset;
  }
  return subject.segments;
}

/** The offset of the bitmap of the first positions of those strings that are ARNs, as `isArn` says. */
export function arnMask(subjects: Subjects, subject: Subject, isArn: (text: string) => boolean, budget: StepBudget): number {
  if (subject.arns === 0) {
    budget.stepsLeft -= 32 * subject.words;
    const offset = allocate(subjects, subject.words);
    for (let i = 0; i < subject.texts.length; i++) {
      if (isArn(subject.texts[i] as string)) setBit(subjects.arena, offset, subject.starts[i] as number);
    }
    subject.arns = offset;
  }
  return subject.arns;
}

/** The offset of the bitmap of the positions at which `part`, which is not empty, occurs; -1 if it does not. Linear in both. */
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

/** For each prefix, the length of its longest proper prefix that is also its suffix (Knuth, Morris, Pratt). */
function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length);
  for (let i = 1, length = 0; i < part.length; i++) {
    while (length > 0 && part.charCodeAt(i) !== part.charCodeAt(length)) length = borders[length - 1] as number;
    if (part.charCodeAt(i) === part.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}
