import { DescribeReplayCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { until } from '../../kit/until.ts';
import type { Recorder } from '../recorder.ts';

/** Records calls on buses, rules, archives and API destinations. No rule matches a recorded event, so nothing is sent. */
export async function events(recorder: Recorder): Promise<undefined> {
  const { ok, call } = recorder.of('events');
  const arn = (resource: string) => `arn:aws:events:us-east-1:${recorder.accountId}:${resource}`;
  const EventPattern = JSON.stringify({ source: ['nowhere'] });
  const Tags = [{ Key: 'team', Value: 'blue' }];
  await buses();
  await rules();
  await archives();
  await destinations();
  return undefined;

  async function buses(): Promise<void> {
    await ok('CreateEventBus', { Name: 'orders', Tags });
    await call('CreateEventBus', { Name: 'orders' });
    await ok('UpdateEventBus', { Name: 'orders', Description: 'all orders' });
    await ok('DescribeEventBus', { Name: 'orders' });
    await ok('ListEventBuses');
    await ok('PutPermission', { EventBusName: 'orders', StatementId: 'other', Action: 'events:PutEvents', Principal: '444455556666' });
    await ok('RemovePermission', { EventBusName: 'orders', StatementId: 'other' });
    await call('RemovePermission', { EventBusName: 'orders', StatementId: 'other' });
    await ok('TagResource', { ResourceARN: arn('event-bus/orders'), Tags });
    await ok('ListTagsForResource', { ResourceARN: arn('event-bus/orders') });
    await ok('UntagResource', { ResourceARN: arn('event-bus/orders'), TagKeys: ['team'] });
    await ok('TestEventPattern', {
      EventPattern,
      Event: JSON.stringify({
        ...{ 'detail-type': 'order', id: '1', account: recorder.accountId, source: 'shop' },
        ...{ time: '2026-01-01T00:00:00Z', region: 'us-east-1', resources: [], detail: {} },
      }),
    });
    await ok('PutEvents', {
      Entries: [
        { Source: 'shop', DetailType: 'order', Detail: '{}' },
        { Source: 'shop', DetailType: 'order' },
      ],
    });
    await call('PutEvents', { Entries: [] });
  }

  async function rules(): Promise<void> {
    const rule = { Name: 'all', EventBusName: 'orders' };
    await ok('PutRule', { ...rule, EventPattern });
    for (const wrong of [{ EventPattern: '{}' }, { EventPattern: '{"a":1}' }, { ScheduleExpression: 'rate(5 minutes)' }, {}]) {
      await call('PutRule', { ...rule, ...wrong });
    }
    const target = { Id: 'queue', Arn: `arn:aws:sqs:us-east-1:${recorder.accountId}:orders` };
    await ok('PutTargets', { Rule: 'all', EventBusName: 'orders', Targets: [target] });
    await call('PutTargets', { Rule: 'all', EventBusName: 'orders', Targets: [{ ...target, Input: '{}', InputPath: '$' }] });
    await ok('ListTargetsByRule', { Rule: 'all', EventBusName: 'orders' });
    await ok('ListRuleNamesByTarget', { TargetArn: target.Arn, EventBusName: 'orders' });
    await ok('ListRules', { EventBusName: 'orders' });
    for (const operation of ['DisableRule', 'EnableRule', 'DescribeRule']) await ok(operation, rule);
    await call('DeleteRule', rule);
    await ok('RemoveTargets', { Rule: 'all', EventBusName: 'orders', Ids: ['queue'] });
    await ok('DeleteRule', rule);
  }

  async function archives(): Promise<void> {
    const EventSourceArn = arn('event-bus/orders');
    await ok('CreateArchive', { ArchiveName: 'kept', EventSourceArn, EventPattern });
    await call('CreateArchive', { ArchiveName: 'kept', EventSourceArn });
    await ok('UpdateArchive', { ArchiveName: 'kept', RetentionDays: 3 });
    await ok('DescribeArchive', { ArchiveName: 'kept' });
    await ok('ListArchives');
    const times = { EventStartTime: new Date('2026-01-01T00:00:00Z'), EventEndTime: new Date('2026-01-02T00:00:00Z') };
    await ok('StartReplay', { ReplayName: 'again', EventSourceArn: arn('archive/kept'), Destination: { Arn: EventSourceArn }, ...times });
    await ok('CancelReplay', { ReplayName: 'again' });
    // The end of a replay is not a part of its cancellation. These reads are not recorded.
    const client = new EventBridgeClient(recorder.server.at('events'));
    const isCancelled = async () => (await client.send(new DescribeReplayCommand({ ReplayName: 'again' }))).State === 'CANCELLED';
    await until(isCancelled, () => 'the replay does not end');
    await ok('DescribeReplay', { ReplayName: 'again' });
    await ok('ListReplays');
    await ok('DeleteArchive', { ArchiveName: 'kept' });
  }

  async function destinations(): Promise<void> {
    const AuthParameters = { ApiKeyAuthParameters: { ApiKeyName: 'x-api-key', ApiKeyValue: 'recorded-api-key' } };
    const { ConnectionArn } = await ok('CreateConnection', { Name: 'shop', AuthorizationType: 'API_KEY', AuthParameters });
    await call('CreateConnection', { Name: 'shop', AuthorizationType: 'API_KEY', AuthParameters });
    await ok('UpdateConnection', { Name: 'shop', Description: 'the shop' });
    await ok('DescribeConnection', { Name: 'shop' });
    await ok('ListConnections');
    const destination = { Name: 'hook', ConnectionArn, InvocationEndpoint: 'https://hooks.example.com/orders', HttpMethod: 'POST' };
    await ok('CreateApiDestination', destination);
    await call('CreateApiDestination', destination);
    await ok('UpdateApiDestination', { Name: 'hook', InvocationRateLimitPerSecond: 10 });
    await ok('DescribeApiDestination', { Name: 'hook' });
    await ok('ListApiDestinations');
    await ok('DeleteApiDestination', { Name: 'hook' });
    await ok('DeauthorizeConnection', { Name: 'shop' });
    await ok('DeleteConnection', { Name: 'shop' });
    await ok('DeleteEventBus', { Name: 'orders' });
  }
}
