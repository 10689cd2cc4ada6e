/**
 * Compiled patterns with `*`, `?` and variables, and the working memory of comparisons. `glob-match.ts` compares a
 * pattern with one value. `glob-list.ts` compares a pattern with a list of values.
 */
import type { Piece } from './pattern.ts';
import type { StepBudget } from './steps.ts';
import { newSubjects, type Subjects } from './subject.ts';

/** Codes of the wildcards `*` and `?` in a pattern. Codes of 0 or more are UTF-16 units. */
export const MANY = -1;
export const ONE = -2;
/** Code of the first variable of a pattern. The variable with index `k` has the code `VARIABLE - k`. */
export const VARIABLE = -16;

export type Variable = Extract<Piece, { kind: 'variable' }>;

/** Compiled pattern. Consecutive `*` are merged. */
export interface Glob {
  readonly codes: Int32Array;
  readonly variables: readonly Variable[];
  /** Number of characters and `?` in the pattern. If all variables are empty, this is the minimum length of a match. */
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

/**
 * Creates the working memory of comparisons. `wordsMax` is the maximum number of words in the bitmaps of one value. If
 * a comparison needs longer bitmaps, it throws `StepsExceeded`.
 */
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

/** Returns the length of the shortest string that the pattern matches. `texts` has the values of its variables. */
export function leastLength({ least, variables }: Glob, texts: readonly string[]): number {
  let length = least;
  for (let i = 0; i < variables.length; i++) length += (texts[i] as string).length;
  return length;
}
