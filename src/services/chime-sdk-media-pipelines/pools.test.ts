import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { CreateMediaPipelineKinesisVideoStreamPoolRequest } from '#model/generated/chime-sdk-media-pipelines.ts';
import { ACCOUNT, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
import { openFixture } from './fixture.ts';

type Input = CreateMediaPipelineKinesisVideoStreamPoolRequest;
type Opened = Awaited<ReturnType<typeof openFixture>>;

const ARN = `arn:aws:chime:us-east-1:${ACCOUNT}:media-pipeline-kinesis-video-stream-pool/calls`;
const REQUEST: Input = { PoolName: 'calls', StreamConfiguration: { Region: 'us-east-1', DataRetentionInHours: 24 } };
const LATER = instant(START + 1_000);

const create = async ({ run }: Opened, more: Partial<Input> = {}, as: Parameters<Opened['run']>[2] = {}) =>
  (await run('CreateMediaPipelineKinesisVideoStreamPool', { ...REQUEST, ...more }, as)).KinesisVideoStreamPoolConfiguration;
const names = async ({ run }: Opened, as: Parameters<Opened['run']>[2] = {}) =>
  (await run('ListMediaPipelineKinesisVideoStreamPools', {}, as)).KinesisVideoStreamPools?.map(({ PoolName }) => PoolName);

test('CreateMediaPipelineKinesisVideoStreamPool: Get returns the pool by name and ARN, and List its names', async () => {
  const opened = await openFixture();
  const made = await create(opened);
  const PoolId = 'ChimeMediaPipelines-calls-a6b1e9b0-0000-4000-8000-000000000001';
  assert.deepEqual(made, {
    PoolArn: ARN,
    PoolName: 'calls',
    PoolId,
    PoolStatus: 'ACTIVE',
    PoolSize: 0,
    StreamConfiguration: REQUEST.StreamConfiguration,
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
  });
  for (const Identifier of ['calls', ARN]) {
    assert.deepEqual(await opened.run('GetMediaPipelineKinesisVideoStreamPool', { Identifier }), {
      KinesisVideoStreamPoolConfiguration: made,
    });
  }
  assert.deepEqual(await opened.run('ListMediaPipelineKinesisVideoStreamPools', {}), {
    KinesisVideoStreamPools: [{ PoolName: 'calls', PoolId, PoolArn: ARN }],
  });
});

// The rows are in the order of the operation's checks. Each row also has the faults of the rows below it.
// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, more: Partial<Input>, code: string])[] = [
  ['a token of another request', { ClientRequestToken: 'used', PoolName: 'calls', Tags: [{ Key: 'aws:x', Value: '' }] },                      'ConflictException'             ],
  ['a reserved tag',             { PoolName: 'calls', Tags: [{ Key: 'aws:x', Value: '' }] },                                                 'BadRequestException'           ],
  ['more than 50 tags',          { PoolName: 'calls', Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) },            'BadRequestException'           ],
  ['a name in use',              { PoolName: 'calls' },                                                                                      'ConflictException'             ],
  ['a region with the maximum',  { PoolName: 'more' },                                                                                       'ResourceLimitExceededException'],
];

for (const [title, more, code] of REFUSED) {
  test(`CreateMediaPipelineKinesisVideoStreamPool: ${title} is ${code}, and nothing is created`, async () => {
    const opened = await openFixture({ pools: 1 });
    await create(opened, { ClientRequestToken: 'used' });
    await assert.rejects(create(opened, more), { code });
    assert.deepEqual(await names(opened), ['calls']);
    await create(opened, {}, { region: 'us-west-2' });
  });
}

test('CreateMediaPipelineKinesisVideoStreamPool: a token returns the pool that it created', async () => {
  const opened = await openFixture();
  const token = { ClientRequestToken: 'once' };
  assert.deepEqual(await create(opened, token, { now: LATER }), await create(opened, token));
  assert.deepEqual(await names(opened), ['calls']);
});

test('CreateMediaPipelineKinesisVideoStreamPool: a token does not return a later pool with the same name', async () => {
  const opened = await openFixture();
  const token = { ClientRequestToken: 'once' };
  await create(opened, token);
  await opened.run('DeleteMediaPipelineKinesisVideoStreamPool', { Identifier: 'calls' });
  const later = await create(opened, {}, { now: LATER });
  await assert.rejects(create(opened, token, { now: LATER }), { code: 'ConflictException', message: /already exists/ });
  assert.deepEqual(await opened.run('GetMediaPipelineKinesisVideoStreamPool', { Identifier: 'calls' }), {
    KinesisVideoStreamPoolConfiguration: later,
  });
});

test('UpdateMediaPipelineKinesisVideoStreamPool: changes only the retention', async () => {
  const { run, ...rest } = await openFixture();
  const made = await create({ run, ...rest });
  const update = (StreamConfiguration?: { DataRetentionInHours?: number }) =>
    run(
      'UpdateMediaPipelineKinesisVideoStreamPool',
      { Identifier: ARN, ...(StreamConfiguration && { StreamConfiguration }) },
      { now: LATER },
    );
  const changed = { ...made, StreamConfiguration: { Region: 'us-east-1', DataRetentionInHours: 48 }, UpdatedTimestamp: LATER };
  assert.deepEqual((await update({ DataRetentionInHours: 48 })).KinesisVideoStreamPoolConfiguration, changed);
  assert.deepEqual((await update({})).KinesisVideoStreamPoolConfiguration, changed);
  assert.deepEqual((await update()).KinesisVideoStreamPoolConfiguration, changed);
});

for (const operation of [
  'GetMediaPipelineKinesisVideoStreamPool',
  'UpdateMediaPipelineKinesisVideoStreamPool',
  'DeleteMediaPipelineKinesisVideoStreamPool',
] as const) {
  test(`${operation}: an unknown pool, or one of another account or region, is NotFoundException`, async () => {
    const opened = await openFixture();
    await create(opened);
    for (const Identifier of ['others', ARN.replace(ACCOUNT, OTHER_ACCOUNT), ARN.replace('us-east-1', 'us-west-2')])
      await assert.rejects(opened.run(operation, { Identifier }), { code: 'NotFoundException' });
    for (const as of [{ accountId: OTHER_ACCOUNT }, { region: 'us-west-2' }])
      await assert.rejects(opened.run(operation, { Identifier: 'calls' }, as), { code: 'NotFoundException' });
    assert.deepEqual(await names(opened), ['calls']);
  });
}

test('DeleteMediaPipelineKinesisVideoStreamPool: the name is free again, with another ID', async () => {
  const opened = await openFixture();
  const first = await create(opened);
  await opened.run('DeleteMediaPipelineKinesisVideoStreamPool', { Identifier: ARN });
  assert.deepEqual(await names(opened), []);
  assert.notEqual((await create(opened))?.PoolId, first?.PoolId);
});

test('Pools: each change emits an event of the pool, and a failed call emits none (LOG-19)', async () => {
  const opened = await openFixture({ pools: 1 });
  await create(opened, { ClientRequestToken: 'once' });
  await create(opened, { ClientRequestToken: 'once' });
  await assert.rejects(create(opened));
  await opened.run('UpdateMediaPipelineKinesisVideoStreamPool', { Identifier: ARN }, { now: LATER });
  await opened.run('DeleteMediaPipelineKinesisVideoStreamPool', { Identifier: ARN }, { now: LATER });
  await assert.rejects(opened.run('UpdateMediaPipelineKinesisVideoStreamPool', { Identifier: ARN }));
  const event = (state: string, timestamp: number) => ({
    type: 'BusEvent',
    accountId: ACCOUNT,
    region: 'us-east-1',
    source: 'aws.chime',
    detailType: 'Chime Media Pipeline Kinesis Video Pool State Change',
    resources: [],
    detail: {
      version: '0',
      eventType: `chime:MediaPipelineKinesisVideoStreamPool${state}`,
      timestamp,
      mediaRegion: 'us-east-1',
      poolArn: ARN,
    },
  });
  assert.deepEqual(opened.emitted, [event('Active', START), event('Updated', LATER), event('Deleted', LATER)]);
});

test('Tags: tags of a pool are created, added and removed', async () => {
  const opened = await openFixture();
  await create(opened, { Tags: [{ Key: 'a', Value: '1' }] });
  await opened.run('TagResource', { ResourceARN: ARN, Tags: [{ Key: 'b', Value: '2' }] });
  await opened.run('UntagResource', { ResourceARN: ARN, TagKeys: ['a'] });
  assert.deepEqual(await opened.run('ListTagsForResource', { ResourceARN: ARN }), { Tags: [{ Key: 'b', Value: '2' }] });
});
