/**
 * Compiled patterns with `*`, `?` and variables, and the working memory of their comparisons. `glob-match.ts` compares them with one value,
 * `glob-list.ts` with a list.
 */
import type { Piece } from './pattern.ts';
import type { StepBudget } from './steps.ts';
import { newSubjects, type Subjects } from './subject.ts';

/** Codes of the wildcards `*` and `?` in a pattern. All codes from 0 are UTF-16 units. */
export const MANY = -1;
export const ONE = -2;
/** Code of a variable: the k-th variable is `VARIABLE - k`. */
export const VARIABLE = -16;

export type Variable = Extract<Piece, { kind: 'variable' }>;

/** Compiled pattern. Consecutive `*` are merged. */
export interface Glob {
  readonly codes: Int32Array;
  readonly variables: readonly Variable[];
  /** Number of units and `?`, which is the minimum length of a match without the values of the variables. */
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

/** Creates the memory of comparisons. `wordsMax` limits the words in the bitmaps of one value. A longer value exceeds every budget. */
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

/** Returns the length of the shortest match. */
export function leastLength({ least, variables }: Glob, texts: readonly string[]): number {
  let length = least;
  for (let i = 0; i < variables.length; i++) length += (texts[i] as string).length;
  return length;
}
