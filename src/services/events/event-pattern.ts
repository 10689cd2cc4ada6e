/** Event patterns as the operations use them. */
import { AwsError, limitExceeded } from './errors.ts';
import { compilePattern } from './pattern/compile.ts';
import { BUS_COST_MAX, patternCost } from './pattern/pattern-cost.ts';
import { PatternProblem } from './pattern/pattern-problem.ts';
import type { BusRecord } from './tables/event-buses.ts';

/**
 * Checks a pattern. Returns its cost. No pattern has no cost.
 *
 * @throws InvalidEventPatternException
 */
export function requirePattern(pattern: string | undefined): number {
  if (!pattern) return 0;
  try {
    return patternCost(pattern, compilePattern(pattern));
  } catch (problem) {
    if (problem instanceof PatternProblem) throw new AwsError('InvalidEventPatternException', problem.message);
    throw problem;
  }
}

/**
 * Checks that a bus can have a pattern of some cost. `instead` is the cost of the pattern that it replaces.
 *
 * @throws LimitExceededException  the patterns of the bus would be too large together
 */
export function requireCost({ patternsCost }: Pick<BusRecord, 'patternsCost'>, cost: number, instead = 0): void {
  if (cost > instead && patternsCost - instead + cost > BUS_COST_MAX) throw limitExceeded();
}

/**
 * Returns the strings that a pattern lists for a field, or `undefined` if it lists none. Returns `undefined` also for an invalid pattern,
 * because the operation refuses it later.
 *
 *     patternValues('{"detail":{"service":["EC2", {"prefix":"S"}]}}', ['detail', 'service']) → ['EC2']
 */
export function patternValues(pattern: string, path: readonly string[]): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(pattern);
  } catch {
    return undefined;
  }
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  const strings = Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  return strings.length === 0 ? undefined : strings;
}
