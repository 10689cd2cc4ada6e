import type { ContextValue } from './facts.ts';
import type { Predicate } from './graph.ts';
import { slotOf } from './keys.ts';
import type { ConditionTest } from './lowered.ts';
import { arnExists, arnMeets } from './match-arn.ts';
import { foldedExists, likeExists, likeMeets, textMeets } from './match-text.ts';
import { addressMeets, binaryMeets, constants, orderMeets, toAddress } from './match-typed.ts';
import type { Operator } from './operators.ts';
import { type Piece, plainText } from './pattern.ts';
import { addressOf, contextValue, momentOf, typedValue } from './request.ts';
import { takeSteps } from './steps.ts';
import { anyOf, type Exists, type Meets, oneByOne } from './value-tests.ts';
import { toBytes, toMoment, toNumber, toTruth } from './values.ts';

/**
 * Returns the test of one condition key under one operator.
 *
 * If the request lacks the key, the result is true for a negated operator, an `IfExists` operator and `ForAllValues`.
 * The result is false for other operators, and for every operator with `ForAnyValue`.
 *
 * If the request has the key, one matching policy value satisfies an operator that is not negated. A negated operator
 * is satisfied if no policy value matches.
 *
 * Source: IAM User Guide, "Condition operators", "Set operators for multivalued context keys", "Conditions with multiple keys or values".
 * Assumed: an empty list counts as an absent key. With a set operator, a list that contains only empty strings counts as an empty list.
 * Without a set operator, a list does not satisfy the operator, negated or not.
 */
export function conditionTest(test: ConditionTest): Predicate {
  const { operator, quantifier, ifExists, key } = test;
  const { negated } = operator;
  const slot = slotOf(key);
  if (operator.family === 'null') return nullTest(test, slot);
  if (quantifier === 'single') return singleTest(test, slot);
  const exists = existsIn(operator, test.values);
  // `ForAnyValue` searches for a value that passes, `ForAllValues` for one that does not.
  const forAny = quantifier === 'ForAnyValue';
  const sought = forAny !== negated;
  return (record) => {
    const value = contextValue(record, slot, key);
    if (value === undefined || value === '') return !forAny;
    const values = typeof value === 'string' ? [value] : value;
    takeSteps(record.scratch.matching.budget, 1 + values.length);
    if (isNothing(values)) return !forAny;
    return exists(record, values, sought) === forAny;
  };

  function singleTest({ values }: ConditionTest, at: number): Predicate {
    const missing = negated || ifExists;
    const only = values.length === 1 ? values[0] : undefined;
    const text = only === undefined ? undefined : plainText(only);
    // This branch saves a function call for the most frequent kind of condition.
    if (operator.family === 'text' && text !== undefined) {
      return (record) => {
        const value = contextValue(record, at, key);
        return typeof value === 'string' ? (value === text) !== negated : isAbsent(value) && missing;
      };
    }
    const any = meetsAny(operator, values);
    return (record) => {
      const value = contextValue(record, at, key);
      return typeof value === 'string' ? any(record, value) !== negated : isAbsent(value) && missing;
    };
  }
}

function isAbsent(value: readonly string[] | undefined): boolean {
  return value === undefined || value.length === 0;
}

function isNothing(values: readonly string[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== '') return false;
  return true;
}

/**
 * Returns the test of `Null`, which checks whether the key is absent. With a set operator, the result is constant.
 *
 * Source: IAM User Guide, "Condition operator to check existence of condition keys"; policy check NULL_WITH_QUALIFIER.
 */
function nullTest({ quantifier, key, values }: ConditionTest, slot: number): Predicate {
  if (quantifier !== 'single') return () => quantifier === 'ForAllValues';
  const wanted = values.map((pieces) => toTruth(plainText(pieces) ?? ''));
  const whenAbsent = wanted.includes(1);
  const whenPresent = wanted.includes(0);
  return (record) => {
    const value: ContextValue | undefined = contextValue(record, slot, key);
    return value === undefined || (typeof value !== 'string' && value.length === 0) ? whenAbsent : whenPresent;
  };
}

function meetsAny(operator: Operator, values: readonly (readonly Piece[])[]): Meets {
  switch (operator.family) {
    case 'text':
      return textMeets(values, false);
    case 'text-ignore-case':
      return textMeets(values, true);
    case 'like':
      return anyOf(values.map(likeMeets));
    case 'arn':
      return anyOf(values.map(arnMeets));
    case 'number':
      return orderMeets(operator, constants(values, toNumber), (_record, value) => toNumber(value));
    case 'date':
      return orderMeets(operator, constants(values, toMoment), momentOf);
    case 'bool':
      return orderMeets(operator, constants(values, toTruth), (_record, value) => toTruth(value));
    case 'binary':
      return binaryMeets(values, (_record, value) => toBytes(value));
    case 'address':
      return addressMeets(values, (record, value) => addressOf(record.scratch, value));
    case 'null':
      return () => false;
  }
}

/**
 * Returns a function that searches a list of request values for one that satisfies the operator: one that matches a
 * policy value or, for a negated operator, one that matches no policy value. It parses each request value only once.
 */
function existsIn(operator: Operator, values: readonly (readonly Piece[])[]): Exists {
  switch (operator.family) {
    // The values of StringEquals are patterns without wildcards, so `likeExists` compares them too.
    case 'text':
    case 'like':
      return likeExists(values, oneByOne(meetsAny(operator, values)));
    case 'text-ignore-case':
      return foldedExists(values);
    case 'arn':
      return arnExists(values);
    case 'number':
      return oneByOne(
        orderMeets(operator, constants(values, toNumber), ({ scratch }, value) => (typedValue(scratch, value).number ??= toNumber(value))),
      );
    case 'date':
      return oneByOne(
        orderMeets(operator, constants(values, toMoment), ({ scratch }, value) => (typedValue(scratch, value).moment ??= toMoment(value))),
      );
    case 'binary':
      return oneByOne(binaryMeets(values, ({ scratch }, value) => (typedValue(scratch, value).bytes ??= toBytes(value) ?? null)));
    case 'address':
      return oneByOne(addressMeets(values, ({ scratch }, value) => (typedValue(scratch, value).address ??= toAddress(value))));
    default:
      return oneByOne(meetsAny(operator, values));
  }
}
