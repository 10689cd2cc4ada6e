import { comparableNumber } from './comparable-number.ts';
import { caseForms } from './ignore-case.ts';
import { JsonProblem } from './json-problem.ts';
import type { JsonReader, JsonToken } from './json-reader.ts';
import { fail, TextProblem } from './pattern-problem.ts';
import {
  ignoreCaseTest,
  noNumberOfTest,
  noneHoldsTest,
  noneOfTest,
  type OtherTest,
  prefixTest,
  suffixTest,
  wildcardTest,
} from './value-tests.ts';
import { parseWildcard, WildcardProblem } from './wildcard.ts';

const UNEXPECTED_END = 'Too many elements in numeric expression';

/** Operators inside `anything-but`, with the reason for an operand that is not a string. */
const NESTED = {
  'equals-ignore-case': 'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
  prefix: 'prefix/suffix match pattern must be a string',
  suffix: 'prefix/suffix match pattern must be a string',
  wildcard: 'wildcard match pattern must be a string',
} as const;
type Nested = keyof typeof NESTED;

/** Problem inside a list. AWS prints its location twice. Recorded: test/cases/recorded/event-patterns.json. */
export class ListProblem extends JsonProblem {}

/**
 * Parses the operand of `anything-but`: a string, a number, a list, or an object with another operator.
 *
 * Source: aws/event-ruler `337e8d9`, JsonRuleCompiler.
 */
export function parseAnythingBut(reader: JsonReader): OtherTest {
  let token = reader.next();
  let nested: Nested | undefined;
  if (token === 'object') {
    if (reader.next() !== 'name') fail(reader, 'Anything-But expression name not found');
    const name = reader.name();
    if (!Object.hasOwn(NESTED, name)) fail(reader, `Unsupported anything-but pattern: ${name}`);
    nested = name as Nested;
    token = reader.next();
  }
  if (token !== 'array' && token !== 'string' && token !== 'number') {
    fail(reader, 'Value of anything-but must be an array or single string/number value.');
  }
  const test = nested === undefined ? parseValues(reader, token) : parseNested(reader, token, nested);
  if (reader.next() !== 'end-object') fail(reader, UNEXPECTED_END);
  if (nested !== undefined && reader.next() !== 'end-object') fail(reader, UNEXPECTED_END);
  return test;
}

function parseValues(reader: JsonReader, token: JsonToken): OtherTest {
  if (token === 'string') return noneOfTest(new Set([reader.text()]));
  if (token === 'number') {
    const value = comparableNumber(reader.text());
    // The engine throws here outside the code that adds locations.
    if (value === undefined) throw new TextProblem(`Cannot compare number : ${reader.text()}`);
    return noNumberOfTest(new Set([value]));
  }
  const strings = new Set<string>();
  const numbers = new Set<number>();
  eachInList(reader, (element) => {
    if (element === 'string') strings.add(reader.text());
    else if (element === 'number') numbers.add(listNumber(reader.text()));
    else fail(reader, 'Inside anything but list, start|null|boolean is not supported.');
  });
  if (strings.size > 0 === numbers.size > 0) {
    fail(reader, 'Inside anything but list, either all values are number or string, mixed type is not supported');
  }
  return strings.size > 0 ? noneOfTest(strings) : noNumberOfTest(numbers);
}

/** Number that no double equals. AWS prints its location once, also inside a list. */
class IncomparableNumber extends Error {}

/**
 * Reads the elements of a list.
 *
 * @throws ListProblem  JSON or an element in the list is not valid
 */
function eachInList(reader: JsonReader, add: (element: JsonToken) => void): void {
  try {
    for (let token = reader.next(); token !== 'end-array'; token = reader.next()) add(token);
  } catch (problem) {
    if (problem instanceof JsonProblem) throw new ListProblem(problem.message, problem.consumed, problem.lined);
    if (problem instanceof IncomparableNumber) fail(reader, problem.message);
    throw problem;
  }
}

function listNumber(text: string): number {
  const value = comparableNumber(text);
  if (value === undefined) throw new IncomparableNumber(`Cannot compare number : ${text}`);
  return value;
}

function parseNested(reader: JsonReader, token: JsonToken, nested: Nested): OtherTest {
  const operands = new Set<string>();
  const add = (element: JsonToken): void => {
    if (element !== 'string') fail(reader, NESTED[nested]);
    const operand = reader.text();
    if (operand === '' && (nested === 'prefix' || nested === 'suffix')) fail(reader, 'Null prefix/suffix not allowed');
    operands.add(operand);
  };
  if (token === 'array') eachInList(reader, add);
  else add(token);
  try {
    return noneHoldsTest([...operands].map((operand) => nestedTest(nested, operand)));
  } catch (problem) {
    if (problem instanceof WildcardProblem) return fail(reader, problem.message);
    throw problem;
  }
}

function nestedTest(nested: Nested, operand: string): OtherTest {
  switch (nested) {
    case 'equals-ignore-case':
      return ignoreCaseTest('all', operand, caseForms(operand));
    case 'prefix':
      return prefixTest(operand);
    case 'suffix':
      return suffixTest(operand);
    case 'wildcard':
      return wildcardTest(operand, parseWildcard(operand));
  }
}
