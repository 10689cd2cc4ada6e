import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-characters.ts';

/**
 * Scan of a JSON string for its structure, without parsing it.
 *
 * `JSON.parse` has no limit on depth. If an object has two members with the same name, `JSON.parse` keeps only the last
 * one. So parsers of untrusted documents compare the result of `JSON.parse` with the counts of this scan.
 */

/** Counts of the structural characters of a JSON document. Characters inside strings do not count. */
export interface JsonCounts {
  /** Number of members of all objects, including repeated names. */
  readonly colons: number;
  readonly commas: number;
  /** Maximum nesting of objects and arrays. */
  readonly depth: number;
}

/**
 * Counts the structural characters of a JSON string, in linear time. Returns `undefined` if a string is not closed.
 *
 *     scanJson('{"a": [1, 2], "a": ":"}') → { colons: 2, commas: 2, depth: 2 }
 *
 * Does not check the syntax. The counts describe the document only if `JSON.parse` accepts it.
 */
export function scanJson(json: string): JsonCounts | undefined {
  let colons = 0;
  let commas = 0;
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i);
    if (unit === QUOTE) {
      i = closingQuote(json, i);
      if (i < 0) return undefined;
    } else if (unit === COLON) colons++;
    else if (unit === COMMA) commas++;
    else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (++depth > deepest) deepest = depth;
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) depth--;
  }
  return { colons, commas, depth: deepest };
}

/**
 * Returns the index of the closing quote of a string. `open` is the index of the opening quote. Returns -1 if the
 * string is not closed.
 */
export function closingQuote(json: string, open: number): number {
  let at = json.indexOf('"', open + 1);
  while (at > 0 && isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at;
}

/** Reports whether an odd number of backslashes precedes a quote. */
function isEscaped(json: string, quote: number): boolean {
  let before = quote - 1;
  while (json.charCodeAt(before) === BACKSLASH) before--;
  return (quote - before) % 2 === 0;
}
