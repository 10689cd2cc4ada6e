import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MINUTE_MS } from '#core/duration.ts';
import { type InTurns, runAtOnce } from '../../kit/turns.ts';
import { evaluated } from './evaluate.ts';
import { parse } from './parse.ts';
import { compiledSearch, type Searchable } from './search.ts';
import { MathError, type MathValue, newBudget, type Series } from './series.ts';

/** A Sunday, the beginning of the range. */
const START = Date.UTC(2026, 10, 22, 10, 58);

/** Returns a series with one value a minute. `undefined` is a missing point. */
function series(label: string, ...values: readonly (number | undefined)[]): Series {
  const points = values.flatMap((value, i) => (value === undefined ? [] : [[START + i * MINUTE_MS, value] as const]));
  return { label, period: 60, times: points.map(([time]) => time), values: points.map(([, value]) => value) };
}

const METRICS: Readonly<Record<string, Series>> = {
  m1: series('m1', 1, 2, undefined, 4),
  m2: series('m2', 10, undefined, 30, 0),
  empty: series('empty'),
};

function run(expression: string, metrics = METRICS): MathValue {
  const work = evaluated(parse(expression), {
    grid: { from: START, to: START + 4 * MINUTE_MS, period: 60 },
    // biome-ignore lint/correctness/useYield: a generator, as the type requires
    *query(id) {
      const found = metrics[id];
      if (found === undefined) throw new MathError(`Undefined variable '${id}'.`);
      return { kind: 'series', series: found };
    },
    metrics: Object.entries(metrics).map(([id, each]) => ({ id, series: each })),
    searched: (search, stat, period) => [series(`${search} ${stat} ${period}`, 5)],
    budget: newBudget(),
  });
  return runAtOnce(work);
}

/** Returns the values of each minute, or the number. A missing point is `undefined`. */
function valuesOf(value: MathValue): unknown {
  if (value.kind === 'scalar') return value.value;
  const minutes = ({ times, values }: Series) => [0, 1, 2, 3].map((i) => values[times.indexOf(START + i * MINUTE_MS)]);
  return value.kind === 'series' ? minutes(value.series) : value.list.map(minutes);
}

const NO = undefined;

// biome-ignore format: a table
const EXPRESSIONS: readonly (readonly [expression: string, values: unknown])[] = [
  ['1 + 2 * 3',                    7],
  ['(1 + 2) * 3',                  9],
  ['2 ^ 3 ^ 2',                    512],
  ['-2 ^ 2',                       -4],
  ['8 - 2 - 1',                    5],
  ['1.5e2 / 3',                    50],
  ['1 < 2 AND 2 < 1 OR 1 == 1',    1],
  ['1 >= 2 || 0 != 0 && 1 <= 1',   0],
  ['m1 + 1',                       [2, 3, NO, 5]],
  ['10 / m1',                      [10, 5, NO, 2.5]],
  ['-m1',                          [-1, -2, NO, -4]],
  ['m1 + m2',                      [11, 2, 30, 4]],
  ['m1 / m2',                      [0.1, NO, 0, NO]],
  ['m1 > 1',                       [0, 1, NO, 1]],
  ['[m1, m2] * 2',                 [[2, 4, NO, 8], [20, NO, 60, 0]]],
  ['m1 - METRICS("m2")',           [[-9, 2, -30, 4]]],
  ['ABS(0 - m1)',                  [1, 2, NO, 4]],
  ['CEIL(m1 / 4)',                 [1, 1, NO, 1]],
  ['FLOOR(m1 / 4)',                [0, 0, NO, 1]],
  ['LOG10(m2)',                    [1, NO, Math.log10(30), NO]],
  ['SUM(m1)',                      7],
  ['AVG(m1)',                      7 / 3],
  ['MAX(m1) - MIN(m1)',            3],
  ['DATAPOINT_COUNT(m1)',          3],
  ['STDDEV(m2)',                   Math.sqrt(1_400 / 9)],
  ['SUM(empty)',                   0],
  ['SUM([m1, m2])',                [11, 2, 30, 4]],
  ['AVG([m1, m2])',                [5.5, 2, 30, 2]],
  ['MAX([m1, m2, 3])',             [10, 3, 30, 4]],
  ['MIN(METRICS("m"))',            [1, 2, 30, 0]],
  ['DATAPOINT_COUNT([m1, m2])',    [2, 1, 1, 2]],
  ['DIFF(m1)',                     [NO, 1, NO, 2]],
  ['DIFF_TIME(m1)',                [NO, 60, NO, 120]],
  ['RATE(m1)',                     [NO, 1 / 60, NO, 2 / 120]],
  ['RUNNING_SUM(m1)',              [1, 3, NO, 7]],
  ['FILL(m1, 0)',                  [1, 2, 0, 4]],
  ['FILL(m1, REPEAT)',             [1, 2, 2, 4]],
  ['FILL(m1, LINEAR)',             [1, 2, 3, 4]],
  ['FILL(m1, m2)',                 [1, 2, 30, 4]],
  ['FILL(empty, 7)',               [7, 7, 7, 7]],
  ['FILL(empty, REPEAT)',          [NO, NO, NO, NO]],
  ['FILL([m1, m2], 9)',            [[1, 2, 9, 4], [10, 9, 30, 0]]],
  ['IF(m1 > 1, m2)',               [NO, NO, NO, 0]],
  ['IF(m1 > 1, m1, 0)',            [0, 2, NO, 4]],
  ['IF(0, m1, m2)',                [10, NO, 30, 0]],
  ['IF(0, m1)',                    [NO, NO, NO, NO]],
  ['FIRST(METRICS())',             [1, 2, NO, 4]],
  ['LAST([m1, m2])',               [10, NO, 30, 0]],
  ['SLICE(METRICS(), 1)',          [10, NO, 30, 0]],
  ['SLICE(METRICS(), 0, 1)',       [[1, 2, NO, 4]]],
  ['SORT(METRICS(), SUM, DESC, 1)', [[10, NO, 30, 0]]],
  ['SORT(METRICS(), AVG, ASC)',    [[1, 2, NO, 4], [10, NO, 30, 0], [NO, NO, NO, NO]]],
  ['METRIC_COUNT(METRICS())',      3],
  ['METRIC_COUNT(REMOVE_EMPTY(METRICS()))', 2],
  ['PERIOD(m1)',                   60],
  ['TIME_SERIES(5)',               [5, 5, 5, 5]],
  ['MINUTE(m1)',                   [58, 59, NO, 1]],
  ['HOUR(m1)',                     [10, 10, NO, 11]],
  ['DAY(m1)',                      [7, 7, NO, 7]],
  ['DATE(m1) + MONTH(m1) * 100',   [1_122, 1_122, NO, 1_122]],
  ['YEAR(m1)',                     [2_026, 2_026, NO, 2_026]],
  ['EPOCH(m1) - EPOCH(m1)',        [0, 0, NO, 0]],
  ["SEARCH('a', 'Sum', 60)",       [[5, NO, NO, NO]]],
];

// biome-ignore format: a table
const INVALID: readonly (readonly [expression: string, message: string])[] = [
  ['',                         'Unexpected end of the expression.'],
  ['m1 +',                     'Unexpected end of the expression.'],
  ['m1 m2',                    "Unexpected 'm2'."],
  ['(m1',                      'Unexpected end of the expression.'],
  ['m1 % 2',                   "Unexpected '%'."],
  ["'open",                    'Unterminated string.'],
  ['REPEAT',                   "Unexpected 'REPEAT'."],
  ["'text'",                   "Unexpected 'text'."],
  ['unknown',                  "Undefined variable 'unknown'."],
  ['NOTHING(m1)',              'Unknown function NOTHING.'],
  ['constructor(m1)',          'Unknown function constructor.'],
  ['SUM()',                    'The function SUM requires 1 parameters.'],
  ['IF(1)',                    'The function IF requires 2 to 3 parameters.'],
  ['PERIOD(METRICS())',        'The parameter 1 of the function PERIOD is invalid.'],
  ['FILL(m1, NEAREST)',        'The parameter 2 of the function FILL is invalid.'],
  ['SORT(METRICS(), NO, ASC)', 'The parameter 2 of the function SORT is invalid.'],
  ['METRICS() + METRICS()',    'The operator + does not apply to two arrays of time series.'],
  ['1 / 0',                    'The result of the expression is not a number.'],
  ['[1, 2]',                   'An array requires a time series.'],
  ['SLICE(METRICS(), 9)',      'The array of time series is empty.'],
  ["SEARCH('a')",              'The function SEARCH requires a search, a statistic and an optional period.'],
  [`${'('.repeat(60)}1${')'.repeat(60)}`, 'The expression is nested too deeply.'],
  [`${'-'.repeat(60)}1`,       'The expression is nested too deeply.'],
];

describe('Metric math', () => {
  for (const [expression, values] of EXPRESSIONS)
    test(`evaluated: ${expression} has the expected values`, () => assert.deepEqual(valuesOf(run(expression)), values));

  for (const [expression, message] of INVALID)
    test(`evaluated: ${expression.slice(0, 60) || 'an empty expression'} is invalid`, () => {
      assert.throws(() => run(expression), new MathError(message));
    });

  test('evaluated: an expression cannot produce points without limit', () => {
    const long = series('m1', ...Array.from({ length: 20_000 }, (_, i) => i));
    const expression = Array(200).fill('m1').join('+');
    assert.throws(() => run(expression, { m1: long }), new MathError('The expressions of the request produce too many data points.'));
  });

  test('parse: random arithmetic has the values that JavaScript computes', () => {
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.integer({ min: 1, max: 9 }).map(String),
        fc.tuple(tie('tree'), fc.constantFrom('+', '-', '*', '<', '>='), tie('tree')).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
        fc.tuple(tie('tree'), fc.constantFrom('+', '-', '*'), tie('tree')).map(([a, operator, b]) => `(${a} ${operator} ${b} - 1)`),
      ),
    }));
    // The text has only digits, operators and parentheses.
    for (const text of fc.sample(tree, 200)) assert.equal(valuesOf(run(text)), Number(new Function(`return ${text};`)()), text);
  });
});

const METRIC: Searchable = {
  namespace: 'AWS/Usage',
  metricName: 'CallCount',
  dimensions: [
    { Name: 'Service', Value: 'ChimeSDK' },
    { Name: 'Resource', Value: 'CreateMeeting' },
  ],
};

// biome-ignore format: a table
const SEARCHES: readonly (readonly [search: string, found: boolean])[] = [
  ['',                                              true],
  ['{AWS/Usage,Service,Resource}',                  true],
  ['{AWS/Usage, Resource, Service} CallCount',      true],
  ['{AWS/Usage,Service}',                           false],
  ['{Other,Service,Resource}',                      false],
  ['call',                                          true],
  ['Count Meeting',                                 true],
  ['Count Delete',                                  false],
  ['Delete OR Create',                              true],
  ['Count AND NOT Delete',                          true],
  ['NOT (Delete OR Create)',                        false],
  ['MetricName="CallCount"',                        true],
  ['MetricName="Call"',                             false],
  ['MetricName=call',                               true],
  ['Resource=("DeleteMeeting" OR "CreateMeeting")', true],
  ['Service=Create',                                false],
  ['"ChimeSDK"',                                    true],
  ['"Chime"',                                       false],
];

describe('Searches', () => {
  for (const [search, found] of SEARCHES)
    test(`compiledSearch: '${search}' ${found ? 'finds' : 'does not find'} the metric`, () =>
      assert.equal(compiledSearch(search).matches(METRIC), found));

  for (const search of ['{', '{}', '{A', '(a', 'a)', 'a =', 'NOT', '"a', 'a OR', '('.repeat(60)])
    test(`compiledSearch: '${search.slice(0, 20)}' is invalid`, () => assert.throws(() => compiledSearch(search), MathError));
});

// biome-ignore format: a table
const COSTLY: readonly [title: string, expression: string][] = [
  ['fills many series',                          'FILL(METRICS(), 0)'],
  ['combines many series with a long one',       'METRICS() + FILL(m0, 0)'],
  ['aggregates many series at many times',       `${Array(4).fill('AVG([FILL(m0, 0), METRICS()])').join(' + ')}`],
  ['reads a long series many times',             `${Array(60).fill('AVG(long)').join(' + ')}`],
  ['reads a long series without any result',     `${Array(60).fill('IF(m0, long, 0)').join(' + ')}`],
];
describe('Work: an expression is refused before it', () => {
  const metrics = Object.fromEntries(Array.from({ length: 499 }, (_, i) => [`m${i}`, series(`m${i}`)]));
  const times = Array.from({ length: 100_000 }, (_, i) => START + i * MINUTE_MS);
  const long: Series = { label: 'long', period: 60, times, values: times };
  for (const [title, expression] of COSTLY) {
    test(title, () => {
      const given = {
        grid: { from: START, to: START + 100_000 * MINUTE_MS, period: 60 },
        // biome-ignore lint/correctness/useYield: a generator, as the type requires
        *query(id: string): InTurns<MathValue> {
          return { kind: 'series', series: id === 'long' ? long : (metrics[id] as Series) };
        },
        metrics: Object.entries(metrics).map(([id, each]) => ({ id, series: each })),
        searched: () => [],
        budget: newBudget(),
      };
      assert.throws(() => runAtOnce(evaluated(parse(expression), given)), {
        message: 'The expressions of the request produce too many data points.',
      });
    });
  }
});
