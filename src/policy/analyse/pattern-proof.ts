/**
 * Proofs about patterns with wildcards. A result of true is a proof. A result of false means only that no proof was
 * found.
 */
import { type Glob, MANY, newGlob, ONE } from '../glob.ts';
import { matchesText } from '../glob-match.ts';
import type { Piece } from '../pattern.ts';
import { type StepBudget, takeSteps } from '../steps.ts';

/** Cost of one character or wildcard of a pattern, in steps. */
export const STEPS_OF_CODE = 4;

/**
 * Proves that one pattern covers another. For this, replaces each wildcard of the narrower pattern with a character
 * that only wildcards match. If the wider pattern matches the resulting string, it covers the narrower pattern.
 */
export function codesCover(wider: Glob, { codes: narrow }: Glob, budget: StepBudget): boolean {
  const { codes: wide } = wider;
  takeSteps(budget, 4 + 8 * narrow.length);
  // A `?` of the wider pattern would match the character that replaces a `*`, although `*` matches any number of
  // characters. So this pair of patterns must be equal.
  if (wide.includes(ONE) && narrow.includes(MANY)) return same(wide, narrow);
  const text = String.fromCharCode(...[...narrow].slice(0, 4000).map((code) => (code === MANY ? 0xfffe : code === ONE ? 0xffff : code)));
  return narrow.length <= 4000 && matchesText(wider, text, 0, text.length, budget);
}

function same(left: Int32Array, right: Int32Array): boolean {
  return left.length === right.length && left.every((code, i) => code === right[i]);
}

/** Compiles a pattern without policy variables. Returns `undefined` if the pattern has a variable. */
export function plainGlob(pieces: readonly Piece[], budget: StepBudget): Glob | undefined {
  if (pieces.some(({ kind }) => kind === 'variable')) return undefined;
  takeSteps(budget, pieces.reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.text.length : 1), 4) * STEPS_OF_CODE);
  return newGlob(pieces);
}

/**
 * Reports whether some string matches both patterns. The work is the product of their lengths. If the product exceeds
 * four million, returns true without a comparison.
 */
export function codesMeet({ codes: left }: Glob, { codes: right }: Glob, budget: StepBudget): boolean {
  if (left.length * right.length > 4_000_000) return true;
  takeSteps(budget, 4 + 2 * (left.length + 1) * (right.length + 1));
  let row = new Uint8Array(right.length + 1);
  row[0] = 1;
  for (let j = 1; j <= right.length && right[j - 1] === MANY; j++) row[j] = 1;
  for (const a of left) {
    const next = new Uint8Array(right.length + 1);
    next[0] = a === MANY ? (row[0] as number) : 0;
    for (let j = 1; j <= right.length; j++) {
      const b = right[j - 1];
      if (a === MANY || b === MANY) next[j] = (row[j] as number) | (next[j - 1] as number);
      else next[j] = a === b || a === ONE || b === ONE ? (row[j - 1] as number) : 0;
    }
    row = next;
  }
  return row[right.length] === 1;
}
