import { type Glob, newGlob } from './glob.ts';
import { LIST_MIN, matchList } from './glob-list.ts';
import { globMatches } from './glob-match.ts';
import { slotOf } from './keys.ts';
import { type Piece, plainText } from './pattern.ts';
import { type RequestRecord, typedValue } from './request.ts';
import { takeSteps } from './steps.ts';
import { fillTexts, variableValue } from './substitute.ts';
import { anyOf, type Exists, type Meets } from './value-tests.ts';

/** Maximum number of strings that are compared one by one, which is faster than hashing for so few. */
const SCANNED_MAX = 4;

/** Returns a function that compares a request value with the values of a string operator without wildcards. */
export function textMeets(values: readonly (readonly Piece[])[], ignoreCase: boolean): Meets {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const plain: string[] = [];
  const tests: Meets[] = [];
  for (const pieces of values) {
    const text = plainText(pieces);
    if (text !== undefined) plain.push(fold(text));
    else if (ignoreCase) tests.push(foldedVariableMeets(pieces));
    else tests.push(variableMeets(pieces));
  }
  const [first] = plain;
  if (plain.length === 1) tests.unshift((_record, value) => fold(value) === first);
  else if (plain.length > 1 && plain.length <= SCANNED_MAX) {
    tests.unshift((_record, value) => {
      const folded = fold(value);
      for (let i = 0; i < plain.length; i++) if (plain[i] === folded) return true;
      return false;
    });
  } else if (plain.length > SCANNED_MAX) {
    const set: ReadonlySet<string> = new Set(plain);
    tests.unshift((_record, value) => set.has(fold(value)));
  }
  return anyOf(tests);
}

function variableMeets(pieces: readonly Piece[]): Meets {
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === 'variable') {
    const { key, fallback } = only;
    const slot = slotOf(key);
    return (record, value) => variableValue(record, slot, key, fallback) === value;
  }
  return likeMeets(pieces);
}

function foldedVariableMeets(pieces: readonly Piece[]): Meets {
  return (record, value) => {
    const folded = foldedValue(record, value);
    return folded === foldedText(record, pieces, folded.length);
  };
}

/** Returns the value in lower case, from a cache. */
function foldedValue({ scratch }: RequestRecord, value: string): string {
  return (typedValue(scratch, value).lower ??= value.toLowerCase());
}

/**
 * Replaces the variables of a policy value and converts the result to lower case. Returns `undefined` if a variable has
 * no value, or if the result is longer than `most`.
 *
 * Unlike the other comparisons, this function concatenates strings. The cost is acceptable, because policies rarely use
 * variables with operators that ignore case. The length is checked before the conversion to lower case. This is safe,
 * because the conversion never shortens a string.
 */
function foldedText(record: RequestRecord, pieces: readonly Piece[], most: number): string | undefined {
  takeSteps(record.scratch.matching.budget, pieces.length + (most >>> 2));
  let joined = '';
  for (const piece of pieces) {
    if (piece.kind === 'text') joined += piece.text;
    else if (piece.kind === 'variable') {
      const text = variableValue(record, slotOf(piece.key), piece.key, piece.fallback);
      if (text === undefined) return undefined;
      joined += text;
    }
    if (joined.length > most) return undefined;
  }
  return joined.toLowerCase();
}

/** Returns a function that compares a list of request values with policy values, ignoring case. */
export function foldedExists(values: readonly (readonly Piece[])[]): Exists {
  const plain = values.map(plainText).filter((text) => text !== undefined);
  const texts: ReadonlySet<string> = new Set(plain.map((text) => text.toLowerCase()));
  const others = values.filter((pieces) => plainText(pieces) === undefined);
  return (record, list, met) => {
    const folded = list.map((value) => foldedValue(record, value));
    const longest = folded.reduce((most, { length }) => Math.max(most, length), 0);
    const filled = others.map((pieces) => foldedText(record, pieces, longest));
    const all = filled.length === 0 ? texts : new Set([...texts, ...filled]);
    return folded.some((value) => all.has(value) === met);
  };
}

/** Returns a function that compares a request value with one pattern. */
export function likeMeets(pieces: readonly Piece[]): Meets {
  const text = plainText(pieces);
  if (text !== undefined) return (_record, value) => value === text;
  const glob = newGlob(pieces);
  return (record, value) => globHolds(record, glob, value, 0, value.length);
}

/** Reports whether a pattern with the values of its variables matches `value[from..to)`. */
export function globHolds(record: RequestRecord, glob: Glob, value: string, from: number, to: number): boolean {
  const { texts, matching } = record.scratch;
  return (glob.variables.length === 0 || fillTexts(record, glob)) && globMatches(glob, texts, matching, value, from, to);
}

/** Returns a function that compares a list of request values with patterns. It calls `few` for short lists. */
export function likeExists(values: readonly (readonly Piece[])[], few: Exists): Exists {
  const plain = values.map(plainText).filter((text) => text !== undefined);
  const globs = values.filter((pieces) => plainText(pieces) === undefined).map(newGlob);
  const set: ReadonlySet<string> = new Set(plain);
  return (record, list, met) => {
    if (list.length < LIST_MIN) return few(record, list, met);
    const found = new Uint8Array(list.length);
    for (let i = 0; i < list.length; i++) {
      if (!set.has(list[i] as string)) continue;
      if (met) return true;
      found[i] = 1;
    }
    for (const glob of globs) if (globInList(record, glob, list, found) && met) return true;
    return !met && found.includes(0);
  };
}

/**
 * Marks in `found` the values of a list that a pattern matches, after replacing its variables. Reports whether there
 * are any such values.
 */
export function globInList(record: RequestRecord, glob: Glob, list: readonly string[], found: Uint8Array): boolean {
  const { matching, texts } = record.scratch;
  return (glob.variables.length === 0 || fillTexts(record, glob)) && matchList(glob, texts, matching, list, found);
}
