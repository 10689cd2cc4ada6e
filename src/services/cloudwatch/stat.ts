/** Statistics of summaries, by their names in requests. */
import type { StoredForm, Summary } from './summary.ts';

/** Returns a statistic of a summary, or undefined if the summary has no such value. */
export type StatFunction = (summary: Summary) => number | undefined;

/** Source: cloudwatch 2010-08-01, Statistic. */
const SIMPLE: ReadonlyMap<string, StatFunction> = new Map<string, StatFunction>([
  ['SampleCount', ({ count }) => count],
  ['Average', ({ sum, count, minimum, maximum }) => Math.min(Math.max(sum / count, minimum), maximum)],
  ['Sum', ({ sum }) => sum],
  ['Minimum', ({ minimum }) => minimum],
  ['Maximum', ({ maximum }) => maximum],
]);

/** A bound of a range: a percentage of the samples, or a value. */
interface Bound {
  readonly percent: boolean;
  readonly at: number;
}
/** Samples above `from`, up to `to`. */
interface Range {
  readonly from: Bound;
  readonly to: Bound;
}

/** Values with counts, in ascending order. */
type Values = readonly number[];

/** Reports whether a statistic is `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`. */
export function isSimple(stat: string): boolean {
  return SIMPLE.has(stat);
}

/** Returns the part of stored summaries that a statistic needs. */
export function formOf(stat: string): StoredForm {
  return isSimple(stat) ? 'numbers' : 'values';
}

/**
 * Returns the function of a statistic, or undefined if its name is invalid. The names are those of `Statistic` and `p95`, `tm99`, `wm98`,
 * `tc90`, `ts90`, `TM(2%:98%)`, `TM(150:1000)`, `WM(…)`, `TC(…)`, `TS(…)`, `PR(:300)` and `IQM`.
 *
 * An extended statistic has no value if the values of the samples are unknown, or if one of them is negative.
 *
 * Source: CloudWatch User Guide, "CloudWatch statistics definitions".
 * Assumed: nearest rank, without interpolation: p50 of 1, 2, 3 and 4 is 2, and TM(25%:75%) of them has the samples 2 and 3.
 */
export function statOf(name: string): StatFunction | undefined {
  const simple = SIMPLE.get(name);
  if (simple !== undefined) return simple;
  const of = extendedOf(name);
  if (of === undefined) return undefined;
  return ({ values, minimum, count }) => (values === undefined || minimum < 0 || count <= 0 ? undefined : of(values, count));
}

type Extended = (values: Values, count: number) => number | undefined;

function extendedOf(name: string): Extended | undefined {
  if (name === 'IQM') return trimmed('TM', { from: { percent: true, at: 25 }, to: { percent: true, at: 75 } });
  const short = /^(p|tm|wm|tc|ts)([0-9]{1,3}(?:\.[0-9]{0,10})?)$/.exec(name);
  if (short !== null) {
    const at = Number(short[2]);
    if (at > 100) return undefined;
    if (short[1] === 'p') return (values, count) => valueAtRank(values, (at / 100) * count);
    return trimmed((short[1] as string).toUpperCase(), { from: { percent: true, at: 0 }, to: { percent: true, at } });
  }
  const long = /^(TM|WM|TC|TS|PR)\(([0-9.]{0,20})(%?):([0-9.]{0,20})(%?)\)$/.exec(name);
  if (long === null) return undefined;
  const [, kind = '', from = '', fromUnit, to = '', toUnit] = long;
  const range = rangeOf(from, fromUnit === '%', to, toUnit === '%');
  if (range === undefined || (kind === 'PR' && range.to.percent && range.from.percent)) return undefined;
  return trimmed(kind, range);
}

const NUMBER = /^[0-9]{1,15}(\.[0-9]{0,10})?$/;

/** Returns a range, or undefined if it is invalid: without any bound, with mixed units, or with a bound that is too high. */
function rangeOf(from: string, fromPercent: boolean, to: string, toPercent: boolean): Range | undefined {
  if (from === '' && to === '') return undefined;
  if ((from !== '' && !NUMBER.test(from)) || (to !== '' && !NUMBER.test(to))) return undefined;
  if ((from === '' && fromPercent) || (to === '' && toPercent)) return undefined;
  const percent = from === '' ? toPercent : fromPercent;
  if (from !== '' && to !== '' && fromPercent !== toPercent) return undefined;
  const low = from === '' ? (percent ? 0 : Number.NEGATIVE_INFINITY) : Number(from);
  const high = to === '' ? (percent ? 100 : Number.POSITIVE_INFINITY) : Number(to);
  if (low >= high || (percent && high > 100)) return undefined;
  return { from: { percent, at: low }, to: { percent, at: high } };
}

/** Returns the smallest value such that `rank` samples are at most as large. */
function valueAtRank(values: Values, rank: number): number | undefined {
  let seen = 0;
  for (let i = 0; i < values.length; i += 2) {
    seen += values[i + 1] as number;
    // Sums of counts and products of percentages have rounding errors.
    if (seen >= rank - 1e-9 * seen) return values[i];
  }
  return values.at(-2);
}

/** Returns trimmed mean, trimmed sum, trimmed count, percentile rank or winsorized mean of the samples in a range. */
function trimmed(kind: string, range: Range): Extended {
  return (values, count) => {
    const { inside, insideSum, below, above, low, high } = split(values, count, range);
    switch (kind) {
      case 'TC':
        return inside;
      case 'TS':
        return insideSum;
      case 'PR':
        return (inside / count) * 100;
      case 'WM':
        return (insideSum + below * low + above * high) / count;
      default:
        return inside === 0 ? undefined : insideSum / inside;
    }
  };
}

interface Split {
  readonly inside: number;
  readonly insideSum: number;
  readonly below: number;
  readonly above: number;
  /** Values that replace the samples below and above the range in a winsorized mean. */
  readonly low: number;
  readonly high: number;
}

function split(values: Values, count: number, { from, to }: Range): Split {
  // Ranks of the first sample outside and the last sample inside. A tiny correction removes rounding errors.
  const first = from.percent ? Math.floor((from.at / 100) * count + 1e-9) : 0;
  const last = to.percent ? Math.ceil((to.at / 100) * count - 1e-9) : 0;
  let seen = 0;
  let inside = 0;
  let insideSum = 0;
  let below = 0;
  let low: number | undefined;
  let high: number | undefined;
  for (let i = 0; i < values.length; i += 2) {
    const value = values[i] as number;
    const number = values[i + 1] as number;
    const [start, end] = from.percent
      ? overlap(seen, seen + number, first, last)
      : value > from.at && value <= to.at
        ? [0, number]
        : [0, 0];
    const used = Math.max(0, end - start);
    seen += number;
    if (used > 0) {
      inside += used;
      insideSum += used * value;
      low ??= value;
      high = value;
    }
    if (from.percent) below += Math.max(0, Math.min(seen, first) - (seen - number));
    else if (value <= from.at) below += number;
  }
  return {
    inside,
    insideSum,
    below,
    above: Math.max(0, seen - inside - below),
    low: from.percent ? (low ?? 0) : Math.max(from.at, 0),
    high: from.percent ? (high ?? 0) : to.at,
  };
}

function overlap(start: number, end: number, first: number, last: number): readonly [number, number] {
  return [Math.max(start, first), Math.min(end, last)];
}
