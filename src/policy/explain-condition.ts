import type { ConditionContext } from '#core/condition-context.ts';
import type { TextNode } from './document.ts';
import { addressMatch, arnMatch, bytes, decimal, moment, type Resolved, resolveText, spell, wildcardMatch } from './explain-text.ts';

/** One value of a policy element against the request. */
export interface ValueTrace {
  /** As written in the policy. */
  readonly value: string;
  readonly matched: boolean;
  /** What it was after its variables were filled in, where it had any. */
  readonly resolved?: string;
  /** The variable that has no value in this request. */
  readonly unresolved?: string;
}

/** One key of one operator against the request. */
export interface ConditionTrace {
  /** As written. */
  readonly operator: string;
  readonly key: string;
  readonly holds: boolean;
  /** What the request has; absent where the key is. */
  readonly requestValue?: string | readonly string[];
  /** Why it holds or not, where no comparison decided. */
  readonly because?: 'key absent' | 'key present' | 'several values without a set operator' | 'no values' | 'constant';
  readonly values: readonly ValueTrace[];
}

/** What an operator's name says once prefix and suffix are off. */
interface Named {
  readonly base: string;
  readonly set: 'all' | 'any' | undefined;
  readonly ifExists: boolean;
  readonly negated: boolean;
}

function named(operator: string): Named {
  const lower = operator.toLowerCase();
  const set = lower.startsWith('forallvalues:') ? 'all' : lower.startsWith('foranyvalue:') ? 'any' : undefined;
  const bare = lower.slice(lower.indexOf(':') + 1);
  const ifExists = bare.endsWith('ifexists');
  const whole = ifExists ? bare.slice(0, -8) : bare;
  return { base: whole.replace('not', ''), set, ifExists, negated: whole.includes('not') };
}

/** Compares one request value with one policy value. */
function compare(base: string, asked: string, text: string, resolved: Resolved): boolean {
  if ('unresolved' in resolved) return false;
  const wanted = 'plain' in resolved ? resolved.plain : base.startsWith('string') ? spell(resolved.signs) : text;
  const ordered = (one: number | undefined, other: number | undefined, relation: string): boolean => {
    if (one === undefined || other === undefined) return false;
    if (relation === 'equals') return one === other;
    if (relation === 'lessthan') return one < other;
    if (relation === 'lessthanequals') return one <= other;
    return relation === 'greaterthan' ? one > other : one >= other;
  };
  if (base === 'stringequals') return asked === wanted;
  if (base === 'stringequalsignorecase') return asked.toLowerCase() === wanted.toLowerCase();
  if (base === 'stringlike') return 'plain' in resolved ? asked === wanted : wildcardMatch(resolved.signs, asked);
  if (base.startsWith('arn')) return arnMatch('plain' in resolved ? [...wanted] : resolved.signs, asked, false);
  if (base.startsWith('numeric')) return ordered(decimal(asked), decimal(text), base.slice('numeric'.length));
  if (base.startsWith('date')) return ordered(moment(asked), moment(text), base.slice('date'.length));
  if (base === 'bool') return asked.toLowerCase() === text.toLowerCase() && /^(true|false)$/i.test(text);
  if (base === 'binaryequals') return bytes(text) !== undefined && bytes(asked) === bytes(text);
  if (base === 'ipaddress') return addressMatch(text, asked);
  throw new Error(`The explanation knows no operator ${base}.`);
}

/**
 * Whether one key of one operator holds, and why.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for multivalued context keys",
 * "Conditions with multiple context keys or values"; the assumptions are those of `conditionTest`.
 */
export function traceCondition(
  operator: string,
  key: string,
  policyValues: readonly TextNode[],
  context: ConditionContext,
  variables: boolean,
): ConditionTrace {
  const { base, set, ifExists, negated } = named(operator);
  const found = context.get(key.toLowerCase());
  // An empty list is no value at all.
  const requestValue = typeof found === 'object' && found.length === 0 ? undefined : found;
  const trace = (holds: boolean, because: ConditionTrace['because'], values: readonly ValueTrace[]): ConditionTrace => ({
    operator,
    key,
    holds,
    ...(requestValue === undefined ? {} : { requestValue }),
    ...(because === undefined ? {} : { because }),
    values,
  });

  if (base === 'null') {
    // "Null with a qualifier": the check NULL_WITH_QUALIFIER says it is always true, or always false.
    if (set !== undefined) return trace(set === 'all', 'constant', untested(policyValues));
    const absent = requestValue === undefined;
    const values = policyValues.map(({ value }) => ({ value, matched: value.toLowerCase() === String(absent) }));
    return trace(
      values.some(({ matched }) => matched),
      absent ? 'key absent' : 'key present',
      values,
    );
  }

  if (set === undefined) {
    // "Missing key": a plain operator fails, a negated one and one with IfExists hold.
    if (requestValue === undefined) return trace(negated || ifExists, 'key absent', untested(policyValues));
    if (typeof requestValue !== 'string') return trace(false, 'several values without a set operator', untested(policyValues));
    const values = traceValues(base, [requestValue], policyValues, context, variables);
    // Several values are alternatives; of a negated operator none may match.
    return trace(values.some(({ matched }) => matched) !== negated, undefined, values);
  }

  const asked = requestValue === undefined ? [] : typeof requestValue === 'string' ? [requestValue] : requestValue;
  // "A null data set, such as an empty string": ForAllValues is true of it, ForAnyValue is not.
  if (asked.every((value) => value === '')) {
    return trace(set === 'all', requestValue === undefined ? 'key absent' : 'no values', untested(policyValues));
  }
  const passes = (one: string): boolean =>
    policyValues.some(({ value }) => compare(base, one, value, resolvedFor(base, value, context, variables))) !== negated;
  const holds = set === 'all' ? asked.every(passes) : asked.some(passes);
  return trace(holds, undefined, traceValues(base, asked, policyValues, context, variables));
}

function untested(values: readonly TextNode[]): readonly ValueTrace[] {
  return values.map(({ value }) => ({ value, matched: false }));
}

/** Variables are for the operators of strings and ARNs, wildcards for the Like ones and those of ARNs. */
function resolvedFor(base: string, value: string, context: ConditionContext, variables: boolean): Resolved {
  const arn = base.startsWith('arn');
  return resolveText(value, context, arn || base === 'stringlike', variables && (arn || base.startsWith('string')));
}

function traceValues(
  base: string,
  asked: readonly string[],
  policyValues: readonly TextNode[],
  context: ConditionContext,
  variables: boolean,
): readonly ValueTrace[] {
  return policyValues.map(({ value }) => {
    const resolved = resolvedFor(base, value, context, variables);
    return valueTrace(
      value,
      resolved,
      asked.some((one) => compare(base, one, value, resolved)),
    );
  });
}

/** A value with what became of its variables. */
export function valueTrace(value: string, resolved: Resolved, matched: boolean): ValueTrace {
  if ('unresolved' in resolved) return { value, matched: false, unresolved: resolved.unresolved };
  return 'signs' in resolved && resolved.variables ? { value, matched, resolved: spell(resolved.signs) } : { value, matched };
}
