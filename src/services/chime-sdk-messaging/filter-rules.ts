import { AwsError } from './errors.ts';

const SIZE_MAX_BYTES = 2048;
const ALTERNATIVES_MAX = 5;
const COMPLEXITY_MAX = 20;

/**
 * Checks a filter rule: a JSON object of message attributes with the values that a notification requires or excludes.
 *
 *     {"$or":[{"mention":["Bob"]},{"type":[{"anything-but":["Room"]}]}]}
 *
 * Source: Chime SDK Developer Guide, "Using filter rules to filter messages": forms and limits. The complexity is the number of keys and
 * values, and `anything-but` does not count.
 * Assumed: `$or` does not count either; rules in `$or` may contain `$or`; the messages.
 * @throws BadRequestException
 */
export function requireFilterRule(text: string): void {
  if (Buffer.byteLength(text) > SIZE_MAX_BYTES) throw invalid(`it has more than ${SIZE_MAX_BYTES} bytes`);
  if (complexityOf(parsed(text)) > COMPLEXITY_MAX) throw invalid(`its complexity is more than ${COMPLEXITY_MAX}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('it is not valid JSON');
  }
}

/** Returns the complexity of a rule. @throws BadRequestException the rule is not in a valid form */
function complexityOf(rule: unknown): number {
  if (!isObject(rule)) throw invalid('a rule must be an object');
  return sum(Object.entries(rule), ([key, value]) => {
    if (!isList(value)) throw invalid('a key must have a list of values');
    if (key !== '$or') return 1 + sum(value, valuesIn);
    if (value.length > ALTERNATIVES_MAX) throw invalid(`$or has more than ${ALTERNATIVES_MAX} rules`);
    return sum(value, complexityOf);
  });
}

/** Returns the number of strings in a value: `"Bob"` or `{"anything-but":["Room"]}`. */
function valuesIn(value: unknown): number {
  if (typeof value === 'string') return 1;
  const [[name, excluded] = [], ...others] = isObject(value) ? Object.entries(value) : [];
  if (name !== 'anything-but' || others.length > 0 || !isList(excluded) || !excluded.every((each) => typeof each === 'string')) {
    throw invalid('a value must be a string or a list of strings in anything-but');
  }
  return excluded.length;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}

function invalid(reason: string): AwsError {
  return new AwsError('BadRequestException', `The filter rule is invalid: ${reason}.`);
}
