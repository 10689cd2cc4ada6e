/**
 * Matching of patterns with the values of a list. The values form one subject (bitmaps of their characters), so that
 * each value is read once for all patterns.
 */
import { type Glob, leastLength, MANY, type Matching } from './glob.ts';
import { globMatches } from './glob-match.ts';
import { leapFar, NEXT, next } from './glob-row.ts';
import { StepsExceeded, takeSteps } from './steps.ts';
import { listSubject, type Subject } from './subject.ts';

const NO_TEXTS: readonly string[] = [];

/**
 * Minimum length of a list whose values are matched together, as one subject. The values of a shorter list are matched
 * one by one.
 */
export const LIST_MIN = 5;

/**
 * Sets `found[i]` to 1 for each index `i` of a value that the pattern matches. Reports whether the pattern matches any
 * value. Does not clear other entries of `found`.
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

/**
 * Advances the row over the codes of the pattern, beginning with the code at index `first`. The row is the set of
 * positions that the pattern has reached, as bits. All values of the list share one row. Returns whether any position
 * is left.
 */
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
  // If an empty variable follows the last `*`, the loop ends before it applies this `*`.
  if (many && codes[codes.length - 1] !== MANY) fillLists(row, subject);
  return true;
}

/**
 * Does the work of `leapAll` for a row whose only positions are the starts of the strings. Returns whether any position
 * is left.
 */
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

/**
 * Removes all positions from the row that the bitmap at the offset `mask` does not have, and advances the remaining
 * positions by `length`. Returns whether any position is left.
 */
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

/** In each string, sets the bits of all positions after the smallest reached one, because a `*` reaches all of them. */
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

/** Does the work of `fillLists` and then of `leapAll`, in one pass over the row. */
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

/**
 * Does the work of `matchList` for a pattern without `*` and variables, which matches only values of its own length.
 */
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
