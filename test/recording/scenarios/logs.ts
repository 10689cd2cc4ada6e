import type { Recorder } from '../recorder.ts';

/** Records calls on log groups, streams, events, metric filters and resource policies. */
export async function logs(recorder: Recorder): Promise<undefined> {
  const { ok, call } = recorder.of('logs');
  const logGroupName = 'shop';
  const logStreamName = 'web';
  const resourceArn = `arn:aws:logs:us-east-1:${recorder.accountId}:log-group:shop`;
  await ok('CreateLogGroup', { logGroupName, tags: { team: 'blue' } });
  await call('CreateLogGroup', { logGroupName });
  await ok('CreateLogStream', { logGroupName, logStreamName });
  await call('CreateLogStream', { logGroupName, logStreamName });
  await ok('DescribeLogGroups');
  await ok('DescribeLogStreams', { logGroupName });
  await ok('PutRetentionPolicy', { logGroupName, retentionInDays: 7 });
  await call('PutRetentionPolicy', { logGroupName, retentionInDays: 8 });
  await ok('DeleteRetentionPolicy', { logGroupName });
  await ok('PutLogGroupDeletionProtection', { logGroupIdentifier: logGroupName, deletionProtectionEnabled: false });
  await filters();
  await policies();
  await tags();
  await ok('PutLogEvents', { logGroupName, logStreamName, logEvents: [{ timestamp: Date.now(), message: 'hello' }] });
  await call('PutLogEvents', { logGroupName, logStreamName, logEvents: [] });
  await ok('GetLogEvents', { logGroupName, logStreamName, startFromHead: true });
  await ok('FilterLogEvents', { logGroupName, filterPattern: 'hello' });
  await call('FilterLogEvents', { logGroupName, filterPattern: '{ $.a = ' });
  await subscriptions();
  await ok('DeleteLogStream', { logGroupName, logStreamName });
  await ok('DeleteLogGroup', { logGroupName });
  return undefined;

  async function filters(): Promise<void> {
    const metricTransformations = [{ metricName: 'Errors', metricNamespace: 'Shop', metricValue: '1' }];
    await ok('PutMetricFilter', { logGroupName, filterName: 'errors', filterPattern: 'ERROR', metricTransformations });
    await ok('DescribeMetricFilters', { logGroupName });
    await ok('TestMetricFilter', { filterPattern: 'ERROR', logEventMessages: ['ERROR one', 'fine'] });
    await ok('DeleteMetricFilter', { logGroupName, filterName: 'errors' });
  }

  async function subscriptions(): Promise<void> {
    const destinationArn = `arn:aws:lambda:us-east-1:${recorder.accountId}:function:reader`;
    await call('PutSubscriptionFilter', {
      logGroupName,
      filterName: 'all',
      filterPattern: '',
      destinationArn: `${destinationArn}:none:none`,
    });
    await ok('PutSubscriptionFilter', { logGroupName, filterName: 'all', filterPattern: '', destinationArn });
    await ok('DescribeSubscriptionFilters', { logGroupName });
    await ok('DeleteSubscriptionFilter', { logGroupName, filterName: 'all' });
  }

  async function policies(): Promise<void> {
    const statement = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'logs:PutLogEvents', Resource: '*' };
    const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await ok('PutResourcePolicy', { policyName: 'events', policyDocument });
    await call('PutResourcePolicy', { policyName: 'events', policyDocument: '{' });
    await ok('DescribeResourcePolicies');
    await ok('DeleteResourcePolicy', { policyName: 'events' });
  }

  async function tags(): Promise<void> {
    await ok('TagResource', { resourceArn, tags: { phase: 'one' } });
    await ok('ListTagsForResource', { resourceArn });
    await ok('UntagResource', { resourceArn, tagKeys: ['phase'] });
    await ok('TagLogGroup', { logGroupName, tags: { phase: 'two' } });
    await ok('ListTagsLogGroup', { logGroupName });
    await ok('UntagLogGroup', { logGroupName, tags: ['phase'] });
  }
}
