import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessOf } from '../kit/fixture.ts';
import { isNotYet } from '../kit/not-yet.ts';
import { ARN, GROUP, openLogs, STREAM } from './fixture.ts';

/** Input with every member that determines the required permissions. */
const INPUT = { logGroupName: GROUP, logStreamName: STREAM, resourceArn: ARN, tags: { team: 'a' }, tagKeys: ['team'] };
const OF_GROUP = `${ARN}:log-stream:`;
const OF_STREAM = `${ARN}:log-stream:${STREAM}`;
const OF_ALL = OF_GROUP.replace(GROUP, '');
const ADDED = { 'aws:requesttag/team': 'a', 'aws:tagkeys': ['team'] };
const REMOVED = { 'aws:tagkeys': ['team'] };

/** Resources and context keys. Source: Service Authorization Reference, "Amazon CloudWatch Logs", and `names.ts`. */
// biome-ignore format: a table
const REQUIRED: Readonly<Record<string, readonly [resource: string, context?: object]>> = {
  CreateLogGroup:                 [OF_GROUP, ADDED],
  DescribeLogGroups:              [OF_ALL],
  DeleteLogGroup:                 [OF_GROUP],
  PutRetentionPolicy:             [OF_GROUP],
  DeleteRetentionPolicy:          [OF_GROUP],
  PutLogGroupDeletionProtection:  [OF_GROUP],
  CreateLogStream:                [OF_STREAM],
  DescribeLogStreams:             [OF_GROUP],
  DeleteLogStream:                [OF_STREAM],
  PutLogEvents:                   [OF_STREAM],
  GetLogEvents:                   [OF_STREAM],
  FilterLogEvents:                [OF_GROUP],
  TagResource:                    [ARN, ADDED],
  UntagResource:                  [ARN, REMOVED],
  ListTagsForResource:            [ARN],
  TagLogGroup:                    [OF_GROUP, ADDED],
  UntagLogGroup:                  [OF_GROUP, REMOVED],
  ListTagsLogGroup:               [OF_GROUP],
  PutMetricFilter:                [OF_GROUP],
  DescribeMetricFilters:          [OF_GROUP],
  DeleteMetricFilter:             [OF_GROUP],
  PutSubscriptionFilter:          [OF_GROUP],
  DescribeSubscriptionFilters:    [OF_GROUP],
  DeleteSubscriptionFilter:       [OF_GROUP],
  TestMetricFilter:               ['*'],
  PutResourcePolicy:              ['*'],
  DescribeResourcePolicies:       ['*'],
  DeleteResourcePolicy:           ['*'],
};

test('access: each implemented operation requires its own action on these resources', async () => {
  const { operations } = await openLogs();
  const found: Record<string, unknown> = {};
  for (const [name, operation] of Object.entries(operations)) {
    if (isNotYet(operation)) continue;
    const special = { PutLogGroupDeletionProtection: { logGroupIdentifier: ARN }, UntagLogGroup: { ...INPUT, tags: ['team'] } }[name];
    const [access, ...others] = accessOf(operations, name, special ?? INPUT);
    assert.deepEqual([access?.action, others], [`logs:${name}`, []]);
    found[name] = [...(access?.resources ?? []), ...(access?.context === undefined ? [] : [Object.fromEntries(access.context)])];
  }
  assert.deepEqual(found, REQUIRED);
});

test('access: the tags of the group are the tags of its streams', async () => {
  const { run, requiredAccess } = await openLogs();
  await run('TagResource', { resourceArn: ARN, tags: { team: 'a' } });
  const [put] = await requiredAccess('PutLogEvents', { logGroupName: GROUP, logStreamName: STREAM, logEvents: [] });
  const [unknown] = await requiredAccess('DeleteLogGroup', { logGroupName: 'no' });
  assert.deepEqual([put?.tags, unknown?.tags], [[{ team: 'a' }], [undefined]]);
});
