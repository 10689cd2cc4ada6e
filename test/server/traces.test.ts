/** OpenTelemetry traces of a running server, as a collector receives them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { startAccount } from '../kit/account.ts';
import { startCollector } from '../kit/collector.ts';
import { createMeeting } from '../kit/meeting.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';

const PARENT = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };

/** Adds the header `traceparent` to the requests of a client. */
function withParent<C extends IAMClient | STSClient>(client: C, traceparent: string): C {
  (client as STSClient).middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['traceparent'] = traceparent;
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return client;
}

test('traces: a request is one span with its phases, without names of resources and secrets', async () => {
  const collector = await startCollector();
  const account = await startAccount({ BELFRY_OTLP_ENDPOINT: collector.url });
  const someone = await account.user('someone', allow('chime:CreateMeeting'));
  const { $metadata } = await account.meetings(someone).send(createMeeting('secret-token', { ExternalMeetingId: 'secret-meeting' }));
  const refused = new IAMClient(account.server.client(someone)).send(new GetUserCommand({ UserName: 'secret-user' }));
  assert.equal(await outcomeOf(refused), 'AccessDenied');
  await fetch(`${account.server.endpoint}/_iam/secret-path`);
  await withParent(new STSClient(account.server.client()), `00-${PARENT.trace}-${PARENT.span}-01`).send(new GetCallerIdentityCommand({}));
  await account.server.stop();
  const spans = collector.spans();
  const span = (name: string) => spans.find((each) => each.name === name) ?? assert.fail(`no span ${name}`);
  const meeting = span('chime-sdk-meetings/CreateMeeting');
  assert.deepEqual(meeting.attributes, {
    'rpc.system': 'aws-api',
    'rpc.service': 'chime-sdk-meetings',
    'rpc.method': 'CreateMeeting',
    'http.response.status_code': 200,
    'aws.request_id': $metadata.requestId,
    'cloud.account.id': account.server.accountId,
    'cloud.region': 'us-east-1',
  });
  const phases = (parent: string) => spans.filter(({ parentSpanId }) => parentSpanId === parent).map(({ name }) => name);
  assert.deepEqual(phases(meeting.spanId), ['authorize', 'handle', 'commit']);
  const [first, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === meeting.spanId);
  const nanoseconds = (each: (typeof spans)[number] | undefined) =>
    BigInt(each?.endTimeUnixNano ?? 0) - BigInt(each?.startTimeUnixNano ?? 0);
  for (const each of [first, ...others]) assert.ok(nanoseconds(each) >= 0n && nanoseconds(each) <= nanoseconds(meeting) + 2_000_000n);
  const denied = span('iam/GetUser');
  assert.deepEqual(
    [denied.attributes['error.type'], denied.attributes['http.response.status_code'], phases(denied.spanId)],
    ['AccessDenied', 403, []],
  );
  assert.equal(span('iam/unknown').attributes['cloud.account.id'], undefined);
  const traced = span('sts/GetCallerIdentity');
  assert.ok(traced.traceId !== PARENT.trace && !traced.parentSpanId);
  for (const secret of ['secret', 'someone', someone.accessKeyId, someone.secretAccessKey])
    assert.ok(!collector.bodies().join().includes(secret), secret);
});

// biome-ignore format: a table
const PARENTS: readonly [title: string, header: string, continued: boolean][] = [
  ['a valid header',            `00-${PARENT.trace}-${PARENT.span}-01`,   true],
  ['a trace ID of zeros',       `00-${'0'.repeat(32)}-${PARENT.span}-01`, false],
  ['a version that is invalid', `ff-${PARENT.trace}-${PARENT.span}-01`,   false],
  ['a header that is too long', `00-${PARENT.trace}-${PARENT.span}-01-x`, false],
  ['another text',              'x'.repeat(4_000),                        false],
];
test('traces: BELFRY_TRACE_CONTINUE continues the traces of valid headers', async () => {
  const collector = await startCollector();
  const { server } = await startAccount({ BELFRY_OTLP_ENDPOINT: collector.url, BELFRY_TRACE_CONTINUE: 'on' });
  const ids: (string | undefined)[] = [];
  for (const [, header] of PARENTS) {
    const { $metadata } = await withParent(new STSClient(server.client()), header).send(new GetCallerIdentityCommand({}));
    ids.push($metadata.requestId);
  }
  await server.stop();
  const parents = ids.map((id) => collector.spans().find(({ attributes }) => attributes['aws.request_id'] === id));
  assert.deepEqual(
    PARENTS.map(([title], i) => [title, parents[i]?.traceId === PARENT.trace && parents[i]?.parentSpanId === PARENT.span]),
    PARENTS.map(([title, , continued]) => [title, continued]),
  );
});

// biome-ignore format: a table
for (const [title, status] of [
  ['rejects everything', 400],
  ['is not reachable',   'unreachable'],
] as const) {
  test(`traces: the server answers and stops if the collector ${title}`, async () => {
    const url = status === 'unreachable' ? 'http://127.0.0.1:1/v1/traces' : (await startCollector(status)).url;
    const { server } = await startAccount({ BELFRY_OTLP_ENDPOINT: url });
    for (let i = 0; i < 20; i++) await new STSClient(server.client()).send(new GetCallerIdentityCommand({}));
    await server.stop();
  });
}
