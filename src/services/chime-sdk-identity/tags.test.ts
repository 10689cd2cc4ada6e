import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tag } from '#model/generated/chime-sdk-identity.ts';
import { openFixture, UNKNOWN } from './fixture.ts';

const numbered = (count: number): Tag[] => Array.from({ length: count }, (_, i) => ({ Key: `key${i}`, Value: 'v' }));
const BLUE = [{ Key: 'team', Value: 'blue' }];

for (const kind of ['an app instance', 'a user', 'a bot'] as const) {
  test(`Tags: tags of ${kind} are created, changed and removed, and nothing else changes`, async () => {
    const { run, appInstance, user, bot } = await openFixture();
    const AppInstanceArn = await appInstance({ Tags: BLUE });
    const arns = {
      'an app instance': AppInstanceArn,
      'a user': await user(AppInstanceArn, 'ada', { Tags: BLUE }),
      'a bot': await bot(AppInstanceArn, { Tags: BLUE }),
    };
    const ResourceARN = arns[kind];
    const described = () =>
      kind === 'an app instance'
        ? run('DescribeAppInstance', { AppInstanceArn })
        : kind === 'a user'
          ? run('DescribeAppInstanceUser', { AppInstanceUserArn: ResourceARN })
          : run('DescribeAppInstanceBot', { AppInstanceBotArn: ResourceARN });
    const before = await described();
    await run('TagResource', {
      ResourceARN,
      Tags: [
        { Key: 'team', Value: 'red' },
        { Key: 'stage', Value: 'test' },
      ],
    });
    const Tags = [
      { Key: 'team', Value: 'red' },
      { Key: 'stage', Value: 'test' },
    ];
    assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags });
    await run('UntagResource', { ResourceARN, TagKeys: ['team', 'absent'] });
    assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags: [{ Key: 'stage', Value: 'test' }] });
    assert.deepEqual(await described(), before);
  });
}

test('TagResource: the 51st tag is ResourceLimitExceededException, and the 50th tag can get a new value', async () => {
  const { run, appInstance } = await openFixture();
  const ResourceARN = await appInstance({ Tags: numbered(50) });
  await assert.rejects(run('TagResource', { ResourceARN, Tags: BLUE }), { code: 'ResourceLimitExceededException' });
  await run('TagResource', { ResourceARN, Tags: [{ Key: 'key49', Value: 'new' }] });
});

test('Tags: an unknown ARN, or an ARN of a resource that cannot have tags, is ForbiddenException', async () => {
  const { run, appInstance, user } = await openFixture();
  const known = await appInstance();
  await user(known, 'ada');
  const absent = [UNKNOWN, known.replace('us-east-1', 'eu-central-1'), `${known}/user/*`, `${known}/channel/ada`, `${known}/user/ada/x`];
  for (const ResourceARN of absent) {
    await assert.rejects(run('TagResource', { ResourceARN, Tags: BLUE }), { code: 'ForbiddenException' });
    await assert.rejects(run('UntagResource', { ResourceARN, TagKeys: ['team'] }), { code: 'ForbiddenException' });
    await assert.rejects(run('ListTagsForResource', { ResourceARN }), { code: 'ForbiddenException' });
  }
});
