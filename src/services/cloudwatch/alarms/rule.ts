/** Rules of composite alarms: `ALARM(a) AND NOT (OK("b c") OR TRUE)`. */
import type { StateValue } from '#model/generated/cloudwatch.ts';
import { AwsError } from '../errors.ts';

/** Parsed rule. */
export type Rule =
  | { readonly kind: 'state'; readonly state: StateValue; readonly alarm: string }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Rule }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Rule[] };

/**
 * Limits of a rule.
 *
 * Source: cloudwatch 2010-08-01, AlarmRule: 100 children, and 500 elements, which are children, TRUE, FALSE and parentheses.
 * Assumed: 50 nested parentheses and NOT.
 */
const LIMITS = { children: 100, elements: 500, depth: 50 } as const;

const STATES: ReadonlySet<string> = new Set(['ALARM', 'OK', 'INSUFFICIENT_DATA']);

/** Position in a rule while it is parsed. */
interface Cursor {
  readonly rule: string;
  at: number;
  elements: number;
  depth: number;
}

/**
 * Parses a rule. `NOT` binds more closely than `AND`, and `AND` more closely than `OR`.
 *
 * @throws ValidationException  the rule is invalid, or exceeds a limit. Assumed: the messages
 */
export function parseRule(rule: string): Rule {
  const cursor: Cursor = { rule, at: 0, elements: 0, depth: 0 };
  const parsed = parseOr(cursor);
  skipSpace(cursor);
  if (cursor.at < rule.length) throw unexpected(cursor);
  if (alarmsOf(parsed).length > LIMITS.children) throw invalid(`the rule has more than ${LIMITS.children} child alarms`);
  return parsed;
}

/** Returns the alarms that a rule names, by name or ARN, each once. */
export function alarmsOf(rule: Rule): readonly string[] {
  const found = new Set<string>();
  const visit = (part: Rule): void => {
    if (part.kind === 'state') found.add(part.alarm);
    else if (part.kind === 'not') visit(part.of);
    else if (part.kind !== 'constant') part.of.forEach(visit);
  };
  visit(rule);
  return [...found];
}

/** Reports whether a rule is true. `stateOf` returns the state of an alarm that the rule names. */
export function isTrue(rule: Rule, stateOf: (alarm: string) => StateValue | undefined): boolean {
  switch (rule.kind) {
    case 'state':
      return stateOf(rule.alarm) === rule.state;
    case 'constant':
      return rule.value;
    case 'not':
      return !isTrue(rule.of, stateOf);
    case 'and':
      return rule.of.every((part) => isTrue(part, stateOf));
    case 'or':
      return rule.of.some((part) => isTrue(part, stateOf));
  }
}

function parseOr(cursor: Cursor): Rule {
  return parseList(cursor, 'OR', () => parseList(cursor, 'AND', () => parseNot(cursor), 'and'), 'or');
}

function parseList(cursor: Cursor, operator: 'AND' | 'OR', parsePart: () => Rule, kind: 'and' | 'or'): Rule {
  const parts = [parsePart()];
  while (takeWord(cursor, operator)) parts.push(parsePart());
  return parts.length === 1 ? (parts[0] as Rule) : { kind, of: parts };
}

function parseNot(cursor: Cursor): Rule {
  if (!takeWord(cursor, 'NOT')) return parseElement(cursor);
  return nested(cursor, () => ({ kind: 'not', of: parseNot(cursor) }));
}

function parseElement(cursor: Cursor): Rule {
  if (++cursor.elements > LIMITS.elements) throw invalid(`the rule has more than ${LIMITS.elements} elements`);
  if (take(cursor, '(')) {
    return nested(cursor, () => {
      const inner = parseOr(cursor);
      if (!take(cursor, ')')) throw unexpected(cursor);
      return inner;
    });
  }
  const start = cursor.at;
  const word = wordAt(cursor);
  cursor.at += word.length;
  if (word === 'TRUE' || word === 'FALSE') return { kind: 'constant', value: word === 'TRUE' };
  if (STATES.has(word) && take(cursor, '(')) {
    const alarm = takeAlarm(cursor);
    if (!take(cursor, ')')) throw unexpected(cursor);
    return { kind: 'state', state: word as StateValue, alarm };
  }
  cursor.at = start;
  throw unexpected(cursor);
}

function nested(cursor: Cursor, parse: () => Rule): Rule {
  if (++cursor.depth > LIMITS.depth) throw invalid(`the rule has more than ${LIMITS.depth} nested expressions`);
  const rule = parse();
  cursor.depth -= 1;
  return rule;
}

/** Reads the name or the ARN of an alarm. In double quotes, a backslash precedes a double quote or a backslash that belongs to the name. */
function takeAlarm(cursor: Cursor): string {
  const { rule } = cursor;
  if (!take(cursor, '"')) {
    const end = rule.indexOf(')', cursor.at);
    const name = end < 0 ? '' : rule.slice(cursor.at, end).trim();
    if (name === '') throw unexpected(cursor);
    cursor.at = end;
    return name;
  }
  let name = '';
  for (; cursor.at < rule.length; cursor.at += 1) {
    const character = rule.charAt(cursor.at);
    if (character === '"' && name !== '') {
      cursor.at += 1;
      return name;
    }
    const escaped = character === '\\' ? rule.charAt(cursor.at + 1) : '';
    if (escaped === '"' || escaped === '\\') {
      name += escaped;
      cursor.at += 1;
    } else name += character;
  }
  throw unexpected(cursor);
}

function skipSpace(cursor: Cursor): void {
  while (' \t\r\n'.includes(cursor.rule.charAt(cursor.at)) && cursor.at < cursor.rule.length) cursor.at += 1;
}

function take(cursor: Cursor, character: string): boolean {
  skipSpace(cursor);
  if (cursor.rule.charAt(cursor.at) !== character) return false;
  cursor.at += 1;
  return true;
}

function takeWord(cursor: Cursor, word: string): boolean {
  if (wordAt(cursor) !== word) return false;
  cursor.at += word.length;
  return true;
}

/** Returns the word at the position: letters and underscores, at most as long as the longest keyword. */
function wordAt(cursor: Cursor): string {
  skipSpace(cursor);
  return /^[A-Z_]{0,18}/.exec(cursor.rule.slice(cursor.at, cursor.at + 18))?.[0] ?? '';
}

function unexpected({ rule, at }: Cursor): Error {
  return invalid(at >= rule.length ? 'unexpected end of the rule' : `unexpected character '${rule.charAt(at)}' at position ${at + 1}`);
}

function invalid(problem: string): Error {
  return new AwsError('ValidationException', `Invalid AlarmRule: ${problem}.`);
}
