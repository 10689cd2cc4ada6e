import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ACCOUNT, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
import { openFixture, REQUEST } from './fixture.ts';

const ARN = `arn:aws:chime:us-east-1:${ACCOUNT}:media-insights-pipeline-configuration/calls`;

test("Tags: tags are created, replaced and removed, and the configuration's timestamp does not change", async () => {
  const { run } = await openFixture();
  await run('CreateMediaInsightsPipelineConfiguration', { ...REQUEST, Tags: [{ Key: 'a', Value: '1' }] });
  const later = { now: instant(START + 1_000) };
  await run(
    'TagResource',
    {
      ResourceARN: ARN,
      Tags: [
        { Key: 'a', Value: '2' },
        { Key: 'b', Value: '3' },
      ],
    },
    later,
  );
  await run('UntagResource', { ResourceARN: ARN, TagKeys: ['b', 'c'] }, later);
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN: ARN }), { Tags: [{ Key: 'a', Value: '2' }] });
  const { MediaInsightsPipelineConfiguration: found } = await run('GetMediaInsightsPipelineConfiguration', { Identifier: 'calls' });
  assert.equal(found?.UpdatedTimestamp, START);
});

// biome-ignore format: a table
const UNKNOWN: readonly [title: string, resourceArn: string][] = [
  ['an unknown configuration',            ARN.replace('calls', 'others')                             ],
  ['one of another account',              ARN.replace(ACCOUNT, OTHER_ACCOUNT)                        ],
  ['one in another region',               ARN.replace('us-east-1', 'us-west-2')                      ],
  ['a pipeline',                          ARN.replace('-insights-pipeline-configuration', '-pipeline') ],
];

for (const [title, ResourceARN] of UNKNOWN) {
  test(`Tags: ${title} is NotFoundException`, async () => {
    const { run } = await openFixture();
    await run('CreateMediaInsightsPipelineConfiguration', REQUEST);
    await assert.rejects(run('ListTagsForResource', { ResourceARN }), { code: 'NotFoundException' });
    await assert.rejects(run('UntagResource', { ResourceARN, TagKeys: ['a'] }), { code: 'NotFoundException' });
    await assert.rejects(run('TagResource', { ResourceARN, Tags: [{ Key: 'a', Value: '' }] }), { code: 'NotFoundException' });
  });
}

test('TagResource: the 51st tag is BadRequestException, and no tag is stored', async () => {
  const { run } = await openFixture();
  const Tags = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
  await run('CreateMediaInsightsPipelineConfiguration', REQUEST);
  await assert.rejects(run('TagResource', { ResourceARN: ARN, Tags }), { code: 'BadRequestException', message: /50 tags/ });
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN: ARN }), { Tags: [] });
});
