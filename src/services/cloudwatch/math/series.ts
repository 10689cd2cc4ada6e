/** Time series: the values that metric math works on. */
import type { MetricStat } from '#model/generated/cloudwatch.ts';
import type { InTurns } from '../../kit/turns.ts';

/** A time series. */
export interface Series {
  readonly label: string;
  /** Seconds. */
  readonly period: number;
  /** Starts of the periods with a value, in milliseconds, in ascending order. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** Metric of the series, or of the first one from which an expression calculated it. */
  readonly metric?: Pick<MetricStat, 'Metric' | 'Stat'>;
}

/** A value of an expression. */
export type MathValue =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'series'; readonly series: Series }
  | { readonly kind: 'list'; readonly list: readonly Series[] };

/** An invalid expression. The message is for the client. */
export class MathError extends Error {}

/** Work that the evaluations of a request may still do. */
export interface Budget {
  /** Number of points that may still be read and produced. `spend` reduces it. */
  points: number;
  /** Points of the current turn. `turn` adds to it. */
  ofTurn: number;
}

/** Maximum number of points that all expressions of a request read and produce. Assumed: the number. */
export const POINTS_MAX = 4_000_000;
/** Points after which a turn ends. A step works with one series at most, so a turn can have the points of one series more. */
export const TURN_POINTS = 100_000;

/** Returns the budget of a request. */
export function newBudget(): Budget {
  return { points: POINTS_MAX, ofTurn: 0 };
}

/** Takes points of the budget, before the work with them. @throws MathError  the budget has fewer */
export function spend(budget: Budget, points: number): void {
  budget.points -= points;
  if (budget.points < 0) throw new MathError('The expressions of the request produce too many data points.');
}

/** Counts the points of the next step. Ends the turn first if it has enough points. */
export function* turn(budget: Budget, points: number): InTurns<void> {
  if (budget.ofTurn + points > TURN_POINTS && budget.ofTurn > 0) {
    yield;
    budget.ofTurn = 0;
  }
  budget.ofTurn += points;
}

/** Returns the points of some series, and one for each series. */
export function pointsOf(all: readonly Series[]): number {
  return all.reduce((sum, { times }) => sum + times.length + 1, 0);
}

/** Returns the series of a value, which are none for a number. */
export function seriesIn(value: MathValue): readonly Series[] {
  if (value.kind === 'scalar') return [];
  return value.kind === 'series' ? [value.series] : value.list;
}

/** Returns a series with other values for its times. Drops the points for which `value` does not return a finite number. */
export function mapped(series: Series, value: (value: number, i: number) => number | undefined): Series {
  const times: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < series.times.length; i++) {
    const made = value(series.values[i] as number, i);
    if (made === undefined || !Number.isFinite(made)) continue;
    times.push(series.times[i] as number);
    values.push(made);
  }
  return { ...series, times, values };
}

/** Returns all times of some series, in ascending order. Merges them in pairs, so each time is read a logarithmic number of times. */
export function* unionOfTimes(all: readonly Series[], budget: Budget): InTurns<readonly number[]> {
  let lists: readonly (readonly number[])[] = all.map(({ times }) => times);
  while (lists.length > 1) {
    const merged: (readonly number[])[] = [];
    for (let i = 0; i < lists.length; i += 2) {
      const [a = [], b = []] = [lists[i], lists[i + 1]];
      yield* turn(budget, a.length + b.length);
      merged.push(mergedTimes(a, b));
    }
    lists = merged;
  }
  return lists[0] ?? [];
}

/** Returns the times of two lists in ascending order, each once. */
export function mergedTimes(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === b.length && a.every((time, i) => time === b[i])) return a;
  const merged: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const time = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    if (a[i] === time) i++;
    if (b[j] === time) j++;
    merged.push(time);
  }
  return merged;
}

/** Returns a function that looks up the value of a series at a time. The times of its calls must ascend. */
export function lookup({ times, values }: Series): (time: number) => number | undefined {
  let next = 0;
  return (time) => {
    while (next < times.length && (times[next] as number) < time) next++;
    return times[next] === time ? values[next] : undefined;
  };
}
