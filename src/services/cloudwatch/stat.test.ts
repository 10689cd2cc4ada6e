import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MetricDatum } from '#model/generated/cloudwatch.ts';
import { statOf } from './stat.ts';
import { DISTINCT_MAX, fromStored, merged, summaryOf, toStored } from './summary.ts';

const datum = (more: Partial<MetricDatum>): MetricDatum => ({ MetricName: 'm', ...more });
const summary = (values: readonly number[], counts?: readonly number[]) => {
  const made = summaryOf(datum({ Values: values, ...(counts !== undefined && { Counts: counts }) }));
  assert.ok(made);
  return made;
};

const TEN = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

// biome-ignore format: a table
const STATISTICS: readonly (readonly [stat: string, values: readonly number[], value: number | undefined])[] = [
  ['SampleCount',  TEN,          10],
  ['Sum',          TEN,          550],
  ['Average',      TEN,          55],
  ['Minimum',      TEN,          10],
  ['Maximum',      TEN,          100],
  ['Maximum',      [-2, -1],     -1],
  ['p0',           TEN,          10],
  ['p50',          TEN,          50],
  ['p50.1',        TEN,          60],
  ['p95',          TEN,          100],
  ['p100',         TEN,          100],
  ['p90',          [7],          7],
  ['p50',          [-1, 2],      undefined],
  ['tm90',         TEN,          50],
  ['tm99',         [7],          7],
  ['TM(10%:90%)',  TEN,          55],
  ['TM(:90%)',     TEN,          50],
  ['TM(20:50)',    TEN,          40],
  ['TM(20:)',      TEN,          65],
  ['TM(200:300)',  TEN,          undefined],
  ['IQM',          TEN,          55],
  ['tc90',         TEN,          9],
  ['TC(20:50)',    TEN,          3],
  ['TC(200:300)',  TEN,          0],
  ['ts90',         TEN,          450],
  ['TS(80%:)',     TEN,          190],
  ['TS(80%:100%)', TEN,          190],
  ['wm90',         TEN,          54],
  ['WM(10%:90%)',  TEN,          55],
  ['WM(25:75)',    TEN,          (25 + 25 + 30 + 40 + 50 + 60 + 70 + 75 * 3) / 10],
  ['PR(:30)',      TEN,          30],
  ['PR(30:50)',    TEN,          20],
];

describe('Statistics', () => {
  for (const [stat, values, value] of STATISTICS)
    test(`statOf: ${stat} of ${values.join(', ')} is ${value}`, () => {
      const of = statOf(stat);
      const made = of?.(summary(values));
      if (value === undefined) assert.equal(made, undefined);
      else assert.ok(Math.abs((made as number) - value) < 1e-9, `${made}`);
    });

  for (const stat of [
    '',
    'average',
    'p',
    'p101',
    'p-1',
    'P50',
    'tm',
    'TM(:)',
    'TM(10%:20)',
    'TM(9:2)',
    'TM(0%:101%)',
    'PR(1%:2%)',
    'IQM()',
  ])
    test(`statOf: '${stat}' is invalid`, () => assert.equal(statOf(stat), undefined));

  test('statOf: counts weigh values', () => {
    const weighted = summary([1, 2, 3], [1, 97, 2]);
    assert.equal(statOf('p98')?.(weighted), 2);
    assert.equal(statOf('p99')?.(weighted), 3);
    assert.equal(statOf('TC(1%:98%)')?.(weighted), 97);
  });

  test('statOf: a statistic set with unknown values has no percentiles, one with equal values has', () => {
    const spread = summaryOf(datum({ StatisticValues: { SampleCount: 4, Sum: 10, Minimum: 1, Maximum: 4 } }));
    const equal = summaryOf(datum({ StatisticValues: { SampleCount: 4, Sum: 8, Minimum: 2, Maximum: 2 } }));
    assert.ok(spread && equal);
    assert.equal(statOf('p50')?.(spread), undefined);
    assert.equal(statOf('Average')?.(spread), 2.5);
    assert.equal(statOf('p50')?.(equal), 2);
    assert.equal(statOf('p50')?.(merged([equal, spread])), undefined);
  });
});

describe('Summaries', () => {
  for (const values of [[5], [5, 5], [1, 2, 3], [-0.5, 1e30]])
    test(`toStored: the summary of ${values.join(', ')} is read back`, () =>
      assert.deepEqual(fromStored(toStored(summary(values))), summary(values)));

  test('merged: values above the limit keep count, sum and extremes, and percentiles within a few percent', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => (i + 1) ** 2);
    const all = summary(values);
    assert.ok((all.values?.length ?? 0) / 2 <= DISTINCT_MAX);
    assert.equal(all.count, 10_000);
    assert.equal(all.maximum, 1e8);
    const median = statOf('p50')?.(all) as number;
    assert.ok(Math.abs(median / 5_000 ** 2 - 1) < 0.1, `${median}`);
    const mean = statOf('TM(0%:100%)')?.(all) as number;
    assert.ok(Math.abs(mean / (all.sum / all.count) - 1) < 1e-9);
  });

  test('summaryOf: values with the count 0 are not samples', () => {
    assert.equal(summaryOf(datum({ Values: [1, 2], Counts: [0, 0] })), undefined);
    assert.equal(summaryOf(datum({ Values: [1, 2], Counts: [0, 3] }))?.sum, 6);
  });
});
