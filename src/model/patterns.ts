/**
 * The patterns of the models, made safe to run on what callers send. Owns which patterns are replaced; how long a text may be is
 * asked first, because the cost of a pattern grows with the text.
 */
import type { Shape } from './model.ts';

/** A pattern ready to use: a RegExp, or what stands for one. */
export interface Pattern {
  readonly test: (text: string) => boolean;
}

/** Where a shape gives no longest length, texts longer than this many code points do not match patterns of more than one character class. */
export const PATTERN_TEXT_MAX = 2048;

/**
 * Patterns that are not run as published, with what is run instead. Each replacement matches the same texts, but for the one that is
 * malformed.
 *
 * Source: the models; found by `tools/check-patterns.ts`, which says exponential of the two of EventBridge's header patterns and polynomial of the others.
 */
// biome-ignore format: a table
const REPLACED: Readonly<Record<string, Pattern>> = {
  // The runs of blanks and printable characters overlap; together they are any of both, with one printable character at least.
  '^[ \\t]*[\\x20-\\x7E]+([ \\t]+[\\x20-\\x7E]+)*[ \\t]*$':                         /^\t*[\x20-\x7E][\t\x20-\x7E]*$/,
  '^[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*$':           /^\t*[^\x00-\x1F:\x7F][^\x00-\x08\x0A-\x1F:\x7F]*$/,
  '.+@.+\\..+':                                                                    { test: looksLikeEmail },
  '.*\\S.*':                                                                       { test: (text) => oneLine(text) && /\S/.test(text) },
  '[^\\s@]+@[^\\s@]+\\.[^\\s@]+':                                                  /^[^\s@]+@[^\s@][^\s@.]*\.[^\s@]+$/,
  '^arn:aws:organizations::.+:.+':                                                 { test: (text) => oneLine(text) && /^arn:aws:organizations::.[^:]*:./.test(text) },
  '^arn:aws([a-z]|\\-)*:events:([a-z]|\\d|\\-)*:([0-9]{12})?:.+\\/.+$':
    { test: (text) => oneLine(text) && /^arn:aws[a-z-]*:events:[a-z\d-]*:(?:[0-9]{12})?:.[^/]*\/./.test(text) },
  // Malformed: `*$` cannot be repeated. What was meant is plain.
  '^[-_a-zA-Z0-9]*${2,64}$':                                                       /^[-_a-zA-Z0-9]{2,64}$/,
};

/** What `.` passes over from end to end. */
function oneLine(text: string): boolean {
  return !/[\n\r\u2028\u2029]/.test(text);
}

/** Something, an at sign, something, a dot, something: on one line. */
function looksLikeEmail(text: string): boolean {
  const at = text.indexOf('@', 1);
  return oneLine(text) && at > 0 && text.lastIndexOf('.', text.length - 2) >= at + 2;
}

const COMPILED = new Map<string, Pattern>();

/**
 * A published pattern, compiled once. It matches whole texts, as AWS's own do: `[0-9]+` does not match `a1`.
 * Says nothing of length: callers ask that first, or use `matchesPattern`.
 *
 * Assumed: a full match everywhere, which is what Java's `matches` does; Smithy's own pattern trait leaves anchoring to the pattern.
 * To find out, send a TranscribeLanguageModelName (`^[0-9a-zA-Z._-]+`) that ends in a blank.
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
 * The longest text, in code points, that a pattern is run on where the shape gives no max: `PATTERN_TEXT_MAX`, but without limit for
 * one repeated character class, which chat messages and policies have.
 */
export function patternTextMax(pattern: string): number {
  return isOneClass(pattern) ? Number.POSITIVE_INFINITY : PATTERN_TEXT_MAX;
}

/**
 * Whether a text is as a shape's pattern wants it. False without running the pattern where the text is longer than the shape allows;
 * true where the shape has no pattern. Lengths are code points, as the models mean them.
 */
export function matchesPattern(shape: Shape, text: string): boolean {
  const { pattern } = shape;
  if (pattern === undefined) return true;
  const max = shape.max ?? patternTextMax(pattern);
  // A text has at most as many code points as UTF-16 units, and at least half as many.
  if (text.length > max && (text.length > 2 * max || codePoints(text) > max)) return false;
  return compiledPattern(pattern).test(text);
}

/** The length of a text as the models count it. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** One character class or dot, repeated: each character is looked at once, however long the text. */
function isOneClass(pattern: string): boolean {
  return /^\^?(?:\.|\[(?:[^\]\\]|\\.)*\])[*+]?\$?$/.test(pattern);
}

/** With flag `u` where the pattern allows it, so that `\p{L}` means letters; some published classes are only read without. */
function fullMatch(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return new RegExp(`^(?:${pattern})$`);
  }
}
