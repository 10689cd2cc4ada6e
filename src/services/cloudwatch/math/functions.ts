/** Functions of metric math. */
import type { InTurns } from '../../kit/turns.ts';
import { finite } from './operators.ts';
import { type Budget, lookup, MathError, type MathValue, mapped, mergedTimes, type Series, spend, turn, unionOfTimes } from './series.ts';

/** A parameter of a function: a value, a string, or a word such as `REPEAT`. */
export type Parameter = MathValue | { readonly kind: 'string'; readonly text: string } | { readonly kind: 'word'; readonly text: string };

/** Range and period of the points of a request. */
export interface Grid {
  /** Milliseconds. `to` is not part of the range. */
  readonly from: number;
  readonly to: number;
  /** Seconds. */
  readonly period: number;
}

/**
 * A function. It reads its parameters with `Reader`, which refuses those of other kinds. The points of the parameters are spent already. A
 * function that works with more points spends these of the budget. A function that reads the points of a list does so in turns.
 */
type MathFunction = (read: Reader, grid: Grid, budget: Budget) => MathValue | InTurns<MathValue>;

/** Reads the parameters of one call. */
class Reader {
  readonly #name: string;
  readonly #parameters: readonly Parameter[];

  constructor(name: string, parameters: readonly Parameter[], least: number, most: number) {
    this.#name = name;
    this.#parameters = parameters;
    if (parameters.length < least || parameters.length > most)
      throw new MathError(`The function ${name} requires ${least === most ? least : `${least} to ${most}`} parameters.`);
  }

  at(i: number): Parameter | undefined {
    return this.#parameters[i];
  }

  value(i: number): MathValue {
    const found = this.#parameters[i];
    if (found === undefined || found.kind === 'string' || found.kind === 'word') throw this.wrong(i);
    return found;
  }

  scalar(i: number): number {
    const found = this.value(i);
    if (found.kind !== 'scalar') throw this.wrong(i);
    return found.value;
  }

  series(i: number): Series {
    const found = this.value(i);
    if (found.kind !== 'series') throw this.wrong(i);
    return found.series;
  }

  /** Returns a list. One series is a list of one. */
  list(i: number): readonly Series[] {
    const found = this.value(i);
    if (found.kind === 'scalar') throw this.wrong(i);
    return found.kind === 'series' ? [found.series] : found.list;
  }

  word(i: number): string | undefined {
    const found = this.#parameters[i];
    if (found === undefined) return undefined;
    if (found.kind !== 'word' && found.kind !== 'string') throw this.wrong(i);
    return found.text;
  }

  wrong(i: number): MathError {
    return new MathError(`The parameter ${i + 1} of the function ${this.#name} is invalid.`);
  }
}

const toScalar = (value: number): MathValue => ({ kind: 'scalar', value: finite(value) });
const toSeries = (series: Series): MathValue => ({ kind: 'series', series });
const toList = (list: readonly Series[]): MathValue => ({ kind: 'list', list });

const AGGREGATES = {
  AVG: (values: readonly number[]) => sumOf(values) / values.length,
  MAX: (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b)),
  MIN: (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b)),
  SUM: (values: readonly number[]) => sumOf(values),
  STDDEV: deviationOf,
  DATAPOINT_COUNT: (values: readonly number[]) => values.length,
} as const;

function sumOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Assumed: the deviation of a population, not that of a sample. */
function deviationOf(values: readonly number[]): number {
  const mean = sumOf(values) / values.length;
  return Math.sqrt(sumOf(values.map((value) => (value - mean) ** 2)) / values.length);
}

/** Lookups that cost as much as a point of a result. */
const LOOKUPS_PER_POINT = 8;

/**
 * Returns the number of a series, or the series of the numbers that a list has at each time. Assumed: the number of an empty series is 0.
 */
function aggregate(of: (values: readonly number[]) => number): MathFunction {
  return function* (read, _, budget) {
    const value = read.value(0);
    if (value.kind === 'scalar') return value;
    if (value.kind === 'series') return toScalar(value.series.values.length === 0 ? 0 : of(value.series.values));
    const all = yield* unionOfTimes(value.list, budget);
    spend(budget, Math.ceil((all.length * value.list.length) / LOOKUPS_PER_POINT));
    const atTimes = value.list.map(lookup);
    const at: number[] = [];
    const values: number[] = [];
    for (const time of all) {
      yield* turn(budget, value.list.length / LOOKUPS_PER_POINT);
      const found = of(atTimes.flatMap((atTime) => atTime(time) ?? []));
      if (!Number.isFinite(found)) continue;
      at.push(time);
      values.push(found);
    }
    return toSeries({ label: value.list[0]?.label ?? '', period: value.list[0]?.period ?? 60, times: at, values });
  };
}

/** Applies a function to a number, a series, or each series of a list. */
function each(of: (series: Series, grid: Grid) => Series, ofScalar?: (value: number) => number): MathFunction {
  return function* (read, grid, budget) {
    const value = read.value(0);
    if (value.kind === 'scalar') {
      if (ofScalar === undefined) throw read.wrong(0);
      return toScalar(ofScalar(value.value));
    }
    if (value.kind === 'series') return toSeries(of(value.series, grid));
    const list: Series[] = [];
    for (const series of value.list) {
      yield* turn(budget, series.times.length);
      list.push(of(series, grid));
    }
    return toList(list);
  };
}

const numbers = (of: (value: number) => number): MathFunction => each((series) => mapped(series, of), of);

/** Applies a function to the times of the points. Source: CloudWatch User Guide, "Using metric math": times are in UTC. */
const times = (of: (time: Date) => number): MathFunction =>
  each((series) => mapped(series, (_, i) => of(new Date(series.times[i] as number))));

/** Applies a function to each point and the one before it. The first point has no result. */
const differences = (of: (change: number, seconds: number) => number): MathFunction =>
  each((series) =>
    mapped(series, (value, i) =>
      i === 0
        ? undefined
        : of(value - (series.values[i - 1] as number), ((series.times[i] as number) - (series.times[i - 1] as number)) / 1_000),
    ),
  );

/** Functions with the least and most number of parameters. Source: CloudWatch User Guide, "Using metric math", functions. */
// biome-ignore format: a table
const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number, of: MathFunction]>> = {
  ABS:             [1, 1, numbers(Math.abs)],
  CEIL:            [1, 1, numbers(Math.ceil)],
  FLOOR:           [1, 1, numbers(Math.floor)],
  LOG:             [1, 1, numbers(Math.log)],
  LOG10:           [1, 1, numbers(Math.log10)],
  AVG:             [1, 1, aggregate(AGGREGATES.AVG)],
  MAX:             [1, 1, aggregate(AGGREGATES.MAX)],
  MIN:             [1, 1, aggregate(AGGREGATES.MIN)],
  SUM:             [1, 1, aggregate(AGGREGATES.SUM)],
  STDDEV:          [1, 1, aggregate(AGGREGATES.STDDEV)],
  DATAPOINT_COUNT: [1, 1, aggregate(AGGREGATES.DATAPOINT_COUNT)],
  DIFF:            [1, 1, differences((change) => change)],
  DIFF_TIME:       [1, 1, differences((_, seconds) => seconds)],
  RATE:            [1, 1, differences((change, seconds) => change / seconds)],
  RUNNING_SUM:     [1, 1, each(runningSum)],
  FILL:            [2, 2, fill],
  FIRST:           [1, 1, (read) => toSeries(oneOf(read.list(0), 0))],
  LAST:            [1, 1, (read) => toSeries(oneOf(read.list(0), -1))],
  SLICE:           [2, 3, slice],
  SORT:            [3, 4, sort],
  REMOVE_EMPTY:    [1, 1, (read) => toList(read.list(0).filter((series) => series.times.length > 0))],
  METRIC_COUNT:    [1, 1, (read) => toScalar(read.list(0).length)],
  IF:              [2, 3, choose],
  PERIOD:          [1, 1, (read) => toScalar(read.series(0).period)],
  TIME_SERIES:     [1, 1, timeSeries],
  EPOCH:           [1, 1, times((time) => time.getTime() / 1_000)],
  MINUTE:          [1, 1, times((time) => time.getUTCMinutes())],
  HOUR:            [1, 1, times((time) => time.getUTCHours())],
  DAY:             [1, 1, times((time) => time.getUTCDay() || 7)],
  DATE:            [1, 1, times((time) => time.getUTCDate())],
  MONTH:           [1, 1, times((time) => time.getUTCMonth() + 1)],
  YEAR:            [1, 1, times((time) => time.getUTCFullYear())],
};

/** Calls a function. @throws MathError  the function is unknown, or a parameter is invalid. Assumed: the messages */
export function* called(name: string, parameters: readonly Parameter[], grid: Grid, budget: Budget): InTurns<MathValue> {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (found === undefined) throw new MathError(`Unknown function ${name.slice(0, 64)}.`);
  const [least, most, of] = found;
  const made = of(new Reader(name, parameters, least, most), grid, budget);
  return 'kind' in made ? made : yield* made;
}

/** Returns the times of a series that starts with the range of a request. */
function gridTimes({ from, to }: Grid, period: number, budget: Budget): readonly number[] {
  const count = Math.max(0, Math.ceil((to - from) / (period * 1_000)));
  if (count > GRID_MAX) throw new MathError(`The time range has more than ${GRID_MAX} data points.`);
  spend(budget, count);
  return Array.from({ length: count }, (_, i) => from + i * period * 1_000);
}

/** Maximum number of points of a filled series: those that a response can have. Source: cloudwatch 2010-08-01, GetMetricData. */
const GRID_MAX = 100_800;

function runningSum(series: Series): Series {
  let sum = 0;
  return mapped(series, (value) => {
    sum += value;
    return sum;
  });
}

/**
 * Fills the missing points of the range. `REPEAT` and `LINEAR` fill only after a point, and `LINEAR` only before another one.
 *
 * Assumed: a series without points is filled too, and a series as the second parameter fills with its points at the same times.
 */
function fill(read: Reader, grid: Grid, budget: Budget): MathValue | InTurns<MathValue> {
  const filler = read.at(1);
  const word = filler?.kind === 'word' || filler?.kind === 'string' ? filler.text : undefined;
  if (word !== undefined && word !== 'REPEAT' && word !== 'LINEAR') throw read.wrong(1);
  const other = filler?.kind === 'series' ? filler.series : undefined;
  const constant = word === undefined && other === undefined ? read.scalar(1) : undefined;
  return each((series) => {
    const atOther = other && lookup(other);
    const all = mergedTimes(gridTimes(grid, series.period, budget), series.times);
    let before = -1;
    return mapped({ ...series, times: all, values: all }, (time) => {
      if (series.times[before + 1] === time) return series.values[++before];
      if (word === undefined) return constant ?? atOther?.(time);
      return word === 'REPEAT' ? series.values[before] : between(series, before, time);
    });
  })(read, grid, budget);
}

function between({ times: at, values }: Series, before: number, time: number): number | undefined {
  const [start, end, first, last] = [at[before], at[before + 1], values[before], values[before + 1]];
  if (start === undefined || end === undefined || first === undefined || last === undefined) return undefined;
  return first + ((last - first) * (time - start)) / (end - start);
}

function oneOf(list: readonly Series[], i: number): Series {
  const found = list.at(i);
  if (found === undefined) throw new MathError('The array of time series is empty.');
  return found;
}

/** With one index returns a series, with two the series from the first index up to the second, which is not included. */
function slice(read: Reader): MathValue {
  const list = read.list(0);
  const start = Math.trunc(read.scalar(1));
  if (read.at(2) === undefined) return toSeries(oneOf(list, start));
  return toList(list.slice(start, Math.trunc(read.scalar(2))));
}

const SORTS: ReadonlyMap<string, (values: readonly number[]) => number> = new Map(Object.entries(AGGREGATES));

/** Sorts series by a number of each. Series without points are last. */
function* sort(read: Reader, _: Grid, budget: Budget): InTurns<MathValue> {
  const of = SORTS.get(read.word(1) ?? '');
  if (of === undefined) throw read.wrong(1);
  const order = read.word(2);
  if (order !== 'ASC' && order !== 'DESC') throw read.wrong(2);
  const ranked: { readonly series: Series; readonly rank: number | undefined }[] = [];
  for (const series of read.list(0)) {
    yield* turn(budget, series.times.length);
    ranked.push({ series, rank: series.values.length === 0 ? undefined : of(series.values) });
  }
  const sign = order === 'ASC' ? 1 : -1;
  ranked.sort((a, b) =>
    a.rank === undefined || b.rank === undefined ? Number(a.rank === undefined) - Number(b.rank === undefined) : sign * (a.rank - b.rank),
  );
  const most = read.at(3) === undefined ? ranked.length : Math.max(0, Math.trunc(read.scalar(3)));
  return toList(ranked.slice(0, most).map(({ series }) => series));
}

/**
 * Returns the second parameter if the first one is not 0, otherwise the third one. A series as the condition decides for each of its
 * times. Without a third parameter, or without a point at this time, there is no point.
 */
function choose(read: Reader, grid: Grid): MathValue {
  const condition = read.value(0);
  const branches = [read.value(1), read.at(2) === undefined ? undefined : read.value(2)] as const;
  if (condition.kind === 'list' || branches.some((branch) => branch?.kind === 'list')) throw read.wrong(condition.kind === 'list' ? 0 : 1);
  if (condition.kind === 'scalar') {
    const chosen = branches[condition.value === 0 ? 1 : 0];
    return chosen ?? toSeries({ label: '', period: grid.period, times: [], values: [] });
  }
  const readers = branches.map((branch) => {
    if (branch?.kind === 'scalar') return () => branch.value;
    return branch?.kind === 'series' ? lookup(branch.series) : () => undefined;
  });
  const { series } = condition;
  return toSeries(mapped(series, (value, i) => readers[value === 0 ? 1 : 0]?.(series.times[i] as number)));
}

function timeSeries(read: Reader, grid: Grid, budget: Budget): MathValue {
  const value = read.scalar(0);
  const at = gridTimes(grid, grid.period, budget);
  return toSeries({ label: '', period: grid.period, times: at, values: at.map(() => value) });
}
