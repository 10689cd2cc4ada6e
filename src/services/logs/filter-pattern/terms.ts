import { type Cursor, invalidTerm, isSpace, isWordCharacter, readQuoted, regularExpression, skipSpace } from './cursor.ts';
import type { TermsPattern } from './pattern.ts';

/**
 * Parses a pattern of terms: `ERROR`, `?ERROR ?WARN`, `ERROR -"not found"`.
 *
 * A phrase of white space matches every message. Terms with a question mark have no effect if the pattern has other terms.
 *
 * Source: CloudWatch Logs User Guide, "Filter pattern syntax": "Match everything", "Match optional terms".
 * @throws PatternProblem
 */
export function parseTerms(cursor: Cursor): TermsPattern {
  const all: string[] = [];
  const any: string[] = [];
  const none: string[] = [];
  for (skipSpace(cursor); cursor.at < cursor.text.length; skipSpace(cursor)) {
    const prefix = cursor.text.charAt(cursor.at);
    const list = prefix === '?' ? any : prefix === '-' ? none : all;
    if (list !== all) cursor.at++;
    const term = cursor.text.charAt(cursor.at) === '"' ? readQuoted(cursor) : readWord(cursor);
    if (term.trim() !== '') list.push(term);
  }
  return { kind: 'terms', all, any: all.length + none.length > 0 ? [] : any, none };
}

function readWord(cursor: Cursor): string {
  const { text } = cursor;
  const from = cursor.at;
  while (cursor.at < text.length && isWordCharacter(text.charAt(cursor.at))) cursor.at++;
  const next = text.charAt(cursor.at);
  if (cursor.at > from && (next === '' || isSpace(next))) return text.slice(from, cursor.at);
  if (next === '%' && cursor.at === from) throw regularExpression();
  let end = cursor.at;
  while (end < text.length && !isSpace(text.charAt(end)) && !isWordCharacter(text.charAt(end))) end++;
  throw invalidTerm(text.slice(cursor.at, end));
}
