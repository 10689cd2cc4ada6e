/**
 * Matching of patterns with `*`, `?` and variables, without backtracking.
 *
 * A pattern consists of units: UTF-16 code units, wildcards and variables. So `?` matches half of a surrogate pair. The
 * matcher reads one unit of the pattern at a time. After each unit, it stores the positions of the value that the
 * pattern has reached, as bits in 32-bit words.
 *
 * One comparison takes at most (units of the pattern) x (words of the value's bitmaps) steps. This is at most a
 * constant x (length of the value) x ceil(length of the pattern / 32). The bound holds because a pattern with more
 * units than the value does not match, and a variable counts as one unit.
 */
import { type Glob, leastLength, MANY, type Matching, newMatching, ONE, VARIABLE } from './glob.ts';
import { advance, clearRow, leastPosition, RANGE } from './glob-row.ts';
import { type StepBudget, takeSteps } from './steps.ts';
import { subjectOf } from './subject.ts';

const NO_TEXTS: readonly string[] = [];

/**
 * Unlimited budget for comparisons outside decisions. They need no limit, because the engine compares an action with a
 * policy only once and caches the result, and quotas limit the length of policies.
 */
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
  // Four units at fixed positions count as one step, because comparing a unit costs less than searching for it.
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
  // Only the smallest reached position matters here. The last `*` matches everything from this position to `end`.
  const reached = advance(matching, subject, codes, firstMany, lastMany, texts, end, ahead) && leastPosition(row) <= end;
  clearRow(row);
  return reached;
}

/** Reports whether `part` occurs at `from`. The text must be long enough. */
function occursAt(text: string, from: number, part: string): boolean {
  for (let i = part.length - 1; i >= 0; i--) {
    if (text.charCodeAt(from + i) !== part.charCodeAt(i)) return false;
  }
  return true;
}
