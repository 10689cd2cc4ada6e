/** Limit of the work that the filters of a log group cause for each event. */
import { limitExceeded } from './errors.ts';
import { costOfAll } from './filter-pattern/cost.ts';
import type { FilterPattern } from './filter-pattern/pattern.ts';

/**
 * Maximum cost of all filters of a group: see `costOf`. The largest batch then takes about a second, in turns. Assumed: the numbers, which allow
 * 100 filters with a term, or 100 filters for JSON events with two conditions.
 */
const COST_MAX = { perEvent: 120_000, perCharacter: 2_400 };

/** @throws LimitExceededException  the metric filters and subscription filters of a group take too much time together */
export function requireAffordable(patterns: readonly FilterPattern[]): void {
  const cost = costOfAll(patterns);
  if (cost.perEvent > COST_MAX.perEvent || cost.perCharacter > COST_MAX.perCharacter) throw limitExceeded();
}
