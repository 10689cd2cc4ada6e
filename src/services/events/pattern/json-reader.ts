import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from '#core/json-characters.ts';
import { characterText, JsonProblem, startsIdentifier, unexpectedCharacter, VALID_TOKENS } from './json-problem.ts';
import { invalidToken, readLiteral, readNumber, readString } from './json-scalars.ts';
import { sourceLocation } from './source-location.ts';

/** Kind of a token. `end` is the end of the input after the outermost value. */
export type JsonToken = 'object' | 'end-object' | 'array' | 'end-array' | 'name' | 'string' | 'number' | 'true' | 'false' | 'null' | 'end';

/**
 * Reads JSON token by token and knows how many characters it has consumed, as the parser of Jackson does:
 *
 * - a bracket, a number or a literal is consumed with its token
 * - only the opening quote of a string is consumed, until `text()` or `next()` is called
 * - a name is consumed with its colon and with the start of its value
 *
 * `JSON.parse` reports no positions, and keeps only the last of several members with the same name. The reader does not
 * read beyond the end of the outermost value.
 *
 * Source: Jackson 2.15, ReaderBasedJsonParser. Recorded: the columns in test/cases/recorded/event-patterns.json.
 */
export interface JsonReader {
  /**
   * Moves to the next token.
   *
   * @throws JsonProblem  the input is not JSON, or is nested more deeply than allowed
   */
  readonly next: () => JsonToken;
  /** Name of the last `name` token. */
  readonly name: () => string;
  /** Text of the current token: the value of a string, the characters of other tokens. */
  readonly text: () => string;
  /** Number of consumed characters. */
  readonly consumed: () => number;
}

interface Container {
  readonly kind: 'Object' | 'Array';
  /** Number of characters before the opening bracket. */
  readonly opened: number;
  entries: number;
}

const SPACE = 0x20;
const COMMENT = "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)";
const SYMBOLS: Partial<Record<JsonToken, string>> = { object: '{', 'end-object': '}', array: '[', 'end-array': ']' };

/** Returns a reader of `json`. `depthMax` is the maximum nesting of objects and arrays. */
export function jsonReader(json: string, depthMax: number): JsonReader {
  const state: State = { json, depthMax, at: 0, token: 'end', pending: undefined, name: '', value: '', start: 0, unread: false, open: [] };
  return {
    next: () => {
      state.token = nextToken(state);
      if (state.token === 'object' || state.token === 'array') enter(state, state.token);
      return state.token;
    },
    name: () => state.name,
    text: () => tokenText(state),
    consumed: () => state.at,
  };
}

interface State {
  readonly json: string;
  readonly depthMax: number;
  at: number;
  token: JsonToken;
  /** Token of the value whose start was consumed with its name. */
  pending: JsonToken | undefined;
  name: string;
  value: string;
  /** Index of the current number or literal. */
  start: number;
  /** Whether only the opening quote of the current string was consumed. */
  unread: boolean;
  readonly open: Container[];
}

function nextToken(state: State): JsonToken {
  const { pending, open } = state;
  if (pending !== undefined) {
    state.pending = undefined;
    return pending;
  }
  if (state.unread) finishString(state);
  let unit = skipSpace(state);
  const container = open.at(-1);
  if (unit < 0) {
    if (container === undefined) return 'end';
    const start = sourceLocation(state.json, container.opened);
    throw new JsonProblem(`Unexpected end-of-input: expected close marker for ${container.kind} (start marker at ${start})`, state.at);
  }
  if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) return leave(state, unit);
  if (container !== undefined && container.entries++ > 0) {
    if (unit !== COMMA) throw unexpectedCharacter(unit, `was expecting comma to separate ${container.kind} entries`, state.at);
    unit = skipSpaceInside(state, container);
  }
  if (container?.kind !== 'Object') return startValue(state, unit);
  if (unit !== QUOTE) throw unexpectedCharacter(unit, 'was expecting double-quote to start field name', state.at);
  const { value, end } = readString(state.json, state.at, 'name');
  state.name = value;
  state.at = end;
  const colon = skipSpaceInside(state, container);
  if (colon !== COLON) throw unexpectedCharacter(colon, 'was expecting a colon to separate field name and value', state.at);
  state.pending = startValue(state, skipSpaceInside(state, container));
  return 'name';
}

/** Consumes the start of a value whose first character was consumed. */
function startValue(state: State, unit: number): JsonToken {
  const { json } = state;
  state.start = state.at - 1;
  switch (unit) {
    case QUOTE:
      state.unread = true;
      return 'string';
    case OPEN_BRACE:
      return 'object';
    case OPEN_BRACKET:
      return 'array';
    case CLOSE_BRACE:
      throw unexpectedCharacter(unit, 'expected a value', state.at);
    case 0x74:
      return literal(state, 'true');
    case 0x66:
      return literal(state, 'false');
    case 0x6e:
      return literal(state, 'null');
    case 0x4e:
      throw notStandard(json, state.start, 'NaN');
    case 0x49:
      throw notStandard(json, state.start, 'Infinity');
    case 0x2b:
      throw plusSign(json, state.at);
  }
  if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) return number(state);
  if (startsIdentifier(unit)) throw invalidToken(json, state.start, state.at);
  throw unexpectedCharacter(unit, `expected a valid value ${VALID_TOKENS}`, state.at);
}

function literal(state: State, token: 'true' | 'false' | 'null'): JsonToken {
  state.at = readLiteral(state.json, state.start, token);
  return token;
}

function number(state: State): JsonToken {
  const { json } = state;
  state.at = readNumber(json, state.start);
  const next = json.charCodeAt(state.at);
  if (state.open.length === 0 && state.at < json.length && next !== SPACE && next !== 0x09 && next !== 0x0a && next !== 0x0d) {
    throw unexpectedCharacter(next, 'Expected space separating root-level values', state.at + 1);
  }
  return 'number';
}

function notStandard(json: string, start: number, token: string): JsonProblem {
  const end = readLiteral(json, start, token);
  return new JsonProblem(`Non-standard token '${token}': enable \`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS\` to allow`, end);
}

function plusSign(json: string, at: number): JsonProblem {
  if (at >= json.length) return new JsonProblem('Unexpected end-of-input in a Number value', at);
  const feature = 'enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow';
  const reason = `Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to have plus signs: ${feature}`;
  return new JsonProblem(reason, at + 1);
}

function finishString(state: State): void {
  const { value, end } = readString(state.json, state.at, 'value');
  state.value = value;
  state.at = end;
  state.unread = false;
}

function tokenText(state: State): string {
  if (state.token === 'name') return state.name;
  if (state.token === 'number') return state.json.slice(state.start, state.at);
  if (state.token !== 'string') return SYMBOLS[state.token] ?? state.token;
  if (state.unread) finishString(state);
  return state.value;
}

function enter(state: State, token: 'object' | 'array'): void {
  if (state.open.length >= state.depthMax) {
    const limit = `(${state.depthMax}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`;
    throw new JsonProblem(`Document nesting depth (${state.depthMax + 1}) exceeds the maximum allowed ${limit}`, state.at);
  }
  state.open.push({ kind: token === 'object' ? 'Object' : 'Array', opened: state.at - 1, entries: 0 });
}

function leave(state: State, unit: number): JsonToken {
  const { json, open, at } = state;
  const container = open.pop();
  const kind = unit === CLOSE_BRACE ? 'Object' : 'Array';
  if (container?.kind !== kind) {
    const expected = kind === 'Object' ? ']' : '}';
    const place =
      container === undefined
        ? `root starting at ${sourceLocation(json, -1, 0)}`
        : `${container.kind} starting at ${sourceLocation(json, container.opened)}`;
    throw new JsonProblem(`Unexpected close marker '${String.fromCharCode(unit)}': expected '${expected}' (for ${place})`, at);
  }
  return kind === 'Object' ? 'end-object' : 'end-array';
}

/** Consumes white space and the character after it. Returns that character, or -1 at the end of the input. */
function skipSpace(state: State): number {
  const { json } = state;
  while (state.at < json.length) {
    const unit = json.charCodeAt(state.at++);
    if (unit > SPACE) {
      if (unit === 0x2f) throw unexpectedCharacter(unit, COMMENT, state.at);
      return unit;
    }
    if (unit !== SPACE && unit !== 0x09 && unit !== 0x0a && unit !== 0x0d) {
      const reason = `Illegal character (${characterText(unit)}): only regular white space (\\r, \\n, \\t) is allowed between tokens`;
      throw new JsonProblem(reason, state.at);
    }
  }
  return -1;
}

function skipSpaceInside(state: State, { kind }: Container): number {
  const unit = skipSpace(state);
  if (unit < 0) throw new JsonProblem(`Unexpected end-of-input within/between ${kind} entries`, state.at);
  return unit;
}
