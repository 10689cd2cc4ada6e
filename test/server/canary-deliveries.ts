/** Everything that a server delivers while a test calls its operations: files of trails, log events, events of EventBridge and messages. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AccountId } from '#core/arn.ts';
import { tlsMaterial } from '#server/edge/tls.ts';
import { askControl, type ControlRequest } from '#server/operator/ask-control.ts';
import { readSettings } from '#server/settings.ts';
import { newFolder } from '../kit/folder.ts';
import { allow, policy, trustService } from '../kit/policy.ts';
import type { ServerProcess } from '../kit/process.ts';
import { type Receiver, startReceiver } from '../kit/receivers.ts';
import type { Place } from '../kit/secrets.ts';
import { until } from '../kit/until.ts';
import { openScenario } from './digest-scenario.ts';

const REGION = 'us-east-1';
const BUCKET = 'canary-logs';
const FOLDER_BUCKET = 'canary-folder';
const TRAILS = ['canary-bucket-trail', 'canary-folder-trail'] as const;
const TRAIL_GROUP = 'canary-trails';
const RULE_GROUP = '/aws/events/canary';
/** Names of receivers, by the operation that they receive. */
const RECEIVERS: Readonly<Record<string, string>> = {
  SendMessage: 'a queue',
  Publish: 'a topic',
  Invoke: 'a function',
  PutRecord: 'a stream',
};
/** Number of kinds of targets that receive records: files in a folder and in a bucket, two log groups, and four receivers of events. */
const KINDS = 8;

/** HTTPS host that receives the requests to an API destination, and the environment in which a server reaches it. */
export interface DestinationHost {
  readonly receiver: Receiver;
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts the host of an API destination. */
export async function startDestinationHost(): Promise<DestinationHost> {
  const folder = newFolder('destination');
  const settings = readSettings(['--data', folder, '--public-url', 'https://localhost'], {});
  const receiver = await startReceiver(await tlsMaterial(settings, Date.now(), () => {}));
  const { host } = new URL(receiver.url);
  return { receiver, environment: { BELFRY_OUTGOING_INTERNAL_HOSTS: host, NODE_EXTRA_CA_CERTS: join(folder, 'tls', 'ca.pem') } };
}

export interface DeliveryOptions {
  readonly destination: DestinationHost;
  /** Begin of the secrets of endpoints and of the connection. Only two headers of requests to the API destination contain such a secret. */
  readonly canary: string;
  /** Operations whose records a function, a stream and an API destination receive. The queue and the log groups receive all records. */
  readonly operations: readonly string[];
}

/**
 * Begins to deliver all records: to a folder, a bucket, a log group and a topic by trails, and to a queue and a log group by a rule. A
 * second rule delivers the records of some operations to a function, a stream and an API destination. `end` stops the trails, waits for all
 * deliveries, stops the server, writes the digests and returns all texts.
 */
export async function startDeliveries(
  server: ServerProcess,
  { destination, canary, operations }: DeliveryOptions,
): Promise<{ end(): Promise<readonly Place[]> }> {
  const settings = { endpoint: server.endpoint, region: REGION, credentials: server.credentials, maxAttempts: 1 };
  const trails = new cloudtrail.CloudTrailClient(settings);
  const groups = new logs.CloudWatchLogsClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const events = new EventBridgeClient(settings);
  const { Account: accountId = '' } = await new STSClient(settings).send(new GetCallerIdentityCommand({}));
  const folder = newFolder('canary');
  const receiver = await startReceiver();
  const command = async (request: ControlRequest) => assert.deepEqual(await askControl(server.dataFolder, request), { ok: true });

  await command({ command: 'trail target add', target: { bucket: FOLDER_BUCKET, location: { kind: 'folder', path: folder } } });
  for (const service of ['sqs', 'sns', 'lambda', 'kinesis']) {
    const endpoint = { service, url: receiver.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: `${canary}Endpoint` };
    await command({ command: 'endpoint add', endpoint });
  }
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const service = { Principal: { Service: 'cloudtrail.amazonaws.com' } };
  const Policy = policy(
    allow('s3:GetBucketAcl', `arn:aws:s3:::${BUCKET}`, service),
    allow('s3:PutObject', `arn:aws:s3:::${BUCKET}/*`, service),
  );
  await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
  for (const logGroupName of [TRAIL_GROUP, RULE_GROUP]) await groups.send(new logs.CreateLogGroupCommand({ logGroupName }));
  const policyDocument = policy(
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], '*', {
      Principal: { Service: ['events.amazonaws.com', 'delivery.logs.amazonaws.com'] },
    }),
  );
  await groups.send(new logs.PutResourcePolicyCommand({ policyName: 'events', policyDocument }));
  const iam = new IAMClient(settings);
  async function roleOf(RoleName: string, trusted: string, actions: string | string[]): Promise<string> {
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trustService(trusted)) }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: policy(allow(actions)) }));
    return Role?.Arn ?? '';
  }

  const common = { EnableLogFileValidation: true, IsMultiRegionTrail: true, SnsTopicName: `arn:aws:sns:${REGION}:${accountId}:canary` };
  const [bucketTrail, folderTrail] = TRAILS;
  const group = {
    CloudWatchLogsLogGroupArn: `arn:aws:logs:${REGION}:${accountId}:log-group:${TRAIL_GROUP}:*`,
    CloudWatchLogsRoleArn: await roleOf('canary-trail-logs', 'cloudtrail.amazonaws.com', 'logs:*'),
  };
  await trails.send(new cloudtrail.CreateTrailCommand({ ...common, ...group, Name: bucketTrail, S3BucketName: BUCKET }));
  await trails.send(new cloudtrail.CreateTrailCommand({ ...common, Name: folderTrail, S3BucketName: FOLDER_BUCKET }));
  const DataResources = [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }];
  for (const Name of TRAILS) {
    const EventSelectors = [{ ReadWriteType: 'All' as const, IncludeManagementEvents: true, DataResources }];
    await trails.send(new cloudtrail.PutEventSelectorsCommand({ TrailName: Name, EventSelectors }));
    await trails.send(new cloudtrail.StartLoggingCommand({ Name }));
  }
  async function rule(Name: string, pattern: object, Targets: Target[]): Promise<void> {
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify({ account: [accountId], ...pattern }) }));
    const { FailedEntries } = await events.send(new PutTargetsCommand({ Rule: Name, Targets }));
    assert.deepEqual(FailedEntries, []);
  }
  await rule('canary', {}, [
    { Id: 'queue', Arn: `arn:aws:sqs:${REGION}:${accountId}:canary` },
    { Id: 'group', Arn: `arn:aws:logs:${REGION}:${accountId}:log-group:${RULE_GROUP}` },
  ]);
  const { ApiDestinationArn, sentHeaders } = await createDestination(events, destination, canary);
  const RoleArn = await roleOf('canary-rule', 'events.amazonaws.com', ['kinesis:PutRecord', 'events:InvokeApiDestination']);
  await rule('canary-secrets', { detail: { eventName: [...operations, 'StopLogging'] } }, [
    { Id: 'function', Arn: `arn:aws:lambda:${REGION}:${accountId}:function:canary` },
    { Id: 'stream', Arn: `arn:aws:kinesis:${REGION}:${accountId}:stream/canary`, RoleArn },
    { Id: 'destination', Arn: ApiDestinationArn, RoleArn },
  ]);

  const filesIn = (path: string, place: string): readonly Place[] =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const text = textOf(readFileSync(join(parentPath, name)));
        return [`${kindOf(text)} in a ${place}: ${name}`, text];
      });
  const files = () => [...filesIn(folder, 'folder'), ...filesIn(join(server.dataFolder, 'objects'), 'bucket')];
  async function inGroup(logGroupName: string, name: string): Promise<readonly Place[]> {
    const found: Place[] = [];
    for await (const { events: page = [] } of logs.paginateFilterLogEvents({ client: groups }, { logGroupName }))
      found.push(...page.map(({ message = '', logStreamName }): Place => [`${name}: ${logStreamName}`, message]));
    return found;
  }
  const messages = (): readonly Place[] =>
    receiver.received.map(({ operation, path, headers, body, message }) => [
      RECEIVERS[operation] ?? operation,
      `${path}\n${JSON.stringify(headers)}\n${body}\n${message}`,
    ]);
  const requests = () => requestsOf(destination, sentHeaders);
  const all = async (): Promise<readonly Place[]> => [
    ...files(),
    ...(await inGroup(TRAIL_GROUP, 'a log group of a trail')),
    ...(await inGroup(RULE_GROUP, 'a log group of a rule')),
    ...messages(),
    ...requests(),
  ];
  return {
    async end() {
      // A data event, and the last call that each trail and the rule deliver.
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'object', Body: 'x' }));
      for (const Name of TRAILS) await trails.send(new cloudtrail.StopLoggingCommand({ Name }));
      let delivered: readonly Place[] = [];
      const kinds = () => new Set(delivered.filter(([, text]) => text.includes('"StopLogging"')).map(([name]) => name.split(':')[0]));
      await until(
        async () => {
          delivered = await all();
          return kinds().size >= KINDS;
        },
        () => `each target gets the record of StopLogging: ${[...kinds()].join(', ')}`,
      );
      await server.stop();
      await writeDigests(server.dataFolder, accountId as AccountId);
      return [...delivered, ...files()];
    },
  };
}

/** Creates an API destination whose connection has secrets. `sentHeaders` are the headers in which its requests contain them. */
async function createDestination(events: EventBridgeClient, { receiver }: DestinationHost, canary: string) {
  const sentHeaders = { 'x-api-key': `${canary}Key`, 'x-canary': `${canary}Header` };
  const hidden = { Key: 'x-canary', Value: sentHeaders['x-canary'], IsValueSecret: true };
  const AuthParameters = {
    ApiKeyAuthParameters: { ApiKeyName: 'x-api-key', ApiKeyValue: sentHeaders['x-api-key'] },
    InvocationHttpParameters: { HeaderParameters: [hidden] },
  };
  const connection = { Name: 'canary', AuthorizationType: 'API_KEY' as const, AuthParameters };
  const { ConnectionArn } = await events.send(new CreateConnectionCommand(connection));
  const InvocationEndpoint = `${receiver.url}/canary`;
  const { ApiDestinationArn } = await events.send(
    new CreateApiDestinationCommand({ Name: 'canary', ConnectionArn, InvocationEndpoint, HttpMethod: 'POST' }),
  );
  return { ApiDestinationArn, sentHeaders };
}

/** Returns the requests to an API destination, without the headers that contain secrets. Asserts that each request has them. */
function requestsOf({ receiver }: DestinationHost, secret: Readonly<Record<string, string>>): readonly Place[] {
  return receiver.received.map(({ path, headers, body }) => {
    for (const [name, value] of Object.entries(secret)) assert.equal(headers[name], value);
    const others = Object.entries(headers).filter(([name]) => !Object.hasOwn(secret, name));
    return ['an API destination', `${path}\n${JSON.stringify(others)}\n${body}`];
  });
}

/** Writes the digests of trails of a stopped server, whose clock is some hours ahead. */
async function writeDigests(dataFolder: string, accountId: AccountId): Promise<void> {
  const scenario = await openScenario(dataFolder, accountId);
  for (let hour = 0; hour < 2; hour++) await scenario.hour();
  assert.deepEqual(scenario.reports, []);
  await scenario.close();
}

function kindOf(text: string): string {
  return text.startsWith('{"Records":') ? 'a log file' : text.includes('"digestSignatureAlgorithm"') ? 'a digest' : 'another object';
}

/** Returns the text of a file, decompressed if it is compressed. */
function textOf(bytes: Uint8Array): string {
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : Buffer.from(bytes)).toString('utf8');
}
