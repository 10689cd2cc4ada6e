import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, OTHER_ACCOUNT, START, workFor } from '../kit/fixture.ts';
import type { LogBatch, LogWriter } from '../kit/log-events.ts';
import { ARN, failure, GROUP, openLogs } from './fixture.ts';
import { writeAsService, writeAuthorized } from './service-writer.ts';

const RULE = `arn:aws:events:us-east-1:${ACCOUNT}:rule/r`;
const WRITER: LogWriter = { service: 'events.amazonaws.com', sourceArn: RULE, sourceAccount: ACCOUNT };
const BATCH: LogBatch = {
  ...{ accountId: ACCOUNT, region: 'us-east-1', logGroupName: GROUP, logStreamName: 's' },
  events: [{ timestamp: START, message: 'hello' }],
};

const statement = (more: object = {}) => ({
  ...{
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: `${ARN}:*`,
  },
  ...more,
});
const OF_RULE = { ArnLike: { 'aws:SourceArn': RULE } };
const OF_OTHER = { StringEquals: { 'aws:SourceAccount': OTHER_ACCOUNT } };

// biome-ignore format: a table
const WRITES: readonly (readonly [title: string, policies: readonly object[], batch: Partial<LogBatch>, expected: string])[] = [
  // title                              policies                                                             batch                        expected
  ['no policy',                         [],                                                                  {},                          'denied'],
  ['an allowed service',                [statement()],                                                       {},                          'written'],
  ['all groups',                        [statement({ Resource: '*' })],                                      {},                          'written'],
  ['the ARN without an asterisk',       [statement({ Resource: ARN })],                                      {},                          'denied'],
  ['another service',                   [statement({ Principal: { Service: 'sns.amazonaws.com' } })],        {},                          'denied'],
  ['every principal',                   [statement({ Principal: '*' })],                                     {},                          'denied'],
  ['only one of the actions',           [statement({ Action: 'logs:PutLogEvents' })],                        {},                          'denied'],
  ['the actions in two policies',       [statement({ Action: 'logs:PutLogEvents' }), statement({ Action: 'logs:CreateLogStream' })], {},  'written'],
  ['a matching condition',              [statement({ Condition: OF_RULE })],                                 {},                          'written'],
  ['a condition of another account',    [statement({ Condition: OF_OTHER })],                                {},                          'denied'],
  ['a Deny in another policy',          [statement(), statement({ Effect: 'Deny' })],                        {},                          'denied'],
  ['an unknown group',                  [statement()],                                                       { logGroupName: 'no' },      'no such group'],
  ['another region',                    [statement()],                                                       { region: 'eu-west-1' },     'no such group'],
  ['too many events',                   [statement()],                                                       { events: Array.from({ length: 10_001 }, () => ({ timestamp: START, message: 'a' })) }, 'too large'],
];

for (const [title, policies, batch, expected] of WRITES) {
  test(`writeAsService: ${title} is '${expected}'`, async () => {
    const { run, store } = await openLogs();
    for (const [i, Statement] of policies.entries())
      await run('PutResourcePolicy', {
        policyName: `p${i}`,
        policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [Statement] }),
      });
    assert.equal(await store.transaction((tx) => writeAsService(workFor(tx, START), WRITER, { ...BATCH, ...batch })), expected);
    const { events = [] } = await run('FilterLogEvents', { logGroupName: GROUP });
    assert.deepEqual(
      events.map(({ message, logStreamName }) => [message, logStreamName]),
      expected === 'written' ? [['hello', 's']] : [],
    );
  });
}

test('writeAuthorized: sorts events, and cuts a message at a whole character', async () => {
  const { run, store } = await openLogs();
  const long = { timestamp: START, message: `a${'é'.repeat(600_000)}` };
  const events = [
    { timestamp: START, message: 'second' },
    { ...long, message: 'first', timestamp: (START - 1000) as typeof START },
  ];
  assert.equal(await store.transaction((tx) => writeAuthorized(workFor(tx, START), { ...BATCH, events })), 'written');
  assert.equal(await store.transaction((tx) => writeAuthorized(workFor(tx, START), { ...BATCH, events: [long] })), 'written');
  const { events: found = [] } = await run('GetLogEvents', { logGroupName: GROUP, logStreamName: 's', startFromHead: true, limit: 2 });
  assert.deepEqual(
    found.map(({ message }) => message),
    ['first', 'second'],
  );
  const { events: newest = [] } = await run('GetLogEvents', { logGroupName: GROUP, logStreamName: 's' });
  assert.equal(Buffer.byteLength(newest.at(-1)?.message ?? ''), 1_048_549);
});

test('PutResourcePolicy: at most 10 policies, which are listed by name and replaced', async () => {
  const { run } = await openLogs();
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement()] });
  for (let i = 9; i >= 0; i--) await run('PutResourcePolicy', { policyName: `p${i}`, policyDocument });
  await run('PutResourcePolicy', { policyName: 'p3', policyDocument });
  assert.equal(
    await failure(run('PutResourcePolicy', { policyName: 'more', policyDocument })),
    'LimitExceededException: Resource limit exceeded.',
  );
  const { resourcePolicies = [] } = await run('DescribeResourcePolicies', { limit: 2 });
  const policyScope = 'ACCOUNT';
  assert.deepEqual(
    resourcePolicies,
    ['p0', 'p1'].map((policyName) => ({ policyName, policyDocument, lastUpdatedTime: START, policyScope })),
  );
  await run('DeleteResourcePolicy', { policyName: 'p0' });
  assert.equal(
    await failure(run('DeleteResourcePolicy', { policyName: 'p0' })),
    'ResourceNotFoundException: Policy with name [p0] does not exist',
  );
  assert.match(
    await failure(run('PutResourcePolicy', { policyName: 'p0', policyDocument: '{' })),
    /^InvalidParameterException: Invalid policy document: /,
  );
});
