/**
 * The patterns of the models, in a form that is safe for input from callers.
 * Owns the replacements of unsafe patterns and the maximum length of strings, because the cost of a pattern grows with the length.
 */
import type { Shape } from './model.ts';

/** Compiled pattern: a RegExp or its replacement. */
export interface Pattern {
  readonly test: (text: string) => boolean;
}

/**
 * Maximum length, in code points, of a string that can match a pattern. It applies if the pattern's shape states no
 * maximum length. Longer strings do not match. The limit does not apply to patterns of one repeated character class.
 */
export const PATTERN_TEXT_MAX = 2048;

/**
 * Replacements for unsafe patterns and for one malformed pattern. The replacement of an unsafe pattern matches the same
 * strings as the pattern.
 *
 * Source: the models. `tools/check-patterns.ts` reports the first two patterns, for EventBridge's headers, as exponential and the
 * others as polynomial.
 */
// biome-ignore format: a table
const REPLACED: Readonly<Record<string, Pattern>> = {
  // A space matches each character class of the first two patterns, so a string can match in many ways. The patterns
  // match every mix of tabs and allowed characters that has at least one allowed character.
  '^[ \\t]*[\\x20-\\x7E]+([ \\t]+[\\x20-\\x7E]+)*[ \\t]*$':                         /^\t*[\x20-\x7E][\t\x20-\x7E]*$/,
  '^[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*$':           /^\t*[^\x00-\x1F:\x7F][^\x00-\x08\x0A-\x1F:\x7F]*$/,
  '.+@.+\\..+':                                                                    { test: looksLikeEmail },
  '.*\\S.*':                                                                       { test: (text) => oneLine(text) && /\S/.test(text) },
  '[^\\s@]+@[^\\s@]+\\.[^\\s@]+':                                                  /^[^\s@]+@[^\s@][^\s@.]*\.[^\s@]+$/,
  '^arn:aws:organizations::.+:.+':                                                 { test: (text) => oneLine(text) && /^arn:aws:organizations::.[^:]*:./.test(text) },
  '^arn:aws([a-z]|\\-)*:events:([a-z]|\\d|\\-)*:([0-9]{12})?:.+\\/.+$':
    { test: (text) => oneLine(text) && /^arn:aws[a-z-]*:events:[a-z\d-]*:(?:[0-9]{12})?:.[^/]*\/./.test(text) },
  // This pattern is malformed, because `{2,64}` follows `$`. The replacement is the pattern that was evidently
  // intended.
  '^[-_a-zA-Z0-9]*${2,64}$':                                                       /^[-_a-zA-Z0-9]{2,64}$/,
};

/** Reports whether `.*` matches the whole string. */
function oneLine(text: string): boolean {
  return !/[\n\r\u2028\u2029]/.test(text);
}

/** Matches `.+@.+\..+` in linear time. */
function looksLikeEmail(text: string): boolean {
  const at = text.indexOf('@', 1);
  return oneLine(text) && at > 0 && text.lastIndexOf('.', text.length - 2) >= at + 2;
}

const COMPILED = new Map<string, Pattern>();

/**
 * Compiles a published pattern. Repeated calls return the same object.
 *
 * The pattern must match the whole string, as in AWS: `[0-9]+` does not match `a1`.
 * Check the length of the string first, or use `matchesPattern`.
 *
 * Assumed: all services require a full match, like Java's `matches`. Smithy's pattern trait leaves anchoring to the pattern.
 * To check the assumption, send a TranscribeLanguageModelName (`^[0-9a-zA-Z._-]+`) that ends with a space to AWS.
 */
export function compiledPattern(pattern: string): Pattern {
  let compiled = COMPILED.get(pattern);
  if (compiled === undefined) {
    compiled = REPLACED[pattern] ?? fullMatch(pattern);
    COMPILED.set(pattern, compiled);
  }
  return compiled;
}

/**
 * Returns the maximum length, in code points, of a string that can match a pattern. Use the result only if the
 * pattern's shape states no maximum length.
 *
 * The result is `PATTERN_TEXT_MAX`. For a pattern of one repeated character class, as in the shapes of chat messages
 * and policies, the result is infinite.
 */
export function patternTextMax(pattern: string): number {
  return isOneClass(pattern) ? Number.POSITIVE_INFINITY : PATTERN_TEXT_MAX;
}

/**
 * Reports whether a string matches the pattern of its shape. Returns true if the shape has no pattern.
 *
 * Returns false, without running the pattern, if the string is too long. Lengths are in code points, as in the models.
 */
export function matchesPattern(shape: Shape, text: string): boolean {
  const { pattern } = shape;
  if (pattern === undefined) return true;
  const max = shape.max ?? patternTextMax(pattern);
  // A string has at most as many code points as UTF-16 units, and at least half as many.
  if (text.length > max && (text.length > 2 * max || codePoints(text) > max)) return false;
  return compiledPattern(pattern).test(text);
}

/** Returns the length of a string in code points, as the models count it. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Reports whether a pattern is only one character class or one dot, repeated or not. The cost of matching such a
 * pattern is linear in the length of the string.
 */
export function isOneClass(pattern: string): boolean {
  return /^\^?(?:\.|\[(?:[^\]\\]|\\.)*\])[*+]?\$?$/.test(pattern);
}

/**
 * Compiles a pattern with the flag `u` if possible, so that `\p{L}` matches letters. Some published character classes
 * are valid only without this flag.
 */
function fullMatch(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return new RegExp(`^(?:${pattern})$`);
  }
}
