/** Parser of filter patterns. Pure, and linear in the length of the pattern. It builds no regular expression from the pattern. */
import { type Cursor, PatternProblem, skipSpace } from './cursor.ts';
import { parseFields } from './fields.ts';
import { parseJson } from './json.ts';
import type { FilterPattern } from './pattern.ts';
import { parseTerms } from './terms.ts';

/** Maximum length of a pattern. The service model has the same limit. */
const LENGTH_MAX = 1_024;

/** Parsed pattern, or the message for a pattern that is not valid. */
export type ParsedPattern = { readonly pattern: FilterPattern } | { readonly problem: string };

/**
 * Parses a filter pattern. An empty pattern, or one of white space, matches every message.
 *
 * Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail".
 * Not implemented: regular expressions (`%…%`). They are a problem, and not a term.
 */
export function parsePattern(text: string): ParsedPattern {
  if (text.length > LENGTH_MAX) return { problem: `The filter pattern has more than ${LENGTH_MAX} characters.` };
  const cursor: Cursor = { text, at: 0 };
  skipSpace(cursor);
  try {
    const start = text.charAt(cursor.at);
    return { pattern: start === '{' ? parseJson(cursor) : start === '[' ? parseFields(cursor) : parseTerms(cursor) };
  } catch (error) {
    if (error instanceof PatternProblem) return { problem: error.message };
    throw error;
  }
}
