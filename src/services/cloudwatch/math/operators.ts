/** Operators of metric math, on numbers, series and lists of series. */
import type { InTurns } from '../../kit/turns.ts';
import type { Operator } from './parse.ts';
import { type Budget, lookup, MathError, type MathValue, mapped, mergedTimes, type Series, seriesIn, turn } from './series.ts';

const bit = (holds: boolean): number => (holds ? 1 : 0);

const NUMBERS: Readonly<Record<Operator, NumberOperator>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '^': (left, right) => left ** right,
  '==': (left, right) => bit(left === right),
  '!=': (left, right) => bit(left !== right),
  '<=': (left, right) => bit(left <= right),
  '>=': (left, right) => bit(left >= right),
  '<': (left, right) => bit(left < right),
  '>': (left, right) => bit(left > right),
  AND: (left, right) => bit(left !== 0 && right !== 0),
  OR: (left, right) => bit(left !== 0 || right !== 0),
};

/**
 * Applies an operator. A missing point of one of two series counts as 0. A result that is not a finite number, such as that of a division by
 * zero, has no point.
 *
 * Source: CloudWatch User Guide, "Using metric math", basic arithmetic functions, and comparison and logical operators.
 * Assumed: the label and the period of the result are those of the first series.
 *
 * @throws MathError  both sides are lists, or a scalar is not a finite number
 */
export function* applied(operator: Operator, left: MathValue, right: MathValue, budget: Budget): InTurns<MathValue> {
  const of = NUMBERS[operator];
  if (left.kind === 'scalar' && right.kind === 'scalar') return { kind: 'scalar', value: finite(of(left.value, right.value)) };
  if (left.kind === 'list' && right.kind === 'list')
    throw new MathError(`The operator ${operator} does not apply to two arrays of time series.`);
  if (left.kind === 'series' && right.kind !== 'list') return toValue(yield* combined(of, left.series, right, budget));
  if (left.kind === 'scalar' && right.kind === 'series')
    return toValue(yield* withNumber(right.series, (value) => of(left.value, value), budget));
  const list: Series[] = [];
  for (const each of seriesIn(left.kind === 'list' ? left : right)) {
    if (left.kind === 'scalar') list.push(yield* withNumber(each, (value) => of(left.value, value), budget));
    else if (left.kind === 'series') {
      const { times, values } = yield* combined(of, left.series, { kind: 'series', series: each }, budget);
      list.push({ ...each, period: left.series.period, times, values });
    } else list.push(yield* combined(of, each, right as Exclude<MathValue, { readonly kind: 'list' }>, budget));
  }
  return { kind: 'list', list };
}

type NumberOperator = (left: number, right: number) => number;

/** Applies an operator to a series and a number or another series. */
function* combined(of: NumberOperator, a: Series, b: Exclude<MathValue, { readonly kind: 'list' }>, budget: Budget): InTurns<Series> {
  if (b.kind === 'scalar') return yield* withNumber(a, (value) => of(value, b.value), budget);
  yield* turn(budget, a.times.length + b.series.times.length);
  const times = mergedTimes(a.times, b.series.times);
  const [atA, atB] = [lookup(a), lookup(b.series)];
  return mapped({ ...a, times, values: times }, (time) => of(atA(time) ?? 0, atB(time) ?? 0));
}

function* withNumber(series: Series, of: (value: number) => number, budget: Budget): InTurns<Series> {
  yield* turn(budget, series.times.length);
  return mapped(series, of);
}

/** Returns a number. @throws MathError  it is not finite */
export function finite(value: number): number {
  if (!Number.isFinite(value)) throw new MathError('The result of the expression is not a number.');
  return value;
}

function toValue(series: Series): MathValue {
  return { kind: 'series', series };
}
