import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE_MS } from '#core/duration.ts';
import { type AlarmPoint, evaluate, type MissingData } from './evaluation.ts';
import { formatDouble, formatLongTime } from './numbers.ts';
import { COMPARISONS, type FixedComparison, type ReasonFacts, reasonDataOf, reasonOf } from './reasons.ts';

const START = Date.UTC(2022, 10, 8, 11, 20);

function factsOf(comparison: FixedComparison, threshold: number, n: number, m: number | undefined, missingData: MissingData): ReasonFacts {
  return {
    comparison,
    threshold,
    breaches: (value) => COMPARISONS[comparison].breaches(value, threshold),
    evaluationPeriods: n,
    datapointsToAlarm: m ?? n,
    namesDatapoints: m !== undefined,
    missingData,
    statistic: 'Sum',
    period: 60,
  };
}

/** Points one minute apart, from 11:20 on. */
const pointsOf = (values: readonly (number | undefined)[]): readonly (AlarmPoint | undefined)[] =>
  values.map((value, i) => (value === undefined ? undefined : { at: START + i * MINUTE_MS, value, sampleCount: 1 }));

const _ = undefined;
const GREATER = 'GreaterThanThreshold';
const LESS = 'LessThanThreshold';

/** The reasons that are not recorded are marked in `reasonOf`. */
// biome-ignore format: a table
const REASONS: readonly [comparison: FixedComparison, threshold: number, n: number, m: number | undefined, missing: MissingData, values: readonly (number | undefined)[], reason: string][] = [
  [GREATER, 21,  1, _, 'missing',      [_, _, 21.5],             'Threshold Crossed: 1 datapoint [21.5 (08/11/22 11:22:00)] was greater than the threshold (21.0).'],
  [GREATER, 21,  1, _, 'missing',      [_, 21, _],               'Threshold Crossed: 1 datapoint [21.0 (08/11/22 11:21:00)] was not greater than the threshold (21.0).'],
  [GREATER, 42,  2, _, 'missing',      [_, _, 1, 0],             'Threshold Crossed: 2 datapoints [0.0 (08/11/22 11:23:00), 1.0 (08/11/22 11:22:00)] were not greater than the threshold (42.0).'],
  ['LessThanOrEqualToThreshold', 1, 1, _, 'missing', [_, _, 1],  'Threshold Crossed: 1 datapoint [1.0 (08/11/22 11:22:00)] was less than or equal to the threshold (1.0).'],
  ['GreaterThanOrEqualToThreshold', 1, 1, 1, 'missing', [_, _, 0], 'Threshold Crossed: 1 out of the last 1 datapoints [0.0 (08/11/22 11:22:00)] was not greater than or equal to the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).'],
  [GREATER, 0,   3, 1, 'missing',      [_, _, _, 2e4, 2e4, 2e4], 'Threshold Crossed: 3 out of the last 3 datapoints [20000.0 (08/11/22 11:25:00), 20000.0 (08/11/22 11:24:00), 20000.0 (08/11/22 11:23:00)] were greater than the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition).'],
  [LESS,    65,  5, 5, 'missing',      [_, _, 0, 0, 0, 0, 0],    'Threshold Crossed: 5 out of the last 5 datapoints were less than the threshold (65.0). The most recent datapoints which crossed the threshold: [0.0 (08/11/22 11:26:00), 0.0 (08/11/22 11:25:00), 0.0 (08/11/22 11:24:00), 0.0 (08/11/22 11:23:00), 0.0 (08/11/22 11:22:00)] (minimum 5 datapoints for OK -> ALARM transition).'],
  [LESS,    1,   2, _, 'breaching',    [_, _, _, _],             'Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].'],
  [LESS,    1,   1, _, 'notBreaching', [_, _, _],                'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].'],
  [LESS,    1,   2, _, 'breaching',    [_, _, 1, _],             'Threshold Crossed: 1 datapoint [1.0 (08/11/22 11:22:00)] was not less than the threshold (1.0) and 1 missing datapoint was treated as [Breaching].'],
  [LESS,    1,   3, 3, 'missing',      [_, _, 0, _, _],          'Threshold Crossed: 1 out of the last 3 datapoints [0.0 (08/11/22 11:22:00)] was less than the threshold (1.0) (minimum 3 datapoints for OK -> ALARM transition).'],
  [GREATER, 1,   3, _, 'notBreaching', [_, _, 2, _, _],          'Threshold Crossed: 2 missing datapoints were treated as [NonBreaching].'],
  [GREATER, 1,   5, _, 'missing',      [_, _, _, _, _, _, _],    'Insufficient Data: 5 datapoints were unknown.'],
  [GREATER, 1,   1, _, 'missing',      [_, _, _],                'Insufficient Data: 1 datapoint was unknown.'],
];

for (const [comparison, threshold, n, m, missing, values, reason] of REASONS) {
  test(`Reasons: ${reason.slice(0, 80)}`, () => {
    const facts = factsOf(comparison, threshold, n, m, missing);
    assert.equal(reasonOf(evaluate(pointsOf(values), facts), facts), reason);
  });
}

test('Reason data: has the recorded members, with points in both orders', () => {
  const facts = { ...factsOf(GREATER, 42, 2, undefined, 'missing'), unit: 'Count' };
  assert.equal(
    reasonDataOf(evaluate(pointsOf([_, _, 1, 0.5]), facts), facts, START + 5 * MINUTE_MS, []),
    '{"version":"1.0","queryDate":"2022-11-08T11:25:00.000+0000","startDate":"2022-11-08T11:22:00.000+0000","unit":"Count","statistic":"Sum","period":60,"recentDatapoints":[1.0,0.5],"threshold":42.0,"evaluatedDatapoints":[{"timestamp":"2022-11-08T11:23:00.000+0000","sampleCount":1.0,"value":0.5},{"timestamp":"2022-11-08T11:22:00.000+0000","sampleCount":1.0,"value":1.0}]}',
  );
});

test('Reason data: without points, has the times of the periods and no start', () => {
  const facts = factsOf(GREATER, 42, 1, undefined, 'missing');
  assert.equal(
    reasonDataOf(evaluate(pointsOf([_, _, _]), facts), facts, START, [START - MINUTE_MS]),
    '{"version":"1.0","queryDate":"2022-11-08T11:20:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[],"threshold":42.0,"evaluatedDatapoints":[{"timestamp":"2022-11-08T11:19:00.000+0000"}]}',
  );
});

test('Reason data: of many points is JSON of at most 4,000 characters with the newest points', () => {
  const facts = factsOf(GREATER, 0, 1440, undefined, 'missing');
  const values = Array.from({ length: 1442 }, (_each, i) => i + 1 / 3);
  const data = reasonDataOf(evaluate(pointsOf(values), facts), facts, START, []);
  const { recentDatapoints } = JSON.parse(data) as { recentDatapoints: number[] };
  assert.ok(data.length <= 4_000);
  assert.equal(recentDatapoints.at(-1), values.at(-1));
});

// biome-ignore format: a table
const DOUBLES: readonly [value: number, text: string][] = [
  [0, '0.0'], [-0.5, '-0.5'], [21, '21.0'], [9_999_999, '9999999.0'], [1e7, '1.0E7'], [12_345_678.5, '1.23456785E7'], [0.001, '0.001'], [0.0001, '1.0E-4'], [2 ** 80, '1.2089258196146292E24'],
];

for (const [value, text] of DOUBLES) test(`Numbers: ${value} is ${text}`, () => assert.equal(formatDouble(value), text));

test('Numbers: the time of the change of a child has the recorded format', () => {
  assert.equal(formatLongTime(Date.UTC(2022, 6, 22, 15, 57, 45, 394)), 'Friday 22 July, 2022 15:57:45 UTC');
  assert.equal(formatLongTime(Date.UTC(2025, 8, 3, 6, 25, 33)), 'Wednesday 03 September, 2025 06:25:33 UTC');
});
