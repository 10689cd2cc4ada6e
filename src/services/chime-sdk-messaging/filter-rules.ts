import { AwsError } from './errors.ts';

const SIZE_MAX_BYTES = 2048;
const ALTERNATIVES_MAX = 5;
const COMPLEXITY_MAX = 20;

/**
 * Checks a filter rule: a JSON object of message attributes with the values that a notification requires or excludes.
 *
 *     {"$or":[{"mention":["Bob"]},{"type":[{"anything-but":["Room"]}]}]}
 *
 * Source: Chime SDK Developer Guide, "Using filter rules to filter messages": the valid forms and the limits. The
 * complexity of a rule is the number of its keys and values. The key `anything-but` does not count.
 * Assumed: (1) The key `$or` does not count either. (2) A rule in `$or` may contain `$or`. (3) The wording of the error
 * messages.
 * @throws BadRequestException
 */
export function requireFilterRule(text: string): void {
  if (Buffer.byteLength(text) > SIZE_MAX_BYTES) throw invalid(`it has more than ${SIZE_MAX_BYTES} bytes`);
  if (complexityOf(parsed(text)) > COMPLEXITY_MAX)
    throw invalid(`its complexity (number of keys and values) is more than ${COMPLEXITY_MAX}`);
}

/** Rule in a valid form. */
interface FilterRule {
  readonly [key: string]: readonly (string | { readonly 'anything-but': readonly string[] } | FilterRule)[];
}

/**
 * Reports whether a message with attributes matches a filter rule that `requireFilterRule` accepted. All keys of the rule must match.
 *
 * Source: Chime SDK Developer Guide, "Using filter rules to filter messages", examples: one of the values in the rule must be a value of the
 * message. A rule with `anything-but` allows each message without the excluded values, also without the attribute.
 */
export function matchesFilterRule(text: string, attributes: Readonly<Record<string, readonly string[]>>): boolean {
  return matches(JSON.parse(text) as FilterRule, attributes);
}

function matches(rule: FilterRule, attributes: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.entries(rule).every(([key, values]) => {
    if (key === '$or') return values.some((each) => matches(each as FilterRule, attributes));
    const present = Object.hasOwn(attributes, key) ? (attributes[key] ?? []) : [];
    return values.some((value) =>
      typeof value === 'string'
        ? present.includes(value)
        : !present.some((each) => (value['anything-but'] as readonly string[]).includes(each)),
    );
  });
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
  if (!isObject(rule)) throw invalid('a rule must be a JSON object');
  return sum(Object.entries(rule), ([key, value]) => {
    if (!isList(value)) throw invalid(`the value of the key '${key}' must be a list of values with at least one element`);
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
    throw invalid('each value must be a string, or an object whose only member is anything-but, with a list of strings');
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
