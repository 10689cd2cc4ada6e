import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as eb from '@aws-sdk/client-eventbridge';
import { startAccount } from '../kit/account.ts';
import { assertRefused } from '../kit/outcome.ts';

/** The operations of EventBridge with unmodified clients: AWS's SDK, and Debian's AWS CLI. */

const account = await startAccount();
const { accountId, server, keys } = account;
const events = new eb.EventBridgeClient(account.client());
const QUEUE = `arn:aws:sqs:us-east-1:${accountId}:queue`;
const arn = (resource: string) => `arn:aws:events:us-east-1:${accountId}:${resource}`;
const SECRET = 'correct horse battery staple';

test('SDK: buses, rules, targets and tags', async () => {
  const { EventBusArn } = await events.send(new eb.CreateEventBusCommand({ Name: 'orders', Tags: [{ Key: 'team', Value: 'a' }] }));
  assert.equal(EventBusArn, arn('event-bus/orders'));
  await events.send(new eb.UpdateEventBusCommand({ Name: 'orders', Description: 'd' }));
  const { CreationTime, Description } = await events.send(new eb.DescribeEventBusCommand({ Name: 'orders' }));
  assert.ok(CreationTime instanceof Date);
  assert.equal(Description, 'd');
  const rule = { Name: 'new', EventBusName: 'orders' };
  const { RuleArn = '' } = await events.send(
    new eb.PutRuleCommand({ ...rule, EventPattern: '{"source":["shop"]}', Tags: [{ Key: 'a', Value: 'b' }] }),
  );
  assert.equal(RuleArn, arn('rule/orders/new'));
  const target = { Id: 't', Arn: QUEUE, InputTransformer: { InputPathsMap: { n: '$.detail.n' }, InputTemplate: '{"n": <n>}' } };
  const onRule = { Rule: 'new', EventBusName: 'orders' };
  const { FailedEntryCount, FailedEntries } = await events.send(new eb.PutTargetsCommand({ ...onRule, Targets: [target] }));
  assert.deepEqual([FailedEntryCount, FailedEntries], [0, []]);
  assert.deepEqual((await events.send(new eb.ListTargetsByRuleCommand(onRule))).Targets, [target]);
  await events.send(new eb.DisableRuleCommand(rule));
  assert.equal((await events.send(new eb.DescribeRuleCommand(rule))).State, 'DISABLED');
  await events.send(new eb.EnableRuleCommand(rule));
  const { Rules } = await events.send(new eb.ListRulesCommand({ EventBusName: 'orders' }));
  assert.deepEqual(
    Rules?.map(({ Name, State }) => [Name, State]),
    [['new', 'ENABLED']],
  );
  const named = await events.send(new eb.ListRuleNamesByTargetCommand({ TargetArn: QUEUE, EventBusName: 'orders' }));
  assert.deepEqual(named.RuleNames, ['new']);
  await events.send(new eb.TagResourceCommand({ ResourceARN: RuleArn, Tags: [{ Key: 'c', Value: 'd' }] }));
  await events.send(new eb.UntagResourceCommand({ ResourceARN: RuleArn, TagKeys: ['a'] }));
  assert.deepEqual((await events.send(new eb.ListTagsForResourceCommand({ ResourceARN: RuleArn }))).Tags, [{ Key: 'c', Value: 'd' }]);
  const refused = events.send(new eb.DeleteRuleCommand(rule));
  await assertRefused(refused, 'ValidationException', "Rule can't be deleted since it has targets.");
  await events.send(new eb.RemoveTargetsCommand({ ...onRule, Ids: ['t'] }));
  await events.send(new eb.DeleteRuleCommand(rule));
  await events.send(new eb.DeleteEventBusCommand({ Name: 'orders' }));
  const described = events.send(new eb.DescribeEventBusCommand({ Name: 'orders' }));
  await assertRefused(described, 'ResourceNotFoundException', 'Event bus orders does not exist.');
});

test('SDK: constraint errors name the member of the model', async () => {
  await assertRefused(
    events.send(new eb.PutTargetsCommand({ Rule: 'r', Targets: [{ Id: 'a b', Arn: QUEUE }] })),
    'ValidationException',
    "1 validation error detected: Value 'a b' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
  );
});

test('SDK: archives and replays', async () => {
  const source = { ArchiveName: 'all', EventSourceArn: arn('event-bus/default') };
  const { ArchiveArn, State } = await events.send(new eb.CreateArchiveCommand({ ...source, RetentionDays: 1 }));
  assert.deepEqual([ArchiveArn, State], [arn('archive/all'), 'ENABLED']);
  await events.send(new eb.PutEventsCommand({ Entries: [{ Source: 'shop', DetailType: 'd', Detail: '{}' }] }));
  await events.send(new eb.UpdateArchiveCommand({ ArchiveName: 'all', Description: 'd' }));
  assert.equal((await events.send(new eb.DescribeArchiveCommand({ ArchiveName: 'all' }))).EventCount, 1);
  const now = Date.now();
  const replay = {
    ReplayName: 'again',
    EventSourceArn: ArchiveArn,
    EventStartTime: new Date(now - 3_600_000),
    EventEndTime: new Date(now),
    Destination: { Arn: source.EventSourceArn },
  };
  assert.equal((await events.send(new eb.StartReplayCommand(replay))).State, 'STARTING');
  assert.equal((await events.send(new eb.ListReplaysCommand({}))).Replays?.length, 1);
  assert.equal((await events.send(new eb.CancelReplayCommand({ ReplayName: 'again' }))).State, 'CANCELLING');
  assert.equal((await events.send(new eb.DescribeReplayCommand({ ReplayName: 'again' }))).ReplayArn, arn('replay/again'));
  assert.equal((await events.send(new eb.ListArchivesCommand({ NamePrefix: 'a' }))).Archives?.length, 1);
  await events.send(new eb.DeleteArchiveCommand({ ArchiveName: 'all' }));
});

test('SDK: connections and API destinations, whose secrets are in no response and no record', async () => {
  const AuthParameters = {
    BasicAuthParameters: { Username: 'ada', Password: SECRET },
    InvocationHttpParameters: { HeaderParameters: [{ Key: 'x-key', Value: SECRET, IsValueSecret: true }] },
  };
  const request = { Name: 'partner', AuthorizationType: 'BASIC' as const, AuthParameters };
  const { ConnectionArn, ConnectionState } = await events.send(new eb.CreateConnectionCommand(request));
  assert.equal(ConnectionState, 'AUTHORIZED');
  await events.send(new eb.UpdateConnectionCommand({ Name: 'partner', AuthParameters }));
  const destination = { Name: 'hook', ConnectionArn, InvocationEndpoint: 'https://example.com/hook', HttpMethod: 'POST' as const };
  assert.equal((await events.send(new eb.CreateApiDestinationCommand(destination))).ApiDestinationState, 'ACTIVE');
  await events.send(new eb.UpdateApiDestinationCommand({ Name: 'hook', HttpMethod: 'PUT' }));
  const described = await events.send(new eb.DescribeConnectionCommand({ Name: 'partner' }));
  const listed = await events.send(new eb.ListConnectionsCommand({}));
  assert.equal((await events.send(new eb.DescribeApiDestinationCommand({ Name: 'hook' }))).HttpMethod, 'PUT');
  assert.equal((await events.send(new eb.ListApiDestinationsCommand({}))).ApiDestinations?.length, 1);
  await events.send(new eb.DeauthorizeConnectionCommand({ Name: 'partner' }));
  await events.send(new eb.DeleteApiDestinationCommand({ Name: 'hook' }));
  await events.send(new eb.DeleteConnectionCommand({ Name: 'partner' }));
  const records = [...(await account.records('CreateConnection')), ...(await account.records('UpdateConnection'))];
  assert.equal(records.length, 2);
  assert.ok(!JSON.stringify([described, listed, records]).includes(SECRET));
});

test('SDK: the record of PutEvents has the source and hides the detail', async () => {
  await events.send(
    new eb.PutEventsCommand({ Entries: [{ Source: 'vault', DetailType: 'd', Detail: JSON.stringify({ password: SECRET }) }] }),
  );
  const records = JSON.stringify(await account.records('PutEvents'));
  assert.ok(records.includes('vault') && !records.includes(SECRET));
});

test('SDK: permissions of a bus', async () => {
  await events.send(new eb.PutPermissionCommand({ Action: 'events:PutEvents', Principal: '*', StatementId: 's' }));
  const { Policy = '' } = await events.send(new eb.DescribeEventBusCommand({}));
  assert.deepEqual(JSON.parse(Policy).Statement[0], {
    ...{ Sid: 's', Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: arn('event-bus/default') },
  });
  await events.send(new eb.RemovePermissionCommand({ StatementId: 's' }));
  assert.equal((await events.send(new eb.DescribeEventBusCommand({}))).Policy, undefined);
});

/** Runs Debian's AWS CLI. Returns its output, parsed as JSON. */
async function aws(...command: readonly string[]) {
  const { stdout } = await promisify(execFile)(
    '/usr/bin/aws',
    ['--endpoint-url', server.httpsEndpoint, '--output', 'json', '--no-cli-pager', 'events', ...command],
    {
      env: {
        PATH: process.env['PATH'],
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_CA_BUNDLE: server.caFile,
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  );
  return stdout.trim() === '' ? undefined : JSON.parse(stdout);
}

test('AWS CLI: the first hour of a developer: rule, target, event, lists', async () => {
  const pattern = '{"source":["aws.chime"],"detail-type":["Chime Meeting State Change"]}';
  assert.deepEqual(await aws('put-rule', '--name', 'meetings', '--event-pattern', pattern), { RuleArn: arn('rule/meetings') });
  const added = await aws('put-targets', '--rule', 'meetings', '--targets', `Id=queue,Arn=${QUEUE}`);
  assert.deepEqual(added, { FailedEntryCount: 0, FailedEntries: [] });
  const entries = JSON.stringify([
    { Source: 'shop', DetailType: 'Order', Detail: '{"n":1}' },
    { Source: 'aws.chime', DetailType: 'x', Detail: '{}' },
  ]);
  const put = await aws('put-events', '--entries', entries);
  assert.equal(put.FailedEntryCount, 1);
  assert.match(put.Entries[0].EventId, /^[0-9a-f-]{36}$/);
  assert.equal(put.Entries[1].ErrorCode, 'NotAuthorizedForSourceException');
  assert.deepEqual(
    (await aws('list-rules')).Rules.map(({ Name }: { Name: string }) => Name),
    ['meetings'],
  );
  assert.deepEqual(await aws('list-targets-by-rule', '--rule', 'meetings'), { Targets: [{ Id: 'queue', Arn: QUEUE }] });
  assert.equal((await aws('list-event-buses')).EventBuses[0].Name, 'default');
});
