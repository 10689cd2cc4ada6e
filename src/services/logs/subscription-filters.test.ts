import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PutSubscriptionFilterRequest } from '#model/generated/logs.ts';
import { ACCOUNT, START } from '../kit/fixture.ts';
import { OUTGOING } from '../kit/outgoing.ts';
import { ARN, type Event, failure, GROUP, type OpenLogs, openLogs, STREAM } from './fixture.ts';

const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:reader`;
const KINESIS = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/logs`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`;

const putFilter = ({ run }: OpenLogs, input: Partial<PutSubscriptionFilterRequest> = {}, isReached = true) =>
  run(
    'PutSubscriptionFilter',
    { logGroupName: GROUP, filterName: 'f', filterPattern: '', destinationArn: FUNCTION, ...input },
    { contact: () => isReached as never },
  );

const messagesOf = ({ store }: OpenLogs) => store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 100));

// biome-ignore format: a table
const ERRORS: readonly (readonly [title: string, input: Partial<PutSubscriptionFilterRequest>, expected: string])[] = [
  // title                          input                                                              expected
  ['transformed events',            { applyOnTransformedLogs: true },                                  'NotYetImplementedException: PutSubscriptionFilter with applyOnTransformedLogs is not implemented yet by Belfry.'],
  ['a string that is not an ARN',   { destinationArn: 'x' },                                           "InvalidParameterException: Invalid destinationArn 'x'."],
  ['a delivery stream',             { destinationArn: 'arn:aws:firehose:us-east-1:111122223333:deliverystream/d' }, 'NotYetImplementedException: PutSubscriptionFilter with a destination of firehose is not implemented yet by Belfry.'],
  ['a queue',                       { destinationArn: 'arn:aws:sqs:us-east-1:111122223333:q' },        'InvalidParameterException: PutSubscriptionFilter operation cannot work with destinationArn for vendor sqs'],
  ['a layer of Lambda',             { destinationArn: FUNCTION.replace('function', 'layer') },         `InvalidParameterException: Invalid destinationArn '${FUNCTION.replace('function', 'layer')}'.`],
  ['a function with a role',        { roleArn: ROLE },                                                 'InvalidParameterException: destinationArn for vendor lambda cannot be used with roleArn'],
  ['a stream without a role',       { destinationArn: KINESIS },                                       'InvalidParameterException: destinationArn for vendor kinesis cannot be used without roleArn'],
  ['a function of another account', { destinationArn: FUNCTION.replace(ACCOUNT, '444455556666') },     `InvalidParameterException: The destination '${FUNCTION.replace(ACCOUNT, '444455556666')}' must belong to the account and the region of the log group.`],
  ['an unknown group',              { logGroupName: 'none' },                                          'ResourceNotFoundException: The specified log group does not exist.'],
  ['an invalid pattern',            { filterPattern: '{ $.a = }' },                                    'InvalidParameterException: '],
];

for (const [title, input, expected] of ERRORS) {
  test(`PutSubscriptionFilter: ${title} is ${expected.split(':')[0]}`, async () => {
    const logs = await openLogs();
    const outcome = await failure(putFilter(logs, input));
    assert.equal(expected.endsWith(': ') ? outcome.slice(0, expected.length) : outcome, expected);
    assert.deepEqual(logs.tested, []);
  });
}

test('PutSubscriptionFilter: a third filter of a group is LimitExceededException, and another filter with the same name is not', async () => {
  const logs = await openLogs();
  for (const filterName of ['a', 'b', 'a']) await putFilter(logs, { filterName });
  assert.equal(await failure(putFilter(logs, { filterName: 'c' })), 'LimitExceededException: Resource limit exceeded.');
});

test('PutSubscriptionFilter: patterns that take too much time together are LimitExceededException, also with metric filters', async () => {
  const logs = await openLogs();
  const terms = (n: number) => Array.from({ length: n }, (_, i) => `t${i}`).join(' ');
  const metricTransformations = [{ metricName: 'm', metricNamespace: 'n', metricValue: '1' }];
  for (let i = 0; i < 3; i++) {
    await logs.run('PutMetricFilter', { logGroupName: GROUP, filterName: `m${i}`, filterPattern: terms(200), metricTransformations });
  }
  assert.equal(await failure(putFilter(logs, { filterPattern: terms(200) })), 'LimitExceededException: Resource limit exceeded.');
  await putFilter(logs, { filterPattern: 'one' });
});

for (const [destination, input, message] of [
  [
    'a function',
    {},
    'Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.',
  ],
  [
    'a stream',
    { destinationArn: KINESIS, roleArn: ROLE },
    'Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.',
  ],
] as const) {
  test(`PutSubscriptionFilter: ${destination} that does not accept the test message is InvalidParameterException`, async () => {
    const logs = await openLogs();
    assert.equal(await failure(putFilter(logs, input, false)), `InvalidParameterException: ${message}`);
    const [tested] = logs.tested;
    assert.deepEqual(
      [JSON.parse(tested?.body ?? '').messageType, tested?.target.kind === 'lambda' && tested.target.dryRun],
      ['CONTROL_MESSAGE', destination === 'a function'],
    );
    const { subscriptionFilters } = await logs.run('DescribeSubscriptionFilters', { logGroupName: GROUP });
    assert.deepEqual(subscriptionFilters, []);
  });
}

test('DescribeSubscriptionFilters: lists the filters of a group with a prefix, and DeleteSubscriptionFilter deletes one', async () => {
  const logs = await openLogs();
  const { run } = logs;
  await putFilter(logs, { filterName: 'b', filterPattern: 'ERROR', destinationArn: KINESIS, roleArn: ROLE, distribution: 'Random' });
  await putFilter(logs, { filterName: 'a' });
  const common = { logGroupName: GROUP, creationTime: START, applyOnTransformedLogs: false };
  const first = { ...common, filterName: 'a', filterPattern: '', destinationArn: FUNCTION, distribution: 'ByLogStream' };
  const second = { ...common, filterName: 'b', filterPattern: 'ERROR', destinationArn: KINESIS, roleArn: ROLE, distribution: 'Random' };
  const listed = async (more: object = {}) =>
    (await run('DescribeSubscriptionFilters', { logGroupName: GROUP, ...more })).subscriptionFilters;
  assert.deepEqual(await listed(), [first, second]);
  assert.deepEqual(await listed({ filterNamePrefix: 'b' }), [second]);
  await run('DeleteSubscriptionFilter', { logGroupName: GROUP, filterName: 'a' });
  assert.deepEqual(await listed(), [second]);
  assert.equal(
    await failure(run('DeleteSubscriptionFilter', { logGroupName: GROUP, filterName: 'a' })),
    'ResourceNotFoundException: The specified subscription filter does not exist.',
  );
  await run('DeleteLogGroup', { logGroupName: GROUP });
  await run('CreateLogGroup', { logGroupName: GROUP });
  assert.deepEqual(await listed(), []);
});

// biome-ignore format: a table
const SELECTED: readonly (readonly [title: string, pattern: string, events: readonly Event[], expected: readonly object[]])[] = [
  // title                    pattern                events                                          expected
  ['an empty pattern',        '',                    [[0, 'a'], [1, 'b']],                           [{ message: 'a' }, { message: 'b' }]],
  ['terms',                   'ERROR',               [[0, 'ERROR a'], [1, 'b'], [60, 'ERROR c']],    [{ message: 'ERROR a' }, { message: 'ERROR c' }]],
  ['JSON',                    '{ $.ms > 10 }',       [[0, '{"ms":5}'], [0, '{"ms":12}']],            [{ message: '{"ms":12}' }]],
  ['fields',                  '[ip, , status = 5*]', [[0, '::1 x 500'], [0, '::1 x 200']],           [{ message: '::1 x 500', extractedFields: { ip: '::1', status: '500' } }]],
];

for (const [title, filterPattern, events, expected] of SELECTED) {
  test(`subscription filters: ${title} selects the events that match, with the IDs of FilterLogEvents`, async () => {
    const logs = await openLogs();
    await putFilter(logs, { filterPattern });
    await logs.put(events);
    const [message, ...others] = await messagesOf(logs);
    assert.deepEqual(others, []);
    const { logEvents, ...data } = JSON.parse(message?.body ?? '');
    assert.deepEqual(data, {
      ...{ messageType: 'DATA_MESSAGE', owner: ACCOUNT, logGroup: GROUP, logStream: STREAM, subscriptionFilters: ['f'] },
    });
    assert.deepEqual(
      logEvents.map(({ id: _, timestamp: __, ...rest }: { readonly id: string; readonly timestamp: number }) => rest),
      expected,
    );
    const { events: found = [] } = await logs.run('FilterLogEvents', { logGroupName: GROUP, filterPattern });
    assert.deepEqual(
      logEvents.map(({ id, timestamp }: { readonly id: string; readonly timestamp: number }) => [id, timestamp]),
      found.map(({ eventId, timestamp }) => [eventId, timestamp]),
    );
    assert.deepEqual(
      [message?.target, message?.sender],
      [
        { kind: 'lambda', arn: FUNCTION, encoding: 'awslogs' },
        { service: 'logs.amazonaws.com', sourceArn: `${ARN}:*`, sourceAccount: ACCOUNT },
      ],
    );
    await logs.store.close();
  });
}

test('subscription filters: events that do not match cause no message, and many bytes cause several', async () => {
  const logs = await openLogs();
  await putFilter(logs, { filterPattern: 'ERROR', destinationArn: KINESIS, roleArn: ROLE });
  await logs.put([[0, 'ok']]);
  assert.deepEqual(await messagesOf(logs), []);
  const long = `ERROR ${'x'.repeat(100_000)}`;
  await logs.put([
    [0, long],
    [1, long],
    [2, 'ERROR'],
  ]);
  const sent = await messagesOf(logs);
  assert.deepEqual(
    sent.map(({ body }) => JSON.parse(body).logEvents.length),
    [1, 2],
  );
  const keys = new Set(sent.map(({ target }) => target.kind === 'kinesis' && target.PartitionKey));
  assert.equal(keys.size, 1, 'a stream has one partition key');
  await logs.store.close();
});
