/**
 * ROLE-15, TS-3: a caller that names a role in a request needs iam:PassRole for the role, even if the operation is not
 * implemented.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListMediaInsightsPipelineConfigurationsCommand,
  UpdateMediaInsightsPipelineConfigurationCommand,
} from '@aws-sdk/client-chime-sdk-media-pipelines';
import { CloudTrailClient, CreateTrailCommand } from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient, PutMetricStreamCommand } from '@aws-sdk/client-cloudwatch';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { AddRoleToInstanceProfileCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { DecodeAuthorizationMessageCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { errorOf, refusalOf, verdictOf } from '../kit/outcome.ts';
import { allow, deny, policy, type Statement } from '../kit/policy.ts';
import { MEDIA_PIPELINES, startPipelines } from './fixture.ts';

const account = await startPipelines();
const { accessRole, accountId, admin, pipelines, server, sts } = account;
const keys = await account.user('passer');
const PASSER = account.userArn('passer');
await pipelines().send(account.configuration('existing'));

const may = (...statements: readonly Statement[]) =>
  admin.send(new PutUserPolicyCommand({ UserName: 'passer', PolicyName: 'p', PolicyDocument: policy(...statements) }));
const passing = (Resource: string, service?: string) =>
  allow('iam:PassRole', Resource, service === undefined ? {} : { Condition: { StringEquals: { 'iam:PassedToService': service } } });

/** Returns the message of a denial. Does not check the HTTP status, which differs between protocols. */
async function messageOf(sent: Promise<unknown>): Promise<string> {
  const { name, message } = await refusalOf(sent);
  assert.match(name, /^AccessDenied(Exception)?$/, message);
  return message;
}

const events = new EventBridgeClient(server.client(keys));
const cloudtrail = new CloudTrailClient(server.client(keys));
const cloudwatch = new CloudWatchClient(server.client(keys));
await new EventBridgeClient(server.client()).send(new PutRuleCommand({ Name: 'r', EventPattern: '{"source":["app"]}' }));
const target = (Id: string, RoleArn?: string) => ({ Id, Arn: `arn:aws:sqs:us-east-1:${accountId}:queue`, RoleArn });

interface Passing {
  readonly operation: string;
  /** Action of the operation itself. */
  readonly action: string;
  readonly passedTo: string;
  /** Calls the operation with a role. `times` makes the names of the created resources unique. */
  readonly send: (role: string, times: number) => Promise<unknown>;
  /** Error code of a call that policies allow, if the operation then refuses the request itself. */
  readonly later?: string;
}

// biome-ignore format: a table
const PASSINGS: readonly Passing[] = [
  { operation: 'CreateMediaInsightsPipelineConfiguration', action: 'chime:CreateMediaInsightsPipelineConfiguration', passedTo: MEDIA_PIPELINES,
    send: (role, times) => pipelines(keys).send(account.configuration(`made-${times}`, { ResourceAccessRoleArn: role })) },
  { operation: 'UpdateMediaInsightsPipelineConfiguration', action: 'chime:UpdateMediaInsightsPipelineConfiguration', passedTo: MEDIA_PIPELINES,
    send: (role) => pipelines(keys).send(new UpdateMediaInsightsPipelineConfigurationCommand({ Identifier: 'existing', ResourceAccessRoleArn: role, Elements: [{ Type: 'VoiceAnalyticsProcessor' }] })) },
  { operation: 'CreateMediaCapturePipeline', action: 'chime:CreateMediaCapturePipeline', passedTo: MEDIA_PIPELINES, later: 'ForbiddenException',
    send: (role) => pipelines(keys).send(account.capture(role)) },
  { operation: 'PutRule', action: 'events:PutRule', passedTo: 'events.amazonaws.com',
    send: (role) => events.send(new PutRuleCommand({ Name: 'r', ScheduleExpression: 'rate(5 minutes)', RoleArn: role })) },
  { operation: 'PutTargets', action: 'events:PutTargets', passedTo: 'events.amazonaws.com',
    send: (role) => events.send(new PutTargetsCommand({ Rule: 'r', Targets: [target('a'), target('b', role)] })) },
  { operation: 'CreateTrail', action: 'cloudtrail:CreateTrail', passedTo: 'cloudtrail.amazonaws.com', later: 'S3BucketDoesNotExistException',
    send: (role) => cloudtrail.send(new CreateTrailCommand({ Name: 'trail', S3BucketName: 'bucket', CloudWatchLogsRoleArn: role })) },
  { operation: 'PutMetricStream', action: 'cloudwatch:PutMetricStream', passedTo: 'streams.metrics.cloudwatch.amazonaws.com',
    send: (role) => cloudwatch.send(new PutMetricStreamCommand({ Name: 'm', FirehoseArn: `arn:aws:firehose:us-east-1:${accountId}:deliverystream/d`, RoleArn: role, OutputFormat: 'json' })) },
  { operation: 'AddRoleToInstanceProfile', action: 'iam:AddRoleToInstanceProfile', passedTo: 'ec2.amazonaws.com',
    send: (role) => account.iam(keys).send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'p', RoleName: role.slice(role.lastIndexOf('/') + 1) })) },
];

for (const { operation, action, passedTo, send, later } of PASSINGS) {
  const under = (path: string) => `arn:aws:iam::${accountId}:role/${path}`;

  test(`ROLE-15, TS-3: ${operation} without iam:PassRole is denied on the role`, async () => {
    await may(allow(action));
    assert.equal(
      await messageOf(send(accessRole, 0)),
      `User: ${PASSER} is not authorized to perform: iam:PassRole on resource: ${accessRole} because no identity-based policy allows the iam:PassRole action`,
    );
  });

  test(`ROLE-15: ${operation} with only iam:PassRole is denied for its own action`, async () => {
    await may(passing('*'));
    assert.match(await messageOf(send(accessRole, 0)), new RegExp(`is not authorized to perform: ${action} on resource: `));
  });

  // biome-ignore format: a table
  const GRANTS: readonly [title: string, grants: readonly Statement[], verdict: 'allowed' | 'refused'][] = [
    ['of the role',                         [passing(accessRole)],                                  'allowed'],
    ['of the role to the service',          [passing(accessRole, passedTo)],                        'allowed'],
    ['of the role to another service',      [passing(accessRole, 'lambda.amazonaws.com')],          'refused'],
    ['of the roles under its path',         [passing(under('analytics/*'), passedTo)],              'allowed'],
    ['of roles under another path',         [passing(under('other/*'), passedTo)],                  'refused'],
    ['of the role’s name without its path', [passing(under('Access'), passedTo)],                   'refused'],
    ['and a Deny of it',                    [passing('*'), deny('iam:PassRole', accessRole)],       'refused'],
    ['and a Deny of it to another service', [passing('*'), deny('iam:PassRole', '*', { Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } } })], 'allowed'],
  ];

  for (const [i, [title, grants, verdict]] of GRANTS.entries()) {
    test(`ROLE-15: ${operation} with iam:PassRole ${title} is ${verdict}`, async () => {
      await may(allow(action), ...grants);
      assert.equal(await verdictOf(send(accessRole, i + 1), later), verdict);
    });
  }
}

test('ROLE-15: PutTargets requires iam:PassRole for the role of every target', async () => {
  await may(allow('events:PutTargets'), passing(accessRole));
  const other = account.roleArn('Other');
  const denial = await messageOf(
    events.send(new PutTargetsCommand({ Rule: 'r', Targets: [target('a', accessRole), target('b', other), target('c', accessRole)] })),
  );
  assert.match(denial, new RegExp(`is not authorized to perform: iam:PassRole on resource: ${other} because`));
});

test('ROLE-15: the role for post-call analytics also requires iam:PassRole, with Transcribe as the service', async () => {
  const postCall = await account.role('PostCall', {
    Effect: 'Allow',
    Principal: { Service: 'transcribe.streaming.amazonaws.com' },
    Action: 'sts:AssumeRole',
  });
  const create = (name: string) =>
    pipelines(keys).send(
      account.configuration(name, {
        Elements: [
          {
            Type: 'AmazonTranscribeCallAnalyticsProcessor',
            AmazonTranscribeCallAnalyticsProcessorConfiguration: {
              LanguageCode: 'en-US',
              PostCallAnalyticsSettings: { OutputLocation: 's3://calls/', DataAccessRoleArn: postCall },
            },
          },
        ],
      }),
    );
  await may(allow('chime:*'), passing('*', MEDIA_PIPELINES));
  assert.match(await messageOf(create('post-call')), new RegExp(`iam:PassRole on resource: ${postCall} because`));
  await may(allow('chime:*'), passing(accessRole, MEDIA_PIPELINES), passing(postCall, 'transcribe.streaming.amazonaws.com'));
  assert.equal((await create('post-call')).MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationName, 'post-call');
});

test('ROLE-15: a role of another account cannot be passed', async () => {
  await may(allow('*'));
  for (const [client, code] of [
    [pipelines(keys), 'AccessDeniedException'],
    [pipelines(), 'AccessDeniedException'],
  ] as const) {
    const { name, status, message } = await refusalOf(
      client.send(account.configuration('foreign', { ResourceAccessRoleArn: 'arn:aws:iam::444455556666:role/Theirs' })),
    );
    assert.deepEqual([name, status, message], [code, 403, 'Cross-account pass role is not allowed.']);
  }
});

test('ROLE-15: an invalid role ARN is reported only to callers that may call the operation', async () => {
  const user = account.userArn('passer');
  const create = () => pipelines(keys).send(account.configuration('no-role', { ResourceAccessRoleArn: user }));
  await may(passing('*'));
  assert.match(await messageOf(create()), /chime:CreateMediaInsightsPipelineConfiguration/);
  await may(allow('chime:*'));
  const { name, status, message } = await refusalOf(create());
  assert.deepEqual([name, status, message], ['BadRequestException', 400, 'ResourceAccessRoleArn is not the ARN of a role.']);
  await may(allow('cloudtrail:*'));
  const trail = await refusalOf(cloudtrail.send(new CreateTrailCommand({ Name: 'trail', S3BucketName: 'b', CloudWatchLogsRoleArn: user })));
  assert.equal(trail.name, 'InvalidCloudWatchLogsRoleArnException');
});

test('ROLE-15: a denied iam:PassRole creates and changes nothing', async () => {
  const list = async () =>
    (await pipelines().send(new ListMediaInsightsPipelineConfigurationsCommand({}))).MediaInsightsPipelineConfigurations;
  await may(allow('chime:*'));
  const before = await list();
  await messageOf(pipelines(keys).send(account.configuration('unmade')));
  assert.deepEqual(await list(), before);
});

test('TS-3, TS-7, TS-8: a denied iam:PassRole can be decoded with permission, and the record has the role', async () => {
  await may(allow('chime:*'));
  const denial = await errorOf(pipelines(keys).send(account.configuration('explained')));
  const EncodedMessage = denial.$response?.headers['x-belfry-authorization-message'];
  const { DecodedMessage } = await sts().send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
  const { allowed, explicitDeny, context } = JSON.parse(DecodedMessage as string);
  assert.deepEqual([allowed, explicitDeny, context.action, context.resource], [false, false, 'iam:PassRole', accessRole]);
  assert.match(JSON.stringify(context.conditions), /mediapipelines\.chime\.amazonaws\.com/);

  const event = (await account.records(accessRole, 'ResourceName')).find(({ requestID }) => requestID === denial.$metadata?.requestId);
  assert.deepEqual([event.eventName, event.errorCode], ['CreateMediaInsightsPipelineConfiguration', 'AccessDeniedException']);
  assert.equal(event.errorMessage, denial.message);
  assert.deepEqual(event.resources, [{ ARN: accessRole, accountId, type: 'AWS::IAM::Role' }]);
});

test('ROLE-1, ROLE-15: sessions that cannot call IAM can pass a role if user and session policies allow it', async () => {
  const maker: Keys = await account.user('maker', allow(['chime:*', 'sts:GetFederationToken']), passing(accessRole));
  const federated = async (...statements: readonly Statement[]) =>
    keysOf((await sts(maker).send(new GetFederationTokenCommand({ Name: 'visitor', Policy: policy(...statements) }))).Credentials);
  const session = keysOf((await sts(maker).send(new GetSessionTokenCommand({}))).Credentials);
  await pipelines(session).send(account.configuration('by-session'));
  await pipelines(await federated(allow('chime:*'), passing(accessRole))).send(account.configuration('by-visitor'));
  assert.match(
    await messageOf(pipelines(await federated(allow('chime:*'))).send(account.configuration('refused'))),
    /iam:PassRole on resource: .* because no session policy allows the iam:PassRole action$/,
  );
});
