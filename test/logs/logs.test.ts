/** CloudWatch Logs with unmodified clients: AWS SDK, AWS CLI and boto3. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import { askControl } from '#server/operator/ask-control.ts';
import { accountOn } from '../kit/account.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, trustService } from '../kit/policy.ts';
import { type Received, startReceiver } from '../kit/receivers.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const server = await startTestServer();
const account = accountOn(server);
const client = new logs.CloudWatchLogsClient(server.client());
const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;
const ENVIRONMENT = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };

const CLI_ENVIRONMENT = {
  ...ENVIRONMENT,
  PATH: process.env['PATH'],
  AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  AWS_DEFAULT_REGION: 'us-east-1',
  // The CLI prints into a pipe.
  PYTHONUNBUFFERED: '1',
};
const cliArguments = (command: readonly string[]) => [
  '--endpoint-url',
  server.endpoint,
  '--output',
  'json',
  '--no-cli-pager',
  'logs',
  ...command,
];

/** Runs a command of the AWS CLI. Returns its output. */
async function aws(...command: readonly string[]): Promise<string> {
  return (await promisify(execFile)(CLI, cliArguments(command), { env: CLI_ENVIRONMENT })).stdout;
}

const put = (logGroupName: string, logStreamName: string, message: string) =>
  client.send(new logs.PutLogEventsCommand({ logGroupName, logStreamName, logEvents: [{ timestamp: Date.now(), message }] }));

test('AWS SDK: groups, streams, events and metric filters', async () => {
  const logGroupName = '/sdk/web';
  await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
  await client.send(new logs.PutRetentionPolicyCommand({ logGroupName, retentionInDays: 14 }));
  await client.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName: 'one' }));
  await put(logGroupName, 'one', '{"level":"ERROR","ms":12}');
  await put(logGroupName, 'one', 'tab\t and quote" é');
  const { events = [] } = await client.send(new logs.GetLogEventsCommand({ logGroupName, logStreamName: 'one' }));
  assert.deepEqual(
    events.map(({ message }) => message),
    ['{"level":"ERROR","ms":12}', 'tab\t and quote" é'],
  );
  const found: (string | undefined)[] = [];
  for await (const page of logs.paginateFilterLogEvents({ client, pageSize: 1 }, { logGroupName, filterPattern: '{ $.ms > 10 }' }))
    found.push(...(page.events ?? []).map(({ message }) => message));
  assert.deepEqual(found, ['{"level":"ERROR","ms":12}']);
  const metricTransformations = [{ metricName: 'Errors', metricNamespace: 'App', metricValue: '1' }];
  await client.send(new logs.PutMetricFilterCommand({ logGroupName, filterName: 'errors', filterPattern: 'ERROR', metricTransformations }));
  const { logGroups: [group] = [] } = await client.send(new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: '/sdk' }));
  assert.deepEqual([group?.retentionInDays, group?.metricFilterCount], [14, 1]);
});

test('AWS SDK: a batch whose metric filters run in turns counts each event once', async () => {
  const logGroupName = '/sdk/turns';
  await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
  await client.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName: 's' }));
  for (let i = 0; i < 20; i++) {
    const metricTransformations = [{ metricName: `m${i}`, metricNamespace: 'Turns', metricValue: '1' }];
    const filterPattern = `{ $.v = ${i} }`;
    await client.send(new logs.PutMetricFilterCommand({ logGroupName, filterName: `f${i}`, filterPattern, metricTransformations }));
  }
  const timestamp = Date.now();
  const logEvents = Array.from({ length: 10_000 }, (_, i) => ({ timestamp, message: `{"v":${i % 40}}` }));
  await client.send(new logs.PutLogEventsCommand({ logGroupName, logStreamName: 's', logEvents }));
  const MetricDataQueries = Array.from({ length: 20 }, (_, i) => ({
    Id: `m${i}`,
    MetricStat: { Metric: { Namespace: 'Turns', MetricName: `m${i}` }, Period: 60, Stat: 'Sum' },
  }));
  const range = { StartTime: new Date(timestamp - 60_000), EndTime: new Date(timestamp + 60_000) };
  const { MetricDataResults } = await new cloudwatch.CloudWatchClient(server.client()).send(
    new cloudwatch.GetMetricDataCommand({ MetricDataQueries, ...range }),
  );
  assert.deepEqual(
    MetricDataResults?.map(({ Values }) => Values),
    Array.from({ length: 20 }, () => [250]),
  );
});

test('AWS SDK: a policy with and without an asterisk at the end of the ARN, and the trail without messages', async () => {
  const logGroupName = '/app/a';
  const arn = `arn:aws:logs:us-east-1:${account.accountId}:log-group:${logGroupName}`;
  await client.send(new logs.CreateLogGroupCommand({ logGroupName, tags: { team: 'a' } }));
  await client.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName: 's' }));
  const tagged = { Condition: { StringEquals: { 'aws:ResourceTag/team': 'a' } } };
  const as = async (name: string, statement: ReturnType<typeof allow>) =>
    new logs.CloudWatchLogsClient(server.client(await account.user(name, statement)));
  const writer = await as('writer', allow(['logs:PutLogEvents', 'logs:ListTagsForResource'], `${arn}:*`));
  const tagger = await as('tagger', allow('logs:*', arn));
  const team = await as('team', allow('logs:*', '*', tagged));
  const event = { logGroupName, logStreamName: 's', logEvents: [{ timestamp: Date.now(), message: 'a secret message' }] };
  const [allowed, denied] = ['allowed', 'AccessDenied'];
  assert.deepEqual(
    [
      await outcomeOf(writer.send(new logs.PutLogEventsCommand(event))),
      await outcomeOf(writer.send(new logs.ListTagsForResourceCommand({ resourceArn: arn }))),
      await outcomeOf(writer.send(new logs.DescribeLogGroupsCommand({}))),
      await outcomeOf(tagger.send(new logs.ListTagsForResourceCommand({ resourceArn: arn }))),
      await outcomeOf(tagger.send(new logs.DeleteLogGroupCommand({ logGroupName }))),
      await outcomeOf(team.send(new logs.FilterLogEventsCommand({ logGroupName }))),
      await outcomeOf(team.send(new logs.DescribeLogGroupsCommand({}))),
    ],
    [allowed, denied, denied, allowed, denied, allowed, denied],
  );
  const message = await writer.send(new logs.DeleteLogGroupCommand({ logGroupName })).catch((error: Error) => error.message);
  assert.ok(
    String(message).includes(`is not authorized to perform: logs:DeleteLogGroup on resource: ${arn}:log-stream: because`),
    String(message),
  );
  await client.send(new logs.TestMetricFilterCommand({ filterPattern: 'a', logEventMessages: ['a secret message'] }));
  const records = [...(await account.records('logs.amazonaws.com', 'EventSource'))];
  const names = new Set(records.map(({ eventName }) => eventName));
  assert.deepEqual([names.has('FilterLogEvents'), names.has('TestMetricFilter'), names.has('PutLogEvents')], [true, true, false]);
  assert.equal(JSON.stringify(records).includes('a secret message'), false);
});

test('AWS CLI: create-log-group, put-log-events and tail, and tail --follow prints a new event', async () => {
  await aws('create-log-group', '--log-group-name', 'cli');
  await aws('create-log-stream', '--log-group-name', 'cli', '--log-stream-name', 's');
  const timestamp = Date.now() - 1000;
  const { rejectedLogEventsInfo } = JSON.parse(
    await aws(
      'put-log-events',
      '--log-group-name',
      'cli',
      '--log-stream-name',
      's',
      '--log-events',
      `timestamp=${timestamp},message=first`,
    ),
  );
  assert.equal(rejectedLogEventsInfo, undefined);
  const text = await aws('tail', 'cli', '--format', 'short', '--filter-pattern', 'first');
  assert.match(text, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2} first\n$/);

  const follow = spawn(CLI, cliArguments(['tail', 'cli', '--follow', '--format', 'short']), { env: CLI_ENVIRONMENT });
  let printed = '';
  follow.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  try {
    await until(
      () => printed.includes('first'),
      () => `tail printed '${printed}'`,
    );
    await put('cli', 's', 'second');
    await until(
      () => printed.includes('second'),
      () => `tail printed '${printed}'`,
    );
    assert.equal(printed.match(/first/g)?.length, 1);
  } finally {
    follow.kill();
  }
});

/** Returns the payload of a subscription filter in a request of Lambda or Kinesis. */
function payloadOf({ operation, body, members }: Received) {
  const data = operation === 'Invoke' ? JSON.parse(body).awslogs.data : members['Data'];
  return JSON.parse(gunzipSync(Buffer.from(String(data), 'base64')).toString());
}

test('AWS SDK: a subscription filter of a function tests it without running it, and then sends compressed events', async () => {
  const receiver = await startReceiver();
  const endpoint = { url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  const logGroupName = '/sdk/function';
  const destinationArn = `arn:aws:lambda:us-east-1:${account.accountId}:function:reader`;
  await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
  await client.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName: 's' }));
  const filter = new logs.PutSubscriptionFilterCommand({ logGroupName, filterName: 'f', filterPattern: 'ERROR', destinationArn });
  const failed = { name: 'InvalidParameterException', message: /^Could not execute the lambda function\./ };
  await assert.rejects(client.send(filter), failed, 'without an endpoint');
  assert.deepEqual(await askControl(server.dataFolder, { command: 'endpoint add', endpoint: { service: 'lambda', ...endpoint } }), {
    ok: true,
  });
  receiver.reply(() => ({ status: 403, code: 'AccessDeniedException' }));
  await assert.rejects(client.send(filter), failed, 'a function that refuses');
  receiver.reply(() => undefined);
  await client.send(filter);
  assert.deepEqual(
    receiver.received.map(({ headers }) => headers['x-amz-invocation-type']),
    ['DryRun', 'DryRun'],
  );
  await put(logGroupName, 's', 'ok');
  await put(logGroupName, 's', 'ERROR é');
  await until(
    () => receiver.received.length === 3,
    () => `${receiver.received.length} requests`,
  );
  const request = receiver.received[2] as Received;
  const { events = [] } = await client.send(new logs.FilterLogEventsCommand({ logGroupName, filterPattern: 'ERROR' }));
  assert.equal(request.headers['x-amz-invocation-type'], 'Event');
  assert.deepEqual(payloadOf(request), {
    ...{ messageType: 'DATA_MESSAGE', owner: account.accountId, logGroup: logGroupName, logStream: 's', subscriptionFilters: ['f'] },
    logEvents: [{ id: events[0]?.eventId, timestamp: events[0]?.timestamp, message: 'ERROR é' }],
  });
});

test('AWS SDK: a subscription filter of a stream needs a role that CloudWatch Logs may use, and permission to pass it', async () => {
  const receiver = await startReceiver();
  const endpoint = { url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' };
  assert.deepEqual(await askControl(server.dataFolder, { command: 'endpoint add', endpoint: { service: 'kinesis', ...endpoint } }), {
    ok: true,
  });
  const logGroupName = '/sdk/stream';
  const destinationArn = `arn:aws:kinesis:us-east-1:${account.accountId}:stream/logs`;
  await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
  await client.send(new logs.CreateLogStreamCommand({ logGroupName, logStreamName: 's' }));
  const onStream = allow('kinesis:PutRecord', destinationArn);
  const subscribe = (as: logs.CloudWatchLogsClient, roleArn: string) =>
    as.send(new logs.PutSubscriptionFilterCommand({ logGroupName, filterName: 'f', filterPattern: '', destinationArn, roleArn }));
  const from = { Condition: { StringLike: { 'aws:SourceArn': `arn:aws:logs:us-east-1:${account.accountId}:*` } } };
  const good = await account.role('logs-good', trustService('logs.amazonaws.com', from), onStream);
  const regional = await account.role('logs-regional', trustService('logs.us-east-1.amazonaws.com'), onStream);
  const failed = { name: 'InvalidParameterException', message: /^Could not deliver test message to specified Kinesis stream\./ };
  await assert.rejects(subscribe(client, await account.role('logs-other', trustService('events.amazonaws.com'), onStream)), failed);
  await assert.rejects(subscribe(client, await account.role('logs-denied', trustService('logs.amazonaws.com'), allow('sqs:*'))), failed);
  const writer = new logs.CloudWatchLogsClient(server.client(await account.user('subscriber', allow('logs:*'))));
  assert.equal(await outcomeOf(subscribe(writer, good)), 'AccessDenied');
  assert.deepEqual(receiver.received, []);
  await subscribe(client, regional);
  await subscribe(client, good);
  await put(logGroupName, 's', 'one');
  await until(
    () => receiver.received.length === 3,
    () => `${receiver.received.length} requests`,
  );
  assert.deepEqual(
    receiver.received.map((request) => [payloadOf(request).messageType, payloadOf(request).logEvents[0].message]),
    [
      ['CONTROL_MESSAGE', 'CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.'],
      ['CONTROL_MESSAGE', 'CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.'],
      ['DATA_MESSAGE', 'one'],
    ],
  );
  const { subscriptionFilters: [shown] = [] } = await client.send(new logs.DescribeSubscriptionFiltersCommand({ logGroupName }));
  assert.deepEqual([shown?.roleArn, shown?.distribution], [good, 'ByLogStream']);
});

test('boto3: pages, rejected events and errors', async () => {
  const script = fileURLToPath(new URL('logs_job.py', import.meta.url));
  const env = {
    ...ENVIRONMENT,
    ENDPOINT: server.endpoint,
    KEY: server.credentials.accessKeyId,
    SECRET: server.credentials.secretAccessKey,
  };
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', script], { env });
  const { filtered, groups, tags, rejected, errors } = JSON.parse(stdout);
  assert.deepEqual(
    filtered,
    Array.from({ length: 25 }, (_, i) => `line ${i}`),
  );
  assert.ok(groups.includes('boto'));
  assert.deepEqual(tags, { team: 'a' });
  assert.deepEqual(rejected, { tooOldLogEventEndIndex: 1 });
  assert.deepEqual(errors, [
    'ResourceAlreadyExistsException 400: The specified log group already exists',
    "InvalidParameterException 400: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
    `InvalidParameterException 400: 1 validation error detected: Value '${'a'.repeat(513)}' at 'logGroupName' failed to satisfy constraint: Member must have length less than or equal to 512`,
    'ResourceNotFoundException 400: The specified log group does not exist.',
    'InvalidParameterException 400: The specified nextToken is invalid.',
    'InvalidParameterException 400: The specified nextToken is invalid.',
    'NotYetImplementedException 400: StartQuery is not implemented yet by Belfry.',
  ]);
});
