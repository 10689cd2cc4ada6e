/**
 * A trail that writes to a log group and notifies a topic, with the unmodified clients of the AWS SDK: the use of the root user raises an
 * alarm. The test sets the clock of the core.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { newSessionTokens } from '#access/session-token.ts';
import { instant } from '#core/instant.ts';
import { TEST_VAULT } from '#delivery/delivery-fixture.ts';
import { endpointSecretOwner, endpoints } from '#delivery/outgoing/tables/endpoints.ts';
import { deliveryTargets } from '#delivery/tables/delivery-targets.ts';
import { systemClock } from '#server/core/clock.ts';
import { readSettings } from '#server/settings.ts';
import { newTestClock } from '../kit/clock.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import { allow, policy, trustService } from '../kit/policy.ts';
import { startReceiver } from '../kit/receivers.ts';
import { until } from '../kit/until.ts';

/** Intervals of the checks for outgoing messages, due alarms and due deliveries. They are 20 times shorter here. */
const CHECKS: ReadonlySet<number> = new Set([5_000, 10_000, 15_000]);
const files: string[] = [];
const { clock, advance } = newTestClock((milliseconds, fn) =>
  systemClock.after(CHECKS.has(milliseconds) ? milliseconds / 20 : milliseconds, fn),
);
const core = await startTestCore({
  settings: readSettings([], { BELFRY_DATA: '/unused', BELFRY_DATABASE: 'file::memory:', BELFRY_TRAIL_DELIVERY_SECONDS: '60' }),
  clock,
  openTarget: () => ({ put: async ({ key }) => void files.push(key) }),
});
const { accountId } = core;
const receiver = await startReceiver();
await core.store.transaction(async (tx) => {
  const key = { service: 'sns', accountId: '', region: '' } as const;
  const secret = { accessKeyId: 'AKIDEXAMPLE', sealedSecret: TEST_VAULT.seal('secret', endpointSecretOwner(key)) };
  await tx.of(endpoints).add({ ...key, ...secret, url: receiver.url, allowInternal: true, createdAt: instant(0) });
  await tx.of(deliveryTargets).add({ bucket: 'audit-logs', location: { kind: 'folder', path: '/unused' }, createdAt: instant(0) });
});
const settings = { endpoint: await listenForCore(core), region: 'us-east-1', credentials: core.credentials, maxAttempts: 1 };
const trails = new cloudtrail.CloudTrailClient(settings);
const groups = new logs.CloudWatchLogsClient(settings);
const iam = new IAMClient(settings);

/** Returns a client of the root user. */
function rootClient(): logs.CloudWatchLogsClient {
  const issuedAt = instant(Date.now());
  const session = { issuedAt, expiresAt: instant(issuedAt + 3_600_000), mfaAuthenticated: false, tags: {}, transitiveTagKeys: [] };
  const tokens = newSessionTokens(() => [new Uint8Array(32).fill(7)]);
  const issued = tokens.issue({ kind: 'root', accountId, session: { ...session, chained: false } }, randomBytes);
  assert.ok(issued.outcome === 'issued');
  const { accessKeyId, secretAccessKey, sessionToken } = issued.credentials;
  return new logs.CloudWatchLogsClient({ ...settings, credentials: { accessKeyId, secretAccessKey, sessionToken } });
}

/** Returns the messages that a topic received. */
const messagesOf = (topic: string) =>
  receiver.received.flatMap(({ members, message }) =>
    members['TopicArn'] === `arn:aws:sns:us-east-1:${accountId}:${topic}` ? [JSON.parse(message)] : [],
  );

const GROUP = `arn:aws:logs:us-east-1:${accountId}:log-group:trails:*`;
const STREAM = `${accountId}_CloudTrail_us-east-1`;
const Name = 'audit';
const status = () => trails.send(new cloudtrail.GetTrailStatusCommand({ Name }));

test('Trails: the use of the root user reaches a log group, raises an alarm, and each log file has its notification', async () => {
  await groups.send(new logs.CreateLogGroupCommand({ logGroupName: 'trails' }));
  const AssumeRolePolicyDocument = policy(trustService('cloudtrail.amazonaws.com'));
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'trail-logs', AssumeRolePolicyDocument }));
  const target = { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: Role?.Arn };
  const create = () =>
    trails.send(new cloudtrail.CreateTrailCommand({ Name, S3BucketName: 'audit-logs', SnsTopicName: 'files', ...target }));
  const message = 'Access denied. Check the permissions for your role.';
  await assert.rejects(create(), { name: 'InvalidCloudWatchLogsLogGroupArnException', message });
  const PolicyDocument = policy(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], `${GROUP.slice(0, -2)}:log-stream:${STREAM}*`));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'trail-logs', PolicyName: 'write', PolicyDocument }));
  const created = await create();
  assert.deepEqual(
    [created.SnsTopicName, created.SnsTopicARN, created.CloudWatchLogsLogGroupArn],
    ['files', `arn:aws:sns:us-east-1:${accountId}:files`, GROUP],
  );
  await trails.send(new cloudtrail.StartLoggingCommand({ Name }));
  await groups.send(
    new logs.PutMetricFilterCommand({
      ...{ logGroupName: 'trails', filterName: 'root' },
      filterPattern: '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
      metricTransformations: [{ metricNamespace: 'Security', metricName: 'RootUse', metricValue: '1' }],
    }),
  );
  await new CloudWatchClient(settings).send(
    new PutMetricAlarmCommand({
      ...{ AlarmName: 'root', Namespace: 'Security', MetricName: 'RootUse', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1 },
      ...{ Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'notBreaching' },
      AlarmActions: [`arn:aws:sns:us-east-1:${accountId}:ops`],
    }),
  );
  await rootClient().send(new logs.CreateLogGroupCommand({ logGroupName: 'by-root' }));

  const written = async () => {
    const found = await groups.send(new logs.FilterLogEventsCommand({ logGroupName: 'trails' }));
    return (found.events ?? []).map((event) => ({ stream: event.logStreamName, record: JSON.parse(event.message ?? '') }));
  };
  const rootRecords = async () => (await written()).filter(({ record }) => record.userIdentity.type === 'Root');
  await until(
    async () => (await rootRecords()).length > 0,
    () => 'the record of the root user is in the log group',
  );
  const [root] = await rootRecords();
  assert.deepEqual([root?.stream, root?.record.eventName], [STREAM, 'CreateLogGroup']);

  advance(60_000);
  await until(
    () => messagesOf('ops').length > 0,
    () => 'the alarm sends its message',
  );
  assert.deepEqual(
    messagesOf('ops').map(({ AlarmName, NewStateValue }) => [AlarmName, NewStateValue]),
    [['root', 'ALARM']],
  );

  advance(60_000);
  await until(
    async () => (await status()).LatestNotificationTime !== undefined,
    () => 'the notification is sent',
  );
  assert.deepEqual(
    messagesOf('files')
      .map(({ s3Bucket, s3ObjectKey }) => [s3Bucket, s3ObjectKey])
      .sort(),
    files.map((key) => ['audit-logs', [key]]).sort(),
  );
  const { LatestNotificationError, LatestCloudWatchLogsDeliveryTime, LatestCloudWatchLogsDeliveryError } = await status();
  assert.deepEqual([LatestNotificationError, LatestCloudWatchLogsDeliveryError], [undefined, undefined]);
  assert.ok(LatestCloudWatchLogsDeliveryTime !== undefined);
});
