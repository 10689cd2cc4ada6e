/** Pools of Kinesis video streams, and the operations on pipelines, none of which exists, with the real SDK. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-chime-sdk-media-pipelines';
import { denialOf, refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { startPipelines } from './fixture.ts';

const account = await startPipelines({ BELFRY_VIDEO_STREAM_POOLS: '2', BELFRY_INSIGHTS_CONFIGURATIONS: '1' });
const { accountId, pipelines } = account;
const client = pipelines();
const arnOf = (resource: string) => `arn:aws:chime:us-east-1:${accountId}:${resource}`;
const poolArn = (name: string) => arnOf(`media-pipeline-kinesis-video-stream-pool/${name}`);
const newPool = (PoolName: string, team = 'blue') =>
  client.send(
    new sdk.CreateMediaPipelineKinesisVideoStreamPoolCommand({
      PoolName,
      StreamConfiguration: { Region: 'us-east-1', DataRetentionInHours: 24 },
      Tags: [{ Key: 'team', Value: team }],
    }),
  );

test('Pools: a pool can be created, read, listed, tagged, updated and deleted', async () => {
  const { KinesisVideoStreamPoolConfiguration: made } = await newPool('calls');
  assert.deepEqual([made?.PoolArn, made?.PoolStatus, made?.PoolSize], [poolArn('calls'), 'ACTIVE', 0]);
  assert.match(made?.PoolId ?? '', /^ChimeMediaPipelines-calls-[0-9a-f-]{36}$/);
  for (const Identifier of ['calls', poolArn('calls')]) {
    const read = await client.send(new sdk.GetMediaPipelineKinesisVideoStreamPoolCommand({ Identifier }));
    assert.deepEqual(read.KinesisVideoStreamPoolConfiguration, made);
  }
  const StreamConfiguration = { DataRetentionInHours: 48 };
  const changed = await client.send(new sdk.UpdateMediaPipelineKinesisVideoStreamPoolCommand({ Identifier: 'calls', StreamConfiguration }));
  assert.deepEqual(changed.KinesisVideoStreamPoolConfiguration?.StreamConfiguration, { Region: 'us-east-1', ...StreamConfiguration });
  assert.equal((await refusalOf(newPool('calls'))).name, 'ConflictException');
  await newPool('others');
  assert.equal((await refusalOf(newPool('more'))).name, 'ResourceLimitExceededException');
  const listed: (string | undefined)[] = [];
  for await (const page of sdk.paginateListMediaPipelineKinesisVideoStreamPools({ client, pageSize: 1 }, {}))
    listed.push(...(page.KinesisVideoStreamPools ?? []).map(({ PoolName }) => PoolName));
  assert.deepEqual(listed, ['calls', 'others']);
  const ResourceARN = poolArn('calls');
  await client.send(new sdk.TagResourceCommand({ ResourceARN, Tags: [{ Key: 'phase', Value: 'two' }] }));
  await client.send(new sdk.UntagResourceCommand({ ResourceARN, TagKeys: ['team'] }));
  assert.deepEqual((await client.send(new sdk.ListTagsForResourceCommand({ ResourceARN }))).Tags, [{ Key: 'phase', Value: 'two' }]);
  for (const Identifier of ['calls', poolArn('others')])
    await client.send(new sdk.DeleteMediaPipelineKinesisVideoStreamPoolCommand({ Identifier }));
  const gone = await refusalOf(client.send(new sdk.GetMediaPipelineKinesisVideoStreamPoolCommand({ Identifier: 'calls' })));
  assert.deepEqual([gone.name, gone.status], ['NotFoundException', 404]);
});

test('Limits: the operator can change the limit of configurations', async () => {
  await client.send(account.configuration('one'));
  assert.equal((await refusalOf(client.send(account.configuration('two')))).name, 'ResourceLimitExceededException');
});

const MediaPipelineId = 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
const pipeline = { Identifier: MediaPipelineId };
const meeting = arnOf(`meeting/${MediaPipelineId}`);
const search = { ...pipeline, SpeakerSearchTaskId: MediaPipelineId };
const tone = { ...pipeline, VoiceToneAnalysisTaskId: MediaPipelineId };
const sink = { SinkType: 'KinesisVideoStreamPool' as const, ReservedStreamCapacity: 1, MediaStreamType: 'IndividualAudio' as const };
const capture = {
  MediaPipelineArn: arnOf(`media-pipeline/${MediaPipelineId}`),
  ChimeSdkMeetingConfiguration: {
    ArtifactsConfiguration: {
      Audio: { State: 'Enabled' as const },
      Video: { State: 'Disabled' as const },
      Content: { State: 'Disabled' as const },
      DataChannel: { State: 'Disabled' as const },
      TranscriptionMessages: { State: 'Disabled' as const },
      MeetingEvents: { State: 'Disabled' as const },
      CompositedVideo: { State: 'Disabled' as const },
    },
  },
};
const live = {
  SourceType: 'ChimeSdkMeeting' as const,
  ChimeSdkMeetingLiveConnectorConfiguration: { Arn: meeting, MuxType: 'AudioWithCompositedVideo' as const },
};
type Client = sdk.ChimeSDKMediaPipelinesClient;

// biome-ignore format: a table
const REFUSED: readonly (readonly [code: string, message: RegExp, send: (client: Client) => Promise<unknown>])[] = [
  ['ForbiddenException', /no media/,              (as) => as.send(account.capture())],
  ['ForbiddenException', /no media/,              (as) => as.send(new sdk.CreateMediaConcatenationPipelineCommand({ Sources: [{ Type: 'MediaCapturePipeline', MediaCapturePipelineSourceConfiguration: capture }], Sinks: [{ Type: 'S3Bucket', S3BucketSinkConfiguration: { Destination: 'arn:aws:s3:::captures' } }] }))],
  ['ForbiddenException', /no media/,              (as) => as.send(new sdk.CreateMediaLiveConnectorPipelineCommand({ Sources: [live], Sinks: [{ SinkType: 'RTMP', RTMPConfiguration: { Url: 'rtmps://example.com/live' } }] }))],
  ['NotFoundException',  /stream pool not found/, (as) => as.send(new sdk.CreateMediaStreamPipelineCommand({ Sources: [{ SourceType: 'ChimeSdkMeeting', SourceArn: meeting }], Sinks: [{ ...sink, SinkArn: poolArn('none') }] }))],
  ['NotFoundException',  /configuration not/,     (as) => as.send(new sdk.CreateMediaInsightsPipelineCommand({ MediaInsightsPipelineConfigurationArn: arnOf('media-insights-pipeline-configuration/none') }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.GetMediaCapturePipelineCommand({ MediaPipelineId }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.DeleteMediaCapturePipelineCommand({ MediaPipelineId }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.GetMediaPipelineCommand({ MediaPipelineId }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.DeleteMediaPipelineCommand({ MediaPipelineId }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.UpdateMediaInsightsPipelineStatusCommand({ ...pipeline, UpdateStatus: 'Pause' }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.StartSpeakerSearchTaskCommand({ ...pipeline, VoiceProfileDomainArn: arnOf('voice-profile-domain/x') }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.GetSpeakerSearchTaskCommand(search))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.StopSpeakerSearchTaskCommand(search))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.StartVoiceToneAnalysisTaskCommand({ ...pipeline, LanguageCode: 'en-US' }))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.GetVoiceToneAnalysisTaskCommand(tone))],
  ['NotFoundException',  /^Media pipeline/,       (as) => as.send(new sdk.StopVoiceToneAnalysisTaskCommand(tone))],
];

test('Refusals: without permission each one is AccessDeniedException, and with permission an error of the model', async () => {
  const stranger = pipelines(await account.user('stranger'));
  for (const [code, message, send] of REFUSED) {
    assert.equal((await refusalOf(send(stranger))).name, 'AccessDeniedException', send.toString());
    const refusal = await refusalOf(send(client));
    assert.deepEqual([refusal.name, message.test(refusal.message)], [code, true], `${send} ${refusal.message}`);
  }
});

test('Lists: the lists of pipelines are empty for callers with permission, and reject a forged token', async () => {
  assert.deepEqual((await client.send(new sdk.ListMediaPipelinesCommand({}))).MediaPipelines, []);
  assert.deepEqual((await client.send(new sdk.ListMediaCapturePipelinesCommand({ MaxResults: 1 }))).MediaCapturePipelines, []);
  assert.equal((await refusalOf(client.send(new sdk.ListMediaPipelinesCommand({ NextToken: 'forged' })))).name, 'BadRequestException');
  const one = pipelines(await account.user('one', allow('chime:ListMediaPipelines', arnOf('media-pipeline/*'))));
  await one.send(new sdk.ListMediaPipelinesCommand({}));
  await denialOf(one.send(new sdk.ListMediaCapturePipelinesCommand({})));
});

test('CHM-3: CreateMediaStreamPipeline requires permission for each pool', async () => {
  await newPool('own');
  await newPool('other', 'red');
  const stream = (...names: readonly string[]) =>
    new sdk.CreateMediaStreamPipelineCommand({
      Sources: [{ SourceType: 'ChimeSdkMeeting', SourceArn: meeting }],
      Sinks: names.map((name) => ({ ...sink, SinkArn: poolArn(name) })),
    });
  const byTag = pipelines(
    await account.user('by-tag', allow('chime:*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } } })),
  );
  assert.match((await refusalOf(byTag.send(stream('own')))).message, /no media/);
  assert.match(
    await denialOf(byTag.send(stream('own', 'other'))),
    new RegExp(`chime:CreateMediaStreamPipeline on resource: ${poolArn('other')} `),
  );
});
