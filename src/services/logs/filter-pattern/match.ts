/** Applies filter patterns to log events. Pure. `costOf` limits the time. */
import { searchedTerms } from './cost.ts';
import { toNumber } from './cursor.ts';
import type {
  Field,
  FieldsPattern,
  FilterPattern,
  JsonCondition,
  JsonPattern,
  Selector,
  Step,
  TermsPattern,
  ValueTerm,
  ValueTest,
} from './pattern.ts';
import { type TermSearch, termSearch } from './search.ts';
import type { Subject } from './subject.ts';

const searches = new WeakMap<FilterPattern, TermSearch>();

/** Returns the search for the terms of a pattern. A pattern has one, because the search can prepare itself. */
function searchOf(pattern: FilterPattern): TermSearch {
  let search = searches.get(pattern);
  if (search === undefined) searches.set(pattern, (search = termSearch(searchedTerms(pattern))));
  return search;
}

/** Reports whether a message matches a pattern. */
export function matches(pattern: FilterPattern, subject: Subject): boolean {
  const search = searchOf(pattern);
  switch (pattern.kind) {
    case 'terms':
      return matchesTerms(pattern, subject.text, search);
    case 'json':
      return matchesJson(pattern, subject, search);
    case 'fields':
      return matchesFields(pattern, subject.fields(), search);
  }
}

/**
 * Returns the values that a pattern names in a message, by their names in `metricValue`: `$.latency`, or `$status` for the field `status`.
 * A field without a name has its number, from 1. A value that is not a string, number or boolean is absent.
 *
 * Source: CloudWatch Logs API reference, TestMetricFilter, Examples.
 */
export function extractedValues(pattern: FilterPattern, subject: Subject): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  if (pattern.kind === 'json') {
    for (const selector of pattern.selectors) {
      const value = firstComparable(subject, selector);
      if (value !== undefined) values.set(selector.text, value);
    }
  } else if (pattern.kind === 'fields') {
    const fields = subject.fields();
    const { first, last = [] } = pattern;
    for (const [i, value] of fields.entries()) {
      const name = (first[i] ?? last[i - (fields.length - last.length)])?.name ?? i + 1;
      values.set(`$${name}`, value);
    }
  }
  return values;
}

/** Returns one value of `extractedValues`, in a time that does not depend on the number of values. */
export function extractedValue(pattern: FilterPattern, subject: Subject, name: string): string | undefined {
  if (pattern.kind === 'json') {
    const selector = pattern.selectors.find(({ text }) => text === name);
    return selector && firstComparable(subject, selector);
  }
  if (pattern.kind === 'terms') return undefined;
  const fields = subject.fields();
  const { first, last = [] } = pattern;
  const atFirst = first.findIndex((field, i) => `$${field.name ?? i + 1}` === name);
  if (atFirst >= 0) return fields[atFirst];
  const atLast = last.findIndex((field) => `$${field.name}` === name);
  return fields[atLast >= 0 ? fields.length - last.length + atLast : Number(name.slice(1)) - 1];
}

function firstComparable(subject: Subject, { steps }: Selector): string | undefined {
  let found: string | undefined;
  someSelected(subject.json(), steps, (value) => (found = comparable(value)) !== undefined);
  return found;
}

/**
 * Source: CloudWatch Logs User Guide, "Filter pattern syntax". Assumed: a term matches anywhere in the message, also inside a word.
 */
function matchesTerms({ all, any, none }: TermsPattern, text: string, search: TermSearch): boolean {
  const has = (term: string) => search.contains(text, term);
  return all.every(has) && !none.some(has) && (any.length === 0 || any.some(has));
}

function matchesJson({ condition }: JsonPattern, subject: Subject, search: TermSearch): boolean {
  const json = subject.json();
  return json !== undefined && holds(condition, json, search);
}

function holds(condition: JsonCondition, json: object, search: TermSearch): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.of.every((each) => holds(each, json, search));
    case 'or':
      return condition.of.some((each) => holds(each, json, search));
    case 'compare':
      return someSelected(json, condition.selector.steps, (value) => valuePasses(condition.test, value, search));
    case 'is':
      return someSelected(json, condition.selector.steps, (value) => value === condition.value);
    case 'not exists':
      return !someSelected(json, condition.selector.steps, () => true);
  }
}

/** Maximum number of values that a wildcard selects, so that a message of 1 MiB takes little time. Assumed: the number. */
const SELECTED_MAX = 100_000;

/** Reports whether one of the values that a selector selects passes a test. A selector has at most one wildcard. */
function someSelected(value: unknown, steps: readonly Step[], passes: (value: unknown) => boolean, at = 0): boolean {
  const step = steps[at];
  if (step === undefined) return passes(value);
  if (typeof value !== 'object' || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  const passesRest = (each: unknown) => someSelected(each, steps, passes, at + 1);
  if (step.kind === 'any') {
    let count = 0;
    for (const name in members) {
      if (passesRest(members[name])) return true;
      if (++count === SELECTED_MAX) return false;
    }
    return false;
  }
  if (step.kind === 'element') return Array.isArray(value) && step.index < value.length && passesRest(value[step.index]);
  return !Array.isArray(value) && Object.hasOwn(value, step.name) && passesRest(members[step.name]);
}

/**
 * Reports whether a JSON value passes a test. Objects, arrays and null pass none, not even `!=`. A number equals an unquoted number with
 * another notation, and a quoted one only if the text is equal.
 *
 * Recorded: results of TestMetricFilter in a public test suite of 2020, which `match.test.ts` lists.
 * Assumed: a number compares in JavaScript's notation, so 12.0 in an event equals "12". AWS keeps its notation.
 */
function valuePasses(test: ValueTest, value: unknown, search: TermSearch): boolean {
  const text = comparable(value);
  if (text === undefined) return false;
  return passes(test, text, typeof value === 'number' ? value : undefined, search);
}

function comparable(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** `number` is the value as a number, if it is one. */
function passes(test: ValueTest, text: string, number: number | undefined, search: TermSearch): boolean {
  switch (test.operator) {
    case '=':
      return equals(test.term, text, number, search);
    case '!=':
      return !equals(test.term, text, number, search);
    case '<':
      return number !== undefined && number < test.number;
    case '<=':
      return number !== undefined && number <= test.number;
    case '>':
      return number !== undefined && number > test.number;
    case '>=':
      return number !== undefined && number >= test.number;
  }
}

function equals(term: ValueTerm, text: string, number: number | undefined, search: TermSearch): boolean {
  const { text: wanted, anyBefore, anyAfter, number: wantedNumber } = term;
  if (wantedNumber !== undefined && number !== undefined) return wantedNumber === number;
  if (anyBefore && anyAfter) return wanted === '' || search.contains(text, wanted);
  if (anyBefore) return text.endsWith(wanted);
  return anyAfter ? text.startsWith(wanted) : text === wanted;
}

/** Without `...`, a message must have exactly the fields of the pattern. */
function matchesFields({ first, last }: FieldsPattern, fields: readonly string[], search: TermSearch): boolean {
  const count = first.length + (last?.length ?? 0);
  if (last === undefined ? fields.length !== count : fields.length < count) return false;
  return first.every((field, i) => fieldPasses(field, fields[i] as string, search)) && fieldsEnd(last ?? [], fields, search);
}

function fieldsEnd(last: readonly Field[], fields: readonly string[], search: TermSearch): boolean {
  const from = fields.length - last.length;
  return last.every((field, i) => fieldPasses(field, fields[from + i] as string, search));
}

function fieldPasses({ anyOf }: Field, text: string, search: TermSearch): boolean {
  if (anyOf.length === 0) return true;
  const number = toNumber(text);
  return anyOf.some((tests) => tests.every((test) => passes(test, text, number, search)));
}
