/**
 * Custom resources of AWS's CDK library for Chime (cdk-amazon-chime-resources), created, updated and deleted by the library's own Lambda
 * functions, with the permissions of their roles. `Update` of most kinds does nothing: the library does not support it.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as identity from '@aws-sdk/client-chime-sdk-identity';
import * as pipelines from '@aws-sdk/client-chime-sdk-media-pipelines';
import * as messaging from '@aws-sdk/client-chime-sdk-messaging';
import * as voice from '@aws-sdk/client-chime-sdk-voice';
import { CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { askControl } from '#server/operator/ask-control.ts';
import { startAccount } from '../kit/account.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, trustService } from '../kit/policy.ts';
import { type CustomResource, type FunctionName, type LambdaFunction, startFunction, startParameterStore } from './functions.ts';

const account = await startAccount();
const { accountId, server } = account;
const store = await startParameterStore();
const sdk = { identity: account.identity(), pipelines: account.pipelines(), messaging: account.messaging(), voice: account.voice() };
const LAMBDA = `arn:aws:lambda:us-east-1:${accountId}:function:answer`;
const [NUMBER, DIAL_IN_NUMBER] = ['+12065550101', '+12535550101'] as const;
const MEDIA_PIPELINES = 'mediapipelines.chime.amazonaws.com';

/** Actions of the functions' roles. Source: cdk-amazon-chime-resources 3.2.25, the three classes of custom resources. */
const ACTIONS: Readonly<Record<FunctionName, readonly string[]>> = {
  pstn: [
    'chime:CreatePhoneNumberOrder',
    'chime:CreateSipMediaApplication',
    'chime:CreateSipRule',
    'chime:CreateVoiceConnector',
    'chime:CreateVoiceProfileDomain',
    'chime:DeletePhoneNumber',
    'chime:DeleteSipMediaApplication',
    'chime:DeleteSipRule',
    'chime:DeleteVoiceConnector',
    'chime:DeleteVoiceProfileDomain',
    'chime:GetPhoneNumber',
    'chime:GetPhoneNumberOrder',
    'chime:GetSipRule',
    'chime:ListPhoneNumbers',
    'chime:PutSipMediaApplicationLoggingConfiguration',
    'chime:PutVoiceConnectorLoggingConfiguration',
    'chime:PutVoiceConnectorOrigination',
    'chime:PutVoiceConnectorStreamingConfiguration',
    'chime:PutVoiceConnectorTermination',
    'chime:*MediaInsightsPipelineConfiguration',
    'chime:SearchAvailablePhoneNumbers',
    'chime:UpdateSipRule',
    'chime:AssociatePhoneNumbersWithVoiceConnector',
    'chime:DisassociatePhoneNumbersFromVoiceConnector',
    'logs:PutResourcePolicy',
    'iam:CreateServiceLinkedRole',
  ],
  messaging: [
    'chime:*ChannelFlow',
    'chime:*AppInstance*',
    'chime:*MessagingStreamingConfigurations',
    'chime:TagResource',
    'chime:UntagResource',
    'chime:ListTagsForResource',
    'iam:PutRolePolicy',
    'iam:CreateServiceLinkedRole',
  ],
  'media-pipelines': ['chime:*', 'iam:PutRolePolicy', 'iam:CreateServiceLinkedRole', 'iam:PassRole'],
};

/** Starts a function with the permissions of its role, and with further actions. */
async function start(name: FunctionName, user: string = name, ...actions: readonly string[]): Promise<LambdaFunction> {
  const keys = await account.user(user, allow([...ACTIONS[name], ...actions]));
  return startFunction(name, { server: server.endpoint, parameters: store.url, keys });
}

const functions = { pstn: await start('pstn'), messaging: await start('messaging'), 'media-pipelines': await start('media-pipelines') };

/** The function `pstn` with the actions that it calls and that its role lacks. */
const permitted = await start('pstn', 'permitted', 'chime:UpdateVoiceProfileDomain', 'chime:PutSipMediaApplicationAlexaSkillConfiguration');

/** Creates a resource. Returns its attributes. */
async function create(name: FunctionName, resource: CustomResource): Promise<Readonly<Record<string, string>>> {
  const { Status, Data = {} } = await functions[name].invoke('Create', resource);
  assert.equal(Status, 'SUCCESS');
  return Data as Readonly<Record<string, string>>;
}

async function change(name: FunctionName, request: 'Update' | 'Delete', resource: CustomResource): Promise<void> {
  assert.equal((await functions[name].invoke(request, resource)).Status, 'SUCCESS');
}

const APP = {
  resourceType: 'AppInstance',
  uid: 'App',
  properties: { name: 'chat', metadata: 'm', tags: [{ key: 'team', value: 'blue' }] },
};
let appInstanceArn = '';
before(async () => {
  ({ appInstanceArn = '' } = await create('messaging', APP));
});

const applicationWith = (uid: string, name: string): CustomResource => ({
  ...{ resourceType: 'SMA', uid },
  properties: { region: 'us-east-1', name, endpoint: LAMBDA },
});

const ruleWith = (uid: string, sipMediaApplicationId: string, triggerType: string, triggerValue: unknown): CustomResource => ({
  ...{ resourceType: 'SMARule', uid },
  properties: {
    ...{ name: uid, triggerType, triggerValue },
    targetApplications: [{ region: 'us-east-1', priority: 1, sipMediaApplicationId }],
  },
});

/** Returns the status of a number, and the names of its associations. */
async function stateOf(number: string) {
  const { PhoneNumber } = await sdk.voice.send(new voice.GetPhoneNumberCommand({ PhoneNumberId: number }));
  return [PhoneNumber?.Status, PhoneNumber?.Associations?.map(({ Name }) => Name)];
}

/** Returns a number that the library finds by its area code. */
const numberWith = (uid: string, phoneAreaCode: number, phoneProductType: string): CustomResource => ({
  ...{ resourceType: 'PhoneNumber', uid },
  properties: { phoneAreaCode, phoneNumberType: 'Local', phoneCountry: 'US', phoneProductType },
});

// The functions wait for the orders of numbers, so that each has a process of its own.
describe('CDK: phone numbers', { concurrency: true }, () => {
  before(async () => {
    const common = { country: 'US', type: 'Local', state: 'WA', city: 'Seattle' };
    const rows = [
      { ...common, number: NUMBER, products: 'VoiceConnector', area_code: '206' },
      { ...common, number: DIAL_IN_NUMBER, products: 'SipMediaApplicationDialIn', area_code: '253' },
    ].map((fields, line) => ({ line, fields }));
    assert.ok((await askControl(server.dataFolder, { command: 'numbers import', rows, isPreview: false })).ok);
  });

  test('CDK: a phone number is found, ordered, associated with a Voice Connector, and deleted', async () => {
    const { VoiceConnector } = await sdk.voice.send(new voice.CreateVoiceConnectorCommand({ Name: 'numbers', RequireEncryption: true }));
    const waiting = await start('pstn', 'numbers');
    const number = numberWith('Number', 206, 'VoiceConnector');
    assert.deepEqual((await waiting.invoke('Create', number)).Data, { phoneNumber: NUMBER });
    const association: CustomResource = {
      ...{ resourceType: 'PhoneAssociation', uid: 'Association' },
      properties: { voiceConnectorId: VoiceConnector?.VoiceConnectorId, e164PhoneNumber: NUMBER },
    };
    for (const request of ['Create', 'Update'] as const) {
      await waiting.invoke(request, association);
      assert.deepEqual(await stateOf(NUMBER), ['Assigned', ['VoiceConnectorId']]);
    }
    await waiting.invoke('Delete', association);
    assert.deepEqual(await stateOf(NUMBER), ['Unassigned', []]);
    await waiting.invoke('Create', association);
    await waiting.invoke('Delete', number);
    assert.deepEqual(await stateOf(NUMBER), ['ReleaseInProgress', []]);
    assert.equal(store.parameters.has('/chime/phoneNumberNumber'), false);
  });

  test('CDK: a dial-in number has a SIP rule, and both are deleted', async () => {
    const waiting = await start('pstn', 'dial-in');
    const number = numberWith('DialIn', 253, 'SipMediaApplicationDialIn');
    assert.deepEqual((await waiting.invoke('Create', number)).Data, { phoneNumber: DIAL_IN_NUMBER });
    const application = applicationWith('DialInApplication', 'dial-in');
    const { Data: { sipMediaAppId } = {} } = await waiting.invoke('Create', application);
    const rule = ruleWith('DialInRule', String(sipMediaAppId), 'ToPhoneNumber', DIAL_IN_NUMBER);
    const { Data: { sipRuleId } = {} } = await waiting.invoke('Create', rule);
    const { SipRule } = await sdk.voice.send(new voice.GetSipRuleCommand({ SipRuleId: String(sipRuleId) }));
    assert.equal(SipRule?.TriggerValue, DIAL_IN_NUMBER);
    for (const each of [rule, application, number]) await waiting.invoke('Delete', each);
    assert.deepEqual(await stateOf(DIAL_IN_NUMBER), ['ReleaseInProgress', []]);
  });
});

test('CDK: a Voice Connector is created with all its settings, changed and deleted', async () => {
  const connector = (more: Readonly<Record<string, unknown>> = {}): CustomResource => ({
    resourceType: 'VoiceConnector',
    uid: 'Connector',
    properties: {
      region: 'us-east-1',
      name: 'trunk',
      encryption: true,
      termination: { callingRegions: ['US', 'CA'], terminationCidrs: ['8.8.8.0/27'], cps: 1 },
      origination: [{ host: '8.8.8.1', port: 5061, protocol: 'TCP', priority: 1, weight: 2 }],
      streaming: { enabled: true, dataRetention: 3, notificationTargets: ['EventBridge'] },
      logging: { enableSIPLogs: true, enableMediaMetricLogs: false },
      ...more,
    },
  });
  const { voiceConnectorId: VoiceConnectorId = '' } = await create('pstn', connector());
  const id = { VoiceConnectorId };
  const state = async () => ({
    ...(await sdk.voice.send(new voice.GetVoiceConnectorTerminationCommand(id))).Termination,
    ...(await sdk.voice.send(new voice.GetVoiceConnectorLoggingConfigurationCommand(id))).LoggingConfiguration,
    Routes: (await sdk.voice.send(new voice.GetVoiceConnectorOriginationCommand(id))).Origination?.Routes,
    Retention: (await sdk.voice.send(new voice.GetVoiceConnectorStreamingConfigurationCommand(id))).StreamingConfiguration
      ?.DataRetentionInHours,
  });
  const route = { Host: '8.8.8.1', Port: 5061, Protocol: 'TCP', Priority: 1, Weight: 2 };
  const expected = {
    ...{ CallingRegions: ['US', 'CA'], CidrAllowedList: ['8.8.8.0/27'], CpsLimit: 1, Disabled: false },
    ...{ EnableSIPLogs: true, EnableMediaMetricLogs: false, Routes: [route], Retention: 3 },
  };
  const { VoiceConnector } = await sdk.voice.send(new voice.GetVoiceConnectorCommand(id));
  assert.deepEqual([VoiceConnector?.Name, VoiceConnector?.RequireEncryption, VoiceConnector?.AwsRegion], ['trunk', true, 'us-east-1']);
  assert.deepEqual(await state(), expected);

  const changed = connector({
    origination: [{ host: '8.8.8.2', port: 5060, protocol: 'UDP', priority: 2, weight: 3 }],
    logging: { enableSIPLogs: false, enableMediaMetricLogs: true },
  });
  await change('pstn', 'Update', changed);
  assert.deepEqual(await state(), {
    ...{ ...expected, EnableSIPLogs: false, EnableMediaMetricLogs: true },
    Routes: [{ Host: '8.8.8.2', Port: 5060, Protocol: 'UDP', Priority: 2, Weight: 3 }],
  });
  await change('pstn', 'Delete', changed);
  assert.equal(await outcomeOf(sdk.voice.send(new voice.GetVoiceConnectorCommand(id))), 'NotFound');
});

test('CDK: a SIP media application and a SIP rule are created and deleted, and Alexa skills are refused', async () => {
  const application = applicationWith('Application', 'answering');
  const { sipMediaAppId: SipMediaApplicationId = '' } = await create('pstn', application);
  const id = { SipMediaApplicationId };
  const { SipMediaApplication } = await sdk.voice.send(new voice.GetSipMediaApplicationCommand(id));
  assert.deepEqual([SipMediaApplication?.Name, SipMediaApplication?.Endpoints], ['answering', [{ LambdaArn: LAMBDA }]]);

  // The function reads this member two levels deep.
  const logs = (enableSipMediaApplicationMessageLogs: boolean): CustomResource => ({
    resourceType: 'SMALogging',
    uid: 'Logs',
    properties: {
      sipMediaAppId: SipMediaApplicationId,
      sipMediaApplicationLoggingConfiguration: { sipMediaApplicationLoggingConfiguration: { enableSipMediaApplicationMessageLogs } },
    },
  });
  for (const [request, isEnabled] of [
    ['Create', true],
    ['Update', false],
  ] as const) {
    const { Data } = await functions.pstn.invoke(request, logs(isEnabled));
    const EnableSipMediaApplicationMessageLogs = isEnabled;
    assert.deepEqual(Data, { putSipMediaApplicationLoggingConfiguration: { EnableSipMediaApplicationMessageLogs } });
  }
  const sipMediaApplicationAlexaSkillConfiguration = {
    alexaSkillIds: ['amzn1.application-oa2-client.0123456789abcdef0123456789abcdef'],
    alexaSkillStatus: 'ACTIVE',
  };
  const skills: CustomResource = {
    resourceType: 'SMAAlexaSkill',
    uid: 'Skills',
    properties: { sipMediaAppId: SipMediaApplicationId, sipMediaApplicationAlexaSkillConfiguration },
  };
  // The role of the function lacks this permission. AWS has ended the integration of Alexa.
  await assert.rejects(
    functions.pstn.invoke('Create', skills),
    /^Error: AccessDeniedException: .*PutSipMediaApplicationAlexaSkillConfiguration/,
  );
  await assert.rejects(permitted.invoke('Create', skills), /^Error: GoneException/);

  const { VoiceConnector } = await sdk.voice.send(new voice.CreateVoiceConnectorCommand({ Name: 'rules', RequireEncryption: true }));
  const host = VoiceConnector?.OutboundHostName;
  const rule = ruleWith('Rule', SipMediaApplicationId, 'RequestUriHostname', host);
  const { sipRuleId: SipRuleId = '' } = await create('pstn', rule);
  const { SipRule } = await sdk.voice.send(new voice.GetSipRuleCommand({ SipRuleId }));
  const { Disabled, TriggerValue, TargetApplications } = SipRule ?? {};
  assert.deepEqual(
    [Disabled, TriggerValue, TargetApplications],
    [false, host, [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'us-east-1' }]],
  );
  for (const resource of [rule, application]) {
    await change('pstn', 'Update', resource);
    await change('pstn', 'Delete', resource);
  }
  assert.equal(await outcomeOf(sdk.voice.send(new voice.GetSipRuleCommand({ SipRuleId }))), 'NotFound');
  assert.equal(await outcomeOf(sdk.voice.send(new voice.GetSipMediaApplicationCommand(id))), 'NotFound');
});

test('CDK: a voice profile domain is created, changed and deleted', async () => {
  const domain = (name: string, description: string): CustomResource => ({
    ...{ resourceType: 'VoiceProfileDomain', uid: 'Domain' },
    properties: {
      ...{ name, description, clientRequestToken: 'domain' },
      serverSideEncryptionConfiguration: { kmsKeyArn: `arn:aws:kms:us-east-1:${accountId}:key/1` },
    },
  });
  const { VoiceProfileDomainId, ...created } = await create('pstn', domain('callers', 'first'));
  assert.equal(created['VoiceProfileDomainArn'], `arn:aws:chime:us-east-1:${accountId}:voice-profile-domain/${VoiceProfileDomainId}`);
  assert.equal(created['Name'], 'callers');
  const read = async () => {
    const { VoiceProfileDomain } = await sdk.voice.send(new voice.GetVoiceProfileDomainCommand({ VoiceProfileDomainId }));
    return [VoiceProfileDomain?.Name, VoiceProfileDomain?.Description];
  };
  assert.deepEqual(await read(), ['callers', 'first']);
  // The role of the function lacks the permission for this update.
  const changed = domain('customers', 'second');
  await assert.rejects(functions.pstn.invoke('Update', changed), /^Error: AccessDeniedException: .*UpdateVoiceProfileDomain/);
  await permitted.invoke('Update', changed);
  assert.deepEqual(await read(), ['customers', 'second']);
  await change('pstn', 'Delete', changed);
  assert.equal(await outcomeOf(read()), 'NotFound');
});

test('CDK: an app instance has its tags, retention, streaming, users, administrators and bots', async () => {
  const AppInstanceArn = appInstanceArn;
  const { AppInstance } = await sdk.identity.send(new identity.DescribeAppInstanceCommand({ AppInstanceArn }));
  const { Tags } = await sdk.identity.send(new identity.ListTagsForResourceCommand({ ResourceARN: AppInstanceArn }));
  assert.deepEqual([AppInstance?.Name, AppInstance?.Metadata, Tags], ['chat', 'm', [{ Key: 'team', Value: 'blue' }]]);

  const resource = (resourceType: string, properties: object): CustomResource => ({
    resourceType,
    uid: resourceType,
    properties: { appInstanceArn, ...properties },
  });
  for (const [request, RetentionDays] of [
    ['Create', 30],
    ['Update', 60],
  ] as const) {
    const retention = await functions.messaging.invoke(request, resource('DataRetention', { dataRetention: RetentionDays }));
    assert.deepEqual(retention.Data, { appInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays } } });
  }
  const stream = `arn:aws:kinesis:us-east-1:${accountId}:stream/chime-messaging-a`;
  for (const [request, dataType] of [
    ['Create', 'Channel'],
    ['Update', 'ChannelMessage'],
  ] as const) {
    const streaming = resource('StreamingConfig', { streamingConfigs: [{ dataType, resourceArn: stream }] });
    const { Data } = await functions.messaging.invoke(request, streaming);
    assert.deepEqual(Data, { appInstanceStreamingConfiguration: [{ DataType: dataType, ResourceArn: stream }] });
  }
  const user = resource('AppInstanceUser', { name: 'Ada', appInstanceUserId: 'ada', metadata: 'u' });
  const { appInstanceUser = '' } = await create('messaging', user);
  assert.equal(appInstanceUser, `${AppInstanceArn}/user/ada`);
  const admin = resource('AppInstanceAdmin', { appInstanceAdminArn: appInstanceUser });
  assert.deepEqual(await create('messaging', admin), { AppInstanceAdminArn: appInstanceUser, AppInstanceAdminName: 'Ada' });
  const { AppInstanceAdmins } = await sdk.identity.send(new identity.ListAppInstanceAdminsCommand({ AppInstanceArn }));
  assert.deepEqual(
    AppInstanceAdmins?.map(({ Admin }) => Admin),
    [{ Arn: appInstanceUser, Name: 'Ada' }],
  );
  const lex = {
    lexBotAliasArn: `arn:aws:lex:us-east-1:${accountId}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`,
    localeId: 'en_US',
    respondsTo: 'STANDARD_MESSAGES',
  };
  const bot = resource('AppInstanceBot', { name: 'Helper', configuration: { lex } });
  const { appInstanceBot = '' } = await create('messaging', bot);
  const { AppInstanceBot } = await sdk.identity.send(new identity.DescribeAppInstanceBotCommand({ AppInstanceBotArn: appInstanceBot }));
  assert.equal(AppInstanceBot?.Name, 'Helper');
  for (const each of [bot, admin, user]) {
    await change('messaging', 'Update', each);
    await change('messaging', 'Delete', each);
  }
});

test('CDK: a channel flow is created, changed and deleted, and then its app instance is deleted', async () => {
  const flow = (name: string, fallbackAction: string): CustomResource => ({
    resourceType: 'ChannelFlow',
    uid: 'Flow',
    properties: {
      appInstanceArn,
      name,
      clientRequestToken: 'flow',
      tags: [{ key: 'team', value: 'blue' }],
      processors: [
        { name: 'p', executionOrder: 1, fallbackAction, configuration: { lambda: { resourceArn: LAMBDA, invocationType: 'ASYNC' } } },
      ],
    },
  });
  const { channelFlowArn: ChannelFlowArn = '' } = await create('messaging', flow('moderation', 'ABORT'));
  const read = async () => {
    const { ChannelFlow } = await sdk.messaging.send(new messaging.DescribeChannelFlowCommand({ ChannelFlowArn }));
    return [
      ChannelFlow?.Name,
      ChannelFlow?.Processors?.map(({ Name, ExecutionOrder, FallbackAction }) => [Name, ExecutionOrder, FallbackAction]),
    ];
  };
  assert.deepEqual(await read(), ['moderation', [['p', 1, 'ABORT']]]);
  await change('messaging', 'Update', flow('censorship', 'CONTINUE'));
  assert.deepEqual(await read(), ['censorship', [['p', 1, 'CONTINUE']]]);
  await change('messaging', 'Delete', flow('censorship', 'CONTINUE'));
  assert.equal(await outcomeOf(read()), 'Forbidden');

  await change('messaging', 'Update', APP);
  await change('messaging', 'Delete', APP);
  const describe = new identity.DescribeAppInstanceCommand({ AppInstanceArn: appInstanceArn });
  assert.equal(await outcomeOf(sdk.identity.send(describe)), 'Forbidden');
});

test('CDK: a media insights pipeline configuration is created with alerts, changed and deleted', async () => {
  const role = await account.role('Analytics', trustService(MEDIA_PIPELINES));
  await account.admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: MEDIA_PIPELINES }));
  const InsightsTarget = `arn:aws:kinesis:us-east-1:${accountId}:stream/calls`;
  const rules = [
    { type: 'Sentiment', sentimentConfiguration: { ruleName: 'sad', sentimentType: 'NEGATIVE', timePeriod: 60 } },
    { type: 'IssueDetection', issueDetectionConfiguration: { ruleName: 'issue' } },
    { type: 'KeywordMatch', keywordMatchConfiguration: { ruleName: 'word', keywords: ['hello'], negate: true } },
  ];
  const configuration = (...elements: readonly object[]): CustomResource => ({
    resourceType: 'MediaPipelineInsights',
    uid: 'Insights',
    properties: {
      mediaInsightsPipelineConfigurationName: 'calls',
      resourceAccessRoleArn: role,
      clientRequestToken: 'calls',
      tags: [{ key: 'team', value: 'blue' }],
      elements: [...elements, { type: 'KinesisDataStreamSink', kinesisDataStreamSinkConfiguration: { insightsTarget: InsightsTarget } }],
      realTimeAlertConfiguration: { disabled: false, rules },
    },
  });
  const sink = { Type: 'KinesisDataStreamSink', KinesisDataStreamSinkConfiguration: { InsightsTarget } };
  const created = await create(
    'media-pipelines',
    configuration({
      type: 'AmazonTranscribeCallAnalyticsProcessor',
      amazonTranscribeCallAnalyticsProcessorConfiguration: { languageCode: 'en-US', filterPartialResults: true },
    }),
  );
  const arn = created['MediaInsightsPipelineConfigurationArn'] ?? '';
  assert.equal(arn, `arn:aws:chime:us-east-1:${accountId}:media-insights-pipeline-configuration/calls`);
  assert.equal(created['MediaInsightsPipelineConfigurationName'], 'calls');
  const get = new pipelines.GetMediaInsightsPipelineConfigurationCommand({ Identifier: arn });
  const read = async () => (await sdk.pipelines.send(get)).MediaInsightsPipelineConfiguration;
  const before = await read();
  assert.equal(before?.MediaInsightsPipelineConfigurationId, created['MediaInsightsPipelineConfigurationId']);
  const AmazonTranscribeCallAnalyticsProcessorConfiguration = { LanguageCode: 'en-US', FilterPartialResults: true };
  assert.deepEqual(before?.Elements, [
    { Type: 'AmazonTranscribeCallAnalyticsProcessor', AmazonTranscribeCallAnalyticsProcessorConfiguration },
    sink,
  ]);
  assert.deepEqual(before?.RealTimeAlertConfiguration, {
    Disabled: false,
    Rules: [
      { Type: 'Sentiment', SentimentConfiguration: { RuleName: 'sad', SentimentType: 'NEGATIVE', TimePeriod: 60 } },
      { Type: 'IssueDetection', IssueDetectionConfiguration: { RuleName: 'issue' } },
      { Type: 'KeywordMatch', KeywordMatchConfiguration: { RuleName: 'word', Keywords: ['hello'], Negate: true } },
    ],
  });
  const analytics = { speakerSearchStatus: 'Enabled', voiceToneAnalysisStatus: 'Disabled' };
  const changed = configuration({ type: 'VoiceAnalyticsProcessor', voiceAnalyticsProcessorConfiguration: analytics });
  await change('media-pipelines', 'Update', changed);
  const VoiceAnalyticsProcessorConfiguration = { SpeakerSearchStatus: 'Enabled', VoiceToneAnalysisStatus: 'Disabled' };
  assert.deepEqual((await read())?.Elements, [{ Type: 'VoiceAnalyticsProcessor', VoiceAnalyticsProcessorConfiguration }, sink]);
  await change('media-pipelines', 'Delete', changed);
  assert.equal(await outcomeOf(read()), 'NotFound');
});

test('CDK: a pool of Kinesis video streams is created and deleted', async () => {
  const pool = (dataRetentionInHours: number): CustomResource => ({
    ...{ resourceType: 'KinesisVideoStreamPool', uid: 'Pool' },
    properties: {
      ...{ poolName: 'calls', clientRequestToken: 'pool', tags: [{ key: 'team', value: 'blue' }] },
      streamConfiguration: { region: 'us-east-1', dataRetentionInHours },
    },
  });
  const { PoolArn, PoolId, PoolName, PoolStatus } = await create('media-pipelines', pool(24));
  assert.equal(PoolArn, `arn:aws:chime:us-east-1:${accountId}:media-pipeline-kinesis-video-stream-pool/calls`);
  assert.deepEqual([PoolName, PoolStatus], ['calls', 'ACTIVE']);
  const get = new pipelines.GetMediaPipelineKinesisVideoStreamPoolCommand({ Identifier: 'calls' });
  const read = async () => (await sdk.pipelines.send(get)).KinesisVideoStreamPoolConfiguration;
  const found = await read();
  assert.deepEqual([found?.PoolId, found?.StreamConfiguration], [PoolId, { Region: 'us-east-1', DataRetentionInHours: 24 }]);
  // The function names the pool by its `PoolId`. Source: Chime SDK API reference: the identifier is the name or the ARN.
  await assert.rejects(functions['media-pipelines'].invoke('Update', pool(48)), /^Error: NotFoundException/);
  await change('media-pipelines', 'Delete', pool(24));
  assert.equal(await outcomeOf(read()), 'NotFound');
});
