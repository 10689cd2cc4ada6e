import type { StatementNode } from '../document.ts';
import { readOperator } from '../operators.ts';
import { toMoment } from '../values.ts';

/**
 * Reports whether every condition operator exists and has no key twice, ignoring case.
 *
 * An operator without keys tests nothing, so any name is accepted for it.
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
 * Reports whether every value of a date operator is a date.
 *
 * Assumed: rejects forms that only IAM's lenient parser accepts (`01T`, `2016-12-13t2:00`, a negative epoch). The engine cannot
 * compare them. moto's tables show that IAM stores a few of them.
 */
export function datesAreDates({ condition }: StatementNode): boolean {
  for (const { operator, tests } of condition?.blocks ?? []) {
    if (readOperator(operator.value)?.operator.family !== 'date') continue;
    if (!tests.every(({ values }) => values.every(({ value }) => !Number.isNaN(toMoment(value))))) return false;
  }
  return true;
}

/** Reports whether every condition key has the form `vendor:name`. */
export function keysHaveVendors({ condition }: StatementNode): boolean {
  return (condition?.blocks ?? []).every(({ tests }) =>
    tests.every(({ key }) => {
      const colon = key.value.indexOf(':');
      return colon > 0 && colon < key.value.length - 1;
    }),
  );
}
