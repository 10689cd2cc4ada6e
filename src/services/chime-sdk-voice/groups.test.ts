import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VoiceConnectorItem } from '#model/generated/chime-sdk-voice.ts';
import { ACCOUNT, type Fixture, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';

const items = (...ids: readonly string[]): readonly VoiceConnectorItem[] =>
  ids.map((VoiceConnectorId) => ({ VoiceConnectorId, Priority: 2 }));

async function group({ run }: Fixture, VoiceConnectorItems: readonly VoiceConnectorItem[] = []): Promise<string> {
  const { VoiceConnectorGroup } = await run('CreateVoiceConnectorGroup', { Name: 'group', VoiceConnectorItems });
  return VoiceConnectorGroup?.VoiceConnectorGroupId as string;
}

test('CreateVoiceConnectorGroup: a group has connectors of several regions, with priorities (RES-1)', async () => {
  const fixture = await openFixture();
  const { run, connector } = fixture;
  const [here, there] = [await connector(), await connector({}, { region: 'us-west-2' })];
  const VoiceConnectorItems = [{ VoiceConnectorId: here, Priority: 99 }, { VoiceConnectorId: there }];
  const { VoiceConnectorGroup } = await run('CreateVoiceConnectorGroup', { Name: 'both', VoiceConnectorItems });
  const id = VoiceConnectorGroup?.VoiceConnectorGroupId as string;
  assert.deepEqual(VoiceConnectorGroup, {
    VoiceConnectorGroupId: id,
    Name: 'both',
    VoiceConnectorItems: [
      { VoiceConnectorId: here, Priority: 99 },
      { VoiceConnectorId: there, Priority: 1 },
    ],
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
    VoiceConnectorGroupArn: `arn:aws:chime:us-east-1:${ACCOUNT}:vcg/${id}`,
    CallDistributionType: 'PriorityWeightedDistribution',
  });
  assert.deepEqual(await run('GetVoiceConnectorGroup', { VoiceConnectorGroupId: id }), { VoiceConnectorGroup });
  assert.deepEqual(await run('ListVoiceConnectorGroups', {}), { VoiceConnectorGroups: [VoiceConnectorGroup] });
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, items: (fixture: Fixture) => Promise<readonly string[]>, create: string, update: string][] = [
  // The rows are in the order of the operations' checks. The last columns are the errors of Create and of Update.
  ['four connectors',                  async ({ connector }) => [await connector(), await connector(), await connector(), 'x'],          'ResourceLimitExceededException', 'BadRequestException'],
  ['a connector twice',                async ({ connector }) => Array(2).fill(await connector()),                                         'BadRequestException',            'BadRequestException'],
  ['an unknown Voice Connector',       async () => ['0000000000000000000000'],                                                            'NotFoundException',              'NotFoundException'  ],
  ['a connector of another account',   async ({ connector }) => [await connector({}, { accountId: OTHER_ACCOUNT })],                      'NotFoundException',              'NotFoundException'  ],
];

for (const [title, connectors, onCreate, onUpdate] of REFUSED) {
  test(`Groups: ${title} is ${onCreate} on create and ${onUpdate} on update, and nothing changes (RES-1)`, async () => {
    const fixture = await openFixture();
    const VoiceConnectorGroupId = await group(fixture);
    const before = await fixture.run('ListVoiceConnectorGroups', {});
    const request = { Name: 'other', VoiceConnectorItems: items(...(await connectors(fixture))) };
    await assert.rejects(fixture.run('CreateVoiceConnectorGroup', request), { code: onCreate });
    await assert.rejects(fixture.run('UpdateVoiceConnectorGroup', { VoiceConnectorGroupId, ...request }), { code: onUpdate });
    assert.deepEqual(await fixture.run('ListVoiceConnectorGroups', {}), before);
  });
}

test('CreateVoiceConnectorGroup: the fourth group of an account is ResourceLimitExceededException (RES-1)', async () => {
  const { run } = await openFixture();
  for (const region of ['us-east-1', 'us-east-1', 'us-west-2']) await run('CreateVoiceConnectorGroup', { Name: 'g' }, { region });
  for (const region of ['us-east-1', 'eu-west-1']) {
    await assert.rejects(run('CreateVoiceConnectorGroup', { Name: 'g' }, { region }), { code: 'ResourceLimitExceededException' });
  }
  await run('CreateVoiceConnectorGroup', { Name: 'g' }, { accountId: OTHER_ACCOUNT });
});

test('UpdateVoiceConnectorGroup: replaces the items; an omitted CallDistributionType does not change', async () => {
  const fixture = await openFixture();
  const { run, connector } = fixture;
  const [first, second] = [await connector(), await connector()];
  const VoiceConnectorGroupId = await group(fixture, items(first));
  const changed = { VoiceConnectorGroupId, Name: 'new', VoiceConnectorItems: items(second) };
  await run('UpdateVoiceConnectorGroup', { ...changed, CallDistributionType: 'LoadBalancedDistribution' });
  const { VoiceConnectorGroup } = await run('UpdateVoiceConnectorGroup', changed);
  assert.deepEqual(
    [VoiceConnectorGroup?.Name, VoiceConnectorGroup?.VoiceConnectorItems, VoiceConnectorGroup?.CallDistributionType],
    ['new', items(second), 'LoadBalancedDistribution'],
  );
  assert.deepEqual(await run('GetVoiceConnectorGroup', { VoiceConnectorGroupId }), { VoiceConnectorGroup });
});

test('DeleteVoiceConnectorGroup: a group with connectors is ConflictException', async () => {
  const fixture = await openFixture();
  const { run, connector } = fixture;
  const VoiceConnectorGroupId = await group(fixture, items(await connector()));
  await assert.rejects(run('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId }), { code: 'ConflictException' });
  await run('UpdateVoiceConnectorGroup', { VoiceConnectorGroupId, Name: 'g', VoiceConnectorItems: [] });
  await run('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId });
  assert.deepEqual((await run('ListVoiceConnectorGroups', {})).VoiceConnectorGroups, []);
});

test('Groups: an unknown group, or a group of another account or region, is NotFoundException', async () => {
  const fixture = await openFixture();
  const { run } = fixture;
  const own = await group(fixture);
  for (const [VoiceConnectorGroupId, as] of [
    [UNKNOWN, {}],
    ['no id\u0000 at all', {}],
    [own, { accountId: OTHER_ACCOUNT }],
    [own, { region: 'eu-west-1' }],
  ] as const) {
    const code = 'NotFoundException';
    await assert.rejects(run('GetVoiceConnectorGroup', { VoiceConnectorGroupId }, as), { code });
    await assert.rejects(run('UpdateVoiceConnectorGroup', { VoiceConnectorGroupId, Name: 'g', VoiceConnectorItems: [] }, as), { code });
    await assert.rejects(run('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId }, as), { code });
  }
});
