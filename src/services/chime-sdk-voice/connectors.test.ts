import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { CreateVoiceConnectorRequest } from '#model/generated/chime-sdk-voice.ts';
import { loadModel } from '#model/load.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { VOICE_REGIONS } from './connectors.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from './fixture.ts';

const REQUEST: CreateVoiceConnectorRequest = { Name: 'trunk', RequireEncryption: true };
const LATER = instant(START + 1000);
const UNKNOWN = '0000000000000000000000';

test('CreateVoiceConnector: the ID has 22 characters and is in the host name; the defaults match AWS', async () => {
  const { run } = await openFixture();
  const { VoiceConnector } = await run('CreateVoiceConnector', REQUEST, { region: 'eu-west-1' });
  const id = VoiceConnector?.VoiceConnectorId as string;
  assert.match(id, /^[a-z0-9]{22}$/);
  assert.deepEqual(VoiceConnector, {
    VoiceConnectorId: id,
    AwsRegion: 'us-east-1',
    Name: 'trunk',
    OutboundHostName: `${id}.voiceconnector.chime.aws`,
    RequireEncryption: true,
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
    VoiceConnectorArn: `arn:aws:chime:eu-west-1:${ACCOUNT}:vc/${id}`,
    NetworkType: 'IPV4_ONLY',
  });
  assert.deepEqual(await run('GetVoiceConnector', { VoiceConnectorId: id }, { region: 'eu-west-1' }), { VoiceConnector });
});

test('CreateVoiceConnector: optional members are stored', async () => {
  const { run } = await openFixture();
  const given = {
    AwsRegion: 'eu-central-1',
    IntegrationType: 'CONNECT_ANALYTICS_CONNECTOR',
    NetworkType: 'DUAL_STACK',
  } as const;
  const { VoiceConnector } = await run('CreateVoiceConnector', { ...REQUEST, ...given });
  const { AwsRegion, IntegrationType, NetworkType } = VoiceConnector ?? {};
  assert.deepEqual({ AwsRegion, IntegrationType, NetworkType }, given);
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<CreateVoiceConnectorRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['a reserved tag key',                         { Tags: [{ Key: 'aws:x', Value: '' }] }, 'BadRequestException'           ],
  ['an account with the maximum',                {},                                      'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateVoiceConnector: ${title} is ${code}, and nothing is created`, async () => {
    const { run, connector } = await openFixture({ limits: { ...DEFAULT_VOICE_LIMITS, connectors: 1 } });
    await connector();
    await assert.rejects(run('CreateVoiceConnector', { ...REQUEST, ...change }), { code });
    assert.equal((await run('ListVoiceConnectors', {})).VoiceConnectors?.length, 1);
  });
}

test('CreateVoiceConnector: the limit applies to one account in one region', async () => {
  const { connector } = await openFixture({ limits: { ...DEFAULT_VOICE_LIMITS, connectors: 1 } });
  await connector();
  await connector({}, { region: 'eu-west-1' });
  await connector({}, { accountId: OTHER_ACCOUNT });
});

test('Voice Connectors: another account or region cannot read, change or delete a Voice Connector', async () => {
  const { run, connector } = await openFixture();
  const VoiceConnectorId = await connector();
  for (const as of [{ accountId: OTHER_ACCOUNT }, { region: 'eu-west-1' }]) {
    const code = 'NotFoundException';
    await assert.rejects(run('GetVoiceConnector', { VoiceConnectorId }, as), { code });
    await assert.rejects(run('UpdateVoiceConnector', { ...REQUEST, VoiceConnectorId }, as), { code });
    await assert.rejects(run('DeleteVoiceConnector', { VoiceConnectorId }, as), { code });
    assert.deepEqual((await run('ListVoiceConnectors', {}, as)).VoiceConnectors, []);
  }
  await run('GetVoiceConnector', { VoiceConnectorId });
});

test('ListVoiceConnectors: pages are in ID order, and a token of another list is BadRequestException', async () => {
  const { run, connector } = await openFixture();
  const ids = [await connector(), await connector(), await connector()].sort();
  const first = await run('ListVoiceConnectors', { MaxResults: 2 });
  const NextToken = first.NextToken as string;
  const second = await run('ListVoiceConnectors', { MaxResults: 2, NextToken });
  assert.deepEqual(
    [...(first.VoiceConnectors ?? []), ...(second.VoiceConnectors ?? [])].map((each) => each.VoiceConnectorId),
    ids,
  );
  assert.equal(second.NextToken, undefined);
  await assert.rejects(run('ListVoiceConnectorGroups', { NextToken }), { code: 'BadRequestException' });
});

test('UpdateVoiceConnector: changes name, encryption and update time; an unknown ID is NotFoundException', async () => {
  const { run, connector } = await openFixture();
  const VoiceConnectorId = await connector();
  const change = { Name: 'renamed', RequireEncryption: false };
  const { VoiceConnector } = await run('UpdateVoiceConnector', { VoiceConnectorId, ...change }, { now: LATER });
  assert.deepEqual(
    [VoiceConnector?.Name, VoiceConnector?.RequireEncryption, VoiceConnector?.CreatedTimestamp, VoiceConnector?.UpdatedTimestamp],
    ['renamed', false, START, LATER],
  );
  assert.deepEqual(await run('GetVoiceConnector', { VoiceConnectorId }), { VoiceConnector });
  await assert.rejects(run('UpdateVoiceConnector', { VoiceConnectorId: UNKNOWN, ...change }), { code: 'NotFoundException' });
});

test('DeleteVoiceConnector: also deletes the configurations; a second deletion is NotFoundException', async () => {
  const { run, connector } = await openFixture();
  const VoiceConnectorId = await connector();
  await run('PutVoiceConnectorLoggingConfiguration', { VoiceConnectorId, LoggingConfiguration: { EnableSIPLogs: true } });
  await run('DeleteVoiceConnector', { VoiceConnectorId });
  await assert.rejects(run('DeleteVoiceConnector', { VoiceConnectorId }), { code: 'NotFoundException' });
  await assert.rejects(run('GetVoiceConnectorLoggingConfiguration', { VoiceConnectorId }), { code: 'NotFoundException' });
});

test('DeleteVoiceConnector: a connector in a group of any region is ConflictException with `Code` (RES-1)', async () => {
  for (const region of ['us-east-1', 'eu-west-1']) {
    const { run, connector } = await openFixture();
    const VoiceConnectorId = await connector();
    const item = { Name: 'g', VoiceConnectorItems: [{ VoiceConnectorId }] };
    const { VoiceConnectorGroup } = await run('CreateVoiceConnectorGroup', item, { region });
    const VoiceConnectorGroupId = VoiceConnectorGroup?.VoiceConnectorGroupId as string;
    await assert.rejects(run('DeleteVoiceConnector', { VoiceConnectorId }), {
      code: 'ConflictException',
      members: { Code: 'VoiceConnectorGroupAssociationsExist' },
    });
    await run('UpdateVoiceConnectorGroup', { VoiceConnectorGroupId, Name: 'g', VoiceConnectorItems: [] }, { region });
    await run('DeleteVoiceConnector', { VoiceConnectorId });
  }
});

test('ListAvailableVoiceConnectorRegions: returns the regions in the model', async () => {
  const { run } = await openFixture();
  assert.deepEqual(await run('ListAvailableVoiceConnectorRegions', {}), { VoiceConnectorRegions: VOICE_REGIONS });
  assert.deepEqual(VOICE_REGIONS, loadModel('chime-sdk-voice').shapes['VoiceConnectorAwsRegion']?.enum);
});
