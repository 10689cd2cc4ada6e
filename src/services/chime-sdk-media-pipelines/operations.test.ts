import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkMediaPipelinesApi } from '#model/generated/chime-sdk-media-pipelines.ts';
import { addRole } from '../iam/fixture.ts';
import { ACCOUNT } from '../kit/fixture.ts';
import { isNotYet } from '../kit/not-yet.ts';
import { openFixture } from './fixture.ts';
import { mediaPipelinesOperations } from './operations.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/mediapipelines.chime.amazonaws.com/AWSServiceRoleForAmazonChimeSDKMediaPipelines`;

// biome-ignore format: a table
const PIPELINES: readonly [operation: keyof ChimeSdkMediaPipelinesApi, needsLinkedRole: boolean][] = [
  ['CreateMediaCapturePipeline',                 true ],
  ['CreateMediaConcatenationPipeline',           true ],
  ['CreateMediaLiveConnectorPipeline',           true ],
  ['CreateMediaStreamPipeline',                  true ],
  ['CreateMediaInsightsPipeline',                false],
  ['CreateMediaPipelineKinesisVideoStreamPool',  false],
];

for (const [operation, needsLinkedRole] of PIPELINES) {
  test(`${operation}: not implemented; ${needsLinkedRole ? 'without the service-linked role it is ForbiddenException' : 'it requires no service-linked role'} (SLR-18)`, async () => {
    assert.ok(isNotYet(mediaPipelinesOperations()[operation]), `${operation} is implemented: remove it from PIPELINES`);
    const { store, run } = await openFixture();
    const make = () => run(operation, {} as never);
    const notYet = { code: 'NotYetImplementedException', message: `${operation} is not implemented yet by Belfry.` };
    await assert.rejects(
      make(),
      needsLinkedRole ? { code: 'ForbiddenException', message: /AWSServiceRoleForAmazonChimeSDKMediaPipelines/ } : notYet,
    );
    await addRole(store, ROLE, { linkedService: 'mediapipelines.chime.amazonaws.com' });
    await assert.rejects(make(), notYet);
  });
}

test('CreateMediaCapturePipeline: no ordinary role replaces the service-linked role (SLR-17, SLR-18)', async () => {
  const { store, run } = await openFixture();
  await addRole(store, ROLE);
  await assert.rejects(run('CreateMediaCapturePipeline', {} as never), { code: 'ForbiddenException' });
});
