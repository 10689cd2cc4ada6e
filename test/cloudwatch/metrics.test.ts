/** Metrics in all three protocols of CloudWatch, with the unmodified client of the AWS SDK. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import { MINUTE_MS } from '#core/duration.ts';
import { startAccount } from '../kit/account.ts';
import { cloudwatchClients } from '../kit/cloudwatch.ts';
import { errorOf, messageOf, outcomeOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';

const account = await startAccount();
/** Start of an hour that is complete and not too old. */
const HOUR = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 3_600_000);
const at = (minutes: number) => new Date(HOUR.getTime() + minutes * MINUTE_MS);
const RANGE = { StartTime: HOUR, EndTime: at(60) };
const room = (Value: string) => [{ Name: 'Room', Value }];

for (const [protocol, client] of cloudwatchClients(account)) {
  const Namespace = `Chat${protocol}`;
  const put = (MetricData: cloudwatch.MetricDatum[], namespace = Namespace) =>
    client.send(new cloudwatch.PutMetricDataCommand({ Namespace: namespace, MetricData }));
  const stat = (MetricName: string, Stat: string, Period = 300, Dimensions: cloudwatch.Dimension[] = []) => ({
    MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat },
  });
  const get = (MetricDataQueries: cloudwatch.MetricDataQuery[], more: Partial<cloudwatch.GetMetricDataInput> = {}) =>
    client.send(new cloudwatch.GetMetricDataCommand({ MetricDataQueries, ...RANGE, ...more }));

  describe(`Metrics by ${protocol}`, () => {
    test(`${protocol}: samples of all forms are summarized by period, with percentiles`, async () => {
      await put([
        { MetricName: 'Latency', Timestamp: at(0), Value: 10, Unit: 'Milliseconds', Dimensions: room('a') },
        { MetricName: 'Latency', Timestamp: at(1), Values: [20, 30], Counts: [1, 2], Unit: 'Milliseconds', Dimensions: room('a') },
        { MetricName: 'Latency', Timestamp: at(7), Value: 5, Unit: 'Milliseconds', Dimensions: room('a') },
      ]);
      await put([{ MetricName: 'Latency', Timestamp: at(2), Value: 110, Unit: 'Milliseconds', Dimensions: room('a') }]);
      const request = { Namespace, MetricName: 'Latency', Dimensions: room('a'), ...RANGE, Period: 300 };
      const simple = await client.send(
        new cloudwatch.GetMetricStatisticsCommand({ ...request, Statistics: ['SampleCount', 'Sum', 'Average', 'Minimum', 'Maximum'] }),
      );
      assert.equal(simple.Label, 'Latency');
      assert.deepEqual(simple.Datapoints, [
        { Timestamp: at(0), SampleCount: 5, Sum: 200, Average: 40, Minimum: 10, Maximum: 110, Unit: 'Milliseconds' },
        { Timestamp: at(5), SampleCount: 1, Sum: 5, Average: 5, Minimum: 5, Maximum: 5, Unit: 'Milliseconds' },
      ]);
      const extended = await client.send(
        new cloudwatch.GetMetricStatisticsCommand({ ...request, ExtendedStatistics: ['p50', 'tm80', 'TC(20:110)', 'PR(:30)'] }),
      );
      assert.deepEqual(extended.Datapoints?.[0]?.ExtendedStatistics, { p50: 30, tm80: 22.5, 'TC(20:110)': 3, 'PR(:30)': 80 });
    });

    test(`${protocol}: an unknown metric has no points`, async () => {
      const request = { Namespace, MetricName: 'None', ...RANGE, Period: 300, Statistics: ['Sum' as const] };
      assert.deepEqual((await client.send(new cloudwatch.GetMetricStatisticsCommand(request))).Datapoints, []);
      const { MetricDataResults } = await get([{ Id: 'm1', ...stat('None', 'Sum') }]);
      assert.deepEqual(MetricDataResults, [{ Id: 'm1', Label: 'None', Timestamps: [], Values: [], StatusCode: 'Complete' }]);
    });

    test(`${protocol}: GetMetricData returns the newest points first, labels that differ, and one unit with a message`, async () => {
      await put([
        { MetricName: 'Sent', Timestamp: at(0), Value: 1, Unit: 'Seconds' },
        { MetricName: 'Sent', Timestamp: at(5), Value: 2, Unit: 'Milliseconds' },
        { MetricName: 'Joined', Timestamp: at(0), Value: 4 },
        { MetricName: 'Joined', Timestamp: at(5), Value: 8 },
      ]);
      const { MetricDataResults } = await get([
        { Id: 'a', ...stat('Joined', 'Sum') },
        { Id: 'b', ...stat('Joined', 'Average') },
        { Id: 'c', ...stat('Sent', 'Sum') },
        { Id: 'd', ...stat('Joined', 'Sum', 3_600), ReturnData: false },
      ]);
      const units = [{ Code: 'MultipleUnits', Value: "Multiple units returned: '[Milliseconds, Seconds]'" }];
      assert.deepEqual(MetricDataResults, [
        { Id: 'a', Label: 'Joined Sum 300', Timestamps: [at(5), at(0)], Values: [8, 4], StatusCode: 'Complete' },
        { Id: 'b', Label: 'Joined Average', Timestamps: [at(5), at(0)], Values: [8, 4], StatusCode: 'Complete' },
        { Id: 'c', Label: 'Sent', Timestamps: [at(5)], Values: [2], StatusCode: 'Complete', Messages: units },
      ]);
    });

    test(`${protocol}: GetMetricData fills in dynamic labels, with times in a time zone`, async () => {
      const samples = [
        { MetricName: 'Left', Timestamp: at(0), Value: 4, Dimensions: room('blue') },
        { MetricName: 'Left', Timestamp: at(5), Value: 8, Dimensions: room('blue') },
      ];
      await put(samples, `${Namespace}Labels`);
      // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of labels
      const Label = "${PROP('Dim.Room')}: ${LABEL} at most ${MAX} at ${MAX_TIME}";
      const search = { Id: 'a', Expression: `SEARCH('{${Namespace}Labels,Room} Left', 'Sum', 300)`, Label };
      const { MetricDataResults } = await get([search], { LabelOptions: { Timezone: '-0200' } });
      const time = new Date(at(5).getTime() - 2 * 3_600_000).toISOString().slice(0, 19);
      assert.equal(MetricDataResults?.[0]?.Label, `blue: Left blue at most 8 at ${time}-0200`);
    });

    test(`${protocol}: GetMetricData returns all points in pages`, async () => {
      const query: cloudwatch.MetricDataQuery[] = [
        { Id: 'a', ...stat('Joined', 'Sum') },
        { Id: 'b', ...stat('Joined', 'Maximum') },
      ];
      const pages = cloudwatch.paginateGetMetricData({ client }, { MetricDataQueries: query, ...RANGE, MaxDatapoints: 3 });
      const seen: unknown[] = [];
      for await (const { MetricDataResults = [] } of pages)
        seen.push(MetricDataResults.map(({ Id, Values, StatusCode }) => [Id, Values, StatusCode]));
      assert.deepEqual(seen, [
        [
          ['a', [8, 4], 'Complete'],
          ['b', [8], 'PartialData'],
        ],
        [['b', [4], 'Complete']],
      ]);
    });

    test(`${protocol}: expressions and searches use the points of metrics`, async () => {
      const { MetricDataResults } = await get(
        [
          { Id: 'm1', ...stat('Joined', 'Sum'), ReturnData: false },
          { Id: 'e1', Expression: 'm1 * 2 + 1' },
          { Id: 'e2', Expression: 'RUNNING_SUM(m1)', Label: 'Total' },
          { Id: 'e3', Expression: `SEARCH('{${Namespace}} MetricName="Joined"', 'Sum', 300)` },
        ],
        { ScanBy: 'TimestampAscending' },
      );
      assert.deepEqual(
        MetricDataResults?.map(({ Label, Values }) => [Label, Values]),
        [
          ['e1', [9, 17]],
          ['Total', [4, 12]],
          ['e3', [4, 8]],
        ],
      );
    });

    test(`${protocol}: ListMetrics filters by namespace, name and dimensions`, async () => {
      const namesOf = async (input: cloudwatch.ListMetricsInput) =>
        (await client.send(new cloudwatch.ListMetricsCommand(input))).Metrics?.map(({ MetricName }) => MetricName);
      assert.deepEqual(await namesOf({ Namespace }), ['Joined', 'Latency', 'Sent']);
      assert.deepEqual(await namesOf({ Namespace, Dimensions: [{ Name: 'Room' }], RecentlyActive: 'PT3H' }), ['Latency']);
      assert.deepEqual(await namesOf({ Namespace, Dimensions: [{ Name: 'Room', Value: 'b' }] }), []);
      assert.deepEqual(await namesOf({ MetricName: 'Sent', Namespace }), ['Sent']);
    });
  });

  describe(`Dashboards by ${protocol}`, () => {
    test(`${protocol}: a dashboard is stored, read, listed, tagged and deleted`, async () => {
      const DashboardName = `Board-${protocol}`;
      const DashboardBody = '{"widgets":[{"type":"text","x":0,"y":0,"width":6,"height":3,"properties":{"markdown":"hi"}}]}';
      const Tags = [{ Key: 'team', Value: 'chat' }];
      await client.send(new cloudwatch.PutDashboardCommand({ DashboardName, DashboardBody, Tags }));
      const { DashboardArn, ...read } = await client.send(new cloudwatch.GetDashboardCommand({ DashboardName }));
      assert.equal(DashboardArn, `arn:aws:cloudwatch::${account.accountId}:dashboard/${DashboardName}`);
      assert.equal(read.DashboardBody, DashboardBody);
      const { DashboardEntries } = await client.send(new cloudwatch.ListDashboardsCommand({ DashboardNamePrefix: DashboardName }));
      assert.deepEqual(
        DashboardEntries?.map((each) => [each.DashboardName, each.Size]),
        [[DashboardName, DashboardBody.length]],
      );
      await client.send(new cloudwatch.TagResourceCommand({ ResourceARN: DashboardArn, Tags: [{ Key: 'tier', Value: '' }] }));
      await client.send(new cloudwatch.UntagResourceCommand({ ResourceARN: DashboardArn, TagKeys: ['team'] }));
      const tagged = await client.send(new cloudwatch.ListTagsForResourceCommand({ ResourceARN: DashboardArn }));
      assert.deepEqual(tagged.Tags, [{ Key: 'tier', Value: '' }]);
      await client.send(new cloudwatch.DeleteDashboardsCommand({ DashboardNames: [DashboardName] }));
      const gone = await errorOf(client.send(new cloudwatch.GetDashboardCommand({ DashboardName })));
      // The client has two errors with this code in the Query protocol, and takes the first one.
      assert.equal(gone.name, 'ResourceNotFound');
      assert.equal(gone.$metadata?.httpStatusCode, 404);
      const bad = await errorOf(client.send(new cloudwatch.PutDashboardCommand({ DashboardName, DashboardBody: '{' })));
      assert.ok(bad instanceof cloudwatch.DashboardInvalidInputError, bad.name);
      assert.deepEqual(bad.dashboardValidationMessages, [
        { DataPath: '/', Message: 'The field DashboardBody must be a valid JSON object' },
      ]);
    });
  });

  describe(`Errors by ${protocol}`, () => {
    const sample = { MetricName: 'm', Value: 1 };
    const statistics = { Namespace, MetricName: 'm', Period: 60, Statistics: ['Sum' as const] };
    // biome-ignore format: a table
    const REFUSED: readonly (readonly [title: string, call: () => Promise<unknown>, outcome: string])[] = [
      ['Value with Values',            () => put([{ ...sample, Values: [1] }]),                               'InvalidParameterCombinationException: The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.'],
      ['Value with StatisticValues',   () => put([{ ...sample, StatisticValues: { SampleCount: 1, Sum: 1, Minimum: 1, Maximum: 1 } }]), 'InvalidParameterCombinationException: The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have specified both.'],
      ['Counts of another size',       () => put([{ MetricName: 'm', Values: [1, 2], Counts: [1] }]),         'InvalidParameterValueException: The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.'],
      ['no value',                     () => put([{ MetricName: 'm' }]),                                      'MissingRequiredParameterException: At least one of the parameters must be specified.'],
      ['151 values',                   () => put([{ MetricName: 'm', Values: Array<number>(151).fill(1) }]),  'InvalidParameterValueException: The collection MetricData.member.1.Values must not have a size greater than 150.'],
      ['1,001 samples',                () => put(Array(1_001).fill(sample)),                                  'InvalidParameterValueException: The collection MetricData must not have a size greater than 1000.'],
      ['a namespace of AWS',           () => put([sample], 'AWS/EC2'),                                        'InvalidParameterValueException: The value AWS/EC2 for parameter Namespace is invalid.'],
      ['a sample of three weeks ago',  () => put([{ ...sample, Timestamp: new Date(Date.now() - 21 * 86_400_000) }]), 'InvalidParameterValueException: The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.'],
      ['a sample of tomorrow',         () => put([{ ...sample, Timestamp: new Date(Date.now() + 86_400_000) }]), 'InvalidParameterValueException: The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.'],
      ['a number above 2^360',         () => put([{ MetricName: 'm', Value: 2 ** 361 }]),                     `InvalidParameterValueException: The value ${2 ** 361} for parameter MetricData.member.1.Value is invalid.`],
      ['an empty range',               () => client.send(new cloudwatch.GetMetricStatisticsCommand({ ...statistics, StartTime: HOUR, EndTime: HOUR })), 'InvalidParameterValueException: The parameter StartTime must be less than the parameter EndTime.'],
      ['86,400 points',                () => client.send(new cloudwatch.GetMetricStatisticsCommand({ ...statistics, Period: 1, StartTime: HOUR, EndTime: at(1_440) })), 'InvalidParameterCombinationException: You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.'],
      ['an unknown statistic',         () => get([{ Id: 'a', ...stat('m', 'p101') }]),                        'ValidationException: The value p101 for parameter MetricDataQueries.member.1.MetricStat.Stat is not supported.'],
      ['an invalid ID',                () => get([{ Id: 'A', ...stat('m', 'Sum') }]),                         'ValidationException: The value A for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.'],
      ['an invalid expression',        () => get([{ Id: 'e1', Expression: 'm1 +' }]),                         "ValidationException: Error in expression 'e1': Unexpected end of the expression."],
      ['an unknown variable',          () => get([{ Id: 'e1', Expression: 'm1' }]),                           "ValidationException: Error in expression 'e1': Undefined variable 'm1'."],
      ['a circle of expressions',      () => get([{ Id: 'e1', Expression: 'e2' }, { Id: 'e2', Expression: 'e1' }]), "ValidationException: Error in expression 'e2': The expression refers to itself through 'e1'."],
      ['a number as a result',         () => get([{ Id: 'e1', Expression: '1 + 1' }]),                        "ValidationException: Error in expression 'e1': The result of the expression must be a time series or an array of time series."],
      ['tags of another name',         () => client.send(new cloudwatch.ListTagsForResourceCommand({ ResourceARN: 'board' })), 'InvalidParameterValueException: The value board for parameter ResourceARN is invalid.'],
    ];
    for (const [title, call, outcome] of REFUSED)
      test(`${protocol}: ${title} is ${outcome.split(':')[0]}`, async () => {
        // In the Query protocol, errors have other codes. The client maps them to the names of the model.
        assert.equal(await messageOf(call()), outcome);
      });
  });
}

test('Permissions: cloudwatch:namespace limits the namespaces of samples', async () => {
  const writer = await account.user('writer', {
    ...allow('cloudwatch:PutMetricData'),
    Condition: { StringEquals: { 'cloudwatch:namespace': 'Rooms' } },
  });
  for (const [, client] of cloudwatchClients(account, writer)) {
    const put = (Namespace: string) =>
      outcomeOf(client.send(new cloudwatch.PutMetricDataCommand({ Namespace, MetricData: [{ MetricName: 'm', Value: 1 }] })));
    assert.deepEqual([await put('Rooms'), await put('Other')], ['allowed', 'AccessDenied']);
  }
});
