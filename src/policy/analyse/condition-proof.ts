/** Proofs about condition tests. A result of true is a proof. A result of false means only that no proof was found. */
import type { ConditionTest } from '../lowered.ts';
import { readOperator } from '../operators.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import { codesCover, plainGlob, STEPS_OF_CODE } from './pattern-proof.ts';

/** Cost of comparing two tests, in steps. Comparing their values costs additional steps. */
const STEPS_OF_PAIR = 8;

/** Proves that every request that passes all tests of `narrow` passes all tests of `wide`. */
export function conditionsImply(narrow: readonly ConditionTest[], wide: readonly ConditionTest[], budget: StepBudget): boolean {
  return wide.every((test) => narrow.some((other) => implies(other, test, budget)));
}

function implies(narrow: ConditionTest, wide: ConditionTest, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  if (narrow.key !== wide.key) return false;
  if (sameTest(wide, narrow, budget)) return true;
  if (requiresOnlyPresence(wide)) return requiresPresence(narrow);
  return valuesImply(narrow, wide, budget);
}

/** Reports whether a test fails for every request that does not have the condition key of the test. */
function requiresPresence({ operator, quantifier, ifExists, values }: ConditionTest): boolean {
  if (operator.family === 'null') return values.length > 0 && values.every((pieces) => textOf(pieces)?.toLowerCase() === 'false');
  return !ifExists && (quantifier === 'ForAnyValue' || (quantifier === 'single' && !operator.negated));
}

/**
 * Reports whether a test holds for every request that has the condition key of the test. Examples are `Null` with
 * `false`, and `StringLike` with `*`.
 */
function requiresOnlyPresence(test: ConditionTest): boolean {
  const { operator, quantifier, values } = test;
  if (operator.family === 'null') return quantifier === 'single' && requiresPresence(test);
  return (
    operator.family === 'like' &&
    !operator.negated &&
    quantifier === 'single' &&
    values.some(([only, ...rest]) => only?.kind === 'many' && rest.length === 0)
  );
}

/**
 * Proves that every request that passes the test `narrow` passes `wide`, because the patterns of `wide` match all
 * values of `narrow`. For example, `StringLike a*` covers `StringEquals ab`.
 */
function valuesImply(narrow: ConditionTest, wide: ConditionTest, budget: StepBudget): boolean {
  const strings = [narrow, wide].every(({ operator }) => !operator.negated && (operator.family === 'text' || operator.family === 'like'));
  if (!strings || wide.operator.family !== 'like' || narrow.quantifier !== wide.quantifier || (narrow.ifExists && !wide.ifExists))
    return false;
  takeSteps(budget, (textsOf(narrow) + textsOf(wide)) * STEPS_OF_CODE);
  const patterns = wide.values.map((pieces) => plainGlob(pieces, budget)).filter((glob) => glob !== undefined);
  return narrow.values.every((pieces) => {
    const value = plainGlob(pieces, budget);
    return value !== undefined && patterns.some((pattern) => codesCover(pattern, value, budget));
  });
}

/**
 * Returns the complement of a test: tests that all hold if and only if this test does not hold. Returns `undefined` if
 * no complement is known.
 *
 * For example, `StringNotEquals` also holds for a request without the key. Its complement is `StringEquals`, which does
 * not hold for such a request.
 */
export function complementOf(test: ConditionTest): readonly ConditionTest[] | undefined {
  const { operator, quantifier, ifExists } = test;
  if (quantifier !== 'single') return undefined;
  if (operator.family === 'null') return nullComplement(test);
  const opposite = OPPOSITES.get(operator.name);
  if (opposite === undefined || (ifExists && !operator.negated)) return undefined;
  return [{ ...test, operator: opposite, ifExists: false }];
}

const OPPOSITES: ReadonlyMap<string, ConditionTest['operator']> = new Map(
  [
    ['StringEquals', 'StringNotEquals'],
    ['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    ['StringLike', 'StringNotLike'],
    ['NumericEquals', 'NumericNotEquals'],
    ['DateEquals', 'DateNotEquals'],
    ['IpAddress', 'NotIpAddress'],
    ['ArnEquals', 'ArnNotEquals'],
    ['ArnLike', 'ArnNotLike'],
  ].flatMap(([plain = '', negated = '']) => [pairOf(plain, negated), pairOf(negated, plain)]),
);

function pairOf(from: string, to: string): readonly [string, ConditionTest['operator']] {
  const read = readOperator(to);
  if (read === undefined) throw new Error(`unknown operator '${to}'`);
  return [from, read.operator];
}

function nullComplement(test: ConditionTest): readonly ConditionTest[] | undefined {
  const [value, ...others] = test.values;
  const text = textOf(value ?? [])?.toLowerCase();
  if (others.length > 0 || (text !== 'true' && text !== 'false')) return undefined;
  return [{ ...test, values: [[{ kind: 'text', text: text === 'true' ? 'false' : 'true' }]] }];
}

/**
 * Proves that no request passes all tests of both lists, because a test in one list implies the complement of a test in
 * the other list.
 */
export function contradict(left: readonly ConditionTest[], right: readonly ConditionTest[], budget: StepBudget): boolean {
  const excludes = (some: readonly ConditionTest[], others: readonly ConditionTest[]): boolean =>
    others.some((test) => {
      const complement = complementOf(test);
      return complement !== undefined && conditionsImply(some, complement, budget);
    });
  return excludes(left, right) || excludes(right, left);
}

/** Returns the text of a value that has no wildcards and no variables. Returns `undefined` for other values. */
function textOf(pieces: ConditionTest['values'][number]): string | undefined {
  const [only, ...rest] = pieces;
  return only?.kind === 'text' && rest.length === 0 ? only.text : undefined;
}

/** Returns the cost of comparing all values of a test. The cost is roughly the number of their characters. */
function textsOf({ values }: ConditionTest): number {
  return values.flat().reduce((sum, piece) => sum + 16 + (piece.kind === 'text' ? piece.text.length : 16), 0);
}

/**
 * Proves that one condition test covers another test with the same operator and key. The order of the values does not
 * matter. A test with more values matches more requests. With a negated operator, it matches fewer requests.
 */
function sameTest(wide: ConditionTest, narrow: ConditionTest, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  if (
    wide.operator.name !== narrow.operator.name ||
    wide.quantifier !== narrow.quantifier ||
    wide.ifExists !== narrow.ifExists ||
    wide.key !== narrow.key
  )
    return false;
  takeSteps(budget, (textsOf(wide) + textsOf(narrow)) * STEPS_OF_CODE);
  const ofWide = new Set(wide.values.map((pieces) => JSON.stringify(pieces)));
  const ofNarrow = new Set(narrow.values.map((pieces) => JSON.stringify(pieces)));
  const [fewer, more] = wide.operator.negated ? [ofWide, ofNarrow] : [ofNarrow, ofWide];
  // A `Null` test covers only a `Null` test with the same values. For all operators, the function tests whether values
  // are equal, not which is greater. So it finds no proof that `NumericLessThan 10` covers `NumericLessThan 5`.
  if (wide.operator.family === 'null' && ofWide.size !== ofNarrow.size) return false;
  return [...fewer].every((value) => more.has(value));
}
