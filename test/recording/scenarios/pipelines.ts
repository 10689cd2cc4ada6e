import { policy, trustService } from '../../kit/policy.ts';
import type { Recorder, ServiceCalls } from '../recorder.ts';

/** Records calls on media insights pipeline configurations, pools and pipelines: successes, then errors of each operation. */
export async function pipelines(recorder: Recorder): Promise<undefined> {
  const { ok, call } = recorder.of('chime-sdk-media-pipelines');
  const { Role } = await recorder.ok('iam', 'CreateRole', {
    RoleName: 'Insights',
    AssumeRolePolicyDocument: policy(trustService('mediapipelines.chime.amazonaws.com')),
  });
  const { Role: other } = await recorder.ok('iam', 'CreateRole', {
    RoleName: 'Elsewhere',
    AssumeRolePolicyDocument: policy(trustService('voiceconnector.chime.amazonaws.com')),
  });
  await recorder.call('iam', 'CreateServiceLinkedRole', { AWSServiceName: 'mediapipelines.chime.amazonaws.com' });
  const Elements = [
    {
      Type: 'LambdaFunctionSink',
      LambdaFunctionSinkConfiguration: { InsightsTarget: `arn:aws:lambda:us-east-1:${recorder.accountId}:function:insights` },
    },
  ];
  const configuration = {
    MediaInsightsPipelineConfigurationName: 'insights',
    ResourceAccessRoleArn: Role.Arn,
    Elements,
    ClientRequestToken: 'insights',
    Tags: [{ Key: 'team', Value: 'blue' }],
  };
  const { MediaInsightsPipelineConfiguration } = await ok('CreateMediaInsightsPipelineConfiguration', configuration);
  await call('CreateMediaInsightsPipelineConfiguration', configuration);
  const ResourceARN = MediaInsightsPipelineConfiguration.MediaInsightsPipelineConfigurationArn;
  for (const change of [
    { MediaInsightsPipelineConfigurationName: 'other' },
    { ClientRequestToken: 'token-b' },
    { ClientRequestToken: 'token-c', MediaInsightsPipelineConfigurationName: 'two', ResourceAccessRoleArn: other.Arn },
    { ClientRequestToken: 'token-d', MediaInsightsPipelineConfigurationName: 'two', ResourceAccessRoleArn: `${Role.Arn}s` },
    { ClientRequestToken: 'token-e', MediaInsightsPipelineConfigurationName: 'two', Elements: [] },
    { ClientRequestToken: 'token-f', MediaInsightsPipelineConfigurationName: 'two', Elements: [...Elements, ...Elements] },
    { ClientRequestToken: 'token-g', MediaInsightsPipelineConfigurationName: 'two', Elements: [{ Type: 'LambdaFunctionSink' }] },
    { ClientRequestToken: 'token-h', MediaInsightsPipelineConfigurationName: 'two', Elements: [{ ...Elements[0], Type: 'SqsQueueSink' }] },
    { ClientRequestToken: 'token-i', MediaInsightsPipelineConfigurationName: 'two', Tags: [{ Key: 'aws:x', Value: 'y' }] },
  ])
    await call('CreateMediaInsightsPipelineConfiguration', { ...configuration, ...change });
  for (const Identifier of ['insights', ResourceARN, 'none']) {
    await call('GetMediaInsightsPipelineConfiguration', { Identifier });
    await call('UpdateMediaInsightsPipelineConfiguration', {
      Identifier,
      ResourceAccessRoleArn: Role.Arn,
      Elements: [{ Type: 'VoiceAnalyticsProcessor' }],
    });
  }
  await call('UpdateMediaInsightsPipelineConfiguration', { Identifier: 'insights', ResourceAccessRoleArn: other.Arn, Elements });
  await ok('ListMediaInsightsPipelineConfigurations', { MaxResults: 1 });
  await call('ListMediaInsightsPipelineConfigurations', { NextToken: 'forged' });
  for (const arn of [ResourceARN, `${ResourceARN}s`]) {
    await call('TagResource', { ResourceARN: arn, Tags: [{ Key: 'phase', Value: 'two' }] });
    await call('ListTagsForResource', { ResourceARN: arn });
    await call('UntagResource', { ResourceARN: arn, TagKeys: ['phase'] });
  }
  await call('TagResource', { ResourceARN, Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: 'v' })) });
  await ok('DeleteMediaInsightsPipelineConfiguration', { Identifier: 'insights' });
  await call('DeleteMediaInsightsPipelineConfiguration', { Identifier: 'insights' });
  await pools(recorder.of('chime-sdk-media-pipelines'));
  await withoutPipelines(recorder);
  return undefined;
}

async function pools({ ok, call }: ServiceCalls): Promise<void> {
  const StreamConfiguration = { Region: 'us-east-1', DataRetentionInHours: 24 };
  const pool = { PoolName: 'streams', StreamConfiguration, ClientRequestToken: 'streams', Tags: [{ Key: 'team', Value: 'blue' }] };
  const { KinesisVideoStreamPoolConfiguration } = await ok('CreateMediaPipelineKinesisVideoStreamPool', pool);
  const { PoolArn } = KinesisVideoStreamPoolConfiguration;
  await ok('CreateMediaPipelineKinesisVideoStreamPool', pool);
  await call('CreateMediaPipelineKinesisVideoStreamPool', { ...pool, PoolName: 'other' });
  await call('CreateMediaPipelineKinesisVideoStreamPool', { ...pool, ClientRequestToken: 'token-b' });
  for (const Identifier of ['streams', PoolArn, 'none']) {
    await call('GetMediaPipelineKinesisVideoStreamPool', { Identifier });
    await call('UpdateMediaPipelineKinesisVideoStreamPool', { Identifier, StreamConfiguration: { DataRetentionInHours: 48 } });
  }
  await ok('ListMediaPipelineKinesisVideoStreamPools', { MaxResults: 1 });
  await call('ListMediaPipelineKinesisVideoStreamPools', { NextToken: 'forged' });
  await ok('TagResource', { ResourceARN: PoolArn, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListTagsForResource', { ResourceARN: PoolArn });
  const sink = { SinkType: 'KinesisVideoStreamPool', ReservedStreamCapacity: 1, MediaStreamType: 'IndividualAudio' };
  for (const SinkArn of [PoolArn, `${PoolArn}s`])
    await call('CreateMediaStreamPipeline', {
      Sources: [{ SourceType: 'ChimeSdkMeeting', SourceArn: PoolArn }],
      Sinks: [{ ...sink, SinkArn }],
    });
  await ok('DeleteMediaPipelineKinesisVideoStreamPool', { Identifier: PoolArn });
  await call('DeleteMediaPipelineKinesisVideoStreamPool', { Identifier: PoolArn });
}

/** Lists pipelines, and calls the operations on pipelines, none of which exists. */
async function withoutPipelines(recorder: Recorder): Promise<void> {
  const { ok, call } = recorder.of('chime-sdk-media-pipelines');
  for (const operation of ['ListMediaPipelines', 'ListMediaCapturePipelines']) {
    await ok(operation, { MaxResults: 1 });
    await call(operation, { NextToken: 'forged' });
  }
  const id = '00000000-0000-4000-8000-000000000000';
  for (const operation of ['GetMediaPipeline', 'DeleteMediaPipeline', 'GetMediaCapturePipeline', 'DeleteMediaCapturePipeline'])
    await call(operation, { MediaPipelineId: id });
  await call('UpdateMediaInsightsPipelineStatus', { Identifier: id, UpdateStatus: 'Pause' });
  const arn = (type: string) => `arn:aws:chime:us-east-1:${recorder.accountId}:${type}`;
  const task = {
    SpeakerSearchTaskId: id,
    VoiceToneAnalysisTaskId: id,
    LanguageCode: 'en-US',
    VoiceProfileDomainArn: arn('voice-profile-domain/x'),
  };
  for (const Identifier of [id, arn(`media-pipeline/${id}`)])
    for (const kind of ['SpeakerSearchTask', 'VoiceToneAnalysisTask'])
      for (const verb of ['Start', 'Get', 'Stop']) await call(`${verb}${kind}`, { Identifier, ...task });
  await call('CreateMediaInsightsPipeline', {
    MediaInsightsPipelineConfigurationArn: arn('media-insights-pipeline-configuration/none'),
    ClientRequestToken: 'none',
  });
}
