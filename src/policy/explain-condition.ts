import type { ConditionContext } from '#core/condition-context.ts';
import type { PreparedCondition, PreparedText, ValueTrace } from './explain-prepare.ts';
import {
  addressMatch,
  arnMatch,
  askedMoment,
  bytes,
  decimal,
  formatSigns,
  newPattern,
  type Resolved,
  resolveText,
  wildcardMatch,
} from './explain-text.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Result of evaluating one condition test (one condition key under one operator) for a request. */
export interface ConditionTrace {
  /** Operator as written. */
  readonly operator: string;
  readonly key: string;
  readonly holds: boolean;
  /** Value in the request. Absent if the key is absent. */
  readonly requestValue?: string | readonly string[];
  /** Reason for the result, if it does not result from a comparison of values. */
  readonly because?: 'key absent' | 'key present' | 'several values without a set operator' | 'no values' | 'constant';
  readonly values: readonly ValueTrace[];
}

/**
 * Compares two numbers or times. Returns false if one is invalid.
 *
 * Source: IAM User Guide, "Numeric condition operators", "Date condition operators".
 */
function ordered(one: number | undefined, other: number | undefined, relation: string): boolean {
  if (one === undefined || other === undefined) return false;
  if (relation === 'equals') return one === other;
  if (relation === 'lessthan') return one < other;
  if (relation === 'lessthanequals') return one <= other;
  return relation === 'greaterthan' ? one > other : one >= other;
}

/**
 * Returns the cost of one comparison, in steps. The cost covers the memory of its trace (the recorded result). Matching
 * wildcards costs additional steps. Some operators cost more, because they parse the request's value each time.
 */
function stepsOf(base: string, { length }: string, value: string): number {
  if (base === 'binaryequals') return 512 + 4 * length;
  if (base.startsWith('arn')) return 256 + 2 * length;
  if (base === 'stringequalsignorecase') return 64 + 2 * (length + value.length);
  return 8 + ((length + value.length) >>> 3);
}

/** Costs of parsing an address and a date in a request, in steps. */
const STEPS_OF_ADDRESS = 64;
const STEPS_OF_DATE = 256;

/** Compares one request value with one policy value. */
function compare(
  { base, relation }: PreparedCondition,
  asked: string,
  value: PreparedText,
  resolved: Resolved,
  budget: StepBudget,
): boolean {
  takeSteps(budget, stepsOf(base, asked, value.value));
  if ('unresolved' in resolved) return false;
  switch (base) {
    case 'stringequals':
      return asked === textOf(resolved);
    case 'stringequalsignorecase':
      return asked.toLowerCase() === textOf(resolved).toLowerCase();
    case 'stringlike':
      return 'plain' in resolved ? asked === resolved.plain : wildcardMatch(resolved.pattern, asked, budget);
    case 'arnequals':
    case 'arnlike':
      if ('plain' in resolved) takeSteps(budget, resolved.plain.length * 4);
      return arnMatch('plain' in resolved ? newPattern(resolved.plain.split('')) : resolved.pattern, asked, false, budget);
    case 'bool':
      return asked.toLowerCase() === value.lower && (value.lower === 'true' || value.lower === 'false');
    case 'binaryequals':
      return value.bytes !== undefined && bytes(asked) === value.bytes;
    case 'ipaddress':
      takeSteps(budget, STEPS_OF_ADDRESS);
      return addressMatch(value.range, asked);
  }
  if (base.startsWith('numeric')) return ordered(decimal(asked), value.order, relation);
  if (base.startsWith('date')) {
    takeSteps(budget, STEPS_OF_DATE);
    return ordered(askedMoment(asked), value.order, relation);
  }
  throw new Error(`Unknown condition operator '${base}'.`);
}

/** Returns the literal string of a resolved value. */
function textOf(resolved: Exclude<Resolved, { readonly unresolved: string }>): string {
  return 'plain' in resolved ? resolved.plain : formatSigns(resolved.pattern.signs);
}

/**
 * Creates the trace of a condition test. The code has one branch for each combination of absent fields. An object
 * spread would be slow, and an explanation creates many traces.
 */
function conditionTrace(
  { operator, key }: PreparedCondition,
  requestValue: string | readonly string[] | undefined,
  holds: boolean,
  because: ConditionTrace['because'],
  values: readonly ValueTrace[],
): ConditionTrace {
  if (requestValue === undefined)
    return because === undefined ? { operator, key, holds, values } : { operator, key, holds, because, values };
  return because === undefined ? { operator, key, holds, requestValue, values } : { operator, key, holds, requestValue, because, values };
}

/**
 * Evaluates one condition key under one operator, and returns the reasons.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for multivalued context
 * keys", "Conditions with multiple context keys or values". `conditionTest` in `match-condition.ts` lists the
 * assumptions.
 */
export function traceCondition(condition: PreparedCondition, context: ConditionContext, budget: StepBudget): ConditionTrace {
  const { base, set, ifExists, negated, values: policyValues, untested } = condition;
  takeSteps(budget, 8 + policyValues.length);
  const found = context.get(condition.lowerKey);
  // An empty list counts as an absent key.
  const requestValue = typeof found === 'object' && found.length === 0 ? undefined : found;

  if (base === 'null') {
    // "Null with a qualifier": with a set operator, `Null` is always true or always false (policy check NULL_WITH_QUALIFIER).
    if (set !== undefined) return conditionTrace(condition, requestValue, set === 'all', 'constant', untested);
    const absent = requestValue === undefined;
    const values = policyValues.map(({ lower, matched, unmatched }) => (lower === String(absent) ? matched : unmatched));
    return conditionTrace(condition, requestValue, anyMatched(values), absent ? 'key absent' : 'key present', values);
  }

  if (set === undefined) {
    // "Missing key": a plain operator fails. A negated operator and an operator with IfExists hold.
    if (requestValue === undefined) return conditionTrace(condition, undefined, negated || ifExists, 'key absent', untested);
    if (typeof requestValue !== 'string') {
      return conditionTrace(condition, requestValue, false, 'several values without a set operator', untested);
    }
    const values = traceValues(condition, [requestValue], context, budget);
    // One matching value is sufficient. For a negated operator, no value may match.
    return conditionTrace(condition, requestValue, anyMatched(values) !== negated, undefined, values);
  }

  const asked = requestValue === undefined ? [] : typeof requestValue === 'string' ? [requestValue] : requestValue;
  // "A null data set, such as an empty string": ForAllValues returns true, and ForAnyValue returns false.
  if (asked.every((value) => value === '')) {
    const because = requestValue === undefined ? 'key absent' : 'no values';
    return conditionTrace(condition, requestValue, set === 'all', because, untested);
  }
  const resolved = policyValues.map((value) => resolvedIn(value, context, budget));
  const passes = (one: string): boolean =>
    policyValues.some((value, i) => compare(condition, one, value, resolved[i] as Resolved, budget)) !== negated;
  const holds = set === 'all' ? asked.every(passes) : asked.some(passes);
  return conditionTrace(condition, requestValue, holds, undefined, traceValues(condition, asked, context, budget));
}

export function anyMatched(values: readonly ValueTrace[]): boolean {
  for (const { matched } of values) if (matched) return true;
  return false;
}

/** Replaces the variables in a policy value with their values in this request. */
export function resolvedIn({ value, constant, wildcards }: PreparedText, context: ConditionContext, budget: StepBudget): Resolved {
  return constant ?? resolveText(value, context, wildcards, true, budget);
}

function traceValues(
  condition: PreparedCondition,
  asked: readonly string[],
  context: ConditionContext,
  budget: StepBudget,
): readonly ValueTrace[] {
  return condition.values.map((value) => {
    const resolved = resolvedIn(value, context, budget);
    return valueTrace(
      value,
      resolved,
      asked.some((one) => compare(condition, one, value, resolved, budget)),
    );
  });
}

/** Returns the trace of a value, with its resolved variables. */
export function valueTrace({ value, matched, unmatched }: PreparedText, resolved: Resolved, met: boolean): ValueTrace {
  if ('unresolved' in resolved) return { value, matched: false, unresolved: resolved.unresolved };
  if ('pattern' in resolved && resolved.variables) return { value, matched: met, resolved: formatSigns(resolved.pattern.signs) };
  return met ? matched : unmatched;
}
