/** Alarms in all three protocols of CloudWatch, with unmodified clients: the AWS SDK, the AWS CLI and boto3. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import { startAccount } from '../kit/account.ts';
import { cloudwatchClients } from '../kit/cloudwatch.ts';
import { outcomeOf, refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';

const account = await startAccount();
const TOPIC = `arn:aws:sns:us-east-1:${account.accountId}:ops`;
const arnOf = (name: string) => `arn:aws:cloudwatch:us-east-1:${account.accountId}:alarm:${name}`;

const RULES = {
  Namespace: 'Chat',
  MetricName: 'Latency',
  Dimensions: [{ Name: 'Room', Value: 'a' }],
  Statistic: 'Average',
  Period: 3_600,
  EvaluationPeriods: 3,
  DatapointsToAlarm: 2,
  Threshold: 21.5,
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  TreatMissingData: 'ignore',
} satisfies Partial<cloudwatch.PutMetricAlarmInput>;

for (const [protocol, client] of cloudwatchClients(account)) {
  const name = (kind: string) => `${protocol}-${kind}`;

  describe(`Alarms by ${protocol}`, () => {
    test(`${protocol}: an alarm is created, described, set, listed in the history and deleted`, async () => {
      const AlarmName = name('high');
      await client.send(
        new cloudwatch.PutMetricAlarmCommand({ ...RULES, AlarmName, OKActions: [TOPIC], Tags: [{ Key: 'team', Value: 'ops' }] }),
      );
      const before = await client.send(new cloudwatch.DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
      assert.deepEqual([before.CompositeAlarms, before.LogAlarms, before.NextToken], [[], [], undefined]);
      const [alarm] = before.MetricAlarms ?? [];
      const { AlarmConfigurationUpdatedTimestamp, StateUpdatedTimestamp, StateTransitionedTimestamp, ...rest } = alarm ?? {};
      assert.deepEqual(StateUpdatedTimestamp, AlarmConfigurationUpdatedTimestamp);
      assert.deepEqual(StateTransitionedTimestamp, AlarmConfigurationUpdatedTimestamp);
      assert.deepEqual(rest, {
        ...RULES,
        AlarmName,
        AlarmArn: arnOf(AlarmName),
        ActionsEnabled: true,
        OKActions: [TOPIC],
        AlarmActions: [],
        InsufficientDataActions: [],
        StateValue: 'INSUFFICIENT_DATA',
        StateReason: 'Unchecked: Initial alarm creation',
      });
      const state = { StateValue: 'OK', StateReason: 'drill', StateReasonData: '{"by":"test"}' } as const;
      await client.send(new cloudwatch.SetAlarmStateCommand({ AlarmName, ...state }));
      await client.send(new cloudwatch.DisableAlarmActionsCommand({ AlarmNames: [AlarmName] }));
      const metric = { Namespace: RULES.Namespace, MetricName: RULES.MetricName, Dimensions: RULES.Dimensions };
      const found = await client.send(new cloudwatch.DescribeAlarmsForMetricCommand(metric));
      assert.deepEqual(
        found.MetricAlarms?.filter((each) => each.AlarmName === AlarmName).map((each) => [
          each.StateValue,
          each.StateReasonData,
          each.ActionsEnabled,
        ]),
        [['OK', '{"by":"test"}', false]],
      );
      const history = await client.send(new cloudwatch.DescribeAlarmHistoryCommand({ AlarmName }));
      assert.deepEqual(
        history.AlarmHistoryItems?.map(({ HistoryItemType, HistorySummary, AlarmType }) => [HistoryItemType, HistorySummary, AlarmType]),
        [
          ['ConfigurationUpdate', `Alarm "${AlarmName}" updated`, 'MetricAlarm'],
          ['StateUpdate', 'Alarm updated from INSUFFICIENT_DATA to OK', 'MetricAlarm'],
          ['ConfigurationUpdate', `Alarm "${AlarmName}" created`, 'MetricAlarm'],
        ],
      );
      const tags = await client.send(new cloudwatch.ListTagsForResourceCommand({ ResourceARN: arnOf(AlarmName) }));
      assert.deepEqual(tags.Tags, [{ Key: 'team', Value: 'ops' }]);
      await client.send(new cloudwatch.DeleteAlarmsCommand({ AlarmNames: [AlarmName] }));
      const after = await client.send(new cloudwatch.DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
      assert.deepEqual([after.MetricAlarms, after.CompositeAlarms, after.LogAlarms], [[], [], []]);
    });

    test(`${protocol}: a composite alarm, and an alarm on an expression`, async () => {
      const { Namespace, MetricName, Dimensions, Statistic, Period, ...rules } = RULES;
      const MetricStat = { Metric: { Namespace, MetricName, Dimensions: [...Dimensions] }, Stat: Statistic, Period };
      const Metrics = [
        { Id: 'a', MetricStat, ReturnData: false },
        { Id: 'e', Expression: 'a * 2', Label: 'twice', ReturnData: true },
      ];
      await client.send(new cloudwatch.PutMetricAlarmCommand({ ...rules, AlarmName: name('twice'), Metrics }));
      const AlarmRule = `NOT ALARM("${name('twice')}")`;
      await client.send(new cloudwatch.PutCompositeAlarmCommand({ AlarmName: name('quiet'), AlarmRule, AlarmDescription: 'quiet' }));
      const both = await client.send(
        new cloudwatch.DescribeAlarmsCommand({ AlarmNamePrefix: `${protocol}-`, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }),
      );
      assert.deepEqual(
        both.MetricAlarms?.map(({ Metrics: found }) => found),
        [Metrics],
      );
      assert.deepEqual(
        both.CompositeAlarms?.map(({ AlarmRule: rule, AlarmDescription }) => [rule, AlarmDescription]),
        [[AlarmRule, 'quiet']],
      );
      const pages = cloudwatch.paginateDescribeAlarms(
        { client, pageSize: 1 },
        { AlarmNamePrefix: `${protocol}-`, AlarmTypes: ['CompositeAlarm', 'MetricAlarm'] },
      );
      const names: unknown[] = [];
      for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages)
        names.push([...MetricAlarms, ...CompositeAlarms].map(({ AlarmName }) => AlarmName));
      assert.deepEqual(names, [[name('quiet')], [name('twice')]]);
    });

    // biome-ignore format: a table
    const REFUSED: readonly [title: string, sent: () => Promise<unknown>, code: string | RegExp, status: number, message: string | RegExp][] = [
      ['a period of 45 seconds',   () => client.send(new cloudwatch.PutMetricAlarmCommand({ ...RULES, AlarmName: 'x', Period: 45 })),                   /^Validation(Error|Exception)$/, 400, 'Period must be 10, 30 or a multiple of 60'],
      ['a missing child',          () => client.send(new cloudwatch.PutCompositeAlarmCommand({ AlarmName: 'x', AlarmRule: 'ALARM(gone)' })),            /^Validation(Error|Exception)$/, 400, 'Could not save the composite alarm as alarms [gone] in the alarm rule do not exist'],
      ['a named alarm',            () => client.send(new cloudwatch.DeleteAlarmsCommand({ AlarmNames: [name('twice')] })),                              /^Validation(Error|Exception)$/, 400, `Cannot delete ${name('twice')} as there are composite alarm(s) depending on it.`],
      ['an unknown alarm',         () => client.send(new cloudwatch.SetAlarmStateCommand({ AlarmName: 'gone', StateValue: 'OK', StateReason: 'r' })),   /^ResourceNotFound$/, 404, /./],
      ['a token of another call',  () => client.send(new cloudwatch.DescribeAlarmsCommand({ NextToken: 'x' })),                                          /^InvalidNextToken$/, 400, 'The NextToken is invalid.'],
    ];
    for (const [title, sent, code, status, message] of REFUSED) {
      test(`${protocol}: ${title} is refused`, async () => {
        const refusal = await refusalOf(sent());
        assert.match(refusal.name, typeof code === 'string' ? new RegExp(code) : code);
        assert.equal(refusal.status, status);
        if (typeof message === 'string') assert.equal(refusal.message, message);
      });
    }
  });

  test(`${protocol}: a condition on the actions allows only one topic`, async () => {
    const condition = { Condition: { 'ForAllValues:StringEquals': { 'cloudwatch:AlarmActions': [TOPIC] } } };
    const user = await account.user(`actor-${protocol}`, allow('cloudwatch:PutMetricAlarm', arnOf(name('mine')), condition));
    const [, own] = cloudwatchClients(account, user).find(([each]) => each === protocol) as [string, cloudwatch.CloudWatchClient];
    const put = (AlarmName: string, AlarmActions: string[]) =>
      outcomeOf(own.send(new cloudwatch.PutMetricAlarmCommand({ ...RULES, AlarmName, AlarmActions })));
    assert.deepEqual(
      [await put(name('mine'), [TOPIC]), await put(name('mine'), [`${TOPIC}2`]), await put(name('other'), [TOPIC])],
      ['allowed', 'AccessDenied', 'AccessDenied'],
    );
  });
}

const run = promisify(execFile);
const { accessKeyId, secretAccessKey } = account.keys;
const environment = {
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT: account.server.endpoint,
};

test('AWS CLI: put-metric-alarm, set-alarm-state and describe-alarm-history', async () => {
  async function aws(...command: readonly string[]): Promise<Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>> {
    const options = ['--endpoint-url', account.server.endpoint, '--output', 'json', '--no-cli-pager', 'cloudwatch'];
    const { stdout } = await run('/usr/bin/aws', [...options, ...command], { env: { ...environment, PATH: process.env['PATH'] } });
    return stdout.trim() === '' ? {} : JSON.parse(stdout);
  }
  const metric = [
    '--namespace',
    'Chat',
    '--metric-name',
    'Sent',
    '--dimensions',
    'Name=Room,Value=a',
    '--statistic',
    'Sum',
    '--period',
    '3600',
  ];
  const rules = ['--evaluation-periods', '1', '--threshold', '5', '--comparison-operator', 'LessThanThreshold', '--alarm-actions', TOPIC];
  await aws('put-metric-alarm', '--alarm-name', 'cli', ...metric, ...rules);
  await aws('set-alarm-state', '--alarm-name', 'cli', '--state-value', 'ALARM', '--state-reason', 'drill');
  const { MetricAlarms = [] } = await aws('describe-alarms', '--alarm-names', 'cli');
  assert.deepEqual(
    MetricAlarms.map((alarm) => [alarm['Threshold'], alarm['Dimensions'], alarm['AlarmActions']]),
    [[5, [{ Name: 'Room', Value: 'a' }], [TOPIC]]],
  );
  const { AlarmHistoryItems = [] } = await aws('describe-alarm-history', '--alarm-name', 'cli', '--history-item-type', 'StateUpdate');
  // The server may have evaluated the alarm again since then.
  assert.ok(AlarmHistoryItems.some((item) => item['HistorySummary'] === 'Alarm updated from INSUFFICIENT_DATA to ALARM'));
});

/** Creates alarms with boto3, waits for them, and prints results as JSON. */
const SCRIPT = `
import boto3, json, os
from botocore.exceptions import ClientError
client = boto3.client('cloudwatch', endpoint_url=os.environ['AWS_ENDPOINT'])
rules = dict(Namespace='Boto', MetricName='Sent', Statistic='Sum', Period=60, EvaluationPeriods=1, Threshold=1.5, ComparisonOperator='GreaterThanThreshold')
client.put_metric_alarm(AlarmName='boto', **rules)
client.put_composite_alarm(AlarmName='boto-composite', AlarmRule='ALARM(boto)')
client.get_waiter('alarm_exists').wait(AlarmNames=['boto'])
client.get_waiter('composite_alarm_exists').wait(AlarmNames=['boto-composite'], AlarmTypes=['CompositeAlarm'])
alarms = client.describe_alarms(AlarmNamePrefix='boto', AlarmTypes=['CompositeAlarm', 'MetricAlarm'])
try:
    client.put_metric_alarm(AlarmName='boto2', **{**rules, 'TreatMissingData': 'bad'})
except ClientError as error:
    refused = [error.response['Error']['Code'], error.response['Error']['Message']]
client.delete_alarms(AlarmNames=['boto', 'boto-composite'])
history = [item['HistorySummary'] for page in client.get_paginator('describe_alarm_history').paginate(AlarmName='boto') for item in page['AlarmHistoryItems']]
print(json.dumps([[each['AlarmName'] for each in alarms['CompositeAlarms'] + alarms['MetricAlarms']], alarms['MetricAlarms'][0]['Threshold'], refused, [history[0], history[-1]]]))
`;

test('boto3: alarms are created, awaited, refused and deleted', async () => {
  const { stdout } = await run('/usr/bin/python3', ['-W', 'ignore', '-c', SCRIPT], { env: environment });
  assert.deepEqual(JSON.parse(stdout), [
    ['boto-composite', 'boto'],
    1.5,
    [
      'ValidationError',
      'The value bad is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, ignore, missing].',
    ],
    ['Alarm "boto" deleted', 'Alarm "boto" created'],
  ]);
});
