import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PIPELINE_LIMITS } from '../chime-kit/voice-limits.ts';
import { ACCOUNT, accessOf, OTHER_ACCOUNT } from '../kit/fixture.ts';
import type { Access } from '../kit/operation.ts';
import { openFixture, REQUEST } from './fixture.ts';
import { mediaPipelinesOperations } from './operations.ts';

const OPERATIONS = mediaPipelinesOperations({ limits: DEFAULT_PIPELINE_LIMITS });
const PLACE = `arn:aws:chime:us-east-1:${ACCOUNT}:media-insights-pipeline-configuration`;
const ARN = `${PLACE}/calls`;
const POOLS = `arn:aws:chime:us-east-1:${ACCOUNT}:media-pipeline-kinesis-video-stream-pool`;
const PIPELINES = `arn:aws:chime:us-east-1:${ACCOUNT}:media-pipeline`;
const TAGS = [{ Key: 'Team', Value: 'blue' }];

/** Input with every member that determines the required permissions (`access`), except role ARNs. */
const INPUT = {
  Identifier: 'calls',
  MediaInsightsPipelineConfigurationName: 'calls',
  ResourceARN: ARN,
  TagKeys: ['Team'],
  Tags: TAGS,
  MediaPipelineId: 'calls',
  Sinks: [{ SinkArn: `${POOLS}/calls` }],
  MediaInsightsPipelineConfigurationArn: ARN,
};

const required = (name: string, input: object, profile: 'sdk' | 'classic' = 'sdk') => accessOf(OPERATIONS, name, input, { profile });

const questions = (access: readonly Access[]) => access.map(({ action, resources }) => [action, ...resources]);

// biome-ignore format: a table
const RESOURCES: Readonly<Record<string, readonly (readonly [action: string, resource: string])[]>> = {
  CreateMediaInsightsPipelineConfiguration: [['chime:CreateMediaInsightsPipelineConfiguration', `${PLACE}/*`], ['chime:TagResource', `${PLACE}/*`]],
  GetMediaInsightsPipelineConfiguration:    [['chime:GetMediaInsightsPipelineConfiguration', ARN]],
  ListMediaInsightsPipelineConfigurations:  [['chime:ListMediaInsightsPipelineConfigurations', `${PLACE}/*`]],
  UpdateMediaInsightsPipelineConfiguration: [['chime:UpdateMediaInsightsPipelineConfiguration', ARN]],
  DeleteMediaInsightsPipelineConfiguration: [['chime:DeleteMediaInsightsPipelineConfiguration', ARN]],
  CreateMediaPipelineKinesisVideoStreamPool: [['chime:CreateMediaPipelineKinesisVideoStreamPool', `${POOLS}/*`], ['chime:TagResource', `${POOLS}/*`]],
  GetMediaPipelineKinesisVideoStreamPool:    [['chime:GetMediaPipelineKinesisVideoStreamPool', `${POOLS}/calls`]],
  ListMediaPipelineKinesisVideoStreamPools:  [['chime:ListMediaPipelineKinesisVideoStreamPools', `${POOLS}/*`]],
  UpdateMediaPipelineKinesisVideoStreamPool: [['chime:UpdateMediaPipelineKinesisVideoStreamPool', `${POOLS}/calls`]],
  DeleteMediaPipelineKinesisVideoStreamPool: [['chime:DeleteMediaPipelineKinesisVideoStreamPool', `${POOLS}/calls`]],
  ListMediaPipelines:                        [['chime:ListMediaPipelines', `${PIPELINES}/*`]],
  ListMediaCapturePipelines:                 [['chime:ListMediaCapturePipelines', `${PIPELINES}/*`]],
  CreateMediaStreamPipeline:                 [['chime:CreateMediaStreamPipeline', `${POOLS}/calls`], ['chime:TagResource', `${PIPELINES}/*`]],
  CreateMediaInsightsPipeline:               [['chime:CreateMediaInsightsPipeline', ARN], ['chime:TagResource', `${PIPELINES}/*`]],
  ...Object.fromEntries(['CreateMediaCapturePipeline', 'CreateMediaConcatenationPipeline', 'CreateMediaLiveConnectorPipeline']
    .map((name) => [name, [[`chime:${name}`, `${PIPELINES}/*`], ['chime:TagResource', `${PIPELINES}/*`]] as const])),
  ...Object.fromEntries([
    'GetMediaCapturePipeline', 'DeleteMediaCapturePipeline', 'GetMediaPipeline', 'DeleteMediaPipeline', 'UpdateMediaInsightsPipelineStatus',
    'StartSpeakerSearchTask', 'GetSpeakerSearchTask', 'StopSpeakerSearchTask', 'StartVoiceToneAnalysisTask', 'GetVoiceToneAnalysisTask', 'StopVoiceToneAnalysisTask',
  ].map((name) => [name, [[`chime:${name}`, `${PIPELINES}/calls`]] as const])),
  TagResource:                              [['chime:TagResource', ARN]],
  UntagResource:                            [['chime:UntagResource', ARN]],
  ListTagsForResource:                      [['chime:ListTagsForResource', ARN]],
};

test('Access: every operation is in the table', () => {
  assert.deepEqual(Object.keys(RESOURCES).sort(), Object.keys(OPERATIONS).sort());
});

for (const [name, expected] of Object.entries(RESOURCES)) {
  test(`Access: ${name} requires its own action on its resource (CHM-3)`, () => {
    assert.deepEqual(questions(required(name, INPUT)), expected);
  });

  test(`Access: in the older service chime, ${name} requires its action on *, without tags (CHM-1, TAG-2)`, () => {
    assert.deepEqual(required(name, INPUT, 'classic'), [{ action: expected[0]?.[0], resources: ['*'] }]);
  });
}

test('Access: the permission applies to the ARN in the request, even if it is an ARN of another account', () => {
  for (const Identifier of [ARN, ARN.replace(ACCOUNT, OTHER_ACCOUNT)]) {
    assert.deepEqual(questions(required('GetMediaInsightsPipelineConfiguration', { Identifier })), [
      ['chime:GetMediaInsightsPipelineConfiguration', Identifier],
    ]);
  }
});

test('Access: with a name or an ARN, the tags of an existing configuration are used for authorization', async () => {
  const { store, run } = await openFixture();
  await run('CreateMediaInsightsPipelineConfiguration', { ...REQUEST, Tags: TAGS });
  const read = (Identifier: string) => {
    const [access] = required('GetMediaInsightsPipelineConfiguration', { Identifier });
    return store.transaction((tx) => access?.resourceTags?.(tx) ?? Promise.resolve([]));
  };
  assert.deepEqual(await read('calls'), [{ Team: 'blue' }]);
  assert.deepEqual(await read(ARN), [{ Team: 'blue' }]);
  assert.deepEqual(await read('others'), [undefined]);
  assert.deepEqual(await read(ARN.replace(ACCOUNT, OTHER_ACCOUNT)), [undefined]);
});
