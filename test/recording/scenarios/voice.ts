import type { AnyOutput, Recorder, ServiceCalls } from '../recorder.ts';

const NONE = '00000000-0000-4000-8000-000000000000';

const Routes = [{ Host: 'pbx.example.org', Port: 5061, Protocol: 'TCP', Priority: 1, Weight: 1 }];
const Termination = { CallingRegions: ['US'], CidrAllowedList: ['8.8.8.0/27'], CpsLimit: 1, Disabled: false };

/** Operations on one Voice Connector: a valid input, then inputs that fail. */
const CONFIGURATIONS: readonly (readonly [operation: string, input: object, ...errors: readonly object[]])[] = [
  ['GetVoiceConnector', {}],
  ['UpdateVoiceConnector', { Name: 'head office', RequireEncryption: true }],
  [
    'PutVoiceConnectorOrigination',
    { Origination: { Routes, Disabled: false } },
    { Origination: {} },
    { Origination: { Routes: [] } },
    { Origination: { Routes: [{ Port: 1 }] } },
    { Origination: { Routes: [{ Host: '10.0.0.5' }] } },
  ],
  ['GetVoiceConnectorOrigination', {}],
  [
    'PutVoiceConnectorTermination',
    { Termination },
    { Termination: { ...Termination, CallingRegions: [] } },
    { Termination: { ...Termination, CallingRegions: ['XX'] } },
    { Termination: { ...Termination, CidrAllowedList: ['nowhere'] } },
    { Termination: { ...Termination, CidrAllowedList: ['0.0.0.0/0'] } },
    { Termination: { ...Termination, CpsLimit: 100 } },
  ],
  ['GetVoiceConnectorTermination', {}],
  ['GetVoiceConnectorTerminationHealth', {}],
  [
    'PutVoiceConnectorTerminationCredentials',
    { Credentials: [{ Username: 'pbx', Password: 'sip-password' }] },
    { Credentials: [{ Username: 'pbx' }] },
    { Credentials: Array.from({ length: 2 }, () => ({ Username: 'same', Password: 'sip-password' })) },
  ],
  ['ListVoiceConnectorTerminationCredentials', {}],
  [
    'PutVoiceConnectorEmergencyCallingConfiguration',
    { EmergencyCallingConfiguration: { DNIS: [{ EmergencyPhoneNumber: '+15550100', CallingCountry: 'US' }] } },
  ],
  ['GetVoiceConnectorEmergencyCallingConfiguration', {}],
  ['PutVoiceConnectorLoggingConfiguration', { LoggingConfiguration: { EnableSIPLogs: true, EnableMediaMetricLogs: true } }],
  ['GetVoiceConnectorLoggingConfiguration', {}],
  [
    'PutVoiceConnectorExternalSystemsConfiguration',
    { SessionBorderControllerTypes: ['ORACLE_ACME_PACKET_SBC'], ContactCenterSystemTypes: ['AVAYA_AURA_CALL_CENTER_ELITE'] },
  ],
  ['GetVoiceConnectorExternalSystemsConfiguration', {}],
  [
    'PutVoiceConnectorStreamingConfiguration',
    {
      StreamingConfiguration: { DataRetentionInHours: 1, Disabled: false, StreamingNotificationTargets: [{ NotificationTarget: 'SQS' }] },
    },
    {
      StreamingConfiguration: {
        DataRetentionInHours: 1,
        Disabled: false,
        StreamingNotificationTargets: [{ NotificationTarget: 'SQS' }, { NotificationTarget: 'SQS' }],
      },
    },
    { StreamingConfiguration: { DataRetentionInHours: 1, Disabled: false, MediaInsightsConfiguration: { Disabled: false } } },
  ],
  ['GetVoiceConnectorStreamingConfiguration', {}],
  ['DeleteVoiceConnectorTermination', {}],
  ['DeleteVoiceConnectorEmergencyCallingConfiguration', {}],
  ['DeleteVoiceConnectorTerminationCredentials', { Usernames: ['pbx'] }],
  ['DeleteVoiceConnectorTermination', {}],
  ['DeleteVoiceConnectorOrigination', {}],
  ['DeleteVoiceConnectorExternalSystemsConfiguration', {}],
  ['DeleteVoiceConnectorStreamingConfiguration', {}],
  ['GetVoiceConnectorStreamingConfiguration', {}],
  ['PutVoiceConnectorEmergencyCallingConfiguration', { EmergencyCallingConfiguration: { DNIS: [] } }],
];

/** Records calls on Voice Connectors, groups, SIP media applications, rules and voice profile domains: successes, then errors of each operation. */
export async function voice(recorder: Recorder): Promise<undefined> {
  const calls = recorder.of('chime-sdk-voice');
  const { VoiceConnector, second } = await connectors(calls);
  await configurations(calls, VoiceConnector.VoiceConnectorId);
  await groups(calls, second.VoiceConnectorId);
  await tags(calls, VoiceConnector);
  const SipMediaApplicationId = await applications(calls, recorder.accountId);
  await domains(calls, VoiceConnector.VoiceConnectorId, recorder.accountId);
  await refusals(calls, VoiceConnector.VoiceConnectorId, SipMediaApplicationId, recorder.accountId);
  await rules(calls, SipMediaApplicationId, [VoiceConnector.OutboundHostName, second.OutboundHostName]);
  await settings(calls);
  await calls.ok('DeleteVoiceConnector', { VoiceConnectorId: second.VoiceConnectorId });
  await calls.call('DeleteVoiceConnector', { VoiceConnectorId: second.VoiceConnectorId });
  return undefined;
}

/** Creates Voice Connectors. `second` is in another region than `VoiceConnector`. */
async function connectors({ ok, call }: ServiceCalls): Promise<{ readonly VoiceConnector: AnyOutput; readonly second: AnyOutput }> {
  const { VoiceConnector } = await ok('CreateVoiceConnector', {
    Name: 'office',
    RequireEncryption: true,
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const { VoiceConnector: second } = await ok('CreateVoiceConnector', {
    Name: 'branch',
    AwsRegion: 'eu-central-1',
    RequireEncryption: false,
    NetworkType: 'DUAL_STACK',
  });
  await ok('CreateVoiceConnector', { Name: 'third', RequireEncryption: false });
  await call('CreateVoiceConnector', { Name: 'one too many', RequireEncryption: false });
  await call('CreateVoiceConnector', { Name: 'far', AwsRegion: 'mars-north-1', RequireEncryption: false });
  await ok('ListAvailableVoiceConnectorRegions');
  await ok('ListVoiceConnectors');
  await call('ListVoiceConnectors', { NextToken: 'forged' });
  return { VoiceConnector, second };
}

async function configurations({ call }: ServiceCalls, VoiceConnectorId: string): Promise<void> {
  for (const [operation, input, ...errors] of CONFIGURATIONS) {
    await call(operation, { VoiceConnectorId, ...input });
    for (const error of errors) await call(operation, { VoiceConnectorId, ...error });
    await call(operation, { VoiceConnectorId: NONE, ...input });
  }
}

async function groups({ ok, call }: ServiceCalls, VoiceConnectorId: string): Promise<void> {
  const VoiceConnectorItems = [{ VoiceConnectorId, Priority: 1 }];
  const { VoiceConnectorGroup } = await ok('CreateVoiceConnectorGroup', { Name: 'fail-over', VoiceConnectorItems });
  const { VoiceConnectorGroupId } = VoiceConnectorGroup;
  await call('CreateVoiceConnectorGroup', { Name: 'twice', VoiceConnectorItems: [...VoiceConnectorItems, ...VoiceConnectorItems] });
  await call('CreateVoiceConnectorGroup', { Name: 'none', VoiceConnectorItems: [{ VoiceConnectorId: NONE, Priority: 1 }] });
  await ok('GetVoiceConnectorGroup', { VoiceConnectorGroupId });
  await ok('ListVoiceConnectorGroups');
  await ok('UpdateVoiceConnectorGroup', { VoiceConnectorGroupId, Name: 'fail-over 2', VoiceConnectorItems });
  await call('DeleteVoiceConnector', { VoiceConnectorId });
  await call('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId });
  await ok('UpdateVoiceConnectorGroup', { VoiceConnectorGroupId, Name: 'empty', VoiceConnectorItems: [] });
  await ok('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId });
  for (const operation of ['GetVoiceConnectorGroup', 'UpdateVoiceConnectorGroup', 'DeleteVoiceConnectorGroup'])
    await call(operation, { VoiceConnectorGroupId, Name: 'x', VoiceConnectorItems: [] });
}

async function tags({ ok, call }: ServiceCalls, { VoiceConnectorId, VoiceConnectorArn }: AnyOutput): Promise<void> {
  await ok('TagResource', { ResourceARN: VoiceConnectorArn, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListTagsForResource', { ResourceARN: VoiceConnectorArn });
  await ok('UntagResource', { ResourceARN: VoiceConnectorArn, TagKeys: ['phase'] });
  const gone = VoiceConnectorArn.replace(VoiceConnectorId, 'zzzzzzzzzzzzzzzzzzzzzz');
  await call('TagResource', { ResourceARN: gone, Tags: [{ Key: 'a', Value: 'b' }] });
  await call('ListTagsForResource', { ResourceARN: gone });
  await call('UntagResource', { ResourceARN: gone, TagKeys: ['a'] });
  await call('TagResource', { ResourceARN: VoiceConnectorArn, Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: 'v' })) });
}

async function applications({ ok, call }: ServiceCalls, accountId: string): Promise<string> {
  const Endpoints = [{ LambdaArn: `arn:aws:lambda:us-east-1:${accountId}:function:answer` }];
  const application = { Name: 'menu', AwsRegion: 'us-east-1', Endpoints, Tags: [{ Key: 'team', Value: 'blue' }] };
  const { SipMediaApplication } = await ok('CreateSipMediaApplication', application);
  const { SipMediaApplicationId } = SipMediaApplication;
  await call('CreateSipMediaApplication', application);
  await call('CreateSipMediaApplication', { ...application, Name: 'far', AwsRegion: 'mars-north-1' });
  await call('CreateSipMediaApplication', { ...application, Name: 'bare', Endpoints: [{}] });
  await call('CreateSipMediaApplication', { ...application, Name: 'west', AwsRegion: 'us-west-2' });
  await ok('GetSipMediaApplication', { SipMediaApplicationId });
  await ok('ListSipMediaApplications');
  await ok('UpdateSipMediaApplication', { SipMediaApplicationId, Name: 'menu two' });
  await ok('PutSipMediaApplicationLoggingConfiguration', {
    SipMediaApplicationId,
    SipMediaApplicationLoggingConfiguration: { EnableSipMediaApplicationMessageLogs: true },
  });
  await ok('GetSipMediaApplicationLoggingConfiguration', { SipMediaApplicationId });
  await call('PutSipMediaApplicationAlexaSkillConfiguration', { SipMediaApplicationId });
  await call('GetSipMediaApplicationAlexaSkillConfiguration', { SipMediaApplicationId });
  return SipMediaApplicationId;
}

/** Creates rules for a SIP media application. Then deletes the rules and the application. */
async function rules({ ok, call }: ServiceCalls, SipMediaApplicationId: string, [host, otherHost]: readonly string[]): Promise<void> {
  const rule = {
    Name: 'rule',
    TriggerType: 'RequestUriHostname',
    TriggerValue: host,
    TargetApplications: [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'us-east-1' }],
  };
  const { SipRule } = await ok('CreateSipRule', rule);
  const { SipRuleId } = SipRule;
  await call('CreateSipRule', { ...rule, Name: 'again' });
  await call('CreateSipRule', { ...rule, TriggerValue: 'none.example.org' });
  await call('CreateSipRule', {
    ...rule,
    TriggerValue: otherHost,
    TargetApplications: [{ SipMediaApplicationId: NONE, Priority: 1, AwsRegion: 'us-east-1' }],
  });
  await call('CreateSipRule', { ...rule, TriggerValue: otherHost, TargetApplications: [{ Priority: 1 }] });
  await call('CreateSipRule', {
    ...rule,
    TriggerValue: otherHost,
    TargetApplications: [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'eu-central-1' }],
  });
  await ok('GetSipRule', { SipRuleId });
  await ok('ListSipRules');
  await ok('ListSipRules', { SipMediaApplicationId });
  await call('DeleteSipMediaApplication', { SipMediaApplicationId });
  await ok('UpdateSipRule', { SipRuleId, Name: 'rule two', Disabled: true });
  await ok('UpdateSipRule', { SipRuleId, Name: 'rule two', Disabled: false });
  await ok('DeleteSipRule', { SipRuleId });
  await ok('DeleteSipMediaApplication', { SipMediaApplicationId });
  for (const operation of [
    'GetSipMediaApplication',
    'UpdateSipMediaApplication',
    'DeleteSipMediaApplication',
    'GetSipMediaApplicationLoggingConfiguration',
    'PutSipMediaApplicationLoggingConfiguration',
  ])
    await call(operation, { SipMediaApplicationId, SipMediaApplicationLoggingConfiguration: {} });
  for (const operation of ['GetSipRule', 'UpdateSipRule', 'DeleteSipRule']) await call(operation, { SipRuleId, Name: 'x' });
}

/** Creates, changes and deletes a voice profile domain. */
async function domains({ ok, call }: ServiceCalls, VoiceConnectorId: string, accountId: string): Promise<void> {
  const KmsKeyArn = `arn:aws:kms:us-east-1:${accountId}:key/k`;
  const domain = {
    Name: 'customers',
    Description: 'Consented',
    ServerSideEncryptionConfiguration: { KmsKeyArn },
    ClientRequestToken: 'domain',
    Tags: [{ Key: 'team', Value: 'blue' }],
  };
  const { VoiceProfileDomain } = await ok('CreateVoiceProfileDomain', domain);
  const { VoiceProfileDomainId, VoiceProfileDomainArn } = VoiceProfileDomain;
  await ok('CreateVoiceProfileDomain', domain);
  await call('CreateVoiceProfileDomain', { ...domain, Name: 'others' });
  const { ClientRequestToken: _, ...without } = domain;
  await call('CreateVoiceProfileDomain', { ...without, ServerSideEncryptionConfiguration: { KmsKeyArn: `${KmsKeyArn}:alias` } });
  await call('CreateVoiceProfileDomain', {
    ...without,
    ServerSideEncryptionConfiguration: { KmsKeyArn: KmsKeyArn.replace('us-east-1', 'eu-west-1') },
  });
  for (const Name of ['second', 'third']) await ok('CreateVoiceProfileDomain', { ...without, Name });
  await call('CreateVoiceProfileDomain', { ...without, Name: 'one too many' });
  await ok('GetVoiceProfileDomain', { VoiceProfileDomainId });
  await ok('ListVoiceProfileDomains', {});
  await call('ListVoiceProfileDomains', { NextToken: 'forged' });
  await ok('UpdateVoiceProfileDomain', { VoiceProfileDomainId, Name: 'callers' });
  await ok('ListVoiceProfiles', { VoiceProfileDomainId });
  await ok('TagResource', { ResourceARN: VoiceProfileDomainArn, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListTagsForResource', { ResourceARN: VoiceProfileDomainArn });
  await call('StartSpeakerSearchTask', { VoiceConnectorId, VoiceProfileDomainId, TransactionId: NONE });
  await ok('DeleteVoiceProfileDomain', { VoiceProfileDomainId });
  for (const operation of ['GetVoiceProfileDomain', 'UpdateVoiceProfileDomain', 'DeleteVoiceProfileDomain', 'ListVoiceProfiles'])
    await call(operation, { VoiceProfileDomainId });
}

/** Calls the operations that the server refuses, first with resources that exist. */
async function refusals({ call }: ServiceCalls, connector: string, application: string, accountId: string): Promise<void> {
  const ids = { TransactionId: NONE, SpeakerSearchTaskId: NONE, VoiceToneAnalysisTaskId: NONE, ProxySessionId: NONE };
  const more = {
    VoiceProfileDomainId: NONE,
    LanguageCode: 'en-US',
    IsCaller: true,
    DefaultSessionExpiryMinutes: 1,
    PhoneNumberPoolCountries: ['US'],
    ParticipantPhoneNumbers: ['+15550100', '+15550101'],
    Capabilities: ['Voice'],
  };
  for (const VoiceConnectorId of [connector, NONE]) {
    for (const task of ['SpeakerSearchTask', 'VoiceToneAnalysisTask'])
      for (const verb of ['Start', 'Get', 'Stop']) await call(`${verb}${task}`, { VoiceConnectorId, ...ids, ...more });
    for (const verb of ['Put', 'Get', 'Delete']) await call(`${verb}VoiceConnectorProxy`, { VoiceConnectorId, ...more });
    for (const verb of ['Create', 'Get', 'Update', 'Delete']) await call(`${verb}ProxySession`, { VoiceConnectorId, ...ids, ...more });
    await call('ListProxySessions', { VoiceConnectorId });
  }
  for (const SipMediaApplicationId of [application, NONE]) {
    const numbers = { FromPhoneNumber: '+15550100', ToPhoneNumber: '+15550101' };
    await call('CreateSipMediaApplicationCall', { SipMediaApplicationId, ...numbers });
    await call('UpdateSipMediaApplicationCall', { SipMediaApplicationId, TransactionId: NONE, Arguments: {} });
  }
  await call('CreateVoiceProfile', ids);
  for (const verb of ['Get', 'Update', 'Delete']) await call(`${verb}VoiceProfile`, { VoiceProfileId: NONE, ...ids });
  const address = { StreetNumber: '1', StreetInfo: 'Main Street', City: 'Seattle', State: 'WA', Country: 'US', PostalCode: '98101' };
  await call('ValidateE911Address', { AwsAccountId: accountId, ...address });
  await call('ValidateE911Address', { AwsAccountId: accountId, ...address, Country: 'XX' });
}

async function settings({ ok, call }: ServiceCalls): Promise<void> {
  await call('UpdateGlobalSettings', { VoiceConnector: { CdrBucket: 'calls' } });
  await ok('UpdateGlobalSettings', { VoiceConnector: {} });
  await ok('GetGlobalSettings');
  await ok('UpdatePhoneNumberSettings', { CallingName: 'Example' });
  await call('UpdatePhoneNumberSettings', { CallingName: 'Other' });
  await ok('GetPhoneNumberSettings');
}
