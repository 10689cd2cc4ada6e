import type { StatementNode } from '../document.ts';
import { readOperator } from '../operators.ts';
import { toMoment } from '../values.ts';

/** Whether every operator is one, and no key is written twice. An operator without keys asks for nothing, so its name does not matter. */
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
 * Whether every value of a date operator is a date.
 *
 * Assumed: forms only IAM's lenient parser takes (`01T`, `2016-12-13t2:00`, a negative epoch) are refused, because the engine could
 * not compare with them; moto's tables show IAM storing a few.
 */
export function datesAreDates({ condition }: StatementNode): boolean {
  for (const { operator, tests } of condition?.blocks ?? []) {
    if (readOperator(operator.value)?.operator.family !== 'date') continue;
    if (!tests.every(({ values }) => values.every(({ value }) => !Number.isNaN(toMoment(value))))) return false;
  }
  return true;
}

/** Whether every key is `vendor:name`. */
export function keysHaveVendors({ condition }: StatementNode): boolean {
  return (condition?.blocks ?? []).every(({ tests }) =>
    tests.every(({ key }) => {
      const colon = key.value.indexOf(':');
      return colon > 0 && colon < key.value.length - 1;
    }),
  );
}
