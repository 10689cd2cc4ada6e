import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricTransformation } from '#model/generated/logs.ts';
import { ACCOUNT, START } from '../kit/fixture.ts';
import type { MetricSamples } from '../kit/metric-samples.ts';
import { type Event, failure, GROUP, type OpenLogs, openLogs } from './fixture.ts';

const COUNT: MetricTransformation = { metricName: 'Errors', metricNamespace: 'App', metricValue: '1' };

function putFilter(
  { run }: OpenLogs,
  filterPattern: string,
  more: Partial<MetricTransformation> = {},
  filterName = 'f',
  input: object = {},
) {
  const metricTransformations = [{ ...COUNT, ...more }];
  return run('PutMetricFilter', { logGroupName: GROUP, filterName, filterPattern, metricTransformations, ...input });
}

const at = (seconds: number) => START + seconds * 1000;
const sample = (more: object, seconds = 0) => ({ MetricName: 'Errors', Unit: 'None', Timestamp: at(seconds), ...more });

// biome-ignore format: a table
const SAMPLES: readonly (readonly [title: string, pattern: string, more: Partial<MetricTransformation>, events: readonly Event[], expected: readonly object[]])[] = [
  // title                            pattern                    transformation                                           events                                          samples
  ['one match',                       'ERROR',                   {},                                                      [[0, 'ERROR a'], [1, 'b']],                     [sample({ Value: 1 })]],
  ['equal values of a minute',        'ERROR',                   { unit: 'Count' },                                       [[0, 'ERROR a'], [59, 'ERROR b']],              [sample({ Values: [1], Counts: [2], Unit: 'Count' })]],
  ['different values of a minute',    '{ $.ms = * }',            { metricValue: '$.ms' },                                 [[0, '{"ms":5}'], [0, '{"ms":7}'], [1, '{"ms":5}']], [sample({ Values: [5, 7], Counts: [2, 1] })]],
  ['two minutes',                     'ERROR',                   {},                                                      [[0, 'ERROR a'], [60, 'ERROR b']],              [sample({ Value: 1 }), sample({ Value: 1 }, 60)]],
  ['no match',                        'ERROR',                   {},                                                      [[0, 'a']],                                     []],
  ['no match, with a default',        'ERROR',                   { defaultValue: 0 },                                     [[0, 'a'], [60, 'ERROR']],                      [sample({ Value: 1 }, 60), sample({ Value: 0 })]],
  ['a value of JSON',                 '{ $.ms > 10 }',           { metricValue: '$.ms' },                                 [[0, '{"ms":5}'], [0, '{"ms":12.5}']],          [sample({ Value: 12.5 })]],
  ['a value that is not a number',    '{ $.ms = * }',            { metricValue: '$.ms' },                                 [[0, '{"ms":"x"}']],                            []],
  ['a field and a dimension',         '[ip, status = 5*, size]', { metricValue: '$size', dimensions: { Status: '$status' } }, [[0, '::1 500 7'], [0, '::1 200 9']],       [sample({ Value: 7, Dimensions: [{ Name: 'Status', Value: '500' }] })]],
  ['a dimension without a value',     '{ $.a = 1 || $.b = 1 }',  { dimensions: { B: '$.b' } },                            [[0, '{"a":1}'], [0, '{"b":1}']],               [sample({ Value: 1, Dimensions: [{ Name: 'B', Value: '1' }] })]],
];

const samplesIn = ({ emitted }: OpenLogs) => emitted.filter((event): event is MetricSamples => event.type === 'MetricSamples');

for (const [title, pattern, more, events, expected] of SAMPLES) {
  test(`metric filters: ${title}`, async () => {
    const logs = await openLogs();
    await putFilter(logs, pattern, more);
    await logs.put(events);
    const emitted = samplesIn(logs);
    assert.deepEqual(
      emitted.flatMap(({ samples }) => samples),
      expected,
    );
    for (const { accountId, region, Namespace } of emitted) assert.deepEqual([accountId, region, Namespace], [ACCOUNT, 'us-east-1', 'App']);
  });
}

// biome-ignore format: a table
const ERRORS: readonly (readonly [title: string, call: (logs: OpenLogs) => Promise<unknown>, expected: string])[] = [
  // title                           call                                                                          expected
  ['an invalid pattern',             (logs) => putFilter(logs, '"event": "x"'),                                    'InvalidParameterException: Invalid metric filter pattern'],
  ['a value that is not a number',   (logs) => putFilter(logs, 'a', { metricValue: 'x' }),                         "InvalidParameterException: Invalid metric transformation: 'x' is not a number."],
  ['an unknown selector',            (logs) => putFilter(logs, '{ $.a = 1 }', { metricValue: '$.b' }),             "InvalidParameterException: Invalid metric transformation: the filter pattern does not name '$.b'."],
  ['a default with dimensions',      (logs) => putFilter(logs, '{ $.a = 1 }', { dimensions: { a: '$.a' }, defaultValue: 0 }), 'InvalidParameterException: A metric transformation with dimensions cannot have a default value.'],
  ['four dimensions',                (logs) => putFilter(logs, '[a]', { dimensions: { a: '$a', b: '$a', c: '$a', d: '$a' } }), 'InvalidParameterException: A metric transformation can have at most 3 dimensions.'],
  ['a namespace of the server',      (logs) => putFilter(logs, 'a', { metricNamespace: 'AWS/Usage' }),             "InvalidParameterException: Invalid metric transformation: the namespace must not begin with 'AWS/'."],
  ['transformed logs',               (logs) => putFilter(logs, 'a', {}, 'f', { applyOnTransformedLogs: true }),    'NotYetImplementedException: PutMetricFilter with applyOnTransformedLogs is not implemented yet by Belfry.'],
  ['an unknown group',               (logs) => putFilter(logs, 'a', {}, 'f', { logGroupName: 'no' }),              'ResourceNotFoundException: The specified log group does not exist.'],
  ['a deletion of an unknown one',   ({ run }) => run('DeleteMetricFilter', { logGroupName: GROUP, filterName: 'no' }), 'ResourceNotFoundException: The specified metric filter does not exist.'],
  ['a metric without a namespace',   ({ run }) => run('DescribeMetricFilters', { metricName: 'm' }),               'InvalidParameterException: metricName and metricNamespace must be specified together.'],
  ['an invalid test pattern',        ({ run }) => run('TestMetricFilter', { filterPattern: '{ $.a >= "x" }', logEventMessages: ['a'] }), "InvalidParameterException: Invalid character(s) in term '\"x\"'"],
];

for (const [title, call, expected] of ERRORS) {
  test(`metric filters: ${title} is an error`, async () => assert.equal(await failure(call(await openLogs())), expected));
}

test('PutMetricFilter: 100 filters of a group are allowed, and replacing one is not a new one', async () => {
  const logs = await openLogs();
  for (let i = 0; i < 100; i++) await putFilter(logs, '', {}, `f${i}`);
  await putFilter(logs, 'x', {}, 'f7');
  assert.equal(await failure(putFilter(logs, '', {}, 'more')), 'LimitExceededException: Resource limit exceeded.');
  assert.equal((await logs.run('DescribeLogGroups', {})).logGroups?.[0]?.metricFilterCount, 100);
});

test('PutMetricFilter: filters of a group that together take too much time are refused', async () => {
  const logs = await openLogs();
  const words = 'a '.repeat(300);
  await putFilter(logs, words, {}, 'f1');
  await putFilter(logs, words, {}, 'f2');
  assert.equal(await failure(putFilter(logs, words, {}, 'f3')), 'LimitExceededException: Resource limit exceeded.');
  await putFilter(logs, words, {}, 'f2');
});

test('DescribeMetricFilters: by group, prefix, metric and in pages', async () => {
  const logs = await openLogs();
  const { run } = logs;
  await run('CreateLogGroup', { logGroupName: 'other' });
  await putFilter(logs, 'a', {}, 'b1');
  await putFilter(logs, 'a', { metricName: 'M' }, 'b2', { logGroupName: 'other' });
  await putFilter(logs, 'a', {}, 'a');
  await putFilter(logs, 'a', {}, 'b1', { logGroupName: 'other' });
  const names = async (input: Parameters<typeof run<'DescribeMetricFilters'>>[1]) => {
    const { metricFilters = [], nextToken } = await run('DescribeMetricFilters', input);
    return metricFilters.map(({ filterName }) => filterName).join(' ') + (nextToken === undefined ? '' : ' …');
  };
  assert.deepEqual(
    [
      await names({}),
      await names({ limit: 2 }),
      await names({ logGroupName: GROUP }),
      await names({ filterNamePrefix: 'b' }),
      await names({ metricName: 'M', metricNamespace: 'App' }),
    ],
    ['a b1 b1 b2', 'a b1 …', 'a b1', 'b1 b1 b2', 'b2'],
  );
  assert.deepEqual((await run('DescribeMetricFilters', { filterNamePrefix: 'a' })).metricFilters, [
    {
      ...{ filterName: 'a', filterPattern: 'a', creationTime: START, logGroupName: GROUP, applyOnTransformedLogs: false },
      metricTransformations: [COUNT],
    },
  ]);
});

test('TestMetricFilter: returns the matching messages with their numbers and values', async () => {
  const { run } = await openLogs();
  const logEventMessages = ['{"a":1}', 'x', '{"a":2}'];
  assert.deepEqual(await run('TestMetricFilter', { filterPattern: '{ $.a > 1 }', logEventMessages }), {
    matches: [{ eventNumber: 3, eventMessage: '{"a":2}', extractedValues: { '$.a': '2' } }],
  });
});

test('metric filters: many filters and events with different values and dimensions create a limited number of samples', async () => {
  const logs = await openLogs();
  for (let i = 0; i < 10; i++) await putFilter(logs, '{ $.v = * }', { metricValue: '$.v', dimensions: { v: '$.v' } }, `d${i}`);
  await logs.put(Array.from({ length: 1_000 }, (_, i): Event => [0, `{"v":${i}}`]));
  const emitted = samplesIn(logs);
  assert.equal(emitted.flatMap(({ samples }) => samples).length, 2_000);
});
