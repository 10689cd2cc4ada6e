/** Documents that earlier versions stored with camelCase members. Operations read them, and the next change stores the current format. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openVault } from '#access/vault.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { DEFAULT_PIPELINE_LIMITS, DEFAULT_VOICE_LIMITS } from '#services/chime-kit/voice-limits.ts';
import { DEFAULT_LIMITS as IDENTITY_LIMITS } from '#services/chime-sdk-identity/deps.ts';
import { sealAttributes } from '#services/chime-sdk-identity/endpoint-records.ts';
import { identityOperations } from '#services/chime-sdk-identity/operations.ts';
import { mediaPipelinesOperations } from '#services/chime-sdk-media-pipelines/operations.ts';
import { DEFAULT_LIMITS as MESSAGING_LIMITS } from '#services/chime-sdk-messaging/deps.ts';
import { messagingOperations } from '#services/chime-sdk-messaging/operations.ts';
import { voiceOperations } from '#services/chime-sdk-voice/operations.ts';
import { sipPeers } from '#services/chime-sdk-voice/sip-peers.ts';
import { sipCredentialBinding } from '#services/chime-sdk-voice/stored-connectors.ts';
import type { Call, Operation } from '#services/kit/operation.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Store } from '#store/store.ts';
import { newFolder } from '../kit/folder.ts';
import { testPostgres } from './test-postgres.ts';

const ACCOUNT = '111122223333' as AccountId;
const START = instant(Date.UTC(2026, 10, 22));
const TIMES = { CreatedTimestamp: START, UpdatedTimestamp: START };
const IDENTITY_TIMES = { CreatedTimestamp: START, LastUpdatedTimestamp: START };
const ID = '0123456789abcdefghijkl';
const ARN = `arn:aws:chime:us-east-1:${ACCOUNT}`;
const CHAT = `${ARN}:app-instance/chat`;
const ADA = `${CHAT}/user/ada`;
const LEX = { LexBotAliasArn: `arn:aws:lex:us-east-1:${ACCOUNT}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, LocaleId: 'en_US' };
const PROJECT = `arn:aws:mobiletargeting:us-east-1:${ACCOUNT}:apps/9f1c`;
const ROUTES = { Routes: [{ Host: 'pbx', Port: 5060, Protocol: 'TCP' }], Disabled: false };
const CALLS = { CallingRegions: ['US'], CidrAllowedList: ['192.0.2.0/27'], CpsLimit: 1, Disabled: false };
const DNIS = { DNIS: [{ EmergencyPhoneNumber: '+15550100', CallingCountry: 'US' }] };
const STREAMS = { DataRetentionInHours: 24, Disabled: false };
const LOGS = { EnableSIPLogs: true, EnableMediaMetricLogs: false };
const SYSTEMS = { SessionBorderControllerTypes: ['AVAYA_SBCE'] };
const SINK = { Type: 'VoiceAnalyticsProcessor' };
const LAMBDA = { ResourceArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`, InvocationType: 'ASYNC' };
const PROCESSORS = [{ Name: 'filter', ExecutionOrder: 1, FallbackAction: 'ABORT', Configuration: { Lambda: LAMBDA } }];
const ROLE = `arn:aws:iam::${ACCOUNT}:role/analytics`;

const vault = openVault([new Uint8Array(32).fill(7)]);
const SIP = { username: 'ada', sealedPassword: vault.seal('the password', sipCredentialBinding(ID, 'ada')) };
const sealedAttributes = sealAttributes(vault, { ...keyOf('ada/phone', 'chat') }, { DeviceToken: 'the device token' });

const VOICE_PARTS = { ownedBuckets: { owns: async () => true }, hostSuffix: '.voiceconnector.chime.aws' };
const OPERATIONS: Readonly<Record<string, Operation<unknown, unknown>>> = {
  ...tableOf(messagingOperations({ limits: MESSAGING_LIMITS, sessionEndpoint: '' })),
  ...tableOf(voiceOperations({ ...VOICE_PARTS, vault, limits: DEFAULT_VOICE_LIMITS, sipPeers: sipPeers([]) })),
  ...tableOf(mediaPipelinesOperations({ limits: DEFAULT_PIPELINE_LIMITS })),
  ...tableOf(identityOperations({ vault, limits: IDENTITY_LIMITS })),
};

/** Resources as earlier versions stored them. */
// biome-ignore format: a table
const STORED: readonly (readonly [kind: string, key: ResourceKey, document: object])[] = [
  ['vc', keyOf(ID), {
    name: 'trunk', awsRegion: 'eu-west-1', requireEncryption: true, integrationType: 'CONNECT_ANALYTICS_CONNECTOR', networkType: 'DUAL_STACK',
    configurations: { origination: ROUTES, termination: CALLS, emergencyCalling: DNIS, externalSystems: SYSTEMS, logging: LOGS, streaming: STREAMS },
    credentials: [SIP],
  }],
  ['vcg', keyOf('group'), { name: 'trunks', items: [{ VoiceConnectorId: ID, Priority: 1 }], callDistributionType: 'PriorityWeightedDistribution' }],
  ['sma', keyOf('app'), { name: 'answer', awsRegion: 'us-east-1', endpoints: [{ LambdaArn: 'f' }], logging: { EnableSipMediaApplicationMessageLogs: true } }],
  ['sip-rule', keyOf('rule'), { name: 'main', disabled: true, triggerType: 'ToPhoneNumber', triggerValue: '+15550100', targetApplications: [] }],
  ['voice-settings', { ...keyOf('settings'), region: '' }, { cdrBucket: 'records', callingName: { name: 'Belfry', updatedAt: START } }],
  ['media-insights-pipeline-configuration', keyOf('calls'), {
    configurationId: 'c', resourceAccessRoleArn: ROLE, realTimeAlertConfiguration: { Disabled: true }, elements: [SINK],
  }],
  ['app-instance', keyOf('chat'), { name: 'chat', metadata: 'm', channelRetentionDays: 60, retentionSetAt: START }],
  ['app-instance-user', keyOf('ada', 'chat'), { name: 'Ada', metadata: 'm', expiration: { days: 5, criterion: 'CREATED_TIMESTAMP' } }],
  ['app-instance-bot', keyOf('helper', 'chat'), { name: 'Helper', configuration: { Lex: LEX } }],
  ['app-instance-user-endpoint', keyOf('ada/phone', 'chat'), { name: 'phone', type: 'GCM', resourceArn: PROJECT, allowMessages: 'NONE', sealedAttributes }],
  ['channel-flow', keyOf('flow', 'chat'), { name: 'old', processors: PROCESSORS }],
];

/** Operations that read the resources in `STORED`, each with its expected output. */
// biome-ignore format: a table
const READS: readonly (readonly [operation: string, input: object, output: object])[] = [
  ['GetVoiceConnector', { VoiceConnectorId: ID }, { VoiceConnector: {
    VoiceConnectorId: ID, AwsRegion: 'eu-west-1', Name: 'trunk', OutboundHostName: `${ID}.voiceconnector.chime.aws`, RequireEncryption: true,
    ...TIMES, VoiceConnectorArn: `${ARN}:vc/${ID}`, IntegrationType: 'CONNECT_ANALYTICS_CONNECTOR', NetworkType: 'DUAL_STACK',
  } }],
  ['GetVoiceConnectorOrigination',                  { VoiceConnectorId: ID }, { Origination: ROUTES }],
  ['GetVoiceConnectorTermination',                  { VoiceConnectorId: ID }, { Termination: CALLS }],
  ['GetVoiceConnectorEmergencyCallingConfiguration', { VoiceConnectorId: ID }, { EmergencyCallingConfiguration: DNIS }],
  ['GetVoiceConnectorExternalSystemsConfiguration', { VoiceConnectorId: ID }, { ExternalSystemsConfiguration: SYSTEMS }],
  ['GetVoiceConnectorLoggingConfiguration',         { VoiceConnectorId: ID }, { LoggingConfiguration: LOGS }],
  ['GetVoiceConnectorStreamingConfiguration',       { VoiceConnectorId: ID }, { StreamingConfiguration: STREAMS }],
  ['ListVoiceConnectorTerminationCredentials',      { VoiceConnectorId: ID }, { Usernames: ['ada'] }],
  ['GetVoiceConnectorGroup', { VoiceConnectorGroupId: 'group' }, { VoiceConnectorGroup: {
    VoiceConnectorGroupId: 'group', Name: 'trunks', VoiceConnectorItems: [{ VoiceConnectorId: ID, Priority: 1 }], ...TIMES,
    VoiceConnectorGroupArn: `${ARN}:vcg/group`, CallDistributionType: 'PriorityWeightedDistribution',
  } }],
  ['GetSipMediaApplication', { SipMediaApplicationId: 'app' }, { SipMediaApplication: {
    SipMediaApplicationId: 'app', AwsRegion: 'us-east-1', Name: 'answer', Endpoints: [{ LambdaArn: 'f' }], ...TIMES, SipMediaApplicationArn: `${ARN}:sma/app`,
  } }],
  ['GetSipMediaApplicationLoggingConfiguration', { SipMediaApplicationId: 'app' }, { SipMediaApplicationLoggingConfiguration: { EnableSipMediaApplicationMessageLogs: true } }],
  ['GetSipRule', { SipRuleId: 'rule' }, { SipRule: {
    SipRuleId: 'rule', Name: 'main', Disabled: true, TriggerType: 'ToPhoneNumber', TriggerValue: '+15550100', TargetApplications: [], ...TIMES,
  } }],
  ['GetGlobalSettings', {}, { VoiceConnector: { CdrBucket: 'records' } }],
  ['GetPhoneNumberSettings', {}, { CallingName: 'Belfry', CallingNameUpdatedTimestamp: START }],
  ['GetMediaInsightsPipelineConfiguration', { Identifier: 'calls' }, { MediaInsightsPipelineConfiguration: {
    MediaInsightsPipelineConfigurationName: 'calls', MediaInsightsPipelineConfigurationArn: `${ARN}:media-insights-pipeline-configuration/calls`,
    ResourceAccessRoleArn: ROLE, RealTimeAlertConfiguration: { Disabled: true }, Elements: [SINK], MediaInsightsPipelineConfigurationId: 'c', ...TIMES,
  } }],
  ['DescribeAppInstance', { AppInstanceArn: CHAT }, { AppInstance: { AppInstanceArn: CHAT, Name: 'chat', Metadata: 'm', ...IDENTITY_TIMES } }],
  ['GetAppInstanceRetentionSettings', { AppInstanceArn: CHAT }, {
    AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: 60 } }, InitiateDeletionTimestamp: START + 30 * 24 * 60 * 60_000,
  }],
  ['DescribeAppInstanceUser', { AppInstanceUserArn: ADA }, { AppInstanceUser: {
    AppInstanceUserArn: ADA, Name: 'Ada', Metadata: 'm', ...IDENTITY_TIMES, ExpirationSettings: { ExpirationDays: 5, ExpirationCriterion: 'CREATED_TIMESTAMP' },
  } }],
  ['DescribeAppInstanceBot', { AppInstanceBotArn: `${CHAT}/bot/helper` }, { AppInstanceBot: {
    AppInstanceBotArn: `${CHAT}/bot/helper`, Name: 'Helper', Configuration: { Lex: LEX }, ...IDENTITY_TIMES,
  } }],
  ['DescribeAppInstanceUserEndpoint', { AppInstanceUserArn: ADA, EndpointId: 'phone' }, { AppInstanceUserEndpoint: {
    AppInstanceUserArn: ADA, EndpointId: 'phone', Name: 'phone', Type: 'GCM', ResourceArn: PROJECT, EndpointAttributes: { DeviceToken: 'the device token' },
    ...IDENTITY_TIMES, AllowMessages: 'NONE', EndpointState: { Status: 'ACTIVE' },
  } }],
  ['DescribeChannelFlow', { ChannelFlowArn: `${CHAT}/channel-flow/flow` }, { ChannelFlow: {
    ChannelFlowArn: `${CHAT}/channel-flow/flow`, Processors: PROCESSORS, Name: 'old', ...IDENTITY_TIMES,
  } }],
];

/** Operations that change the resources in `STORED`, each with the document that the operation stores. */
// biome-ignore format: a table
const CHANGES: readonly (readonly [operation: string, input: object, kind: string, key: ResourceKey, document: object])[] = [
  ['PutVoiceConnectorLoggingConfiguration', { VoiceConnectorId: ID, LoggingConfiguration: {} }, 'vc', keyOf(ID), {
    Name: 'trunk', AwsRegion: 'eu-west-1', RequireEncryption: true, IntegrationType: 'CONNECT_ANALYTICS_CONNECTOR', NetworkType: 'DUAL_STACK',
    Origination: ROUTES, Termination: CALLS, EmergencyCallingConfiguration: DNIS, ExternalSystemsConfiguration: SYSTEMS, StreamingConfiguration: STREAMS,
    LoggingConfiguration: { EnableSIPLogs: false, EnableMediaMetricLogs: false }, Credentials: [{ Username: 'ada', sealedPassword: SIP.sealedPassword }],
  }],
  ['UpdateVoiceConnectorGroup', { VoiceConnectorGroupId: 'group', Name: 'new', VoiceConnectorItems: [] }, 'vcg', keyOf('group'),
    { Name: 'new', VoiceConnectorItems: [], CallDistributionType: 'PriorityWeightedDistribution' }],
  ['PutSipMediaApplicationLoggingConfiguration', { SipMediaApplicationId: 'app' }, 'sma', keyOf('app'),
    { Name: 'answer', AwsRegion: 'us-east-1', Endpoints: [{ LambdaArn: 'f' }], SipMediaApplicationLoggingConfiguration: { EnableSipMediaApplicationMessageLogs: false } }],
  ['UpdateSipRule', { SipRuleId: 'rule', Name: 'new' }, 'sip-rule', keyOf('rule'),
    { Name: 'new', Disabled: true, TriggerType: 'ToPhoneNumber', TriggerValue: '+15550100', TargetApplications: [] }],
  ['UpdateGlobalSettings', { VoiceConnector: {} }, 'voice-settings', { ...keyOf('settings'), region: '' },
    { CallingName: 'Belfry', CallingNameUpdatedTimestamp: START }],
  ['TagResource', { ResourceARN: CHAT, Tags: [] }, 'app-instance', keyOf('chat'),
    { Name: 'chat', Metadata: 'm', retentionSetAt: START, AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: 60 } } }],
  ['PutAppInstanceUserExpirationSettings', { AppInstanceUserArn: ADA }, 'app-instance-user', keyOf('ada', 'chat'), { Name: 'Ada', Metadata: 'm' }],
  ['UpdateAppInstanceBot', { AppInstanceBotArn: `${CHAT}/bot/helper`, Name: 'new', Metadata: '' }, 'app-instance-bot', keyOf('helper', 'chat'),
    { Name: 'new', Metadata: '', Configuration: { Lex: LEX } }],
  ['UpdateAppInstanceUserEndpoint', { AppInstanceUserArn: ADA, EndpointId: 'phone', Name: 'new' }, 'app-instance-user-endpoint', keyOf('ada/phone', 'chat'),
    { Name: 'new', Type: 'GCM', ResourceArn: PROJECT, AllowMessages: 'NONE', sealedAttributes }],
  ['UpdateChannelFlow', { ChannelFlowArn: `${CHAT}/channel-flow/flow`, Name: 'new', Processors: PROCESSORS }, 'channel-flow', keyOf('flow', 'chat'),
    { Name: 'new', Processors: PROCESSORS }],
];

const folder = newFolder('documents');
const postgres = await testPostgres();
after(postgres.stop);

const ENGINES: Readonly<Record<string, () => Promise<Store>>> = {
  SQLite: () => openSqlite(join(folder, 'belfry.db')),
  PostgreSQL: () => openPostgres(postgres.url),
};

for (const [engine, open] of Object.entries(ENGINES)) {
  test(`${engine}: documents of an earlier version can be read, and a change stores the current format`, async () => {
    const store = await open();
    const times = { createdAt: START, updatedAt: START, tags: [] };
    for (const [name, key, document] of STORED) {
      await store.transaction((tx) => tx.resources.add({ name }, { ...key, ...times, document }));
    }
    for (const [operation, input, output] of READS) assert.deepEqual(await run(store, operation, input), output, operation);
    for (const [operation, input, name, key, document] of CHANGES) {
      await run(store, operation, input);
      const stored = await store.transaction((tx) => tx.resources.get({ name }, key));
      assert.deepEqual(stored?.document, document, operation);
    }
    await store.close();
  });

  test(`${engine}: an encrypted password of an earlier version can be decrypted after another user is added`, async () => {
    const store = await open();
    const key = keyOf(`${ID.slice(0, -1)}z`);
    const sip = { username: 'ada', sealedPassword: vault.seal('the password', sipCredentialBinding(key.id, 'ada')) };
    const document = { name: 'trunk', configurations: { termination: CALLS }, credentials: [sip] };
    await store.transaction((tx) => tx.resources.add({ name: 'vc' }, { ...key, createdAt: START, updatedAt: START, tags: [], document }));
    const Credentials = [{ Username: 'bob', Password: 'secret' }];
    await run(store, 'PutVoiceConnectorTerminationCredentials', { VoiceConnectorId: key.id, Credentials });
    const stored = await store.transaction((tx) => tx.resources.get<Credentials>({ name: 'vc' }, key));
    const passwords = stored?.document.Credentials.map((each) =>
      vault.open(each.sealedPassword, sipCredentialBinding(key.id, each.Username)),
    );
    assert.deepEqual(passwords, ['the password', 'secret']);
    await store.close();
  });
}

interface Credentials {
  readonly Credentials: readonly { readonly Username: string; readonly sealedPassword: string }[];
}

function keyOf(id: string, parent = ''): ResourceKey {
  return { accountId: ACCOUNT, region: 'us-east-1', parent, id };
}

function tableOf(table: object): Readonly<Record<string, Operation<unknown, unknown>>> {
  return table as Readonly<Record<string, Operation<unknown, unknown>>>;
}

/** Runs an operation in a transaction. The name `TagResource` means the operation of Chime SDK Identity. */
function run(store: Store, name: string, input: object, now: Instant = START): Promise<unknown> {
  const operation = OPERATIONS[name] as Operation<unknown, unknown>;
  const principal = { type: 'Root', accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` as Arn, principalId: ACCOUNT } as const;
  const call = { principal, accountId: ACCOUNT, region: 'us-east-1', profile: 'sdk', now } as const;
  return store.transaction((tx) => operation.handle({ ...call, tx } as unknown as Call, input));
}
