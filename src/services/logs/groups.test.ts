import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
import { ARN, failure, GROUP, openLogs, STREAM } from './fixture.ts';

type Calls = Awaited<ReturnType<typeof openLogs>>['run'];
const group = { logGroupName: GROUP };

// biome-ignore format: a table
const ERRORS: readonly (readonly [title: string, call: (run: Calls) => Promise<unknown>, expected: string])[] = [
  // title                                          call                                                                                      expected
  ['CreateLogGroup: it exists',                     (run) => run('CreateLogGroup', group),                                                     'ResourceAlreadyExistsException: The specified log group already exists'],
  ['CreateLogGroup: the same name elsewhere',       (run) => run('CreateLogGroup', group, { region: 'eu-west-1' }),                            'ok'],
  ['CreateLogGroup: a reserved name',               (run) => run('CreateLogGroup', { logGroupName: 'aws/x' }),                                 'InvalidParameterException: Log groups starting with AWS/ are reserved for AWS.'],
  ['CreateLogGroup: a KMS key',                     (run) => run('CreateLogGroup', { logGroupName: 'a', kmsKeyId: 'k' }),                      `InvalidParameterException: The specified KMS key does not exist or is not allowed to be used with LogGroup 'arn:aws:logs:us-east-1:${ACCOUNT}:log-group:a'`],
  ['CreateLogGroup: another class',                 (run) => run('CreateLogGroup', { logGroupName: 'a', logGroupClass: 'DELIVERY' }),          'NotYetImplementedException: CreateLogGroup with the class DELIVERY is not implemented yet by Belfry.'],
  ['CreateLogGroup: duplicate tags',                (run) => run('CreateLogGroup', { logGroupName: 'a', tags: { a: '1', A: '2' } }),           'InvalidParameterException: Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
  ['DeleteLogGroup: an unknown group',              (run) => run('DeleteLogGroup', { logGroupName: 'no' }),                                    'ResourceNotFoundException: The specified log group does not exist.'],
  ['DeleteLogGroup: a group of another region',     (run) => run('DeleteLogGroup', group, { region: 'eu-west-1' }),                            'ResourceNotFoundException: The specified log group does not exist.'],
  ['DescribeLogGroups: prefix and pattern',         (run) => run('DescribeLogGroups', { logGroupNamePrefix: 'a', logGroupNamePattern: 'b' }),  'InvalidParameterException: LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.'],
  ['PutRetentionPolicy: other days',                (run) => run('PutRetentionPolicy', { ...group, retentionInDays: 2 }),                      "InvalidParameterException: 1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]"],
  ['CreateLogStream: it exists',                    (run) => run('CreateLogStream', { ...group, logStreamName: STREAM }),                      'ResourceAlreadyExistsException: The specified log stream already exists'],
  ['CreateLogStream: an unknown group',             (run) => run('CreateLogStream', { logGroupName: 'no', logStreamName: STREAM }),            'ResourceNotFoundException: The specified log group does not exist.'],
  ['DeleteLogStream: an unknown stream',            (run) => run('DeleteLogStream', { ...group, logStreamName: 'no' }),                        'ResourceNotFoundException: The specified log stream does not exist.'],
  ['DescribeLogStreams: prefix and last event',     (run) => run('DescribeLogStreams', { ...group, orderBy: 'LastEventTime', logStreamNamePrefix: 'a' }), 'InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.'],
  ['DescribeLogStreams: name and identifier',       (run) => run('DescribeLogStreams', { ...group, logGroupIdentifier: ARN }),                 'InvalidParameterException: Specify either logGroupName or logGroupIdentifier, but not both.'],
  ['DescribeLogStreams: an ARN',                    (run) => run('DescribeLogStreams', { logGroupIdentifier: ARN }),                           'ok'],
  ['DescribeLogStreams: another account',           (run) => run('DescribeLogStreams', { logGroupIdentifier: ARN.replace(ACCOUNT, OTHER_ACCOUNT) }), 'ResourceNotFoundException: The specified log group does not exist.'],
  ['ListTagsForResource: another type',             (run) => run('ListTagsForResource', { resourceArn: `arn:aws:logs:us-east-1:${ACCOUNT}:destination:x` }), 'ResourceNotFoundException: The specified resource does not exist.'],
  ['TagResource: a colon and an asterisk',          (run) => run('TagResource', { resourceArn: `${ARN}:*`, tags: { a: 'b' } }),                `InvalidParameterException: '${ARN}:*' is not the ARN of a log group. Use the format arn:aws:logs:us-east-1:123456789012:log-group:my-group.`],
  ['TagLogGroup: a reserved key',                   (run) => run('TagLogGroup', { ...group, tags: { 'aws:a': 'b' } }),                         'InvalidParameterException: Tag keys may not begin with aws:, which is reserved.'],
];

for (const [title, call, expected] of ERRORS) {
  test(`${title}: ${expected.split(':')[0]}`, async () => {
    const { run } = await openLogs();
    assert.equal(await failure((async () => call(run))()), expected);
  });
}

test('DescribeLogGroups: names in order, prefix, pattern and pages', async () => {
  const { run } = await openLogs();
  for (const name of ['b', '/app/api', 'a', '/app/x/web']) await run('CreateLogGroup', { logGroupName: name });
  const names = async (input: Parameters<typeof run<'DescribeLogGroups'>>[1]) => {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof run<'DescribeLogGroups'>>> = await run('DescribeLogGroups', {
        ...{ limit: 2, ...input },
        ...(nextToken !== undefined && { nextToken }),
      });
      found.push(...(page.logGroups ?? []).map(({ logGroupName = '' }) => logGroupName));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return found.join(' ');
  };
  assert.deepEqual(
    [
      await names({}),
      await names({ logGroupNamePrefix: '/app/' }),
      await names({ logGroupNamePattern: 'web' }),
      await names({ logGroupIdentifiers: [ARN, 'b', 'no'] }),
      await names({ accountIdentifiers: [OTHER_ACCOUNT] }),
    ],
    ['/app/api /app/web /app/x/web a b', '/app/api /app/web /app/x/web', '/app/web /app/x/web', '/app/web b', ''],
  );
});

test('DescribeLogGroups: the members of a group', async () => {
  const { run } = await openLogs();
  await run('PutRetentionPolicy', { ...group, retentionInDays: 7 });
  assert.deepEqual((await run('DescribeLogGroups', {})).logGroups, [
    {
      ...{ logGroupName: GROUP, creationTime: START, storedBytes: 0, logGroupClass: 'STANDARD', arn: `${ARN}:*`, logGroupArn: ARN },
      ...{ metricFilterCount: 0, retentionInDays: 7, deletionProtectionEnabled: false },
    },
  ]);
  await run('DeleteRetentionPolicy', group);
  assert.equal((await run('DescribeLogGroups', {})).logGroups?.[0]?.retentionInDays, undefined);
});

test('DeleteLogGroup: a protected group stays', async () => {
  const { run } = await openLogs();
  await run('PutLogGroupDeletionProtection', { logGroupIdentifier: ARN, deletionProtectionEnabled: true });
  assert.match(await failure(run('DeleteLogGroup', group)), /^ValidationException: /);
  await run('PutLogGroupDeletionProtection', { logGroupIdentifier: GROUP, deletionProtectionEnabled: false });
  await run('DeleteLogGroup', group);
});

test('DeleteLogGroup: a new group with the same name has no streams and no events', async () => {
  const { run, put } = await openLogs();
  await put([[0, 'a']]);
  await run('DeleteLogGroup', group);
  await run('CreateLogGroup', group);
  assert.deepEqual((await run('DescribeLogStreams', group)).logStreams, []);
  assert.deepEqual((await run('FilterLogEvents', group)).events, []);
});

test('DescribeLogStreams: by name and by last event, in both directions and in pages', async () => {
  const { run, put } = await openLogs();
  for (const [name, seconds] of [
    ['a', 30],
    ['b', 10],
    ['c', 20],
  ] as const) {
    await run('CreateLogStream', { ...group, logStreamName: name });
    await put([[seconds, 'x']], name);
  }
  const names = async (input: Omit<Parameters<typeof run<'DescribeLogStreams'>>[1], 'logGroupName'>) => {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof run<'DescribeLogStreams'>>> = await run('DescribeLogStreams', {
        ...{ ...group, limit: 3, ...input },
        ...(nextToken !== undefined && { nextToken }),
      });
      found.push(...(page.logStreams ?? []).map(({ logStreamName = '' }) => logStreamName));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return found.join(' ');
  };
  assert.deepEqual(
    [
      await names({}),
      await names({ descending: true }),
      await names({ orderBy: 'LastEventTime' }),
      await names({ orderBy: 'LastEventTime', descending: true }),
      await names({ logStreamNamePrefix: 'o' }),
      await names({ logStreamNamePrefix: 'o', descending: true }),
    ],
    ['a b c one', 'one c b a', 'one b c a', 'a c b one', 'one', 'one'],
  );
  const { nextToken = '' } = await run('DescribeLogStreams', { ...group, limit: 1 });
  const other = run('DescribeLogStreams', { ...group, limit: 1, descending: true, nextToken });
  assert.equal(await failure(other), 'InvalidParameterException: The specified nextToken is invalid.');
});

test('DescribeLogStreams: the members of a stream with and without events', async () => {
  const { run, put } = await openLogs();
  const shown = { logStreamName: STREAM, creationTime: START, arn: `${ARN}:log-stream:${STREAM}`, storedBytes: 0 };
  assert.deepEqual((await run('DescribeLogStreams', group)).logStreams, [shown]);
  await put([
    [-5, 'a'],
    [3, 'b'],
  ]);
  assert.deepEqual((await run('DescribeLogStreams', group)).logStreams, [
    { ...shown, firstEventTimestamp: START - 5000, lastEventTimestamp: START + 3000, lastIngestionTime: START },
  ]);
});

test('tags: the older and the newer operations change the same tags', async () => {
  const { run } = await openLogs();
  await run('TagResource', { resourceArn: ARN, tags: { a: '1', b: '2' } });
  await run('TagLogGroup', { ...group, tags: { c: '3' } });
  await run('UntagResource', { resourceArn: ARN, tagKeys: ['a'] });
  await run('UntagLogGroup', { ...group, tags: ['c', 'no'] });
  assert.deepEqual(
    [(await run('ListTagsLogGroup', group)).tags, (await run('ListTagsForResource', { resourceArn: ARN })).tags],
    [{ b: '2' }, { b: '2' }],
  );
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v']));
  assert.match(await failure(run('TagResource', { resourceArn: ARN, tags: many })), /^TooManyTagsException: /);
});
