import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { MetricDatum } from '#model/generated/cloudwatch.ts';
import { DISTINCT_MAX, fromStored, merged, type Summary, summaryOf, toStored } from './summary.ts';

/** Returns the values and counts of samples by a count of single values. */
function countedValues(samples: readonly (readonly [value: number, count: number])[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const [value, count] of samples) if (count > 0) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b).flat();
}

const samplesArb = fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.nat(3)), { minLength: 1, maxLength: 30 });

function toDatum(samples: readonly (readonly [number, number])[]): MetricDatum {
  return { MetricName: 'm', Values: samples.map(([value]) => value), Counts: samples.map(([, count]) => count) };
}

describe('Summaries', () => {
  test('merged: a summary has each value once, in ascending order, with the sum of its counts', () => {
    fc.assert(
      fc.property(fc.array(samplesArb, { minLength: 1, maxLength: 9 }), (lists) => {
        const summaries = lists.map((samples) => summaryOf(toDatum(samples))).filter((each) => each !== undefined);
        fc.pre(summaries.length > 0);
        const all = lists.flat();
        const { count, sum, minimum, maximum, values } = merged(summaries);
        assert.deepEqual(values, countedValues(all));
        assert.equal(
          count,
          all.reduce((total, [, times]) => total + times, 0),
        );
        assert.equal(
          sum,
          all.reduce((total, [value, times]) => total + value * times, 0),
        );
        assert.deepEqual([minimum, maximum], [values?.[0], values?.at(-2)]);
      }),
    );
  });

  test('summaryOf: values above the maximum become groups with the same count, and nearly the same sum', () => {
    const Values = Array.from({ length: 2_000 }, (_, i) => 1 + ((i * 7_919) % 2_000));
    const summary = summaryOf({ MetricName: 'm', Values }) as Summary;
    const values = summary.values ?? [];
    assert.ok(values.length / 2 <= DISTINCT_MAX && values.length / 2 > DISTINCT_MAX / 4, `${values.length / 2} values`);
    let [count, sum] = [0, 0];
    for (let i = 0; i < values.length; i += 2) {
      count += values[i + 1] as number;
      sum += (values[i] as number) * (values[i + 1] as number);
    }
    assert.deepEqual([count, summary.count, summary.sum], [2_000, 2_000, 2_001_000]);
    assert.ok(Math.abs(sum - summary.sum) < 1);
  });

  test('merged: without the values of one summary, the result has no values', () => {
    const set = summaryOf({ MetricName: 'm', StatisticValues: { SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2 } }) as Summary;
    const one = summaryOf({ MetricName: 'm', Value: 7 }) as Summary;
    assert.deepEqual(merged([one, set]), { count: 3, sum: 10, minimum: 1, maximum: 7 });
    assert.deepEqual(fromStored(toStored(one)), one);
    assert.equal(summaryOf({ MetricName: 'm', Values: [1], Counts: [0] }), undefined);
  });
});
