/** Delivery of log files to buckets of the server, and data events, with AWS's clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startTestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';
import { until } from '../kit/until.ts';

const server = await startTestServer({ BELFRY_TRAIL_DELIVERY_SECONDS: '1' });
const cloudtrail = new CloudTrailClient(server.client());
const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
const BUCKET = 'trail-logs';
const DATA = 'data';
const Name = 'audit';
const trailArn = `arn:aws:cloudtrail:us-east-1:${server.accountId}:trail/${Name}`;

/** Returns the policy that AWS documents for a log bucket, for one trail. */
const policy = (sourceArn: string): string => {
  const service = {
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Condition: { StringEquals: { 'aws:SourceArn': sourceArn } },
  };
  const acl = {
    StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', 'aws:SourceArn': sourceArn, 'aws:SourceAccount': server.accountId },
  };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...service, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${BUCKET}` },
      { ...service, Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/AWSLogs/${server.accountId}/*`, Condition: acl },
    ],
  });
};
const setPolicy = (sourceArn: string) => s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: policy(sourceArn) }));

interface LogRecord {
  readonly eventName: string;
  readonly eventID: string;
  readonly [member: string]: unknown;
}

/** Reads the records of all log files in the bucket with AWS's client, which calls no recorded operation of another kind. */
async function delivered(): Promise<readonly LogRecord[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  const records: LogRecord[] = [];
  for (const { Key } of Contents) {
    const { Body, ContentType, ContentEncoding } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    assert.deepEqual([ContentType, ContentEncoding], ['application/json', 'gzip']);
    const text = gunzipSync((await Body?.transformToByteArray()) ?? Buffer.of()).toString('utf8');
    records.push(...(JSON.parse(text) as { readonly Records: readonly LogRecord[] }).Records);
  }
  return records;
}

test('a trail delivers to a bucket of the server if the policy of the bucket allows it', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const create = () => cloudtrail.send(new CreateTrailCommand({ Name, S3BucketName: BUCKET }));
  await assert.rejects(create(), { name: 'InsufficientS3BucketPolicyException' });
  await setPolicy(`${trailArn}2`);
  await assert.rejects(create(), { name: 'InsufficientS3BucketPolicyException' }, 'the policy names another trail');
  await setPolicy(trailArn);
  await create();
  await cloudtrail.send(new StartLoggingCommand({ Name }));
  await until(
    async () => (await delivered()).some(({ eventName }) => eventName === 'StartLogging'),
    () => 'the bucket has the record of StartLogging',
  );
});

test('data events: only calls that the trail selects are recorded, and never in the event history', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: DATA }));
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: DATA, Key, Body: 'x' }));
  await put('before');
  const DataResources = [{ Type: 'AWS::S3::Object', Values: [`arn:aws:s3:::${DATA}/seen/`] }];
  const EventSelectors = [{ ReadWriteType: 'All' as const, IncludeManagementEvents: true, DataResources }];
  await cloudtrail.send(new PutEventSelectorsCommand({ TrailName: Name, EventSelectors }));
  await put('seen/1');
  await put('other');
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket: DATA, Key: 'seen/none' })), { name: 'NoSuchKey' });
  await cloudtrail.send(new StopLoggingCommand({ Name }));
  await put('seen/after');
  await until(
    async () => (await delivered()).some(({ eventName }) => eventName === 'StopLogging'),
    () => 'the delivery is complete',
  );
  // The two calls can be in two files, whose names have a random order.
  const byName = (a: LogRecord, b: LogRecord) => (a.eventName < b.eventName ? 1 : -1);
  const data = (await delivered()).filter(({ eventCategory }) => eventCategory === 'Data').sort(byName);
  assert.deepEqual(
    data.map(({ eventName, errorCode, managementEvent, recipientAccountId, readOnly }) => [
      eventName,
      errorCode,
      managementEvent,
      recipientAccountId,
      readOnly,
    ]),
    [
      ['PutObject', undefined, false, server.accountId, false],
      ['GetObject', 'NoSuchKey', false, server.accountId, true],
    ],
  );
  assert.deepEqual(data[0]?.['resources'], [
    { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${DATA}/seen/1` },
    { accountId: server.accountId, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${DATA}` },
  ]);
  const history = (await everyEvent(cloudtrail)).map(({ eventName }) => eventName);
  assert.ok(history.includes('CreateBucket') && !history.some((name) => name === 'PutObject' || name === 'GetObject'));
});

test('a changed policy of the bucket applies to the next log file', async () => {
  const before = await delivered();
  await s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
  await cloudtrail.send(new StartLoggingCommand({ Name }));
  await until(
    async () => (await cloudtrail.send(new GetTrailStatusCommand({ Name }))).LatestDeliveryError === 'AccessDenied',
    () => 'the status has the error',
  );
  assert.equal((await delivered()).length, before.length);
});
