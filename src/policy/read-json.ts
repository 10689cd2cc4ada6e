/**
 * JSON parser with positions and problems, for policies. `JSON.parse` has neither positions nor an error for repeated names.
 * Takes linear time and limits the depth. Parses any JSON, and does not check the elements of policies.
 */
import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from '#core/json-characters.ts';
import { type JsonCursor, MINUS, readNumber, readString, readWord, STOP, skipBlanks, stop } from './json-scalars.ts';
import type { JsonArray, JsonMember, JsonNode, JsonObject, JsonProblem } from './json-text.ts';
import { isDigit } from './values.ts';

/** Maximum number of objects and arrays inside each other. A policy needs 7. */
const DEPTH_MAX = 24;

/**
 * Parses a JSON text. `root` is absent if the text is not valid JSON. Repeated names are problems, but parsing continues.
 *
 * Source: RFC 8259.
 */
export function readJson(text: string): { readonly root?: JsonNode; readonly problems: readonly JsonProblem[] } {
  const problems: JsonProblem[] = [];
  const cursor: JsonCursor = { text, at: 0, problems };
  try {
    const root = readValue(cursor, 0);
    skipBlanks(cursor);
    if (cursor.at < text.length) stop(cursor, 'Unexpected characters after the end of the document.');
    return { root, problems };
  } catch (stopped) {
    if (stopped !== STOP) throw stopped;
    return { problems };
  }
}

function readValue(cursor: JsonCursor, depth: number): JsonNode {
  skipBlanks(cursor);
  const code = cursor.text.charCodeAt(cursor.at);
  if (code === QUOTE) return readString(cursor);
  if (code === OPEN_BRACE || code === OPEN_BRACKET) {
    if (depth >= DEPTH_MAX) {
      const { at } = cursor;
      const message = `Objects and arrays are nested too deeply (maximum: ${DEPTH_MAX} levels).`;
      cursor.problems.push({ kind: 'depth', message, at, end: at + 1 });
      throw STOP;
    }
    return code === OPEN_BRACE ? readObject(cursor, depth) : readArray(cursor, depth);
  }
  if (code === MINUS || isDigit(code)) return readNumber(cursor);
  return readWord(cursor);
}

function readArray(cursor: JsonCursor, depth: number): JsonArray {
  const { text } = cursor;
  const start = cursor.at++;
  const items: JsonNode[] = [];
  skipBlanks(cursor);
  if (text.charCodeAt(cursor.at) === CLOSE_BRACKET) return { kind: 'array', items, start, end: ++cursor.at };
  for (;;) {
    items.push(readValue(cursor, depth + 1));
    skipBlanks(cursor);
    const code = text.charCodeAt(cursor.at);
    if (code !== COMMA && code !== CLOSE_BRACKET) stop(cursor, 'Expected a comma or ].');
    cursor.at++;
    if (code === CLOSE_BRACKET) return { kind: 'array', items, start, end: cursor.at };
  }
}

function readObject(cursor: JsonCursor, depth: number): JsonObject {
  const { text } = cursor;
  const start = cursor.at++;
  const members: JsonMember[] = [];
  const names = new Set<string>();
  skipBlanks(cursor);
  if (text.charCodeAt(cursor.at) === CLOSE_BRACE) return { kind: 'object', members, start, end: ++cursor.at };
  for (;;) {
    members.push(readMember(cursor, depth, names));
    skipBlanks(cursor);
    const code = text.charCodeAt(cursor.at);
    if (code !== COMMA && code !== CLOSE_BRACE) stop(cursor, 'Expected a comma or }.');
    cursor.at++;
    if (code === CLOSE_BRACE) return { kind: 'object', members, start, end: cursor.at };
  }
}

/**
 * Reads a name, a colon and a value. Reports a name that is already in `names` as repeated. Adds the name to `names`.
 */
function readMember(cursor: JsonCursor, depth: number, names: Set<string>): JsonMember {
  skipBlanks(cursor);
  if (cursor.text.charCodeAt(cursor.at) !== QUOTE) stop(cursor, 'Expected a name in double quotes.');
  const name = readString(cursor);
  if (names.has(name.value)) {
    const message = `The name '${name.value}' occurs more than once.`;
    cursor.problems.push({ kind: 'repeated-name', name: name.value, message, at: name.start, end: name.end });
  }
  names.add(name.value);
  skipBlanks(cursor);
  if (cursor.text.charCodeAt(cursor.at) !== COLON) stop(cursor, 'Expected a colon.');
  cursor.at++;
  return { name, value: readValue(cursor, depth + 1) };
}
