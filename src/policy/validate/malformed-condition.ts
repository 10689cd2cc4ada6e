import type { StatementNode } from '../document.ts';
import { readOperator } from '../operators.ts';
import { toMoment } from '../values.ts';
import { isLenientDate } from './lenient-date.ts';

/**
 * Reports whether every condition operator exists, and whether no operator has the same key twice, ignoring case.
 *
 * An operator without keys tests nothing, so it can have any name. A key can also have any name, because an unknown key
 * is simply absent in every request.
 *
 * Source: moto, tests/test_iam/test_iam_policies.py, recorded from IAM, which stores `{"a": {}}` and the key `a`.
 */
export function conditionIsKnown({ condition }: StatementNode): boolean {
  for (const { operator, tests } of condition?.blocks ?? []) {
    if (tests.length === 0) continue;
    if (readOperator(operator.value) === undefined) return false;
    const keys = new Set(tests.map(({ key }) => key.value.toLowerCase()));
    if (keys.size !== tests.length) return false;
  }
  return true;
}

/**
 * Reports whether every value of a date operator is a date that IAM accepts in a policy. IAM also accepts dates in
 * lenient formats, which never match in a decision.
 */
export function datesAreDates({ condition }: StatementNode): boolean {
  for (const { operator, tests } of condition?.blocks ?? []) {
    if (readOperator(operator.value)?.operator.family !== 'date') continue;
    if (!tests.every(({ values }) => values.every(({ value }) => !Number.isNaN(toMoment(value)) || isLenientDate(value)))) return false;
  }
  return true;
}
