// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of labels look like templates
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE_MS } from '#core/duration.ts';
import type { MetricDataQuery } from '#model/generated/cloudwatch.ts';
import { runAtOnce } from '../kit/turns.ts';
import { labelled, requireLabels } from './labels.ts';
import type { Series } from './math/series.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const FACTS = { accountId: '111122223333', region: 'us-east-1', now: NOON, timezone: '+0130' };
const Metric = { Namespace: 'Chat', MetricName: 'Sent', Dimensions: [{ Name: 'Room', Value: 'blue' }] };
const SERIES: Series = {
  ...{ label: 'Sent', period: 60, metric: { Metric, Stat: 'Sum' } },
  times: [NOON - 90 * MINUTE_MS, NOON - 30 * MINUTE_MS, NOON - 2 * MINUTE_MS],
  values: [4, 10, 1],
};

function labelsOf(query: Partial<MetricDataQuery>, series: readonly Series[] = [SERIES], facts = FACTS): readonly string[] {
  return runAtOnce(labelled([{ query: { Id: 'm1', ...query }, series }], facts)).map(({ label }) => label);
}

// biome-ignore format: a table
const LABELS: readonly (readonly [label: string, expected: string])[] = [
  ['plain',                                    'plain'],
  ['${LABEL} [${AVG}]',                        'Sent [5]'],
  ['${SUM} ${MIN} ${MAX} ${FIRST} ${LAST}',    '15 1 10 4 1'],
  ['${DATAPOINT_COUNT}',                       '3'],
  ['${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}',     '-3 9'],
  ['${MAX_TIME}',                              '2026-11-28T13:00:00+0130'],
  ['${FIRST_TIME} ${LAST_TIME}',               '2026-11-28T12:00:00+0130 2026-11-28T13:28:00+0130'],
  ['${MIN_TIME}',                              '2026-11-28T13:28:00+0130'],
  ['${MAX_TIME_RELATIVE}',                     '30m'],
  ['${FIRST_TIME_RELATIVE}',                   '1h 30m'],
  ['${LAST_TIME_RELATIVE}',                    '2m'],
  ['${MIN_TIME_RELATIVE}',                     '2m'],
  ['${MIN_MAX_TIME_RANGE}',                    '28m'],
  ['${FIRST_LAST_TIME_RANGE}',                 '1h 28m'],
  ["${PROP('Period')}s ${PROP('Stat')}",       '60s Sum'],
  ["${PROP('Dim.Room')} ${PROP('Dim.room')}",  'blue --'],
  ["${PROP('Namespace')}/${PROP('MetricName')}", 'Chat/Sent'],
  ["${PROP('AccountId')} ${PROP('Region')}",   '111122223333 us-east-1'],
  ["${PROP('Other')}",                         '--'],
  ['${OTHER} ${toString} ${} $${AVG}',         '${OTHER} ${toString} ${} $5'],
];

describe('Labels', () => {
  for (const [label, expected] of LABELS) {
    test(`Label: ${label} is ${expected}`, () => {
      assert.deepEqual(labelsOf({ Label: label }), [expected]);
    });
  }

  test('Label: without points, values are unknown', () => {
    assert.deepEqual(labelsOf({ Label: '${AVG} ${DATAPOINT_COUNT} ${LAST_TIME}' }, [{ ...SERIES, times: [], values: [] }]), ['-- -- --']);
    assert.deepEqual(labelsOf({ Label: '${LABEL} ${MAX}', Expression: 'm1' }, []), ['m1 --']);
  });

  test('Label: a dynamic label applies to every series of an expression, and another one precedes the label of each', () => {
    const two = [SERIES, { ...SERIES, label: 'Sent green', values: [1, 2, 3] }];
    assert.deepEqual(labelsOf({ Label: '${MAX} ${LABEL}', Expression: 'SEARCH' }, two), ['10 Sent', '3 Sent green']);
    assert.deepEqual(labelsOf({ Label: 'all', Expression: 'SEARCH' }, two), ['all Sent', 'all Sent green']);
    assert.deepEqual(labelsOf({ Expression: 'SEARCH' }, two), ['Sent', 'Sent green']);
    assert.deepEqual(labelsOf({ Expression: 'a + b' }), ['m1']);
  });

  test('Label: all labels of a response have a limit', () => {
    const series = Array.from({ length: 100 }, () => SERIES);
    assert.throws(() => labelsOf({ Label: 'x'.repeat(50_000), Expression: 'SEARCH' }, series), { code: 'ValidationException' });
  });

  test('requireLabels: six values, ${LABEL} twice and other formats of a time zone are refused', () => {
    requireLabels(["${AVG}${AVG}${AVG}${AVG}${AVG}${LABEL}${PROP('Stat')}${OTHER}", undefined], '-1130');
    const refused = { code: 'ValidationException' };
    assert.throws(() => requireLabels(['${AVG}'.repeat(6)], undefined), refused);
    assert.throws(() => requireLabels(['${LABEL} ${LABEL}'], undefined), refused);
    for (const timezone of ['UTC', '+01:30', '+2400', '+0060', '0130']) assert.throws(() => requireLabels([], timezone), refused);
  });
});
