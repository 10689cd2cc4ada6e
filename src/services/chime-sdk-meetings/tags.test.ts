import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tag } from '#model/generated/chime-sdk-meetings.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture } from './fixture.ts';

const arnOf = (meetingId: string, accountId: string = ACCOUNT) => `arn:aws:chime:us-east-1:${accountId}:meeting/${meetingId}`;
const numbered = (count: number): Tag[] => Array.from({ length: count }, (_, i) => ({ Key: `key${i}`, Value: '' }));

test('Tags: tags of a new meeting are listed, changed and removed', async () => {
  const { run, meeting } = await openFixture();
  const ResourceARN = arnOf(await meeting({ Tags: [{ Key: 'team', Value: 'blue' }] }));
  await run('TagResource', {
    ResourceARN,
    Tags: [
      { Key: 'team', Value: 'red' },
      { Key: '__proto__', Value: 'x' },
    ],
  });
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), {
    Tags: [
      { Key: 'team', Value: 'red' },
      { Key: '__proto__', Value: 'x' },
    ],
  });
  await run('UntagResource', { ResourceARN, TagKeys: ['team', 'absent'] });
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags: [{ Key: '__proto__', Value: 'x' }] });
});

test('TagResource: the 51st tag is TooManyTagsException, and the 50th tag can get a new value', async () => {
  const { run, meeting } = await openFixture();
  const ResourceARN = arnOf(await meeting({ Tags: numbered(50) }));
  await assert.rejects(run('TagResource', { ResourceARN, Tags: [{ Key: 'more', Value: '' }] }), {
    code: 'TooManyTagsException',
    members: { ResourceName: ResourceARN },
  });
  await run('TagResource', { ResourceARN, Tags: [{ Key: 'key49', Value: 'new' }] });
});

test('TagResource: a reserved key and a key that occurs twice are BadRequestException', async () => {
  const { run, meeting } = await openFixture();
  const ResourceARN = arnOf(await meeting());
  for (const Tags of [[{ Key: 'AWS:x', Value: '' }], [...numbered(1), ...numbered(1)]]) {
    await assert.rejects(run('TagResource', { ResourceARN, Tags }), { code: 'BadRequestException' });
  }
});

// biome-ignore format: a table
const ABSENT: readonly [title: string, resource: (meetingId: string) => string][] = [
  ['an unknown meeting',           () => arnOf('ffffffff-0000-4000-8000-000000000000')      ],
  ['a meeting in another account', (id) => arnOf(id, OTHER_ACCOUNT)                         ],
  ['a meeting in another region',  (id) => arnOf(id).replace('us-east-1', 'eu-west-1')      ],
  ['a pattern',                    () => arnOf('*')                                         ],
  ['an id in capitals',            (id) => arnOf(id.toUpperCase())                          ],
  ['another kind of resource',     (id) => arnOf(id).replace(':meeting/', ':app-instance/') ],
];

for (const [title, resource] of ABSENT) {
  test(`Tags: ${title} is ResourceNotFoundException, and the error names the resource`, async () => {
    const { run, meeting } = await openFixture();
    const ResourceARN = resource(await meeting());
    const expected = { code: 'ResourceNotFoundException', members: { ResourceName: ResourceARN } };
    await assert.rejects(run('TagResource', { ResourceARN, Tags: numbered(1) }), expected);
    await assert.rejects(run('UntagResource', { ResourceARN, TagKeys: ['key0'] }), expected);
    await assert.rejects(run('ListTagsForResource', { ResourceARN }), expected);
  });
}
