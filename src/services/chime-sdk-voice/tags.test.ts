import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, OTHER_ACCOUNT, openFixture } from './fixture.ts';

const ARN = (type: string, id: string) => `arn:aws:chime:us-east-1:${ACCOUNT}:${type}/${id}`;
const TAGS = [{ Key: 'team', Value: 'blue' }];

for (const [type, kind] of [
  ['vc', 'connector'],
  ['sma', 'application'],
  ['voice-profile-domain', 'domain'],
] as const) {
  test(`Tags: tags of a resource of the type ${type} are created, added and removed`, async () => {
    const fixture = await openFixture();
    const ResourceARN = ARN(type, await fixture[kind]({ Tags: TAGS }));
    const { run } = fixture;
    assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags: TAGS });
    await run('TagResource', { ResourceARN, Tags: [{ Key: 'stage', Value: 'test' }] });
    await run('UntagResource', { ResourceARN, TagKeys: ['team'] });
    assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags: [{ Key: 'stage', Value: 'test' }] });
  });

  test(`TagResource: the 51st tag of a resource of the type ${type} is ResourceLimitExceededException`, async () => {
    const fixture = await openFixture();
    const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    const ResourceARN = ARN(type, await fixture[kind]({ Tags: many }));
    await assert.rejects(fixture.run('TagResource', { ResourceARN, Tags: TAGS }), { code: 'ResourceLimitExceededException' });
    assert.deepEqual(await fixture.run('ListTagsForResource', { ResourceARN }), { Tags: many });
  });
}

test('Tags: an unknown ARN, or an ARN of another type, account or region, is NotFoundException', async () => {
  const { run, connector } = await openFixture();
  const own = ARN('vc', await connector());
  for (const ResourceARN of [
    ARN('vc', '0000000000000000000000'),
    ARN('vcg', 'a6b1e9b0-0000-4000-8000-000000000001'),
    own.replace('us-east-1', 'eu-west-1'),
    own.replace(ACCOUNT, OTHER_ACCOUNT),
    `${own}/x`,
  ]) {
    await assert.rejects(run('ListTagsForResource', { ResourceARN }), { code: 'NotFoundException' });
    await assert.rejects(run('TagResource', { ResourceARN, Tags: TAGS }), { code: 'NotFoundException' });
    await assert.rejects(run('UntagResource', { ResourceARN, TagKeys: ['team'] }), { code: 'NotFoundException' });
  }
});
