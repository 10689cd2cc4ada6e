import { BACKSLASH, QUOTE } from '#core/json-characters.ts';
import { characterText, continuesIdentifier, JsonProblem, unexpectedCharacter, VALID_TOKENS } from './json-problem.ts';

/**
 * Strings, numbers and literals of JSON. Each function reads from an index and returns the index after the value.
 *
 * Source: Jackson 2.15, ReaderBasedJsonParser: the reasons, and how many characters were consumed at each.
 */

const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;
/** Bit that the upper-case `E` lacks. */
const LOWER_CASE = 0x20;
const LOWER_E = 0x65;
/** Maximum length of an invalid token in a reason. */
const TOKEN_MAX = 256;

const ESCAPES: ReadonlyMap<number, string> = new Map(
  [...'"\\/bfnrt'].map((letter, i) => [letter.charCodeAt(0), '"\\/\b\f\n\r\t'.charAt(i)] as const),
);

/** Value of a string, and the index after its closing quote. */
export interface ReadString {
  readonly value: string;
  readonly end: number;
}

/**
 * Reads a string. `from` is the index after the opening quote.
 *
 * @throws JsonProblem  the string is not closed, or has an unescaped control character or an unknown escape
 */
export function readString(text: string, from: number, kind: 'name' | 'value'): ReadString {
  let value = '';
  let start = from;
  for (let at = from; at < text.length; ) {
    const unit = text.charCodeAt(at++);
    if (unit === QUOTE) return { value: value + text.slice(start, at - 1), end: at };
    if (unit === BACKSLASH) {
      value += text.slice(start, at - 1);
      const { value: character, end } = readEscape(text, at);
      value += character;
      start = at = end;
    } else if (unit < 0x20) {
      const place = kind === 'name' ? 'name' : 'string value';
      const reason = `Illegal unquoted character (${characterText(unit)}): has to be escaped using backslash to be included in ${place}`;
      throw new JsonProblem(reason, at, at - 1);
    }
  }
  const missing = kind === 'name' ? ' in field name' : ': was expecting closing quote for a string value';
  throw new JsonProblem(`Unexpected end-of-input${missing}`, text.length);
}

function readEscape(text: string, from: number): ReadString {
  if (from >= text.length) throw new JsonProblem('Unexpected end-of-input in character escape sequence', from);
  const unit = text.charCodeAt(from);
  if (unit !== 0x75) {
    const value = ESCAPES.get(unit);
    if (value === undefined) throw new JsonProblem(`Unrecognized character escape ${characterText(unit)}`, from + 1);
    return { value, end: from + 1 };
  }
  let code = 0;
  for (let at = from + 1; at < from + 5; at++) {
    if (at >= text.length) throw new JsonProblem('Unexpected end-of-input in character escape sequence', at);
    const digit = hexDigit(text.charCodeAt(at));
    if (digit < 0) throw unexpectedCharacter(text.charCodeAt(at), 'expected a hex-digit for character escape sequence', at + 1);
    code = code * 16 + digit;
  }
  return { value: String.fromCharCode(code), end: from + 5 };
}

function hexDigit(unit: number): number {
  if (isDigit(unit)) return unit - ZERO;
  const lower = unit | LOWER_CASE;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}

/**
 * Returns the index after the number that starts at `start`.
 *
 * @throws JsonProblem  a digit is missing after the sign, the decimal point or the exponent, or the number starts with 00
 */
export function readNumber(text: string, start: number): number {
  let at = start;
  if (text.charCodeAt(at) === MINUS) {
    at++;
    if (at >= text.length) throw new JsonProblem('Unexpected end-of-inputNo digit following minus sign', at);
    if (!isDigit(text.charCodeAt(at)))
      throw notADigit(text, at, at + 1, 'expected digit (0-9) to follow minus sign, for valid numeric value');
  }
  // Jackson reads numbers that start with 0 character by character, and has then consumed the wrong character too.
  const exact = text.charCodeAt(at) === ZERO;
  if (exact && isDigit(text.charCodeAt(at + 1))) throw new JsonProblem('Invalid numeric value: Leading zeroes not allowed', at + 1);
  at = digitsEnd(text, at);
  if (text.charCodeAt(at) === POINT) {
    const fraction = at + 1;
    at = digitsEnd(text, fraction);
    if (at === fraction) {
      // At the end of the input, Jackson reports the last character.
      const wrong = Math.min(at, text.length - 1);
      throw notADigit(text, wrong, consumedBy(text, at, start, exact), 'Decimal point not followed by a digit');
    }
  }
  if ((text.charCodeAt(at) | LOWER_CASE) === LOWER_E) {
    at++;
    const sign = text.charCodeAt(at);
    if (sign === PLUS || sign === MINUS) at++;
    if (at >= text.length) throw new JsonProblem('Unexpected end-of-inputexpected a digit for number exponent', at);
    if (!isDigit(text.charCodeAt(at))) {
      throw notADigit(text, at, consumedBy(text, at, start, exact), 'Exponent indicator not followed by a digit');
    }
    at = digitsEnd(text, at);
  }
  return at;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

function consumedBy(text: string, wrong: number, start: number, exact: boolean): number {
  if (wrong >= text.length) return text.length;
  return exact ? wrong + 1 : start + 1;
}

function notADigit(text: string, wrong: number, consumed: number, expected: string): JsonProblem {
  return new JsonProblem(`Unexpected character (${characterText(text.charCodeAt(wrong))}) in numeric value: ${expected}`, consumed);
}

/**
 * Returns the index after the literal that starts at `start`.
 *
 * @throws JsonProblem  another word starts there
 */
export function readLiteral(text: string, start: number, literal: string): number {
  let matched = 1;
  while (matched < literal.length && text.charCodeAt(start + matched) === literal.charCodeAt(matched)) matched++;
  const end = start + matched;
  const next = end < text.length ? text.charCodeAt(end) : undefined;
  if (matched < literal.length || (next !== undefined && next >= ZERO && continuesIdentifier(next))) throw invalidToken(text, start, end);
  return end;
}

/** Returns the problem of a word that is not a literal. `end` is the index after the characters that are part of it anyway. */
export function invalidToken(text: string, start: number, end: number): JsonProblem {
  let at = end;
  while (at < text.length && at - start < TOKEN_MAX && continuesIdentifier(text.charCodeAt(at))) at++;
  const token = text.slice(start, at) + (at - start >= TOKEN_MAX ? '...' : '');
  return new JsonProblem(`Unrecognized token '${token}': was expecting ${VALID_TOKENS}`, at);
}
