/** Cost of filter patterns. Reads and writes limit the work of a request with it. */
import type { Field, FieldsPattern, FilterPattern, JsonCondition, ValueTest } from './pattern.ts';

/** Cost of the application of a pattern, in nanoseconds of a slow core in the worst case. */
export interface PatternCost {
  readonly perEvent: number;
  readonly perCharacter: number;
}

/** Search for a term in a text. The worst texts match most of the term at each position. More terms are searched together. */
const SEARCH = 20;
const SEARCHES_MAX = 4;
/** Comparison of a value, or a step of a look-up. */
const STEP = 150;
/** Conversion of a message to JSON, or to its fields. Other patterns of the same group use the result too. */
const CONVERSION = 150;
/** Visit of all values of an array or object. */
const WILDCARD = 50;
/** Conversion of a field to a number. */
const NUMBER = 6;

/** Returns the cost of a pattern. */
export function costOf(pattern: FilterPattern): PatternCost {
  const search = SEARCH * Math.min(searchedTerms(pattern).length, SEARCHES_MAX);
  switch (pattern.kind) {
    case 'terms':
      return { perEvent: STEP * (1 + searchedTerms(pattern).length), perCharacter: search };
    case 'json': {
      const tests = conditionsOf(pattern.condition);
      const steps = tests.reduce((sum, { selector }) => sum + 1 + selector.steps.length, 0);
      const wildcards = tests.filter((each) => each.selector.steps.some(({ kind }) => kind === 'any')).length;
      return { perEvent: STEP * (1 + steps), perCharacter: CONVERSION + WILDCARD * wildcards + search };
    }
    case 'fields': {
      const steps = fieldsOf(pattern).reduce((sum, field) => sum + 1 + testsOf(field).length, 0);
      return { perEvent: STEP * (1 + steps), perCharacter: CONVERSION + NUMBER + search };
    }
  }
}

/** Returns the terms for which a pattern searches in a whole message or value. Other tests read only as much as their term is long. */
export function searchedTerms(pattern: FilterPattern): readonly string[] {
  if (pattern.kind === 'terms') return [...pattern.all, ...pattern.any, ...pattern.none];
  const tests =
    pattern.kind === 'json'
      ? conditionsOf(pattern.condition).flatMap((each) => (each.kind === 'compare' ? [each.test] : []))
      : fieldsOf(pattern).flatMap(testsOf);
  return tests.flatMap((test) =>
    'term' in test && test.term.anyBefore && test.term.anyAfter && test.term.text !== '' ? [test.term.text] : [],
  );
}

/** Returns the cost of several patterns, which convert a message once. */
export function costOfAll(patterns: readonly FilterPattern[]): PatternCost {
  const costs = patterns.map(costOf);
  const converting = patterns.filter(({ kind }) => kind !== 'terms').length;
  const kinds = new Set(patterns.map(({ kind }) => kind).filter((kind) => kind !== 'terms')).size;
  return {
    perEvent: costs.reduce((sum, each) => sum + each.perEvent, 0),
    perCharacter: costs.reduce((sum, each) => sum + each.perCharacter, 0) - CONVERSION * (converting - kinds),
  };
}

/** Returns the cost of the application to an event. */
export function costOfEvent({ perEvent, perCharacter }: PatternCost, message: string): number {
  return perEvent + perCharacter * message.length;
}

/** Returns the tests of a condition in their order. */
export function conditionsOf(condition: JsonCondition): readonly Exclude<JsonCondition, { readonly of: unknown }>[] {
  return 'of' in condition ? condition.of.flatMap(conditionsOf) : [condition];
}

const fieldsOf = ({ first, last = [] }: FieldsPattern): readonly Field[] => [...first, ...last];
const testsOf = ({ anyOf }: Field): readonly ValueTest[] => anyOf.flat();
