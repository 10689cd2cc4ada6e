import type { StatementNode } from '../document.ts';
import { parseOperatorName } from './operators.ts';
import { isPolicyDate } from './policy-date.ts';

/** Whether every operator is one, and no key is written twice. An operator without keys asks for nothing, so its name does not matter. */
export function conditionIsKnown({ condition }: StatementNode): boolean {
  for (const { operator, tests } of condition?.blocks ?? []) {
    if (tests.length === 0) continue;
    const parsed = parseOperatorName(operator.value);
    if (parsed === undefined || (parsed.base === 'Null' && parsed.ifExists)) return false;
    const keys = new Set(tests.map(({ key }) => key.value.toLowerCase()));
    if (keys.size !== tests.length) return false;
  }
  return true;
}

/** Whether every value of a date operator is a date. */
export function datesAreDates({ condition }: StatementNode): boolean {
  for (const { operator, tests } of condition?.blocks ?? []) {
    if (parseOperatorName(operator.value)?.family !== 'Date') continue;
    if (!tests.every(({ values }) => values.every(({ value }) => isPolicyDate(value)))) return false;
  }
  return true;
}
