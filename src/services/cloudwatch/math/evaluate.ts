/** Evaluation of metric math. It is pure: the caller provides all series. It runs in turns, because it can take seconds. */
import type { InTurns } from '../../kit/turns.ts';
import { called, type Grid, type Parameter } from './functions.ts';
import { applied, finite } from './operators.ts';
import type { Expression, Operator } from './parse.ts';
import { type Budget, MathError, type MathValue, mapped, pointsOf, type Series, seriesIn, spend, turn, unionOfTimes } from './series.ts';

/** Everything that an expression can refer to. */
export interface Surroundings {
  readonly grid: Grid;
  /** Returns the value of another query. @throws MathError  there is no such query, or the queries refer to each other in a circle */
  readonly query: (id: string) => InTurns<MathValue>;
  /** Series of the queries without an expression, in the order of the request. */
  readonly metrics: readonly { readonly id: string; readonly series: Series }[];
  /** Returns the series that a call of SEARCH found before. */
  readonly searched: (search: string, stat: string, period: number | undefined) => readonly Series[];
  /** `evaluated` reduces it, before each step by the points that the step reads and produces. */
  readonly budget: Budget;
}

/** Maximum number of series in an array. Source: CloudWatch User Guide, "CloudWatch search expression quotas", 500 series. */
export const SERIES_MAX = 500;

/** Returns the value of an expression. @throws MathError  it is invalid, or produces too many series or points */
export function* evaluated(expression: Expression, given: Surroundings): InTurns<MathValue> {
  switch (expression.kind) {
    case 'number':
      return { kind: 'scalar', value: finite(expression.value) };
    case 'id':
      return yield* given.query(expression.name);
    case 'list':
      return yield* listOf(expression.items, given);
    case 'negative':
      return yield* combined('-', { kind: 'scalar', value: 0 }, yield* evaluated(expression.of, given), given);
    case 'binary':
      return yield* combined(
        expression.operator,
        yield* evaluated(expression.left, given),
        yield* evaluated(expression.right, given),
        given,
      );
    case 'call':
      return yield* call(expression.name, expression.parameters, given);
    case 'string':
    case 'word':
      throw new MathError(`Unexpected '${(expression.kind === 'word' ? expression.name : expression.value).slice(0, 64)}'.`);
  }
}

/** Applies an operator. Each series of one side is read for each series of the other side. */
function* combined(operator: Operator, left: MathValue, right: MathValue, { budget }: Surroundings): InTurns<MathValue> {
  const [a, b] = [seriesIn(left), seriesIn(right)];
  spend(budget, pointsOf(a) * Math.max(1, b.length) + pointsOf(b) * Math.max(1, a.length));
  return yield* applied(operator, left, right, budget);
}

function* call(name: string, parameters: readonly Expression[], given: Surroundings): InTurns<MathValue> {
  if (name === 'METRICS') return listed(metricsNamed(parameters, given), given);
  if (name === 'SEARCH') {
    const { search, stat, period } = searchOf(parameters);
    return listed(given.searched(search, stat, period), given);
  }
  const read: Parameter[] = [];
  for (const each of parameters) {
    if (each.kind === 'string') read.push({ kind: 'string', text: each.value });
    else if (each.kind === 'word') read.push({ kind: 'word', text: each.name });
    else {
      const value = yield* evaluated(each, given);
      spend(given.budget, pointsOf(seriesIn(value)));
      if (value.kind === 'series') yield* turn(given.budget, value.series.times.length);
      read.push(value);
    }
  }
  return yield* called(name, read, given.grid, given.budget);
}

/** Returns the parameters of a call of SEARCH. @throws MathError  they are not a search, a statistic and an optional period */
export function searchOf(parameters: readonly Expression[]): {
  readonly search: string;
  readonly stat: string;
  readonly period: number | undefined;
} {
  const [search, stat, period] = parameters;
  if (search?.kind !== 'string' || stat?.kind !== 'string' || parameters.length > 3 || (period !== undefined && period.kind !== 'number'))
    throw new MathError('The function SEARCH requires a search, a statistic and an optional period.');
  return { search: search.value, stat: stat.value, period: period?.value };
}

function metricsNamed(parameters: readonly Expression[], { metrics }: Surroundings): readonly Series[] {
  const [part] = parameters;
  if (parameters.length > 1 || (part !== undefined && part.kind !== 'string'))
    throw new MathError('The function METRICS requires no parameter or a string.');
  return metrics.filter(({ id }) => part === undefined || id.includes(part.value)).map(({ series }) => series);
}

/** Returns the series of an array such as `[m1, m2, 100]`. A number becomes a series with the times of the others. */
function* listOf(items: readonly Expression[], given: Surroundings): InTurns<MathValue> {
  const values: MathValue[] = [];
  for (const item of items) values.push(yield* evaluated(item, given));
  const found = values.flatMap(seriesIn);
  if (found.length === 0) throw new MathError('An array requires a time series.');
  const { list: known } = listed(found, given);
  const numbers = values.filter(({ kind }) => kind === 'scalar').length;
  const times = numbers === 0 ? [] : yield* unionOfTimes(known, given.budget);
  spend(given.budget, numbers * times.length);
  const list: Series[] = [];
  for (const value of values) {
    list.push(...seriesIn(value));
    if (value.kind !== 'scalar') continue;
    yield* turn(given.budget, times.length);
    list.push(mapped({ label: '', period: found[0]?.period ?? given.grid.period, times, values: times }, () => value.value));
  }
  if (list.length > SERIES_MAX) throw tooManySeries();
  return { kind: 'list', list };
}

function listed(list: readonly Series[], { budget }: Surroundings): Extract<MathValue, { readonly kind: 'list' }> {
  if (list.length > SERIES_MAX) throw tooManySeries();
  spend(budget, pointsOf(list));
  return { kind: 'list', list };
}

function tooManySeries(): MathError {
  return new MathError(`The expression has more than ${SERIES_MAX} time series.`);
}
