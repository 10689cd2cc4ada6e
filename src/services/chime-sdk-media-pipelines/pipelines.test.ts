import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkMediaPipelinesApi } from '#model/generated/chime-sdk-media-pipelines.ts';
import { loadModel } from '#model/load.ts';
import { DEFAULT_PIPELINE_LIMITS } from '../chime-kit/voice-limits.ts';
import { addRole } from '../iam/fixture.ts';
import { ACCOUNT } from '../kit/fixture.ts';
import { isNotYet, isRefused } from '../kit/not-yet.ts';
import { openFixture, REQUEST } from './fixture.ts';
import { mediaPipelinesOperations } from './operations.ts';

type Name = keyof ChimeSdkMediaPipelinesApi;

const LINKED_ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/mediapipelines.chime.amazonaws.com/AWSServiceRoleForAmazonChimeSDKMediaPipelines`;
const ID = 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
const arnOf = (resource: string) => `arn:aws:chime:us-east-1:${ACCOUNT}:${resource}`;
const RESERVED = { Tags: [{ Key: 'aws:x', Value: '' }] };
const MANY = { Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) };
const sinks = (...names: readonly string[]) => ({
  Sinks: names.map((name) => ({ SinkArn: arnOf(`media-pipeline-kinesis-video-stream-pool/${name}`) })),
});
const configured = (name: string) => ({ MediaInsightsPipelineConfigurationArn: arnOf(`media-insights-pipeline-configuration/${name}`) });
const linked = (operation: Name): readonly Row[] => [
  [operation, 'no service-linked role', {}, 'without', 'ForbiddenException', /AWSServiceRoleForAmazonChimeSDKMediaPipelines/],
  [operation, 'an ordinary role instead', {}, 'ordinary', 'ForbiddenException', /AWSServiceRoleForAmazonChimeSDKMediaPipelines/],
  [operation, 'a pipeline', {}, 'linked', 'ForbiddenException', /no media/],
];
const missing = (operation: Name, member: string): Row => [
  operation,
  'any pipeline',
  { [member]: ID },
  'without',
  'NotFoundException',
  /^Media pipeline 'a1b2/,
];

type Row = readonly [operation: Name, title: string, input: object, role: 'without' | 'ordinary' | 'linked', code: string, message: RegExp];

/** In the order of the checks of each operation. The pool `calls` and the configuration `calls` exist. */
// biome-ignore format: a table
const ROWS: readonly Row[] = [
  ['CreateMediaCapturePipeline',  'a reserved tag',           RESERVED,                                    'without', 'BadRequestException', /reserved/ ],
  ['CreateMediaCapturePipeline',  'more than 50 tags',        MANY,                                        'without', 'BadRequestException', /50 tags/  ],
  ...linked('CreateMediaCapturePipeline'),
  ...linked('CreateMediaConcatenationPipeline'),
  ...linked('CreateMediaLiveConnectorPipeline'),
  ['CreateMediaStreamPipeline',   'no service-linked role',   sinks('unknown'),                            'without', 'ForbiddenException',  /AWSServiceRole/],
  ['CreateMediaStreamPipeline',   'an unknown pool',          sinks('calls', 'unknown'),                   'linked',  'NotFoundException',   /^Kinesis video stream pool not found$/],
  ['CreateMediaStreamPipeline',   'a pipeline',               sinks('calls'),                              'linked',  'ForbiddenException',  /no media/ ],
  ['CreateMediaInsightsPipeline', 'an unknown configuration', configured('unknown'),                       'without', 'NotFoundException',   /^Media insights pipeline configuration not found$/],
  ['CreateMediaInsightsPipeline', 'a pipeline',               configured('calls'),                         'without', 'ForbiddenException',  /no media/ ],
  ...(['GetMediaCapturePipeline', 'DeleteMediaCapturePipeline', 'GetMediaPipeline', 'DeleteMediaPipeline'] as const).map((operation) => missing(operation, 'MediaPipelineId')),
  ...(['UpdateMediaInsightsPipelineStatus', 'StartSpeakerSearchTask', 'GetSpeakerSearchTask', 'StopSpeakerSearchTask', 'StartVoiceToneAnalysisTask', 'GetVoiceToneAnalysisTask', 'StopVoiceToneAnalysisTask'] as const)
    .map((operation) => missing(operation, 'Identifier')),
];

for (const [operation, title, input, role, code, message] of ROWS) {
  test(`${operation}: ${title} is ${code}, an error of the model (SLR-17, SLR-18)`, async () => {
    const { store, run } = await openFixture();
    await run('CreateMediaInsightsPipelineConfiguration', REQUEST);
    await run('CreateMediaPipelineKinesisVideoStreamPool', { PoolName: 'calls', StreamConfiguration: { Region: 'us-east-1' } });
    if (role !== 'without')
      await addRole(store, LINKED_ROLE, role === 'linked' ? { linkedService: 'mediapipelines.chime.amazonaws.com' } : {});
    await assert.rejects(run(operation, input as never), { code, message });
    assert.ok(
      loadModel('chime-sdk-media-pipelines').operations[operation]?.errors.includes(code),
      `${operation} has no ${code} in the model`,
    );
    assert.deepEqual(await run('ListMediaPipelines', {}), { MediaPipelines: [] });
    assert.deepEqual(await run('ListMediaCapturePipelines', { MaxResults: 1 }), { MediaCapturePipelines: [] });
  });
}

test('Refusals: every operation is implemented or has rows in the table', () => {
  const operations = Object.entries(mediaPipelinesOperations({ limits: DEFAULT_PIPELINE_LIMITS }));
  const refused = operations.flatMap(([name, operation]) => (isRefused(operation) ? [name] : []));
  assert.deepEqual(refused.sort(), [...new Set(ROWS.map(([operation]) => operation))].sort());
  assert.deepEqual(
    operations.flatMap(([name, operation]) => (isNotYet(operation) && !isRefused(operation) ? [name] : [])),
    [],
  );
});
