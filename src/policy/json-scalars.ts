import { BACKSLASH, QUOTE } from '#core/json-characters.ts';
import type { JsonNode, JsonNumber, JsonProblem, JsonString } from './json-text.ts';
import { hexDigit, isDigit, ZERO } from './values.ts';

/** Position in a JSON text from which the next token is read, and the problems so far. */
export interface JsonCursor {
  readonly text: string;
  at: number;
  readonly problems: JsonProblem[];
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const PLUS = 0x2b;
export const MINUS = 0x2d;
const POINT = 0x2e;

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Exception that ends parsing. `readJson` catches it. */
export const STOP = Symbol('stop');

/** Reports a problem of syntax at `from` and ends parsing. */
export function stop(cursor: JsonCursor, message: string, from = cursor.at): never {
  cursor.problems.push({ kind: 'syntax', message, at: from, end: Math.min(from + 1, cursor.text.length) });
  throw STOP;
}

/** Skips spaces, tabs and line ends. */
export function skipBlanks(cursor: JsonCursor): void {
  const { text } = cursor;
  let { at } = cursor;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB) break;
  }
  cursor.at = at;
}

/** Reads a string from its opening quote to its closing quote. */
export function readString(cursor: JsonCursor): JsonString {
  const { text } = cursor;
  const start = cursor.at++;
  let value = '';
  for (;;) {
    const from = cursor.at;
    skipUnescaped(cursor, start);
    value += text.slice(from, cursor.at);
    if (text.charCodeAt(cursor.at) === QUOTE) break;
    value += readEscape(cursor);
  }
  cursor.at++;
  return { kind: 'string', value, start, end: cursor.at };
}

/** Skips the characters before the next quote or backslash. */
function skipUnescaped(cursor: JsonCursor, start: number): void {
  const { text } = cursor;
  let { at } = cursor;
  for (; ; at++) {
    if (at >= text.length) stop(cursor, 'The string is not closed.', start);
    const code = text.charCodeAt(at);
    if (code === QUOTE || code === BACKSLASH) break;
    if (code < SPACE) stop(cursor, 'A control character in a string must be escaped.', at);
  }
  cursor.at = at;
}

function readEscape(cursor: JsonCursor): string {
  const letter = cursor.text[cursor.at + 1] ?? '';
  const escaped = ESCAPES[letter];
  if (escaped === undefined && letter !== 'u') stop(cursor, 'Invalid escape in a string.');
  cursor.at += 2;
  return escaped ?? String.fromCharCode(readHex(cursor));
}

function readHex(cursor: JsonCursor): number {
  let value = 0;
  for (let i = 0; i < 4; i++, cursor.at++) {
    const digit = hexDigit(cursor.text.charCodeAt(cursor.at));
    if (digit < 0) stop(cursor, 'A \\u escape requires four hexadecimal digits.');
    value = value * 16 + digit;
  }
  return value;
}

/** Reads a number as written. */
export function readNumber(cursor: JsonCursor): JsonNumber {
  const { text } = cursor;
  const start = cursor.at;
  if (text.charCodeAt(cursor.at) === MINUS) cursor.at++;
  if (text.charCodeAt(cursor.at) === ZERO) cursor.at++;
  else skipDigits(cursor);
  if (text.charCodeAt(cursor.at) === POINT) {
    cursor.at++;
    skipDigits(cursor);
  }
  if (text[cursor.at] === 'e' || text[cursor.at] === 'E') {
    cursor.at++;
    const sign = text.charCodeAt(cursor.at);
    if (sign === PLUS || sign === MINUS) cursor.at++;
    skipDigits(cursor);
  }
  return { kind: 'number', text: text.slice(start, cursor.at), start, end: cursor.at };
}

function skipDigits(cursor: JsonCursor): void {
  const { text } = cursor;
  let { at } = cursor;
  while (isDigit(text.charCodeAt(at))) at++;
  if (at === cursor.at) stop(cursor, 'Expected a digit.');
  cursor.at = at;
}

const WORDS = ['true', 'false', 'null'] as const;

/** Reads `true`, `false` or `null`. */
export function readWord(cursor: JsonCursor): JsonNode {
  const { text, at: start } = cursor;
  for (const word of WORDS) {
    if (!text.startsWith(word, start)) continue;
    cursor.at += word.length;
    const end = cursor.at;
    return word === 'null' ? { kind: 'null', start, end } : { kind: 'boolean', value: word === 'true', start, end };
  }
  return stop(cursor, start < text.length ? 'Expected a value.' : 'Unexpected end of the document.');
}
