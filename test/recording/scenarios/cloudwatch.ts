import type { Recorder } from '../recorder.ts';

/** Records calls on metrics, dashboards and alarms. No sample reaches an alarm, so no evaluation changes a state. */
export async function cloudwatch(recorder: Recorder): Promise<undefined> {
  const { ok, call } = recorder.of('cloudwatch');
  const arn = (resource: string) => `arn:aws:cloudwatch:us-east-1:${recorder.accountId}:${resource}`;
  await metrics();
  await dashboards();
  await alarms();
  return undefined;

  async function metrics(): Promise<void> {
    const datum = { MetricName: 'Load', Value: 1 };
    await ok('PutMetricData', { Namespace: 'Shop', MetricData: [datum] });
    await call('PutMetricData', { Namespace: 'Shop', MetricData: [{ ...datum, Values: [1] }] });
    await ok('ListMetrics', { Namespace: 'Shop' });
    const times = { StartTime: new Date('2026-01-01T00:00:00Z'), EndTime: new Date('2026-01-01T01:00:00Z') };
    const metric = { Namespace: 'Shop', MetricName: 'Other' };
    await ok('GetMetricStatistics', { ...metric, ...times, Period: 60, Statistics: ['Average'] });
    await call('GetMetricStatistics', { ...metric, StartTime: times.EndTime, EndTime: times.StartTime, Period: 60, Statistics: ['Sum'] });
    const MetricDataQueries = [{ Id: 'm', MetricStat: { Metric: metric, Period: 60, Stat: 'p95' } }];
    await ok('GetMetricData', { MetricDataQueries, ...times });
    await call('GetMetricData', { MetricDataQueries: [{ Id: 'e', Expression: 'm +' }], ...times });
  }

  async function dashboards(): Promise<void> {
    await ok('PutDashboard', { DashboardName: 'shop', DashboardBody: '{"widgets":[]}' });
    await call('PutDashboard', { DashboardName: 'shop', DashboardBody: '{' });
    await ok('GetDashboard', { DashboardName: 'shop' });
    await ok('ListDashboards');
    await ok('DeleteDashboards', { DashboardNames: ['shop'] });
  }

  async function alarms(): Promise<void> {
    const rules = { Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold' };
    await ok('PutMetricAlarm', { AlarmName: 'high', Namespace: 'Shop', MetricName: 'Other', ...rules, ActionsEnabled: false });
    await call('PutMetricAlarm', { AlarmName: 'high', Namespace: 'Shop', MetricName: 'Other', ...rules, Period: 7 });
    await ok('PutCompositeAlarm', { AlarmName: 'any', AlarmRule: 'ALARM(high)' });
    await call('PutCompositeAlarm', { AlarmName: 'any', AlarmRule: 'ALARM(' });
    for (const operation of ['EnableAlarmActions', 'DisableAlarmActions']) await ok(operation, { AlarmNames: ['high'] });
    await ok('DescribeAlarmsForMetric', { Namespace: 'Shop', MetricName: 'Other' });
    const ResourceARN = arn('alarm:high');
    await ok('TagResource', { ResourceARN, Tags: [{ Key: 'team', Value: 'blue' }] });
    await ok('ListTagsForResource', { ResourceARN });
    await ok('UntagResource', { ResourceARN, TagKeys: ['team'] });
    await ok('SetAlarmState', { AlarmName: 'any', StateValue: 'OK', StateReason: 'recorded' });
    await ok('DescribeAlarms', { AlarmNames: ['absent'] });
    await ok('DescribeAlarmHistory', { AlarmName: 'absent' });
    await ok('DeleteAlarms', { AlarmNames: ['any'] });
    await ok('DeleteAlarms', { AlarmNames: ['high'] });
  }
}
