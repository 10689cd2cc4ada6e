/** Configurations of a connector: origination, termination, emergency calling, external systems, logging, streaming. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type {
  ChimeSdkVoiceApi,
  Origination,
  OriginationRoute,
  StreamingConfiguration,
  Termination,
} from '#model/generated/chime-sdk-voice.ts';
import { STORED_CONFIGURATION } from '../chime-kit/insights-configurations.ts';
import { addRole } from '../iam/fixture.ts';
import { linkedRole } from '../iam/service-linked-roles.ts';
import { ACCOUNT, type Fixture, ORIGINATION, openFixture, START, TERMINATION } from './fixture.ts';
import { sipPeers } from './sip-peers.ts';

type Api = ChimeSdkVoiceApi;
type Input = { readonly VoiceConnectorId: string };

const EMERGENCY = { DNIS: [{ EmergencyPhoneNumber: '+15550100', CallingCountry: 'US' }] };
const STREAMING: StreamingConfiguration = {
  DataRetentionInHours: 24,
  Disabled: false,
  StreamingNotificationTargets: [{ NotificationTarget: 'SQS' }, { NotificationTarget: 'SNS' }],
};
const VOICE = 'voiceconnector.chime.amazonaws.com';
const ANALYTICS = `arn:aws:chime:us-east-1:${ACCOUNT}:media-insights-pipeline-configuration/calls`;

/** Creates the call analytics configuration with the ARN `ANALYTICS`. The configuration has a tag. */
async function addAnalytics({ store }: Fixture): Promise<void> {
  const place = { accountId: ACCOUNT, region: 'us-east-1', parent: '', id: 'calls' };
  const document = { MediaInsightsPipelineConfigurationId: 'c', ResourceAccessRoleArn: `arn:aws:iam::${ACCOUNT}:role/r`, Elements: [] };
  const tags = [{ key: 'team', value: 'blue' }];
  await store.transaction((tx) => tx.resources.add(STORED_CONFIGURATION, { ...place, createdAt: START, updatedAt: START, tags, document }));
}

// biome-ignore format: a table
const KEPT: readonly [name: string, put: object, answer: object][] = [
  // configuration          input of Put                                                      output of Put and Get
  ['Origination',           { Origination: { Routes: [{ Host: 'pbx.example.org' }] } },                   { Origination: { Routes: [{ Host: 'pbx.example.org', Port: 5060, Protocol: 'TCP' }], Disabled: false } }],
  ['Origination',           { Origination: { Disabled: true } },                              { Origination: { Routes: [], Disabled: true } }],
  ['Termination',           { Termination: TERMINATION },                                     { Termination: { ...TERMINATION, CpsLimit: 1, Disabled: false } }],
  ['Termination',           { Termination: { CallingRegions: ['DE'], DefaultPhoneNumber: '+15550100', CidrAllowedList: ['2600::/123'], Disabled: true } },
                                                                                              { Termination: { CallingRegions: ['DE'], DefaultPhoneNumber: '+15550100', CidrAllowedList: ['2600::/123'], Disabled: true, CpsLimit: 1 } }],
  ['ExternalSystemsConfiguration', { SessionBorderControllerTypes: ['AVAYA_SBCE'] },          { ExternalSystemsConfiguration: { SessionBorderControllerTypes: ['AVAYA_SBCE'] } }],
  ['LoggingConfiguration',  { LoggingConfiguration: { EnableSIPLogs: true } },                { LoggingConfiguration: { EnableSIPLogs: true, EnableMediaMetricLogs: false } }],
  ['StreamingConfiguration', { StreamingConfiguration: STREAMING },                           { StreamingConfiguration: STREAMING }],
  ['StreamingConfiguration', { StreamingConfiguration: { DataRetentionInHours: 0, Disabled: true, MediaInsightsConfiguration: { Disabled: false, ConfigurationArn: ANALYTICS } } },
                                                                                              { StreamingConfiguration: { DataRetentionInHours: 0, Disabled: true, MediaInsightsConfiguration: { Disabled: false, ConfigurationArn: ANALYTICS } } }],
];

for (const [name, put, answer] of KEPT) {
  test(`PutVoiceConnector${name}: Put and Get return the value with its defaults: ${JSON.stringify(put)}`, async () => {
    const fixture = await openFixture();
    await addAnalytics(fixture);
    const { run, connector } = fixture;
    const VoiceConnectorId = await connector();
    const now = instant(START + 1);
    assert.deepEqual(await run(`PutVoiceConnector${name}` as keyof Api, { VoiceConnectorId, ...put } as never, { now }), answer);
    assert.deepEqual(await run(`GetVoiceConnector${name}` as keyof Api, { VoiceConnectorId } as never), answer);
    assert.equal((await run('GetVoiceConnector', { VoiceConnectorId })).VoiceConnector?.UpdatedTimestamp, START);
  });
}

test('PutVoiceConnectorOrigination: without encryption the default protocol of a route is UDP', async () => {
  const { run, connector } = await openFixture();
  const VoiceConnectorId = await connector({ RequireEncryption: false });
  const { Origination } = await run('PutVoiceConnectorOrigination', {
    VoiceConnectorId,
    Origination: { Routes: [{ Host: 'pbx.example.org' }] },
  });
  assert.equal(Origination?.Routes?.[0]?.Protocol, 'UDP');
});

test('GetVoiceConnectorLoggingConfiguration: logging is off by default (LOG-27)', async () => {
  const { run, connector } = await openFixture();
  assert.deepEqual(await run('GetVoiceConnectorLoggingConfiguration', { VoiceConnectorId: await connector() }), {
    LoggingConfiguration: { EnableSIPLogs: false, EnableMediaMetricLogs: false },
  });
});

test('GetVoiceConnectorTerminationHealth: the response is empty, because there are no pings', async () => {
  const { run, connector } = await openFixture();
  assert.deepEqual(await run('GetVoiceConnectorTerminationHealth', { VoiceConnectorId: await connector() }), {});
});

/**
 * Creates a connector with emergency calling, and with the origination and termination that emergency calling requires.
 */
async function withEmergencyCalling({ run, connector }: Fixture): Promise<string> {
  const VoiceConnectorId = await connector();
  await run('PutVoiceConnectorOrigination', { VoiceConnectorId, Origination: ORIGINATION });
  await run('PutVoiceConnectorTermination', { VoiceConnectorId, Termination: TERMINATION });
  await run('PutVoiceConnectorEmergencyCallingConfiguration', { VoiceConnectorId, EmergencyCallingConfiguration: EMERGENCY });
  return VoiceConnectorId;
}

// biome-ignore format: a table
const REMOVED = ['Origination', 'Termination', 'EmergencyCallingConfiguration', 'ExternalSystemsConfiguration', 'StreamingConfiguration'] as const;

for (const name of REMOVED) {
  test(`DeleteVoiceConnector${name}: only this configuration is deleted, and a second deletion succeeds`, async () => {
    const fixture = await openFixture();
    const { run } = fixture;
    const input = { VoiceConnectorId: await withEmergencyCalling(fixture) };
    await run('PutVoiceConnectorStreamingConfiguration', { ...input, StreamingConfiguration: STREAMING });
    await run('PutVoiceConnectorExternalSystemsConfiguration', { ...input, ContactCenterSystemTypes: [] });
    const needed = name === 'Origination' || name === 'Termination';
    if (needed) await run('DeleteVoiceConnectorEmergencyCallingConfiguration', input);
    const others = REMOVED.filter((other) => other !== name && !(needed && other === 'EmergencyCallingConfiguration'));

    await run(`DeleteVoiceConnector${name}`, input);
    await run(`DeleteVoiceConnector${name}`, input);
    await assert.rejects(run(`GetVoiceConnector${name}`, input), { code: 'NotFoundException' });
    for (const other of others) await run(`GetVoiceConnector${other}`, input);
  });
}

const invalidRoute = (route: OriginationRoute): Origination => ({ Routes: [route] });
const termination = (change: Partial<Termination>): Termination => ({ ...TERMINATION, ...change });
const streaming = (change: Partial<StreamingConfiguration>): StreamingConfiguration => ({ ...STREAMING, ...change });

// biome-ignore format: a table
const REFUSED: readonly [name: keyof Api, title: string, put: object][] = [
  ['PutVoiceConnectorOrigination', 'neither routes nor Disabled',            { Origination: {} }],
  ['PutVoiceConnectorOrigination', 'no routes',                              { Origination: { Routes: [] } }],
  ['PutVoiceConnectorOrigination', 'a route too many',                       { Origination: { Routes: Array(21).fill({ Host: 'pbx.example.org' }) } }],
  ['PutVoiceConnectorOrigination', 'a route without a host',                 { Origination: invalidRoute({ Port: 1 }) }],
  ['PutVoiceConnectorOrigination', 'a route with an empty host',             { Origination: invalidRoute({ Host: ' ' }) }],
  ['PutVoiceConnectorOrigination', 'a route to a private host',              { Origination: invalidRoute({ Host: '10.0.0.5' }) }],
  ['PutVoiceConnectorTermination', 'no calling regions',                     { Termination: {} }],
  ['PutVoiceConnectorTermination', 'an invalid calling region',              { Termination: termination({ CallingRegions: ['US', 'usa'] }) }],
  ['PutVoiceConnectorTermination', 'a calling region that does not exist',   { Termination: termination({ CallingRegions: ['XX'] }) }],
  ['PutVoiceConnectorTermination', 'a range of all addresses',               { Termination: termination({ CidrAllowedList: ['8.8.8.0/27', '0.0.0.0/0'] }) }],
  ['PutVoiceConnectorTermination', 'a private range',                        { Termination: termination({ CidrAllowedList: ['10.0.0.0/27'] }) }],
  ['PutVoiceConnectorTermination', 'more calls a second than there may be',  { Termination: termination({ CpsLimit: 2 }) }],
  ['PutVoiceConnectorStreamingConfiguration', 'an empty target',             { StreamingConfiguration: streaming({ StreamingNotificationTargets: [{}] }) }],
  ['PutVoiceConnectorStreamingConfiguration', 'a target twice',              { StreamingConfiguration: streaming({ StreamingNotificationTargets: [{ NotificationTarget: 'SQS' }, { NotificationTarget: 'SQS' }] }) }],
  ['PutVoiceConnectorStreamingConfiguration', 'analytics without their ARN', { StreamingConfiguration: streaming({ MediaInsightsConfiguration: {} }) }],
  ['PutVoiceConnectorEmergencyCallingConfiguration', 'no termination',       { EmergencyCallingConfiguration: EMERGENCY }],
];

for (const [name, title, put] of REFUSED) {
  test(`${name}: ${title} is BadRequestException, and nothing changes`, async () => {
    const { run, connector, createdRoles } = await openFixture();
    const VoiceConnectorId = await connector();
    await run('PutVoiceConnectorOrigination', { VoiceConnectorId, Origination: ORIGINATION });
    const state = () => run('GetVoiceConnectorOrigination', { VoiceConnectorId });
    const before = await state();
    await assert.rejects(run(name, { VoiceConnectorId, ...put } as never), { code: 'BadRequestException' });
    assert.deepEqual([await state(), await createdRoles()], [before, []]);
  });
}

test('Origination and termination: private peers that the operator allows are valid', async () => {
  const { run, connector } = await openFixture({ sipPeers: sipPeers(['10.0.0.0/24', 'pbx']) });
  const VoiceConnectorId = await connector();
  await run('PutVoiceConnectorOrigination', { VoiceConnectorId, Origination: { Routes: [{ Host: '10.0.0.5' }, { Host: 'pbx' }] } });
  await run('PutVoiceConnectorTermination', { VoiceConnectorId, Termination: termination({ CidrAllowedList: ['10.0.0.0/27'] }) });
  await assert.rejects(
    run('PutVoiceConnectorTermination', { VoiceConnectorId, Termination: termination({ CidrAllowedList: ['10.0.0.0/24'] }) }),
    {
      message: "Invalid CIDR '10.0.0.0/24'. It must be a range from /27 to /32 that is public or within BELFRY_PRIVATE_SIP_PEERS.",
    },
  );
});

test('PutVoiceConnectorEmergencyCallingConfiguration: a country that does not exist is BadRequestException', async () => {
  const fixture = await openFixture();
  const VoiceConnectorId = await withEmergencyCalling(fixture);
  const EmergencyCallingConfiguration = { DNIS: [{ EmergencyPhoneNumber: '+15550100', CallingCountry: 'XX' }] };
  const put = fixture.run('PutVoiceConnectorEmergencyCallingConfiguration', { VoiceConnectorId, EmergencyCallingConfiguration });
  await assert.rejects(put, {
    code: 'BadRequestException',
    message: "Invalid calling country 'XX'. It must be a two-letter country code of ISO 3166-1.",
  });
});

for (const off of ['Origination', 'Termination'] as const) {
  test(`PutVoiceConnectorEmergencyCallingConfiguration: BadRequestException if ${off.toLowerCase()} is disabled`, async () => {
    const { run, connector } = await openFixture();
    const VoiceConnectorId = await connector();
    await run('PutVoiceConnectorOrigination', { VoiceConnectorId, Origination: { ...ORIGINATION, Disabled: off === 'Origination' } });
    await run('PutVoiceConnectorTermination', { VoiceConnectorId, Termination: { ...TERMINATION, Disabled: off === 'Termination' } });
    const put = run('PutVoiceConnectorEmergencyCallingConfiguration', { VoiceConnectorId, EmergencyCallingConfiguration: EMERGENCY });
    await assert.rejects(put, { code: 'BadRequestException' });
  });

  test(`Emergency calling: while it is configured, ${off.toLowerCase()} cannot be disabled or deleted`, async () => {
    const fixture = await openFixture();
    const VoiceConnectorId = await withEmergencyCalling(fixture);
    const code = 'BadRequestException';
    const turnedOff = { Origination: { Disabled: true }, Termination: { ...TERMINATION, Disabled: true } };
    const { run } = fixture;
    await assert.rejects(run(`PutVoiceConnector${off}`, { VoiceConnectorId, ...turnedOff }), { code });
    await assert.rejects(run(`DeleteVoiceConnector${off}`, { VoiceConnectorId }), { code });
    await run('DeleteVoiceConnectorEmergencyCallingConfiguration', { VoiceConnectorId });
    await run(`PutVoiceConnector${off}`, { VoiceConnectorId, ...turnedOff });
    await run(`DeleteVoiceConnector${off}`, { VoiceConnectorId });
  });
}

// biome-ignore format: a table
const OF_A_CONNECTOR: Readonly<Record<string, object>> = {
  GetVoiceConnectorOrigination: {},                    PutVoiceConnectorOrigination: { Origination: ORIGINATION },            DeleteVoiceConnectorOrigination: {},
  GetVoiceConnectorTermination: {},                    PutVoiceConnectorTermination: { Termination: TERMINATION },            DeleteVoiceConnectorTermination: {},
  GetVoiceConnectorTerminationHealth: {},
  ListVoiceConnectorTerminationCredentials: {},        PutVoiceConnectorTerminationCredentials: {},                           DeleteVoiceConnectorTerminationCredentials: { Usernames: ['a'] },
  GetVoiceConnectorEmergencyCallingConfiguration: {},  PutVoiceConnectorEmergencyCallingConfiguration: { EmergencyCallingConfiguration: EMERGENCY }, DeleteVoiceConnectorEmergencyCallingConfiguration: {},
  GetVoiceConnectorExternalSystemsConfiguration: {},   PutVoiceConnectorExternalSystemsConfiguration: {},                     DeleteVoiceConnectorExternalSystemsConfiguration: {},
  GetVoiceConnectorLoggingConfiguration: {},           PutVoiceConnectorLoggingConfiguration: { LoggingConfiguration: {} },
  GetVoiceConnectorStreamingConfiguration: {},         PutVoiceConnectorStreamingConfiguration: { StreamingConfiguration: STREAMING }, DeleteVoiceConnectorStreamingConfiguration: {},
};

for (const [name, more] of Object.entries(OF_A_CONNECTOR)) {
  test(`${name}: a connector of another region is NotFoundException`, async () => {
    const { run, connector } = await openFixture();
    const input: Input = { VoiceConnectorId: await connector(), ...more };
    await assert.rejects(run(name as keyof Api, input as never, { region: 'eu-west-1' }), { code: 'NotFoundException' });
  });
}

for (const ConfigurationArn of [
  'arn:aws',
  ANALYTICS.replace('calls', 'other'),
  ANALYTICS.replace('us-east-1', 'eu-west-1'),
  `${ANALYTICS}/x`,
]) {
  test(`PutVoiceConnectorStreamingConfiguration: the unknown configuration ${ConfigurationArn} is NotFoundException`, async () => {
    const fixture = await openFixture();
    await addAnalytics(fixture);
    const StreamingConfiguration = streaming({ MediaInsightsConfiguration: { Disabled: true, ConfigurationArn } });
    const put = { VoiceConnectorId: await fixture.connector(), StreamingConfiguration };
    await assert.rejects(fixture.run('PutVoiceConnectorStreamingConfiguration', put), { code: 'NotFoundException' });
    assert.deepEqual(await fixture.createdRoles(), []);
  });
}

test('PutVoiceConnectorStreamingConfiguration: creates and records the service-linked role once (SLR-6)', async () => {
  const { run, connector, store, createdRoles } = await openFixture();
  const VoiceConnectorId = await connector();
  const role = () => store.transaction((tx) => linkedRole(tx, ACCOUNT, VOICE));
  assert.equal(await role(), undefined);
  for (const _ of [1, 2]) await run('PutVoiceConnectorStreamingConfiguration', { VoiceConnectorId, StreamingConfiguration: STREAMING });
  assert.equal((await role())?.roleName, 'AWSServiceRoleForAmazonChimeVoiceConnector');
  assert.deepEqual(await createdRoles(), [VOICE]);
});

test('Streaming: an ordinary role with the name of the service-linked role is ForbiddenException (SLR-17)', async () => {
  const { run, connector, store } = await openFixture();
  const VoiceConnectorId = await connector();
  await addRole(store, `arn:aws:iam::${ACCOUNT}:role/AWSServiceRoleForAmazonChimeVoiceConnector`);
  const put = () => run('PutVoiceConnectorStreamingConfiguration', { VoiceConnectorId, StreamingConfiguration: STREAMING });
  await assert.rejects(put(), { code: 'ForbiddenException', message: /^Unable to create service linked role/ });
  await assert.rejects(run('GetVoiceConnectorStreamingConfiguration', { VoiceConnectorId }), { code: 'NotFoundException' });
});
