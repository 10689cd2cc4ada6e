import { AddressProblem, parseCidr } from './addresses.ts';
import { parseAnythingBut } from './anything-but.ts';
import { caseForms } from './ignore-case.ts';
import type { JsonReader } from './json-reader.ts';
import { parseNumeric } from './numeric.ts';
import { closeExpression, fail, stringOperand, TextProblem } from './pattern-problem.ts';
import { cidrTest, exactKey, ignoreCaseTest, prefixTest, suffixTest, type ValueTest, wildcardTest } from './value-tests.ts';
import { parseWildcard, WildcardProblem } from './wildcard.ts';

/** Match object of a pattern: a test, or `absent` for `exists: false`. */
export type MatchExpression = ValueTest | 'absent';

/**
 * Parses a match object such as `{"prefix": "a"}`. Its opening brace was read.
 *
 * The order of the checks follows the order of the characters, because the first error ends the parsing.
 *
 * Source: aws/event-ruler `337e8d9`, JsonRuleCompiler.
 */
export function parseMatchExpression(reader: JsonReader): MatchExpression {
  if (reader.next() !== 'name') fail(reader, 'Match expression name not found');
  const operator = reader.name();
  switch (operator) {
    case 'exactly':
      return { kind: 'exact', key: exactKey('string', closed(reader, stringOperand(reader, 'exact')), undefined) };
    case 'prefix':
    case 'suffix':
      return parseAffix(reader, operator);
    case 'equals-ignore-case': {
      const operand = closed(reader, stringOperand(reader, operator));
      return ignoreCaseTest('all', operand, caseForms(operand));
    }
    case 'wildcard':
      return parseWildcardOperand(reader);
    case 'cidr':
      return parseCidrOperand(reader);
    case 'numeric':
      return parseNumeric(reader);
    case 'anything-but':
      return parseAnythingBut(reader);
    case 'exists': {
      const token = reader.next();
      if (token !== 'true' && token !== 'false') fail(reader, 'exists match pattern must be either true or false.');
      return closed(reader, token === 'true' ? { kind: 'exists' } : 'absent');
    }
    default:
      return fail(reader, `Unrecognized match type ${operator}`);
  }
}

function closed<Value>(reader: JsonReader, value: Value): Value {
  closeExpression(reader);
  return value;
}

function parseAffix(reader: JsonReader, operator: 'prefix' | 'suffix'): ValueTest {
  const token = reader.next();
  if (token === 'object') {
    const title = operator === 'prefix' ? 'Prefix' : 'Suffix';
    if (reader.next() !== 'name') fail(reader, `${title} expression name not found`);
    if (reader.name() !== 'equals-ignore-case') fail(reader, `Unsupported ${operator} pattern: ${reader.name()}`);
    const operand = stringOperand(reader, 'equals-ignore-case');
    closeExpression(reader);
    return closed(reader, ignoreCaseTest(operator, operand, caseForms(operand)));
  }
  if (token !== 'string') fail(reader, `${operator} match pattern must be a string`);
  const operand = reader.text();
  return closed(reader, operator === 'prefix' ? prefixTest(operand) : suffixTest(operand));
}

function parseWildcardOperand(reader: JsonReader): ValueTest {
  const operand = stringOperand(reader, 'wildcard');
  try {
    const wildcard = parseWildcard(operand);
    return closed(reader, wildcardTest(operand, wildcard));
  } catch (problem) {
    if (problem instanceof WildcardProblem) return fail(reader, problem.message);
    throw problem;
  }
}

function parseCidrOperand(reader: JsonReader): ValueTest {
  const operand = stringOperand(reader, 'prefix');
  try {
    const range = parseCidr(operand);
    return closed(reader, cidrTest(range));
  } catch (problem) {
    if (problem instanceof AddressProblem) throw new TextProblem(problem.message);
    throw problem;
  }
}
