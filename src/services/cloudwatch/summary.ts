/** Summaries of samples: the stored form of the samples of one metric, unit and period. */
import type { MetricDatum } from '#model/generated/cloudwatch.ts';

/** Summary of samples. */
export interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /**
   * Distinct values in ascending order, each followed by its count: `[1.5, 2, 3, 1]`. Percentiles need them. Absent if the samples include
   * a statistic set whose values are unknown.
   */
  readonly values?: readonly number[];
}

/** Maximum number of distinct values of a summary. Above it, values that differ little are stored as their mean. */
export const DISTINCT_MAX = 400;
/** Relative width of the first groups of values, which become their mean. It doubles until few enough groups are left. */
const FIRST_WIDTH = 0.01;

/** Returns the summary of one sample. Values with the count 0 do not count. Returns undefined if nothing is left. */
export function summaryOf({ Value, Values, Counts, StatisticValues }: MetricDatum): Summary | undefined {
  const parts: Summary[] = [];
  if (Value !== undefined) parts.push(ofValue(Value, 1));
  const ofList = Values && ofValues(Values, Counts);
  if (ofList !== undefined) parts.push(ofList);
  if (StatisticValues !== undefined && StatisticValues.SampleCount > 0) {
    const { SampleCount: count, Sum: sum, Minimum: minimum, Maximum: maximum } = StatisticValues;
    parts.push({ count, sum, minimum, maximum, ...(minimum === maximum && { values: [minimum, count] }) });
  }
  return parts.length === 0 ? undefined : merged(parts);
}

function ofValue(value: number, count: number): Summary {
  return { count, sum: value * count, minimum: value, maximum: value, values: [value, count] };
}

/** Returns the summary of values in any order, whose default count is 1. */
function ofValues(list: readonly number[], counts: readonly number[] | undefined): Summary | undefined {
  let count = 0;
  let sum = 0;
  let isAscending = true;
  const pairs: number[] = [];
  for (let i = 0; i < list.length; i++) {
    const value = list[i] as number;
    const times = counts?.[i] ?? 1;
    if (times <= 0) continue;
    count += times;
    sum += value * times;
    if (pairs.length > 0 && value <= (pairs.at(-2) as number)) isAscending = false;
    pairs.push(value, times);
  }
  if (pairs.length === 0) return undefined;
  const values = isAscending ? pairs : inOrder(pairs);
  return { count, sum, minimum: values[0] as number, maximum: values.at(-2) as number, values: limited(values) };
}

/** Returns values with their counts in ascending order, each value once. */
function inOrder(pairs: readonly number[]): readonly number[] {
  const counts = new Map<number, number>();
  for (let i = 0; i < pairs.length; i += 2) {
    const value = pairs[i] as number;
    counts.set(value, (counts.get(value) ?? 0) + (pairs[i + 1] as number));
  }
  // Without a function that compares, the sort takes a third of the time.
  const ordered: number[] = [];
  for (const value of Float64Array.from(counts.keys()).sort()) ordered.push(value, counts.get(value) as number);
  return ordered;
}

/** Returns the summary of the samples of all summaries, of which there is at least one. */
export function merged(summaries: readonly Summary[]): Summary {
  const [first] = summaries;
  if (summaries.length === 1 && first !== undefined) return first;
  let count = 0;
  let sum = 0;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const each of summaries) {
    count += each.count;
    sum += each.sum;
    minimum = Math.min(minimum, each.minimum);
    maximum = Math.max(maximum, each.maximum);
  }
  const values = mergedValues(summaries);
  return { count, sum, minimum, maximum, ...(values !== undefined && { values }) };
}

/** Merges the values of pairs of summaries, then of the results, so that each value is copied few times. */
function mergedValues(summaries: readonly Summary[]): readonly number[] | undefined {
  let lists: (readonly number[])[] = [];
  for (const { values } of summaries) {
    if (values === undefined) return undefined;
    lists.push(values);
  }
  while (lists.length > 1) {
    const half: (readonly number[])[] = [];
    for (let i = 0; i < lists.length; i += 2) half.push(union(lists[i] as readonly number[], lists[i + 1] ?? []));
    lists = half;
  }
  return limited(lists[0] as readonly number[]);
}

/** Merges two lists of values with their counts, both in ascending order. */
function union(a: readonly number[], b: readonly number[]): readonly number[] {
  if (b.length === 0) return a;
  const both: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] as number;
    const right = b[j] as number;
    if (left < right) {
      both.push(left, a[i + 1] as number);
      i += 2;
    } else if (left > right) {
      both.push(right, b[j + 1] as number);
      j += 2;
    } else {
      both.push(left, (a[i + 1] as number) + (b[j + 1] as number));
      i += 2;
      j += 2;
    }
  }
  for (; i < a.length; i++) both.push(a[i] as number);
  for (; j < b.length; j++) both.push(b[j] as number);
  return both;
}

/** Returns values, in groups if there are more than `DISTINCT_MAX`. */
function limited(values: readonly number[]): readonly number[] {
  if (values.length <= 2 * DISTINCT_MAX) return values;
  let groups = values;
  for (let width = FIRST_WIDTH; groups.length > 2 * DISTINCT_MAX; width *= 2) groups = grouped(groups, width);
  return groups;
}

/** Replaces values within a relative distance of `width` of the first value of their group with the mean of the group. */
function grouped(values: readonly number[], width: number): readonly number[] {
  const groups: number[] = [];
  let limit = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i += 2) {
    const value = values[i] as number;
    const count = values[i + 1] as number;
    if (groups.length === 0 || value > limit) {
      groups.push(value, count);
      limit = value + Math.abs(value) * width;
      continue;
    }
    const last = groups.length - 2;
    const total = (groups[last + 1] as number) + count;
    groups[last] = (groups[last] as number) + (value - (groups[last] as number)) * (count / total);
    groups[last + 1] = total;
  }
  return groups;
}

/** Returns the stored form of a summary: JSON of count, sum, minimum, maximum and values. */
export function toStored({ count, sum, minimum, maximum, values }: Summary): string {
  // A point of equal values is the most common one.
  if (values?.length === 2 && sum === minimum * count) return JSON.stringify([count, minimum]);
  return JSON.stringify(values === undefined ? [count, sum, minimum, maximum] : [count, sum, minimum, maximum, values]);
}

/** Parts of a summary to read: with `values`, or only the numbers. */
export type StoredForm = 'numbers' | 'values';

/** Reads the stored form of a summary. */
export function fromStored(stored: string, form: StoredForm = 'values'): Summary {
  const [count, sum, minimum, maximum, values] = storedParts(stored, form);
  if (minimum === undefined || maximum === undefined) return ofValue(sum, count);
  return { count, sum, minimum, maximum, ...(values !== undefined && { values }) };
}

function storedParts(stored: string, form: StoredForm): readonly [number, number, number?, number?, number[]?] {
  const list = form === 'numbers' ? stored.indexOf('[', 1) : -1;
  // The list of values is the last part, and by far the longest one.
  return JSON.parse(list < 0 ? stored : `${stored.slice(0, list - 1)}]`);
}
