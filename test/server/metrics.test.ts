/** Metrics of a running server, as Prometheus reads them, on SQLite and PostgreSQL. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { startAccount } from '../kit/account.ts';
import { createMeeting } from '../kit/meeting.ts';
import { readMetrics, type Series } from '../kit/metrics.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny, policy } from '../kit/policy.ts';
import { startServerProcess } from '../kit/process.ts';
import { exchange } from '../kit/raw.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const METRICS = { BELFRY_METRICS: '127.0.0.1:0', BELFRY_CHECKPOINT_SECONDS: '1', BELFRY_TRAIL_DELIVERY_SECONDS: '3600' };

const onSqlite = await startAccount(METRICS);
const { server } = onSqlite;
const origin = new URL(server.metricsUrl ?? '').origin;

// biome-ignore format: a table
for (const [engine, account] of [
  ['SQLite',     onSqlite],
  ['PostgreSQL', await startAccount({ ...METRICS, BELFRY_DATABASE: postgres.url })],
] as const) {
  test(`metrics on ${engine}: requests, decisions and the trail are counted`, async () => {
    const { metricsUrl } = account.server;
    const ada = await account.user('ada', allow('chime:CreateMeeting'), deny('chime:GetMeeting'));
    const before = await readMetrics(metricsUrl);
    const meetings = account.meetings(ada);
    await meetings.send(createMeeting('first'));
    await meetings.send(createMeeting('second'));
    assert.equal(await outcomeOf(new IAMClient(account.server.client(ada)).send(new GetUserCommand({}))), 'AccessDenied');
    // The server computes the text at most once a second.
    let found: Series = before;
    const name = (operation: string, service: string, status: string) =>
      `belfry_requests_total{service="${service}",operation="${operation}",status="${status}"}`;
    const denied = name('GetUser', 'iam', '4xx');
    await until(async () => (found = await readMetrics(metricsUrl)).has(denied), () => [...found.keys()].join('\n'));
    const of = (series: string) => (found.get(series) ?? 0) - (before.get(series) ?? 0);
    assert.deepEqual([of(name('CreateMeeting', 'chime-sdk-meetings', '2xx')), of(denied)], [2, 1]);
    const durations = 'belfry_request_duration_seconds';
    const labels = 'service="chime-sdk-meetings",operation="CreateMeeting"';
    assert.equal(of(`${durations}_count{${labels}}`), 2);
    assert.equal(of(`${durations}_bucket{${labels},le="+Inf"}`), 2);
    assert.deepEqual(
      ['allowed', 'implicitDeny', 'explicitDeny'].map((decision) => of(`belfry_authorization_decisions_total{decision="${decision}"}`)),
      [2, 1, 0],
    );
    for (const state of ['core_responding', 'database_responding', 'lease_held', 'trail_writable']) assert.equal(found.get(`belfry_${state}`), 1, state);
    assert.equal(found.has('belfry_log_sync_duration_seconds_count'), engine === 'SQLite');
    assert.ok((found.get('belfry_lease_age_seconds') ?? Number.NaN) < 30);
    // The transparency log contains the records after its next checkpoint: those of the first account, of the user and of the three calls.
    await until(async () => ((await readMetrics(metricsUrl)).get('belfry_trail_records') ?? 0) >= 6, () => 'too few trail records');
    assert.ok(((await readMetrics(metricsUrl)).get('belfry_trail_bytes') ?? 0) > 3_000);
  });
}

test('metrics: a trail that has not delivered its records has a delay', async () => {
  const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
  const { accountId, metricsUrl } = server;
  await s3.send(new CreateBucketCommand({ Bucket: 'delayed-logs' }));
  const statement = { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' } };
  const Policy = policy(
    { ...statement, Action: 's3:GetBucketAcl', Resource: 'arn:aws:s3:::delayed-logs' },
    { ...statement, Action: 's3:PutObject', Resource: `arn:aws:s3:::delayed-logs/AWSLogs/${accountId}/*` },
  );
  await s3.send(new PutBucketPolicyCommand({ Bucket: 'delayed-logs', Policy }));
  assert.equal((await readMetrics(metricsUrl)).get('belfry_trail_delivery_lag_seconds'), 0);
  const cloudtrail = new CloudTrailClient(server.client());
  await cloudtrail.send(new CreateTrailCommand({ Name: 'all', S3BucketName: 'delayed-logs' }));
  await cloudtrail.send(new StartLoggingCommand({ Name: 'all' }));
  let lag = 0;
  await until(
    async () => (lag = (await readMetrics(metricsUrl)).get('belfry_trail_delivery_lag_seconds') ?? 0) > 1,
    () => `${lag}`,
  );
});

test('metrics: requests with unknown operations, services and paths do not create series', async () => {
  const names = async () => [...(await readMetrics(server.metricsUrl)).keys()].filter((name) => name.startsWith('belfry_requests_total'));
  const before = await names();
  for (let i = 0; i < 40; i++) {
    await fetch(`${server.endpoint}/_chime-sdk-meetings/unknown${i}`);
    await fetch(`${server.endpoint}/_unknown${i}/`);
    const headers = { 'x-amz-target': `AWSEvents.Unknown${i}`, 'content-type': 'application/x-amz-json-1.1' };
    await fetch(server.endpoint, { method: 'POST', headers, body: '{}' });
    await fetch(server.endpoint, { method: 'POST', body: new URLSearchParams({ Action: `Unknown${i}`, Version: '2010-05-08' }) });
  }
  let found: readonly string[] = [];
  await until(
    async () => (found = (await names()).filter((name) => !before.includes(name))).some((name) => name.includes('service="events"')),
    () => found.join('\n'),
  );
  assert.ok(found.length <= 8 && found.every((name) => name.includes('operation="unknown"')), found.join('\n'));
});

// biome-ignore format: a table
const REQUESTS: readonly [title: string, request: string, expected: number][] = [
  // title                          request line and headers                                                   status
  ['GET /metrics',                  'GET /metrics HTTP/1.1\r\nHost: localhost',                                200],
  ['a query string',                'GET /metrics?a=b HTTP/1.1\r\nHost: 127.0.0.1:9464',                       200],
  ['another path',                  'GET / HTTP/1.1\r\nHost: localhost',                                       404],
  ['a longer path',                 'GET /metrics/x HTTP/1.1\r\nHost: localhost',                              404],
  ['a path of the API',             'GET /meetings HTTP/1.1\r\nHost: localhost',                               404],
  ['HEAD',                          'HEAD /metrics HTTP/1.1\r\nHost: localhost',                               405],
  ['a body of 1 GB',                'POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000', 405],
  ['a name that a web page chose',  'GET /metrics HTTP/1.1\r\nHost: rebound.example',                          404],
  ['no host',                       'GET /metrics HTTP/1.1\r\nX: y',                                           400],
  ['headers of 16 KB',              `GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(16_384)}`,    0],
];
for (const [title, request, expected] of REQUESTS) {
  test(`metrics listener: ${title} is ${expected || 'disconnected'}`, async () => {
    const answered = await exchange(origin, `${request}\r\nConnection: close\r\n\r\n`).then(
      ({ status }) => status,
      () => 0,
    );
    assert.equal(answered, expected);
  });
}

test('metrics: without the core, the text has the figures of the main thread and says that the core does not respond', async () => {
  const { metricsText } = await import('#server/metrics/text.ts');
  const { seriesOf } = await import('../kit/metrics.ts');
  const main = { cpuSeconds: 1, heapUsedBytes: 2, delay: { median: 0, p99: 0, max: 0 } };
  const connections = { connections: 5, bytes: 0, requests: 1, sources: 1, queued: 3 };
  const own = { cpuSeconds: 1, residentBytes: 2, startedAtSeconds: 3 };
  const found = seriesOf(await metricsText({ core: undefined, main, connections, messagingSockets: 2, process: own }));
  assert.deepEqual([found.get('belfry_core_responding'), found.get('belfry_requests_queued')], [0, 3]);
  assert.deepEqual([found.get('belfry_sockets{kind="http"}'), found.get('belfry_sockets{kind="messaging"}')], [3, 2]);
  assert.ok(![...found.keys()].some((name) => name.includes('lease') || name.includes('"core"')));
});

test('metrics: if the address is in use, the server runs without metrics and logs a warning', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const { endpoint, written } = await startServerProcess({ BELFRY_METRICS: `127.0.0.1:${port}`, BELFRY_LOG: 'json' });
  assert.equal((await fetch(`${endpoint}/_belfry/live`)).status, 200);
  const [line = ''] = written()
    .split('\n')
    .filter((each) => each.startsWith('{'));
  const { level, message } = JSON.parse(line) as Readonly<Record<string, string>>;
  assert.equal(level, 'warning');
  assert.match(message ?? '', /^there are no metrics, because BELFRY_METRICS cannot be used: .*EADDRINUSE/);
});
