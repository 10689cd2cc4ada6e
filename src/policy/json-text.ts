/**
 * JSON parser with positions and problems, for policies. `JSON.parse` has neither positions nor an error for repeated names.
 * Takes linear time and limits the depth. Does not know the elements of policies.
 */

/** Offsets in the text, in UTF-16 units. `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonString extends Span {
  readonly kind: 'string';
  /** Content of the string, with escapes resolved. */
  readonly value: string;
}
export interface JsonNumber extends Span {
  readonly kind: 'number';
  /** Number as written. */
  readonly text: string;
}
export interface JsonBoolean extends Span {
  readonly kind: 'boolean';
  readonly value: boolean;
}
export interface JsonNull extends Span {
  readonly kind: 'null';
}
export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}
export interface JsonMember {
  readonly name: JsonString;
  readonly value: JsonNode;
}
export interface JsonObject extends Span {
  readonly kind: 'object';
  /** Members in the order of the text, including repeated names. */
  readonly members: readonly JsonMember[];
}
export type JsonNode = JsonString | JsonNumber | JsonBoolean | JsonNull | JsonArray | JsonObject;

/** Problem of a JSON text, from the offset `at` to `end`, exclusive. */
export type JsonProblem =
  | { readonly kind: 'syntax'; readonly message: string; readonly at: number; readonly end: number }
  | { readonly kind: 'depth'; readonly message: string; readonly at: number; readonly end: number }
  | { readonly kind: 'repeated-name'; readonly name: string; readonly message: string; readonly at: number; readonly end: number };

const DEPTH_MAX = 24;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Exception that ends parsing. It never leaves this file. */
const STOP = Symbol('stop');

/**
 * Parses a JSON text. `root` is absent if the text is not valid JSON. Repeated names are problems, but parsing continues.
 *
 * Source: RFC 8259. The maximum depth is 24. A policy needs 7.
 */
export function readJson(text: string): { readonly root?: JsonNode; readonly problems: readonly JsonProblem[] } {
  const problems: JsonProblem[] = [];
  let at = 0;

  const stop = (message: string, from = at): never => {
    problems.push({ kind: 'syntax', message, at: from, end: Math.min(from + 1, text.length) });
    throw STOP;
  };

  const skipBlanks = (): void => {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB) return;
    }
  };

  const readHex = (): number => {
    let value = 0;
    for (let i = 0; i < 4; i++, at++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) stop('A \\u escape needs four hexadecimal digits.');
      value = value * 16 + digit;
    }
    return value;
  };

  const readString = (): JsonString => {
    const start = at++;
    let value = '';
    let from = at;
    for (;;) {
      if (at >= text.length) stop('The string is not closed.', start);
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code < SPACE) stop('A control character in a string must be escaped.');
      if (code !== BACKSLASH) {
        at++;
        continue;
      }
      value += text.slice(from, at);
      const letter = text[at + 1] ?? '';
      const escaped = ESCAPES[letter];
      if (escaped !== undefined) {
        value += escaped;
        at += 2;
      } else if (letter === 'u') {
        at += 2;
        value += String.fromCharCode(readHex());
      } else {
        stop('There is no such escape.');
      }
      from = at;
    }
    value += text.slice(from, at);
    at++;
    return { kind: 'string', value, start, end: at };
  };

  const skipDigits = (): void => {
    const from = at;
    while (isDigit(text.charCodeAt(at))) at++;
    if (at === from) stop('A digit is missing.');
  };

  const readNumber = (): JsonNumber => {
    const start = at;
    if (text.charCodeAt(at) === MINUS) at++;
    if (text.charCodeAt(at) === ZERO) at++;
    else skipDigits();
    if (text.charCodeAt(at) === POINT) {
      at++;
      skipDigits();
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      const sign = text.charCodeAt(at);
      if (sign === PLUS || sign === MINUS) at++;
      skipDigits();
    }
    return { kind: 'number', text: text.slice(start, at), start, end: at };
  };

  const readArray = (depth: number): JsonArray => {
    const start = at++;
    const items: JsonNode[] = [];
    skipBlanks();
    if (text.charCodeAt(at) === CLOSE_BRACKET) {
      at++;
      return { kind: 'array', items, start, end: at };
    }
    for (;;) {
      items.push(readValue(depth + 1));
      skipBlanks();
      const code = text.charCodeAt(at);
      if (code !== COMMA && code !== CLOSE_BRACKET) stop('A comma or ] is missing.');
      at++;
      if (code === CLOSE_BRACKET) return { kind: 'array', items, start, end: at };
    }
  };

  const readObject = (depth: number): JsonObject => {
    const start = at++;
    const members: JsonMember[] = [];
    const names = new Set<string>();
    skipBlanks();
    if (text.charCodeAt(at) === CLOSE_BRACE) {
      at++;
      return { kind: 'object', members, start, end: at };
    }
    for (;;) {
      skipBlanks();
      if (text.charCodeAt(at) !== QUOTE) stop('A name in double quotes is missing.');
      const name = readString();
      if (names.has(name.value)) {
        problems.push({ kind: 'repeated-name', name: name.value, message: `${name.value} is repeated.`, at: name.start, end: name.end });
      }
      names.add(name.value);
      skipBlanks();
      if (text.charCodeAt(at) !== COLON) stop('A colon is missing.');
      at++;
      members.push({ name, value: readValue(depth + 1) });
      skipBlanks();
      const code = text.charCodeAt(at);
      if (code !== COMMA && code !== CLOSE_BRACE) stop('A comma or } is missing.');
      at++;
      if (code === CLOSE_BRACE) return { kind: 'object', members, start, end: at };
    }
  };

  const readWord = (): JsonNode => {
    const start = at;
    for (const word of ['true', 'false', 'null'] as const) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return word === 'null' ? { kind: 'null', start, end: at } : { kind: 'boolean', value: word === 'true', start, end: at };
    }
    return stop(at < text.length ? 'A value is missing.' : 'The text ends too early.');
  };

  const readValue = (depth: number): JsonNode => {
    skipBlanks();
    const code = text.charCodeAt(at);
    if (code === QUOTE) return readString();
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (depth >= DEPTH_MAX) {
        problems.push({ kind: 'depth', message: `The text is nested deeper than ${DEPTH_MAX}.`, at, end: at + 1 });
        throw STOP;
      }
      return code === OPEN_BRACE ? readObject(depth) : readArray(depth);
    }
    if (code === MINUS || isDigit(code)) return readNumber();
    return readWord();
  };

  try {
    const root = readValue(0);
    skipBlanks();
    if (at < text.length) stop('The text goes on after its end.');
    return { root, problems };
  } catch (stopped) {
    if (stopped !== STOP) throw stopped;
    return { problems };
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function hexDigit(code: number): number {
  if (isDigit(code)) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
