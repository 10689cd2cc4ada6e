import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { START } from '../kit/fixture.ts';
import { ARN, ELSEWHERE, openTrails, REQUEST } from './fixture.ts';
import { digestKeys } from './tables/digest-keys.ts';

const CHANNEL = ARN.replace('trail/audit', 'channel/a');

test('Tags: they can be set at creation, added, replaced, removed and listed', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', { ...REQUEST, TagsList: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
  await run('AddTags', {
    ResourceId: ARN,
    TagsList: [
      { Key: 'a', Value: '2' },
      { Key: 'c', Value: '3' },
    ],
  });
  await run('RemoveTags', { ResourceId: ARN, TagsList: [{ Key: 'b', Value: 'other' }, { Key: 'unknown' }] });
  const TagsList = [
    { Key: 'a', Value: '2' },
    { Key: 'c', Value: '3' },
  ];
  assert.deepEqual(await run('ListTags', { ResourceIdList: [ARN] }), { ResourceTagList: [{ ResourceId: ARN, TagsList }] });
});

test('Tags: a tag of the trail is a resource tag in the authorization, also if the request has its name', async () => {
  const { run, requiredAccess } = await openTrails();
  await run('CreateTrail', { ...REQUEST, TagsList: [{ Key: 'team', Value: 'blue' }] });
  for (const [operation, input] of [
    ['GetTrail', { Name: 'audit' }],
    ['StopLogging', { Name: ARN }],
    ['AddTags', { ResourceId: ARN, TagsList: [] }],
    ['ListTags', { ResourceIdList: [ARN] }],
  ] as const) {
    const [access] = await requiredAccess(operation, input as never);
    assert.deepEqual([access?.resources, access?.tags], [[ARN], [{ team: 'blue' }]], operation);
  }
});

const FULL = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}` }));

// biome-ignore format: a table
const REFUSED = [
  ['AddTags',    'a repeated key',           { ResourceId: ARN, TagsList: [{ Key: 'a' }, { Key: 'A' }] }, 'InvalidTagParameterException'],
  ['AddTags',    'a reserved key',           { ResourceId: ARN, TagsList: [{ Key: 'aws:a' }] },           'InvalidTagParameterException'],
  ['AddTags',    'a 51st tag',               { ResourceId: ARN, TagsList: [{ Key: 'z' }] },               'TagsLimitExceededException'],
  ['AddTags',    'an unknown trail',         { ResourceId: `${ARN}-2`, TagsList: [] },                    'ResourceNotFoundException'],
  ['AddTags',    'a channel',                { ResourceId: CHANNEL, TagsList: [] },                       'ChannelNotFoundException'],
  ['AddTags',    'an event data store',      { ResourceId: CHANNEL.replace('channel', 'eventdatastore'), TagsList: [] }, 'EventDataStoreNotFoundException'],
  ['AddTags',    'a dashboard',              { ResourceId: CHANNEL.replace('channel', 'dashboard'), TagsList: [] }, 'ResourceTypeNotSupportedException'],
  ['RemoveTags', 'a trail of another region', { ResourceId: ARN.replace('us-east-1', 'eu-west-1'), TagsList: [] }, 'CloudTrailARNInvalidException'],
  ['ListTags',   'an unknown trail',         { ResourceIdList: [ARN, `${ARN}-2`] },                       'ResourceNotFoundException'],
  ['ListTags',   '21 ARNs',                  { ResourceIdList: Array(21).fill(ARN) },                     'InvalidParameterException'],
] as const;

for (const [operation, title, input, code] of REFUSED) {
  test(`${operation}: ${title} is ${code}, and changes no tag`, async () => {
    const { run } = await openTrails();
    await run('CreateTrail', { ...REQUEST, TagsList: FULL });
    await assert.rejects(run(operation, input as never), { code });
    const { ResourceTagList } = await run('ListTags', { ResourceIdList: [ARN] });
    assert.equal(ResourceTagList?.[0]?.TagsList?.length, 50);
  });
}

// biome-ignore format: a table
const RANGES: readonly [title: string, from: number | undefined, to: number | undefined, found: string][] = [
  // The key is valid from hour 10 to hour 20.
  ['a range inside',                12,        13,        'k'],
  ['an end two hours before',       0,         8,         'k'],
  ['an end before that',            0,         7.99,      '' ],
  ['a start two hours after',       22,        30,        'k'],
  ['a start after that',            22.01,     30,        '' ],
  ['no range, the last 24 hours',   undefined, undefined, 'k'],
];

test('ListPublicKeys: a range that is extended by two hours selects the keys of the region', async () => {
  const { run, store } = await openTrails();
  const at = (hours: number) => instant(START + hours * HOUR_MS);
  const key = { fingerprint: 'k', publicKey: new Uint8Array([1]), validFrom: at(10), validUntil: at(20) };
  await store.transaction((tx) => tx.of(digestKeys).add({ ...key, region: 'us-east-1' }));
  for (const [title, from, to, expected] of RANGES) {
    const range = { ...(from !== undefined && { StartTime: at(from) }), ...(to !== undefined && { EndTime: at(to) }) };
    const { PublicKeyList = [] } = await run('ListPublicKeys', range, { now: at(44) });
    assert.equal(PublicKeyList.map(({ Fingerprint }) => Fingerprint).join(), expected, title);
    assert.deepEqual(await run('ListPublicKeys', range, { ...ELSEWHERE, now: at(44) }), { PublicKeyList: [] });
  }
  const { PublicKeyList } = await run('ListPublicKeys', {}, { now: at(15) });
  assert.deepEqual(PublicKeyList, [{ Value: key.publicKey, ValidityStartTime: at(10), ValidityEndTime: at(20), Fingerprint: 'k' }]);
  await assert.rejects(run('ListPublicKeys', { StartTime: at(2), EndTime: at(1) }), { code: 'InvalidTimeRangeException' });
});
