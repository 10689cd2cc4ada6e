/**
 * ExplainDecision about requests of bearers of messaging, about denied data events of S3, and about records whose facts were deleted. A last
 * test adds the proposed grants to the real policies, and sends the same requests again.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { CreateChannelCommand, CreateChannelMembershipCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { CloudTrailClient, CreateTrailCommand, PutEventSelectorsCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { openStore } from '#store/engine/open.ts';
import { forgetIdentityBefore } from '#store/identity/identity-history.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { accountOn, otherAccount } from '../kit/account.ts';
import { startChat } from '../kit/chat.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, deny, policy } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';
import { skipReplay } from '../kit/replay.ts';
import { startTestServer } from '../kit/server.ts';
import { closing, connectTarget } from '../kit/upgrade.ts';

type Output = AccessanalyzerApi['ExplainDecision']['output'];

const account = await startChat();
const { server, admin, keys, userArn } = account;
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;

async function explained(input: object, as: Keys = keys, endpoint = server.endpoint): Promise<Output> {
  const { status, body } = await callOwn({ endpoint, region: 'us-east-1', credentials: as }, 'accessanalyzer', operation, input);
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Output;
}

const requestOf = async (sent: Promise<unknown>) => ({ requestId: (await errorOf(sent)).$metadata?.requestId ?? '' });
const putGrants = (UserName: string, { change }: Output) =>
  admin.send(
    new PutUserPolicyCommand({
      UserName,
      PolicyName: 'granted',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: change?.grants.map(({ statement }) => JSON.parse(statement)) }),
    }),
  );
const s3 = (as: Keys) => new S3Client({ ...server.client(as), forcePathStyle: true });

let own = '';
let others = '';
let ChannelArn = '';
let sender: Keys;
const send = (ChimeBearer: string, as = sender) =>
  account
    .messaging(as)
    .send(new SendChannelMessageCommand({ ChannelArn, ChimeBearer, Content: 'x', Type: 'STANDARD', Persistence: 'PERSISTENT' }));

before(async () => {
  [own, others] = [await account.appUser('own'), await account.appUser('others')];
  const channel = new CreateChannelCommand({ AppInstanceArn: account.chat, Name: 'team', ChimeBearer: own });
  ChannelArn = (await account.messaging().send(channel)).ChannelArn ?? '';
  sender = await account.user('sender', allow('chime:SendChannelMessage', [own, ChannelArn]));
});

test('ExplainDecision: a denied bearer is the resource, and its grant allows the request of the same bearer', async () => {
  await send(own);
  const output = await explained(await requestOf(send(others)));
  assert.deepEqual([output.decision, output.reproduced], ['DENIED', true]);
  const [permission] = output.permissions ?? [];
  assert.deepEqual(
    permission?.resources.map(({ resource, allowed }) => [resource, allowed]),
    [[others, false]],
  );
  const statements = output.change?.grants.map(({ statement }) => JSON.parse(statement) as { readonly Resource: string });
  assert.deepEqual(statements, [{ Effect: 'Allow', Action: 'chime:SendChannelMessage', Resource: others }]);
  await putGrants('sender', output);
  await assert.rejects(send(others), { name: 'ForbiddenException' }, 'the bearer is no member');
  const membership = { ChannelArn, ChimeBearer: own, MemberArn: others, Type: 'DEFAULT' as const };
  await account.messaging().send(new CreateChannelMembershipCommand(membership));
  await send(others);
});

test('ExplainDecision: the grant for an alarm that is named * allows no other alarm', async () => {
  const alarms = new CloudWatchClient(server.client(await account.user('watcher')));
  const putAlarm = (AlarmName: string) =>
    alarms.send(
      new PutMetricAlarmCommand({
        ...{ AlarmName, Namespace: 'n', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 },
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
  await putGrants('watcher', await explained(await requestOf(putAlarm('*'))));
  await putAlarm('*');
  await assert.rejects(putAlarm('other'), { name: 'AccessDenied' });
});

test('ExplainDecision: if policies allow a request that the role of its bearer forbids, the summary says so', async () => {
  const stranger = await account.appUser('stranger');
  const output = await explained(await requestOf(send(stranger, keys)));
  assert.deepEqual([output.decision, output.record.errorCode], ['ALLOWED', 'ForbiddenException']);
  assert.match(output.summary, / was allowed to perform chime:SendChannelMessage\. The request failed afterwards: ForbiddenException\.$/);
});

test('ExplainDecision: the denied upgrade of a messaging session is explained', async () => {
  const parameters = { userArn: others, sessionId: crypto.randomUUID() };
  const target = connectTarget(server.httpsEndpoint, parameters, { keys: sender });
  const { code } = await closing(server.httpsEndpoint, server.caFile, target);
  assert.equal(code, 4401);
  const [record] = await account.records('Connect');
  const output = await explained({ eventId: record?.eventID });
  assert.deepEqual([output.decision, output.reproduced, output.permissions?.[0]?.action], ['DENIED', true, 'chime:Connect']);
  assert.equal(output.permissions?.[0]?.resources.at(-1)?.resource, others);
});

test('ExplainDecision: a denied data event of S3 that a trail selects is explained for the caller and for the owner', async () => {
  const other = await otherAccount(server, 'other');
  const administrator = s3(keys);
  const [LOGS, DATA] = ['explained-logs', 'explained-data'];
  const service = { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' } };
  const Policy = policy(
    { ...service, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${LOGS}` },
    { ...service, Action: 's3:PutObject', Resource: `arn:aws:s3:::${LOGS}/*` },
  );
  await administrator.send(new CreateBucketCommand({ Bucket: LOGS }));
  await administrator.send(new PutBucketPolicyCommand({ Bucket: LOGS, Policy }));
  await administrator.send(new CreateBucketCommand({ Bucket: DATA }));
  await administrator.send(new PutObjectCommand({ Bucket: DATA, Key: 'seen/1', Body: 'x' }));
  await administrator.send(new PutObjectCommand({ Bucket: DATA, Key: 'unseen', Body: 'x' }));
  const cloudtrail = new CloudTrailClient(server.client());
  await cloudtrail.send(new CreateTrailCommand({ Name: 'data', S3BucketName: LOGS }));
  await cloudtrail.send(new StartLoggingCommand({ Name: 'data' }));
  const DataResources = [{ Type: 'AWS::S3::Object', Values: [`arn:aws:s3:::${DATA}/seen/`] }];
  await cloudtrail.send(new PutEventSelectorsCommand({ TrailName: 'data', EventSelectors: [{ ReadWriteType: 'All', DataResources }] }));
  const get = (as: Keys, Key: string) => s3(as).send(new GetObjectCommand({ Bucket: DATA, Key }));

  const reader = await account.user('reader', allow('s3:GetObject', `arn:aws:s3:::${DATA}/other/*`));
  const output = await explained(await requestOf(get(reader, 'seen/1')));
  assert.deepEqual(
    [output.decision, output.reproduced, output.record.eventName, output.change?.allowsRequest],
    ['DENIED', true, 'GetObject', true],
  );
  assert.deepEqual(
    output.change?.grants.map(({ policyType, target }) => [policyType, target]),
    [['IDENTITY', userArn('reader')]],
  );
  await putGrants('reader', output);
  await get(reader, 'seen/1');

  const ofOther = await requestOf(get(other.keys, 'seen/1'));
  const ofOwner = await explained(ofOther);
  assert.deepEqual([ofOwner.decision, ofOwner.permissions?.[0]?.resources[0]?.resource], ['DENIED', `arn:aws:s3:::${DATA}/seen/1`]);
  assert.ok(!JSON.stringify(ofOwner).includes(`arn:aws:iam::${other.accountId}:user`), JSON.stringify(ofOwner));

  const unseen = await requestOf(get(await account.user('unseen'), 'unseen'));
  const absent = await callOwn({ endpoint: server.endpoint, region: 'us-east-1', credentials: keys }, 'accessanalyzer', operation, unseen);
  assert.equal(absent.code, 'ResourceNotFoundException', 'the trail does not select this object');
});

test('ExplainDecision, policy replay and suggest: each object of DeleteObjects has a decision', async () => {
  const [Bucket, arn] = ['explained-data', 'arn:aws:s3:::explained-data/seen'];
  for (const Key of ['seen/a', 'seen/b']) await s3(keys).send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  const deleter = await account.user('deleter', allow('s3:DeleteObject', `${arn}/*`), deny('s3:DeleteObject', `${arn}/b`));
  const Delete = { Objects: [{ Key: 'seen/a' }, { Key: 'seen/b' }] };
  const { Errors, $metadata } = await s3(deleter).send(new DeleteObjectsCommand({ Bucket, Delete }));
  assert.deepEqual(
    Errors?.map(({ Key }) => Key),
    ['seen/b'],
  );
  const output = await explained({ requestId: $metadata.requestId });
  assert.deepEqual([output.decision, output.reproduced], ['ALLOWED', true]);
  assert.deepEqual(
    output.permissions?.map(({ action, state, resources }) => [action, state, resources.map(({ resource }) => resource)]),
    [
      ['s3:DeleteObject', 'NOT_NEEDED', []],
      ['s3:DeleteObject', 'ALLOWED', [`${arn}/a`]],
      ['s3:DeleteObject', 'DENIED', [`${arn}/b`]],
    ],
  );
  const [of] = output.permissions?.at(-1)?.resources ?? [];
  assert.deepEqual(
    [of?.allowed, of?.reason, of?.statement?.index, of?.layers?.map(({ result }) => result)],
    [false, 'EXPLICIT_DENY', 1, ['DENIES']],
  );
  assert.equal(
    output.summary,
    `${userArn('deleter')} was allowed to perform s3:DeleteObject, but not allowed to perform s3:DeleteObject on 1 of the resources of the request.`,
  );

  const folder = newFolder('deleter');
  const change = join(folder, 'change.json');
  writeFileSync(change, JSON.stringify({ changes: [{ inline: 'p', of: userArn('deleter'), document: null }] }));
  const replayed = await belfry(['policy', 'replay', '--change', change, '--json', '--data', server.dataFolder]);
  assert.deepEqual([replayed.status, (JSON.parse(replayed.stdout) as { readonly eventName: string }).eventName], [1, 'DeleteObjects']);
  writeFileSync(
    change,
    JSON.stringify({ changes: [{ inline: 'p', of: userArn('deleter'), document: JSON.parse(policy(allow('s3:DeleteObject'))) }] }),
  );
  const allowing = await belfry(['policy', 'replay', '--change', change, '--json', '--data', server.dataFolder]);
  const flip = JSON.parse(allowing.stdout) as { readonly allowed: boolean; readonly permissions: readonly object[] };
  assert.deepEqual([flip.allowed, flip.permissions], [true, [{ action: 's3:DeleteObject', resources: [`${arn}/b`] }]]);
  const suggested = await belfry(['policy', 'suggest', '--principal', userArn('deleter'), '--data', server.dataFolder]);
  const { Statement } = JSON.parse(suggested.stdout) as { readonly Statement: readonly object[] };
  assert.deepEqual(Statement, [allow(['s3:DeleteObject'], [`${arn}/a`]), deny('s3:DeleteObject', `${arn}/b`)]);
});

test('ExplainDecision and policy replay: a read of an absent object has the denied permission to list the bucket', async () => {
  const [Bucket, bucket] = ['explained-data', 'arn:aws:s3:::explained-data'];
  const finder = await account.user('finder', allow('s3:GetObject', `${bucket}/*`));
  const request = await requestOf(s3(finder).send(new GetObjectCommand({ Bucket, Key: 'seen/absent' })));
  const output = await explained(request);
  assert.deepEqual([output.decision, output.record.errorCode, output.reproduced], ['ALLOWED', 'AccessDenied', true]);
  assert.deepEqual(
    output.permissions?.map(({ action, state, resources }) => [action, state, resources.map(({ resource }) => resource)]),
    [
      ['s3:GetObject', 'ALLOWED', [`${bucket}/seen/absent`]],
      ['s3:ListBucket', 'DENIED', [bucket]],
    ],
  );
  assert.deepEqual(
    output.change?.grants.map(({ target, statement }) => [target, JSON.parse(statement)]),
    [[userArn('finder'), allow('s3:ListBucket', bucket)]],
  );

  const change = join(newFolder('finder'), 'change.json');
  const document = JSON.parse(policy(allow('s3:ListBucket', bucket))) as object;
  writeFileSync(change, JSON.stringify({ changes: [{ inline: 'grant', of: userArn('finder'), document }] }));
  const replayed = await belfry(['policy', 'replay', '--change', change, '--json', '--data', server.dataFolder]);
  const flip = JSON.parse(replayed.stdout) as { readonly allowed: boolean; readonly permissions: readonly object[] };
  assert.deepEqual([flip.allowed, flip.permissions], [true, [{ action: 's3:ListBucket', resources: [bucket] }]]);

  await putGrants('finder', output);
  await assert.rejects(s3(finder).send(new GetObjectCommand({ Bucket, Key: 'seen/absent' })), { name: 'NoSuchKey' });
  assert.match(
    (await explained(request)).summary,
    /^arn:\S+ was allowed to perform s3:GetObject, but not allowed to perform s3:ListBucket /,
  );
});

test('ExplainDecision and policy replay: of a large DeleteObjects, as many decisions as fit are stored, and the others are counted', async () => {
  const Bucket = 'explained-data';
  const deleter = await account.user('large-deleter', allow('s3:DeleteObject', 'arn:aws:s3:::explained-data/seen/yes/*'));
  const names = Array.from({ length: 300 }, (_, i) => `seen/${i % 3 === 0 ? 'yes' : 'no'}/${'é'.repeat(20)}-${i}`);
  const explainedOf = async (keysToDelete: readonly string[]) => {
    const { Errors = [], $metadata } = await s3(deleter).send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: keysToDelete.map((Key) => ({ Key })) } }),
    );
    return { errors: Errors.length, output: await explained({ requestId: $metadata.requestId }) };
  };
  const { errors, output } = await explainedOf(names);
  assert.equal(errors, 200);
  assert.deepEqual([output.decision, output.reproduced], ['ALLOWED', true]);
  const stored = (output.permissions ?? []).filter(({ state, resources }) => state === 'DENIED' && resources.length === 1);
  assert.ok(stored.length > 20 && stored.length < 200, `${stored.length} denied objects`);
  assert.deepEqual(
    output.permissions
      ?.filter(({ state }) => state !== 'NOT_NEEDED')
      .slice(stored.length)
      .map(({ state, resources, otherResources }) => [state, resources.length, otherResources]),
    [
      ['DENIED', 0, 200 - stored.length],
      ['ALLOWED', 0, 100],
    ],
  );
  assert.match(
    output.summary,
    / was allowed to perform s3:DeleteObject, but not allowed to perform s3:DeleteObject on 200 of the resources of the request\.$/,
  );
  const printed = await belfry(['explain', output.record.requestId ?? '', '--endpoint', server.endpoint], {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_REGION: 'us-east-1',
  });
  assert.match(printed.stdout, new RegExp(`^s3:DeleteObject on ${200 - stored.length} more resources that are not stored: denied$`, 'm'));
  assert.match(printed.stdout, /^s3:DeleteObject on 100 more resources that are not stored: allowed$/m);

  const none = await explainedOf(['seen/no/1', 'seen/no/2']);
  assert.equal(none.errors, 2);
  assert.match(
    none.output.summary,
    /user\/large-deleter was not allowed to perform s3:DeleteObject on 2 of the resources of the request\.$/,
  );

  const replayed = await belfry(['policy', 'replay', '--json', '--data', server.dataFolder]);
  assert.deepEqual([replayed.status, replayed.stdout], [0, '']);
  const { unknown } = JSON.parse(replayed.stderr) as { readonly unknown: Readonly<Record<string, number>> };
  assert.equal(unknown['the facts of the decision are too large to be stored'], 1);
});

test('ExplainDecision: if the former versions of policies were deleted, the answer says so and has no explanation', async () => {
  const stopped = await startTestServer();
  const first = accountOn(stopped);
  const ann = await first.user('ann', allow('chime:*'));
  const denied = await requestOf(
    first.iam(ann).send(new PutUserPolicyCommand({ UserName: 'ann', PolicyName: 'q', PolicyDocument: policy() })),
  );
  await first.user('ben');
  const allowed = await explained(denied, first.keys, stopped.endpoint);
  assert.deepEqual([allowed.decision, allowed.reproduced], ['DENIED', true]);
  await stopped.stop();

  const store = await openStore(`file:${stopped.dataFolder}`, { fatal: (error) => assert.fail(String(error)) });
  const { version } = await store.transaction(({ identity }) => identity.changesSince(0));
  while ((await store.transaction((tx) => forgetIdentityBefore(tx, version, 100))) === 100);
  await store.close();
  skipReplay('the test deletes former versions of policies', `file:${stopped.dataFolder}`);
  const again = await startTestServer({}, stopped.dataFolder);
  const output = await explained(denied, first.keys, again.endpoint);
  assert.deepEqual([output.decision, output.permissions, output.change], ['NOT_DECIDED', undefined, undefined]);
  assert.match(
    output.summary,
    new RegExp(`^The decision cannot be repeated: identity version [0-9]+ is not kept; the oldest kept version is ${version}\\.$`),
  );
  assert.equal(output.record.errorCode, 'AccessDenied');
});
