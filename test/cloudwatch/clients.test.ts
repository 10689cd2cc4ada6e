/** Metrics with the AWS CLI (Query protocol) and boto3, and the metrics that the server writes about itself. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTestServer } from '../kit/server.ts';

const run = promisify(execFile);
const server = await startTestServer();
const environment = {
  AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT: server.endpoint,
};

/** Runs a command of `aws cloudwatch`. Returns its output. */
async function aws(...command: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const options = ['--endpoint-url', server.endpoint, '--output', 'json', '--no-cli-pager', 'cloudwatch'];
  const { stdout } = await run('/usr/bin/aws', [...options, ...command], { env: { ...environment, PATH: process.env['PATH'] } });
  return stdout.trim() === '' ? {} : JSON.parse(stdout);
}

const start = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000).toISOString();
const end = new Date(Date.parse(start) + 3_600_000).toISOString();

test('AWS CLI: put-metric-data and get-metric-statistics', async () => {
  const metric = ['--namespace', 'Chat', '--metric-name', 'Latency', '--dimensions'];
  const put = ['--timestamp', start, '--unit', 'Milliseconds', '--value', '7.5'];
  await aws('put-metric-data', ...metric, 'Room=a,Kind=b', ...put);
  await aws(
    'put-metric-data',
    '--namespace',
    'Chat',
    '--metric-data',
    `MetricName=Set,Timestamp=${start},StatisticValues={SampleCount=2,Sum=5,Minimum=1,Maximum=4}`,
  );
  const range = ['--start-time', start, '--end-time', end, '--period', '300', '--statistics', 'Average', 'SampleCount'];
  const read = await aws('get-metric-statistics', ...metric, 'Name=Kind,Value=b', 'Name=Room,Value=a', ...range);
  const Timestamp = start.replace('.000Z', '+00:00');
  assert.deepEqual(read, { Label: 'Latency', Datapoints: [{ Timestamp, SampleCount: 1, Average: 7.5, Unit: 'Milliseconds' }] });
  const listed = await aws('list-metrics', '--namespace', 'Chat');
  assert.deepEqual(
    (listed['Metrics'] as { MetricName: string }[]).map(({ MetricName }) => MetricName),
    ['Latency', 'Set'],
  );
});

/** Reads and writes metrics with boto3, by JSON. Prints the results as JSON. */
const SCRIPT = `
import boto3, json, os, sys
from datetime import datetime
from botocore.exceptions import ClientError
client = boto3.client('cloudwatch', endpoint_url=os.environ['AWS_ENDPOINT'])
start, end = datetime.fromisoformat(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
client.put_metric_data(Namespace='Boto', MetricData=[{'MetricName': 'Sent', 'Timestamp': start, 'Values': [1.0, 2.0], 'Counts': [3.0, 1.0]}])
stat = {'Metric': {'Namespace': 'Boto', 'MetricName': 'Sent'}, 'Period': 300, 'Stat': 'p90'}
pages = client.get_paginator('get_metric_data').paginate(StartTime=start, EndTime=end, MetricDataQueries=[{'Id': 'm', 'MetricStat': stat}])
results = [result for page in pages for result in page['MetricDataResults']]
statistics = client.get_metric_statistics(Namespace='Boto', MetricName='Sent', StartTime=start, EndTime=end, Period=60, Statistics=['Sum'])
metrics = [each['MetricName'] for page in client.get_paginator('list_metrics').paginate(Namespace='Boto') for each in page['Metrics']]
try:
    client.put_metric_data(Namespace='AWS/EC2', MetricData=[{'MetricName': 'Sent', 'Value': 1.0}])
except ClientError as error:
    refused = [error.response['Error']['Code'], type(error).__name__]
print(json.dumps([[each['Values'] for each in results], [each['Sum'] for each in statistics['Datapoints']], metrics, refused]))
`;

test('boto3: samples are stored and read, in pages too', async () => {
  const { stdout } = await run(
    '/usr/bin/python3',
    ['-W', 'ignore', '-c', SCRIPT, start.replace('Z', '+00:00'), end.replace('Z', '+00:00')],
    { env: environment },
  );
  assert.deepEqual(JSON.parse(stdout), [[[2]], [5], ['Sent'], ['InvalidParameterValue', 'InvalidParameterValueException']]);
});
