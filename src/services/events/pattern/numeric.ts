import { comparableNumber } from './comparable-number.ts';
import type { JsonReader, JsonToken } from './json-reader.ts';
import { fail } from './pattern-problem.ts';
import { type NumberRange, numericTest, type OtherTest } from './value-tests.ts';

const TOO_MANY = 'Too many elements in numeric expression';
const LOWEST = { bottom: Number.NEGATIVE_INFINITY, bottomOpen: false };
const HIGHEST = { top: Number.POSITIVE_INFINITY, topOpen: false };

/**
 * Parses the operand of `numeric`: one comparison, or a lower bound and then an upper bound.
 *
 * Source: aws/event-ruler `337e8d9`, JsonRuleCompiler and Range.
 */
export function parseNumeric(reader: JsonReader): OtherTest {
  if (reader.next() !== 'array') fail(reader, 'Value of numeric must be an array.');
  const range = parseRange(reader);
  if (reader.next() !== 'end-object') fail(reader, TOO_MANY);
  return numericTest(range);
}

function parseRange(reader: JsonReader): NumberRange {
  const first = reader.next();
  if (first !== 'string') fail(reader, `Invalid member in numeric match: ${reader.text()}`);
  const operator = reader.text();
  const token = reader.next();
  if (!['=', '>', '>=', '<', '<='].includes(operator)) fail(reader, `Unrecognized numeric range operator: ${operator}`);
  const text = numberText(reader, token, operator);
  const after = reader.next();
  if (operator === '>' || operator === '>=') {
    const bottomOpen = operator === '>';
    if (after === 'end-array') return { bottom: toNumber(reader, text), bottomOpen, ...HIGHEST };
    return parseTop(reader, after, text, bottomOpen);
  }
  if (after !== 'end-array') fail(reader, TOO_MANY);
  const value = toNumber(reader, text);
  if (operator === '=') return { bottom: value, bottomOpen: false, top: value, topOpen: false };
  return { ...LOWEST, top: value, topOpen: operator === '<' };
}

function parseTop(reader: JsonReader, token: JsonToken, bottomText: string, bottomOpen: boolean): NumberRange {
  if (token !== 'string') fail(reader, `Bad value in numeric range: ${reader.text()}`);
  const operator = reader.text();
  if (operator !== '<' && operator !== '<=') fail(reader, `Bad numeric range operator: ${operator}`);
  const topText = numberText(reader, reader.next(), operator);
  if (reader.next() !== 'end-array') fail(reader, 'Too many terms in numeric range expression');
  const bottom = toNumber(reader, bottomText);
  const top = toNumber(reader, topText);
  if (bottom >= top) fail(reader, 'Bottom must be less than top');
  return { bottom, bottomOpen, top, topOpen: operator === '<' };
}

function numberText(reader: JsonReader, token: JsonToken, operator: string): string {
  if (token !== 'number') fail(reader, `Value of ${operator === '=' ? 'equals' : operator} must be numeric`);
  return reader.text();
}

function toNumber(reader: JsonReader, text: string): number {
  return comparableNumber(text) ?? fail(reader, `Cannot compare number : ${text}`);
}
