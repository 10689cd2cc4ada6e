import { newGlob } from '../glob.ts';
import { matchesText } from '../glob-match.ts';
import { readPattern } from '../pattern.ts';
import { type StepBudget, takeSteps } from '../steps.ts';

/**
 * Compiles a pattern with wildcards to a function. The function reports whether the pattern matches a whole string.
 * `${…}` is literal.
 *
 * @throws StepsExceeded  too few steps are left. The returned function also throws this error.
 */
export function globOf(pattern: string, budget: StepBudget): (text: string) => boolean {
  takeSteps(budget, 16 + pattern.length * 8);
  const read = readPattern(pattern, true, false);
  const glob = newGlob('problem' in read ? [] : read.pieces);
  return (text) => matchesText(glob, text, 0, text.length, budget);
}

/**
 * Reports whether `wider` certainly matches every string that `narrower` matches. If the result is false, `wider` may
 * still match all these strings.
 */
export function globCovers(wider: string, narrower: string, budget: StepBudget): boolean {
  if (wider === narrower) return true;
  // The comparison below reads `narrower` as a literal string. There, `?` would match the character `*`. But `*` in
  // `narrower` stands for any number of characters, and `?` matches only one.
  if (wider.includes('?') && narrower.includes('*')) return false;
  return globOf(wider, budget)(narrower);
}

/** Reports whether a string contains `*` or `?`. */
export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?');
}
