/** Position in the text of a filter pattern, with the functions that all three kinds of patterns need. */
import type { ValueTerm, ValueTest } from './pattern.ts';

/** Problem of a pattern. `message` is the message of `InvalidParameterException`. */
export class PatternProblem extends Error {}

/** Maximum length of the quoted part of a pattern in a message. */
const QUOTED_MAX = 64;

export interface Cursor {
  readonly text: string;
  at: number;
}

const WORD = /[A-Za-z0-9_]/;

/** Reports whether a character may be in a term without quotes: letters, digits and underscores. Assumed: also all characters outside ASCII. */
export function isWordCharacter(character: string): boolean {
  return character > '\x7f' || WORD.test(character);
}

export function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

export function skipSpace(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && isSpace(cursor.text.charAt(cursor.at))) cursor.at++;
}

/** Skips white space and then `token`, if it is there. Reports whether it was. */
export function take(cursor: Cursor, token: string): boolean {
  skipSpace(cursor);
  if (!cursor.text.startsWith(token, cursor.at)) return false;
  cursor.at += token.length;
  return true;
}

/**
 * Returns the problem of a term, which may be a part of one.
 *
 * Recorded: a public report of 2024 for TestMetricFilter, `{ $.someInt >= "someString" }`: the term has its quotes. Public reports for
 * FilterLogEvents: `Invalid character(s) in term ':'` and `… '['`, so only the invalid characters of a word.
 */
export function invalidTerm(term: string): PatternProblem {
  return new PatternProblem(`Invalid character(s) in term '${term.slice(0, QUOTED_MAX)}'`);
}

/** Returns the problem of the text at the cursor, up to the next white space. */
export function invalidHere({ text, at }: Cursor): PatternProblem {
  let end = at;
  while (end < text.length && !isSpace(text.charAt(end))) end++;
  return invalidTerm(text.slice(at, end));
}

/** Returns the problem of a regular expression, which AWS allows between two percent signs. */
export function regularExpression(): PatternProblem {
  return new PatternProblem('Regular expressions in filter patterns are not implemented yet by Belfry.');
}

/** Reads a string in double quotes. A backslash before a quote or a backslash removes its meaning. @throws PatternProblem  it is not closed */
export function readQuoted(cursor: Cursor): string {
  const { text } = cursor;
  let value = '';
  for (let i = cursor.at + 1; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '"') {
      cursor.at = i + 1;
      return value;
    }
    const next = text.charAt(i + 1);
    if (character === '\\' && (next === '"' || next === '\\')) {
      value += next;
      i++;
    } else value += character;
  }
  throw invalidTerm(text.slice(cursor.at));
}

/** Characters that end a value without quotes. */
const ENDS = ' \t\n\r"()[]{}&|,=!<>%';

function readUnquoted(cursor: Cursor): string {
  const from = cursor.at;
  while (cursor.at < cursor.text.length && !ENDS.includes(cursor.text.charAt(cursor.at))) cursor.at++;
  if (cursor.at === from) throw cursor.text.charAt(from) === '%' ? regularExpression() : invalidHere(cursor);
  return cursor.text.slice(from, cursor.at);
}

/** Each character can match in one way only, so the time is linear in the length of a message. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Returns the value of a number in decimal or scientific notation, or `undefined`. */
export function toNumber(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Operators. A longer one comes before its prefix. */
const OPERATORS = ['!=', '<=', '>=', '=', '<', '>'] as const;

/** Reads an operator and a value. Returns `undefined` and reads nothing if there is no operator. */
export function readTest(cursor: Cursor): ValueTest | undefined {
  const operator = OPERATORS.find((each) => take(cursor, each));
  if (operator === undefined) return undefined;
  skipSpace(cursor);
  const from = cursor.at;
  const isQuoted = cursor.text.charAt(from) === '"';
  const text = isQuoted ? readQuoted(cursor) : readUnquoted(cursor);
  if (operator === '=' || operator === '!=') return { operator, term: toTerm(text, isQuoted) };
  const number = isQuoted ? undefined : toNumber(text);
  if (number === undefined) throw invalidTerm(isQuoted ? cursor.text.slice(from, cursor.at) : `"${text}"`);
  return { operator, number };
}

function toTerm(text: string, isQuoted: boolean): ValueTerm {
  const number = isQuoted ? undefined : toNumber(text);
  if (number !== undefined) return { text, anyBefore: false, anyAfter: false, number };
  const anyBefore = text.startsWith('*');
  const rest = anyBefore ? text.slice(1) : text;
  const anyAfter = rest.endsWith('*');
  return { text: anyAfter ? rest.slice(0, -1) : rest, anyBefore, anyAfter };
}
