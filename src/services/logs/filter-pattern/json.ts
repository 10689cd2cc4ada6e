import { conditionsOf } from './cost.ts';
import { type Cursor, invalidHere, isWordCharacter, readTest, skipSpace, take } from './cursor.ts';
import type { JsonCondition, JsonPattern, Selector, Step } from './pattern.ts';

/** Maximum depth of parentheses. Assumed: the number. */
const DEPTH_MAX = 32;
/** Maximum number of wildcards in all conditions. Source: CloudWatch Logs User Guide, "Filter pattern syntax", wildcards in JSON selectors. */
const WILDCARDS_MAX = 3;

/**
 * Parses a pattern for JSON events: `{ $.type = "Root" && ($.mfa NOT EXISTS || $.mfa IS FALSE) }`. `&&` binds stronger than `||`.
 *
 * @throws PatternProblem  the syntax is wrong · a selector has two wildcards, or the pattern has more than three
 */
export function parseJson(cursor: Cursor): JsonPattern {
  const selectors = new Map<string, Selector>();
  take(cursor, '{');
  const condition = readOr(cursor, selectors, 0);
  if (!take(cursor, '}')) throw invalidHere(cursor);
  skipSpace(cursor);
  if (cursor.at < cursor.text.length) throw invalidHere(cursor);
  const wildcards = conditionsOf(condition).filter(({ selector }) => selector.steps.some(({ kind }) => kind === 'any'));
  if (wildcards.length > WILDCARDS_MAX) throw invalidHere({ ...cursor, at: 0 });
  return { kind: 'json', condition, selectors: [...selectors.values()] };
}

type Selectors = Map<string, Selector>;

function readOr(cursor: Cursor, selectors: Selectors, depth: number): JsonCondition {
  const of = [readAnd(cursor, selectors, depth)];
  while (take(cursor, '||')) of.push(readAnd(cursor, selectors, depth));
  return of.length === 1 ? (of[0] as JsonCondition) : { kind: 'or', of };
}

function readAnd(cursor: Cursor, selectors: Selectors, depth: number): JsonCondition {
  const of = [readOne(cursor, selectors, depth)];
  while (take(cursor, '&&')) of.push(readOne(cursor, selectors, depth));
  return of.length === 1 ? (of[0] as JsonCondition) : { kind: 'and', of };
}

function readOne(cursor: Cursor, selectors: Selectors, depth: number): JsonCondition {
  skipSpace(cursor);
  if (depth >= DEPTH_MAX) throw invalidHere(cursor);
  if (take(cursor, '(')) {
    const inner = readOr(cursor, selectors, depth + 1);
    if (!take(cursor, ')')) throw invalidHere(cursor);
    return inner;
  }
  const selector = readSelector(cursor);
  selectors.set(selector.text, selector);
  const test = readTest(cursor);
  if (test !== undefined) return { kind: 'compare', selector, test };
  if (takeWord(cursor, 'IS')) {
    for (const [word, value] of [
      ['NULL', null],
      ['TRUE', true],
      ['FALSE', false],
    ] as const)
      if (takeWord(cursor, word)) return { kind: 'is', selector, value };
    throw invalidHere(cursor);
  }
  if (takeWord(cursor, 'NOT') && takeWord(cursor, 'EXISTS')) return { kind: 'not exists', selector };
  throw invalidHere(cursor);
}

/** Skips white space and a whole word, if it is there. */
function takeWord(cursor: Cursor, word: string): boolean {
  skipSpace(cursor);
  const next = cursor.text.charAt(cursor.at + word.length);
  return (next === '' || !isWordCharacter(next)) && take(cursor, word);
}

/** Reads a selector: `$.a.b[0]`, `$.['a.b']`, `$.a[*].b`, `$.*`. */
function readSelector(cursor: Cursor): Selector {
  skipSpace(cursor);
  const from = cursor.at;
  if (cursor.text.charAt(from) !== '$') throw invalidHere(cursor);
  cursor.at++;
  const steps: Step[] = [];
  for (let step = readStep(cursor); step !== undefined; step = readStep(cursor)) steps.push(step);
  if (steps.length === 0 || steps.filter(({ kind }) => kind === 'any').length > 1) throw invalidHere({ ...cursor, at: from });
  return { text: cursor.text.slice(from, cursor.at), steps };
}

function readStep(cursor: Cursor): Step | undefined {
  const { text } = cursor;
  const isDot = text.charAt(cursor.at) === '.';
  if (isDot) cursor.at++;
  if (text.charAt(cursor.at) === '[') {
    cursor.at++;
    return readBracket(cursor);
  }
  if (!isDot) return undefined;
  if (text.charAt(cursor.at) === '*') {
    cursor.at++;
    return { kind: 'any' };
  }
  const from = cursor.at;
  while (cursor.at < text.length && (isWordCharacter(text.charAt(cursor.at)) || text.charAt(cursor.at) === '-')) cursor.at++;
  if (cursor.at === from) throw invalidHere(cursor);
  return { kind: 'member', name: text.slice(from, cursor.at) };
}

/** Digits of the largest index. A message of 1 MiB has no more elements. */
const INDEX_DIGITS_MAX = 7;

/** Reads the rest of `[0]`, `[*]` or `['name']`. */
function readBracket(cursor: Cursor): Step {
  const { text, at } = cursor;
  const quote = text.charAt(at);
  const isQuoted = quote === "'" || quote === '"';
  const close = isQuoted ? text.indexOf(`${quote}]`, at + 1) : text.indexOf(']', at);
  if (close < 0) throw invalidHere(cursor);
  const inner = text.slice(isQuoted ? at + 1 : at, close);
  const isIndex = /^\d+$/.test(inner) && inner.length <= INDEX_DIGITS_MAX;
  if (!isQuoted && inner !== '*' && !isIndex) throw invalidHere(cursor);
  cursor.at = close + (isQuoted ? 2 : 1);
  if (isQuoted) return { kind: 'member', name: inner };
  return inner === '*' ? { kind: 'any' } : { kind: 'element', index: Number(inner) };
}
