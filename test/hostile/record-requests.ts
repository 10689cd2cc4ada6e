/** The most expensive known requests to CloudWatch and CloudWatch Logs. */
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import { MINUTE_MS } from '#core/duration.ts';

/** A request, and the preparations that it needs once. */
export interface RecordRequest {
  readonly name: string;
  readonly send: () => Promise<unknown>;
}

/** Sizes of the preparations. The test uses small ones, because they take most of its time. */
export interface RecordSizes {
  /** Requests with 1,000 points of one metric, each point with 150 values. */
  readonly pointRequests: number;
}

type ClientOptions = ConstructorParameters<typeof cloudwatch.CloudWatchClient>[0] & object;

const GROUP = '/hostile';
const STREAM = 's';
const Namespace = 'Hostile';
/** Maximum size of the message of an event that is alone in its batch. */
const MESSAGE_MAX = 1_048_550;

const listOf = <T>(length: number, of: (i: number) => T): T[] => Array.from({ length }, (_, i) => of(i));
const repeated = (count: number, of: string, separator: string): string => listOf(count, () => of).join(separator);

/** Prepares an account, and returns the requests. A request may fail: its error must then be cheap too. */
export async function recordRequests(options: ClientOptions, { pointRequests }: RecordSizes): Promise<readonly RecordRequest[]> {
  return [...(await metricRequests(options, pointRequests)), ...(await logRequests(options))];
}

async function metricRequests(options: ClientOptions, pointRequests: number): Promise<readonly RecordRequest[]> {
  const client = new cloudwatch.CloudWatchClient({ ...options, maxAttempts: 1 });
  const now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const start = now - 1_000 * pointRequests * MINUTE_MS;
  const Values = listOf(150, (i) => i);
  const putPoints = (request: number) => {
    const MetricData = listOf(1_000, (i) => ({
      MetricName: 'wide',
      Values,
      Timestamp: new Date(start + (request * 1_000 + i) * MINUTE_MS),
    }));
    return client.send(new cloudwatch.PutMetricDataCommand({ Namespace, MetricData }));
  };
  for (let i = 0; i < pointRequests; i++) await putPoints(i);
  let names = 0;
  const putMetrics = () => {
    const Dimensions = listOf(2, (i) => ({ Name: `d${i}`, Value: 'v'.repeat(900) }));
    const MetricData = listOf(1_000, () => ({ MetricName: `m${names++}`, Dimensions, Value: 1 }));
    return client.send(new cloudwatch.PutMetricDataCommand({ Namespace, MetricData }));
  };
  const range = { StartTime: new Date(start), EndTime: new Date(now) };
  const get = (MetricDataQueries: cloudwatch.MetricDataQuery[]) =>
    client.send(new cloudwatch.GetMetricDataCommand({ MetricDataQueries, ...range }));
  const stat = (Id: string, Stat: string, Period = 60) => ({
    ...{ Id, ReturnData: false },
    MetricStat: { Metric: { Namespace, MetricName: 'wide' }, Period, Stat },
  });
  const series = listOf(10, (i) => stat(`m${i}`, 'Average'));
  const expressions = (count: number, Expression: string) => listOf(count, (i) => ({ Id: `e${i}`, Expression, Label: 'x' }));
  return [
    { name: 'PutMetricData, 1,000 metrics', send: putMetrics },
    { name: 'PutMetricData, 1,000 points with 150 values', send: () => putPoints(0) },
    { name: 'GetMetricData, 500 percentiles', send: () => get(listOf(500, (i) => ({ ...stat(`m${i}`, 'p99'), ReturnData: true }))) },
    { name: 'GetMetricData, a percentile of days', send: () => get([{ ...stat('m', 'p99', 86_400), ReturnData: true }]) },
    { name: 'GetMetricData, 490 expressions on 10 metrics', send: () => get([...series, ...expressions(490, 'STDDEV(METRICS() * m1)')]) },
    { name: 'GetMetricData, 490 filled series', send: () => get([...series, ...expressions(490, 'FILL(m1, LINEAR) + FILL(m2, 1)')]) },
    {
      name: 'GetMetricData, searches with many terms',
      send: () =>
        get(
          listOf(20, (i) => ({ Id: `s${i}`, Expression: `SEARCH('${repeated(480, `v${i}`, ' OR ').slice(0, 1_900)} OR x', 'Sum', 60)` })),
        ),
    },
    {
      name: 'GetMetricStatistics, 1,440 points with percentiles',
      send: () =>
        client.send(
          new cloudwatch.GetMetricStatisticsCommand({
            Namespace,
            MetricName: 'wide',
            Period: 60,
            StartTime: new Date(start),
            EndTime: new Date(start + 1_440 * MINUTE_MS),
            ExtendedStatistics: ['p1', 'p99', 'tm90', 'TM(2%:98%)', 'WM(1%:99%)', 'IQM'],
          }),
        ),
    },
    { name: 'ListMetrics of large metrics', send: () => client.send(new cloudwatch.ListMetricsCommand({ MetricName: 'none' })) },
  ];
}

async function logRequests(options: ClientOptions): Promise<readonly RecordRequest[]> {
  const client = new logs.CloudWatchLogsClient({ ...options, maxAttempts: 1 });
  const names = { logGroupName: GROUP, logStreamName: STREAM };
  await client.send(new logs.CreateLogGroupCommand({ logGroupName: GROUP }));
  await client.send(new logs.CreateLogStreamCommand(names));
  const put = (messages: readonly string[]) => {
    const timestamp = Date.now();
    return client.send(new logs.PutLogEventsCommand({ ...names, logEvents: messages.map((message) => ({ timestamp, message })) }));
  };
  const letters = 'a'.repeat(MESSAGE_MAX);
  const array = JSON.stringify(listOf(500_000, () => 1));
  await put([letters]);
  await put([array]);
  await put([JSON.stringify(Object.fromEntries(listOf(70_000, (i) => [i.toString(36), 1])))]);
  const conditions = `{${repeated(60, '$.a = 1', ' || ')}}`;
  const metricTransformations = [{ metricName: 'm', metricNamespace: Namespace, metricValue: '1' }];
  const putFilter = (filterName: string, filterPattern: string) =>
    client.send(new logs.PutMetricFilterCommand({ logGroupName: GROUP, filterName, filterPattern, metricTransformations }));
  const terms = repeated(140, '-aab', ' ');
  for (let i = 0; i < 2; i++) await putFilter(`conditions ${i}`, conditions);
  for (let i = 0; i < 2; i++) await putFilter(`terms ${i}`, terms);
  for (let i = 0; i < 3; i++) await putFilter(`wildcards ${i}`, `{${repeated(3, '$.* = "*b*"', ' || ')}}`);
  for (let i = 0; i < 60; i++) await putFilter(`term ${i}`, 'aaaaaab');
  const filter = (filterPattern: string) => client.send(new logs.FilterLogEventsCommand({ logGroupName: GROUP, filterPattern }));
  const testFilter = (filterPattern: string, logEventMessages: string[]) =>
    client.send(new logs.TestMetricFilterCommand({ filterPattern, logEventMessages }));
  return [
    { name: 'PutLogEvents, a large message for 67 filters', send: () => put([letters]) },
    { name: 'PutLogEvents, a large array for 67 filters', send: () => put([array]) },
    { name: 'PutLogEvents, 10,000 messages for 67 filters', send: () => put(listOf(10_000, () => '{"a":2}')) },
    { name: 'FilterLogEvents, many terms', send: () => filter(terms) },
    { name: 'FilterLogEvents, wildcards', send: () => filter(`{${repeated(3, '$.* = "*b*"', ' || ')}}`) },
    { name: 'FilterLogEvents, fields', send: () => filter('[a = "*b*" || a = 1, ...]') },
    { name: 'TestMetricFilter, many terms', send: () => testFilter(terms, [letters]) },
    { name: 'TestMetricFilter, a long number', send: () => testFilter('[a = 1]', [`${'1'.repeat(900_000)}x`]) },
    { name: 'TestMetricFilter, many fields', send: () => testFilter('[a, ...]', ['a '.repeat(200_000)]) },
    {
      name: 'TestMetricFilter, wildcards',
      send: () => testFilter(`{${repeated(3, '$.* = "*b*"', ' || ')}}`, [array.slice(0, 600_000).concat('1]')]),
    },
    { name: 'PutMetricFilter, the 68th filter of a group', send: () => putFilter('more', conditions) },
  ];
}
