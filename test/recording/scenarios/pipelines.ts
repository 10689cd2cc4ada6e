import { policy, trustService } from '../../kit/policy.ts';
import type { Recorder } from '../recorder.ts';

/** Records calls on media insights pipeline configurations: successes, then errors of each operation. */
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
  return undefined;
}
