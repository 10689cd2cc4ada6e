/** Events of EventBridge from AWS's clients through a running server to receivers on loopback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand, StopLoggingCommand } from '@aws-sdk/client-cloudtrail';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { askControl } from '#server/operator/ask-control.ts';
import { newFolder } from '../kit/folder.ts';
import { allow, policy, type Statement, trustService } from '../kit/policy.ts';
import { startServerProcess } from '../kit/process.ts';
import { startReceiver } from '../kit/receivers.ts';
import { startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const server = await startTestServer();
const { accountId } = server;
const events = new EventBridgeClient(server.client());
const receiver = await startReceiver();
const queue = (name: string) => `arn:aws:sqs:us-east-1:${accountId}:${name}`;
const bus = (name: string, owner = accountId) => `arn:aws:events:us-east-1:${owner}:event-bus/${name}`;

const addEndpoint = (dataFolder: string, url: string) =>
  askControl(dataFolder, {
    command: 'endpoint add',
    endpoint: { service: 'sqs', url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' },
  });
assert.deepEqual(await addEndpoint(server.dataFolder, receiver.url), { ok: true });

async function rule(
  name: string,
  targets: readonly Target[],
  options: { readonly EventBusName?: string; readonly schedule?: string } = {},
) {
  const { EventBusName, schedule } = options;
  const trigger = schedule === undefined ? { EventPattern: JSON.stringify({ source: [name] }) } : { ScheduleExpression: schedule };
  await events.send(new PutRuleCommand({ Name: name, ...trigger, ...(EventBusName !== undefined && { EventBusName }) }));
  await events.send(new PutTargetsCommand({ Rule: name, Targets: [...targets], ...(EventBusName !== undefined && { EventBusName }) }));
}
const put = (Source: string, detail: object, EventBusName?: string) =>
  events.send(
    new PutEventsCommand({
      Entries: [{ Source, DetailType: 'order', Detail: JSON.stringify(detail), ...(EventBusName && { EventBusName }) }],
    }),
  );

interface BusMessage {
  readonly id: string;
  readonly source: string;
  readonly account: string;
  readonly region: string;
  readonly detail: { readonly n?: number; readonly eventName?: string };
}
const inQueue = (name: string): readonly BusMessage[] =>
  receiver.received.flatMap(({ members, message }) =>
    String(members['QueueUrl']).endsWith(`/${name}`) ? [JSON.parse(message) as BusMessage] : [],
  );
const untilIn = (name: string, count: number) =>
  until(
    () => inQueue(name).length === count,
    () => `${inQueue(name).length} of ${count} events in '${name}'`,
  );

test('EventBridge: an event reaches each target of the rules that match, with the input of the target', async () => {
  await rule('shop', [
    { Id: 'all', Arn: queue('all') },
    { Id: 'part', Arn: queue('part'), InputPath: '$.detail' },
  ]);
  await rule('other', [{ Id: 'none', Arn: queue('none') }]);
  const { Entries } = await put('shop', { n: 1 });
  await untilIn('all', 1);
  await untilIn('part', 1);
  assert.deepEqual([inQueue('all')[0]?.id, inQueue('part'), inQueue('none')], [Entries?.[0]?.EventId, [{ n: 1 }], []]);
});

test('EventBridge: a bus passes an event to another bus with the same ID, but not to a third one', async () => {
  for (const Name of ['second', 'third']) await events.send(new CreateEventBusCommand({ Name }));
  await rule('hop', [{ Id: 'second', Arn: bus('second') }]);
  await rule(
    'hop',
    [
      { Id: 'queue', Arn: queue('second') },
      { Id: 'third', Arn: bus('third') },
    ],
    { EventBusName: 'second' },
  );
  await rule('hop', [{ Id: 'queue', Arn: queue('third') }], { EventBusName: 'third' });
  const { Entries } = await put('hop', { n: 1 });
  await untilIn('second', 1);
  assert.deepEqual([inQueue('second')[0]?.id, inQueue('third')], [Entries?.[0]?.EventId, []]);
});

/** Creates a role that trusts EventBridge. Returns its ARN. */
async function eventsRole(RoleName: string, statement: Statement, service = 'events.amazonaws.com'): Promise<string> {
  const iam = new IAMClient(server.client());
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trustService(service)) }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: policy(statement) }));
  return Role?.Arn ?? '';
}

test('EventBridge: the role of a target must trust EventBridge and allow the action, or the event becomes a dead letter', async () => {
  const dead = { Arn: queue('role-dead') };
  const onQueue = (name: string) => allow('sqs:SendMessage', queue(name));
  await events.send(new CreateEventBusCommand({ Name: 'role-bus' }));
  await rule('roles', [
    { Id: 'good', Arn: queue('role-good'), RoleArn: await eventsRole('good', onQueue('role-good')), DeadLetterConfig: dead },
    { Id: 'denied', Arn: queue('role-denied'), RoleArn: await eventsRole('denied', onQueue('other')), DeadLetterConfig: dead },
    { Id: 'other', Arn: queue('role-other'), RoleArn: await eventsRole('other', allow('*'), 'sns.amazonaws.com'), DeadLetterConfig: dead },
    { Id: 'none', Arn: queue('role-none'), RoleArn: `arn:aws:iam::${accountId}:role/none`, DeadLetterConfig: dead },
    { Id: 'bus', Arn: bus('role-bus'), RoleArn: await eventsRole('bus', onQueue('x')), DeadLetterConfig: dead },
  ]);
  await put('roles', { n: 1 });
  await untilIn('role-dead', 4);
  await untilIn('role-good', 1);
  const letters = receiver.received.filter(({ members }) => String(members['QueueUrl']).endsWith('/role-dead'));
  const attributesOf = letters.map(
    ({ members }) => members['MessageAttributes'] as Readonly<Record<string, { readonly StringValue: string }>>,
  );
  assert.deepEqual(
    attributesOf.map(({ TARGET_ARN, ERROR_CODE }) => [TARGET_ARN?.StringValue, ERROR_CODE?.StringValue]).sort(),
    [bus('role-bus'), queue('role-denied'), queue('role-none'), queue('role-other')].map((arn) => [arn, 'NO_PERMISSIONS']).sort(),
  );
  assert.deepEqual(['role-denied', 'role-other', 'role-none'].flatMap(inQueue), []);
});

test("EventBridge: the policy of another account's bus decides, and a denied event becomes a dead letter", async () => {
  const created = await askControl(server.dataFolder, { command: 'account create', name: 'other' });
  assert.ok(created.ok && created.administrator !== undefined);
  const { accountId: other, accessKeyId, secretAccessKey } = created.administrator;
  const others = new EventBridgeClient(server.client({ accessKeyId, secretAccessKey }));
  const RoleArn = await eventsRole('foreign', allow('events:PutEvents', bus('default', other)));
  await rule('foreign', [{ Id: 'bus', Arn: bus('default', other), RoleArn, DeadLetterConfig: { Arn: queue('denied') } }]);
  await others.send(new PutRuleCommand({ Name: 'in', EventPattern: JSON.stringify({ source: ['foreign'] }) }));
  await others.send(new PutTargetsCommand({ Rule: 'in', Targets: [{ Id: 'q', Arn: `arn:aws:sqs:us-east-1:${other}:foreign` }] }));
  await put('foreign', { n: 1 });
  await untilIn('denied', 1);
  const attributes = receiver.received.at(-1)?.members['MessageAttributes'] as Readonly<Record<string, { readonly StringValue: string }>>;
  assert.equal(attributes['ERROR_CODE']?.StringValue, 'NO_PERMISSIONS');
  await others.send(new PutPermissionCommand({ Action: 'events:PutEvents', Principal: accountId, StatementId: 'partner' }));
  await put('foreign', { n: 2 });
  await untilIn('foreign', 1);
  assert.deepEqual([inQueue('foreign')[0]?.detail, inQueue('denied').length], [{ n: 2 }, 1]);

  const onBus = { Action: 'events:PutEvents', Resource: bus('default', other) };
  const Statement = [
    { ...onBus, Effect: 'Allow', Principal: { AWS: accountId } },
    { ...onBus, Effect: 'Deny', Principal: '*', Condition: { StringEquals: { 'events:source': 'foreign' } } },
  ];
  await others.send(new PutPermissionCommand({ Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  await put('foreign', { n: 3 });
  await untilIn('denied', 2);
  await assert.rejects(put('foreign', { n: 4 }, bus('default', other)), { name: 'AccessDeniedException' });
  assert.equal((await put('friend', { n: 5 }, bus('default', other))).FailedEntryCount, 0);
});

test('EventBridge: a bus of another account gets the event as it is, matches its account, and does not pass it on', async () => {
  const created = await askControl(server.dataFolder, { command: 'account create', name: 'central' });
  assert.ok(created.ok && created.administrator !== undefined);
  const { accountId: central, accessKeyId, secretAccessKey } = created.administrator;
  const centralClient = server.client({ accessKeyId, secretAccessKey });
  const centralEvents = new EventBridgeClient(centralClient);
  const onRule = async (Name: string, pattern: object, ...Targets: readonly Target[]) => {
    await centralEvents.send(new PutRuleCommand({ Name, EventBusName: 'central', EventPattern: JSON.stringify(pattern) }));
    await centralEvents.send(new PutTargetsCommand({ Rule: Name, EventBusName: 'central', Targets: [...Targets] }));
  };
  await centralEvents.send(new CreateEventBusCommand({ Name: 'central' }));
  const RoleArn = await eventsRole('to-central', allow('events:PutEvents', bus('central', central)));
  // Only the role may put events, and not the other principals of its account.
  const statement = { Effect: 'Allow', Principal: { AWS: RoleArn }, Action: 'events:PutEvents', Resource: bus('central', central) };
  await centralEvents.send(
    new PutPermissionCommand({ EventBusName: 'central', Policy: JSON.stringify({ Version: '2012-10-17', Statement: statement }) }),
  );
  await events.send(new PutPermissionCommand({ Action: 'events:PutEvents', Principal: central, StatementId: 'central' }));
  const iam = new IAMClient(centralClient);
  const AssumeRolePolicyDocument = policy(trustService('events.amazonaws.com'));
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'back', AssumeRolePolicyDocument }));
  const back = policy(allow('events:PutEvents', bus('default')));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'back', PolicyName: 'p', PolicyDocument: back }));
  const centralQueue = (name: string) => `arn:aws:sqs:us-east-1:${central}:${name}`;
  await onRule('sender', { account: [accountId] }, { Id: 'q', Arn: centralQueue('of-sender') });
  await onRule('own', { account: [central] }, { Id: 'q', Arn: centralQueue('of-central') });
  await onRule('back', { source: ['ping'] }, { Id: 'b', Arn: bus('default'), RoleArn: Role?.Arn });
  await rule('ping', [
    { Id: 'bus', Arn: bus('central', central), RoleArn },
    { Id: 'queue', Arn: queue('ping') },
  ]);
  const { Entries } = await put('ping', { n: 1 });
  await untilIn('of-sender', 1);
  await untilIn('ping', 1);
  const [event] = inQueue('of-sender');
  assert.deepEqual([event?.id, event?.account, event?.region], [Entries?.[0]?.EventId, accountId, 'us-east-1']);
  await centralEvents.send(
    new PutEventsCommand({ Entries: [{ Source: 'ping', DetailType: 'd', Detail: '{"n":2}', EventBusName: 'central' }] }),
  );
  // The event of the other account comes back, and its rule passes it on to no bus again.
  await untilIn('ping', 2);
  await untilIn('of-central', 1);
  assert.deepEqual([inQueue('ping')[1]?.account, inQueue('of-sender').length], [central, 1]);
});

test('EventBridge: a log group of another account gets no event, although its policy allows EventBridge', async () => {
  const created = await askControl(server.dataFolder, { command: 'account create', name: 'owner of a log group' });
  assert.ok(created.ok && created.administrator !== undefined);
  const { accountId: owner, accessKeyId, secretAccessKey } = created.administrator;
  const logs = new CloudWatchLogsClient(server.client({ accessKeyId, secretAccessKey }));
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/audit' }));
  const statement = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'logs:*', Resource: '*' };
  await logs.send(
    new PutResourcePolicyCommand({
      policyName: 'events',
      policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statement }),
    }),
  );
  await rule('stranger', [
    { Id: 'logs', Arn: `arn:aws:logs:us-east-1:${owner}:log-group:/audit`, DeadLetterConfig: { Arn: queue('stranger') } },
  ]);
  await put('stranger', { n: 6 });
  await untilIn('stranger', 1);
  assert.deepEqual((await logs.send(new FilterLogEventsCommand({ logGroupName: '/audit' }))).events, []);
});

test('EventBridge: a log group whose resource policy allows it gets one event a message, and others fail', async () => {
  const logs = new CloudWatchLogsClient(server.client());
  const arn = (name: string) => `arn:aws:logs:us-east-1:${accountId}:log-group:${name}`;
  for (const logGroupName of ['/aws/events/open', '/aws/events/closed']) await logs.send(new CreateLogGroupCommand({ logGroupName }));
  const Statement = [
    {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: `${arn('/aws/events/open')}:*`,
    },
  ];
  await logs.send(
    new PutResourcePolicyCommand({ policyName: 'events', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) }),
  );
  await rule('logged', [
    { Id: 'open', Arn: arn('/aws/events/open') },
    { Id: 'closed', Arn: arn('/aws/events/closed'), DeadLetterConfig: { Arn: queue('unlogged') } },
  ]);
  const { Entries } = await put('logged', { n: 5 });
  await untilIn('unlogged', 1);
  const read = async () => (await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/events/open' }))).events ?? [];
  await until(
    async () => (await read()).length === 1,
    () => 'the log group gets the event',
  );
  assert.equal((JSON.parse((await read())[0]?.message ?? '') as BusMessage).id, Entries?.[0]?.EventId);
});

test('EventBridge: API calls become events only while a trail logs, and reads only for rules with all management events', async () => {
  const folder = newFolder('trail');
  const target = { bucket: 'audit-logs', location: { kind: 'folder', path: folder } } as const;
  assert.deepEqual(await askControl(server.dataFolder, { command: 'trail target add', target }), { ok: true });
  const EventPattern = JSON.stringify({ source: ['aws.events'], 'detail-type': ['AWS API Call via CloudTrail'] });
  for (const State of ['ENABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'] as const) {
    await events.send(new PutRuleCommand({ Name: State, EventPattern, State }));
    await events.send(new PutTargetsCommand({ Rule: State, Targets: [{ Id: 'q', Arn: queue(State) }] }));
  }
  const cloudtrail = new CloudTrailClient(server.client());
  const Name = 'audit';
  await cloudtrail.send(new CreateTrailCommand({ Name, S3BucketName: 'audit-logs', IsMultiRegionTrail: true }));
  await events.send(new CreateEventBusCommand({ Name: 'unseen' }));
  await cloudtrail.send(new StartLoggingCommand({ Name }));
  await events.send(new ListRulesCommand({}));
  await events.send(new CreateEventBusCommand({ Name: 'seen' }));
  const names = (name: string) => inQueue(name).map(({ detail }) => detail.eventName);
  await until(
    () => names('ENABLED').includes('CreateEventBus') && names('ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS').includes('CreateEventBus'),
    () => JSON.stringify(names('ENABLED')),
  );
  await cloudtrail.send(new StopLoggingCommand({ Name }));
  const seen = names('ENABLED').filter((name) => name === 'ListRules' || name === 'CreateEventBus');
  assert.deepEqual(seen, ['CreateEventBus']);
  assert.deepEqual(names('ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS').includes('ListRules'), true);
});

test('EventBridge: after kill -9 at any point, each event reaches its target at least once', async () => {
  const slow = await startReceiver();
  const first = await startServerProcess();
  const settings = { endpoint: first.endpoint, region: 'us-east-1', credentials: first.credentials, maxAttempts: 1 };
  assert.deepEqual(await addEndpoint(first.dataFolder, slow.url), { ok: true });
  const client = new EventBridgeClient(settings);
  await client.send(new PutRuleCommand({ Name: 'crash', EventPattern: JSON.stringify({ source: ['crash'] }) }));
  const { accounts = [] } = (await askControl(first.dataFolder, { command: 'account list' })) as {
    readonly accounts?: readonly { readonly accountId: string }[];
  };
  const Arn = `arn:aws:sqs:us-east-1:${accounts[0]?.accountId}:crash`;
  await client.send(new PutTargetsCommand({ Rule: 'crash', Targets: [{ Id: 'q', Arn }] }));
  // Half of the requests get no response, so messages are waiting, running and confirmed when the process dies.
  slow.reply(() => (slow.received.length % 2 === 0 ? 'hang' : undefined));
  const confirmed: string[] = [];
  let kill = (): void => void process.kill(first.pid, 'SIGKILL');
  for (let i = 0; i < 60; i++) {
    const Entries = [0, 1, 2].map((n) => ({ Source: 'crash', DetailType: 'd', Detail: JSON.stringify({ n: i * 3 + n }) }));
    const response = await client.send(new PutEventsCommand({ Entries })).catch(() => undefined);
    if (response === undefined) break;
    confirmed.push(...(response.Entries ?? []).map(({ EventId = '' }) => EventId));
    if (slow.received.length > 12) {
      kill();
      kill = () => {};
    }
  }
  slow.reply(() => undefined);
  slow.release();
  await startServerProcess({}, first.dataFolder);
  const arrived = () => new Set(slow.received.map(({ message }) => (JSON.parse(message) as BusMessage).id));
  await until(
    () => confirmed.every((id) => arrived().has(id)),
    () => `${arrived().size} of ${confirmed.length} events arrived`,
  );
  assert.ok(confirmed.length >= 3, `${confirmed.length} events were confirmed`);
});
