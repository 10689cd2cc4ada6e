/** Tests Chime SDK Voice with the real SDK: configurations, authorization, and records in the event history. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ChimeSDKVoiceClient,
  CreateSipMediaApplicationCommand,
  CreateSipRuleCommand,
  CreateVoiceConnectorCommand,
  CreateVoiceConnectorGroupCommand,
  DeleteSipMediaApplicationCommand,
  DeleteSipRuleCommand,
  DeleteVoiceConnectorCommand,
  DeleteVoiceConnectorEmergencyCallingConfigurationCommand,
  DeleteVoiceConnectorExternalSystemsConfigurationCommand,
  DeleteVoiceConnectorGroupCommand,
  DeleteVoiceConnectorOriginationCommand,
  DeleteVoiceConnectorStreamingConfigurationCommand,
  DeleteVoiceConnectorTerminationCommand,
  DeleteVoiceConnectorTerminationCredentialsCommand,
  GetGlobalSettingsCommand,
  GetPhoneNumberSettingsCommand,
  GetSipMediaApplicationAlexaSkillConfigurationCommand,
  GetSipMediaApplicationCommand,
  GetSipMediaApplicationLoggingConfigurationCommand,
  GetSipRuleCommand,
  GetVoiceConnectorCommand,
  GetVoiceConnectorEmergencyCallingConfigurationCommand,
  GetVoiceConnectorExternalSystemsConfigurationCommand,
  GetVoiceConnectorGroupCommand,
  GetVoiceConnectorLoggingConfigurationCommand,
  GetVoiceConnectorOriginationCommand,
  GetVoiceConnectorStreamingConfigurationCommand,
  GetVoiceConnectorTerminationCommand,
  GetVoiceConnectorTerminationHealthCommand,
  ListAvailableVoiceConnectorRegionsCommand,
  ListSipMediaApplicationsCommand,
  ListSipRulesCommand,
  ListTagsForResourceCommand,
  ListVoiceConnectorGroupsCommand,
  ListVoiceConnectorsCommand,
  ListVoiceConnectorTerminationCredentialsCommand,
  PutSipMediaApplicationAlexaSkillConfigurationCommand,
  PutSipMediaApplicationLoggingConfigurationCommand,
  PutVoiceConnectorEmergencyCallingConfigurationCommand,
  PutVoiceConnectorExternalSystemsConfigurationCommand,
  PutVoiceConnectorLoggingConfigurationCommand,
  PutVoiceConnectorOriginationCommand,
  PutVoiceConnectorStreamingConfigurationCommand,
  PutVoiceConnectorTerminationCommand,
  PutVoiceConnectorTerminationCredentialsCommand,
  SearchAvailablePhoneNumbersCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateGlobalSettingsCommand,
  UpdatePhoneNumberSettingsCommand,
  UpdateSipMediaApplicationCommand,
  UpdateSipRuleCommand,
  UpdateVoiceConnectorCommand,
  UpdateVoiceConnectorGroupCommand,
  ValidateE911AddressCommand,
} from '@aws-sdk/client-chime-sdk-voice';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';

const account = await startAccount();
const { accountId } = account;
const voice = account.voice();

interface Connector {
  readonly VoiceConnectorId: string;
  readonly VoiceConnectorArn: string;
  readonly OutboundHostName: string;
}

/** Calls a function with new Voice Connectors. Deletes the connectors afterwards, because an account can have only three. */
async function withConnectors(
  count: number,
  work: (...connectors: readonly Connector[]) => Promise<void>,
  tags: Record<string, string> = {},
): Promise<void> {
  const made: Connector[] = [];
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  while (made.length < count) {
    const request = { Name: `trunk ${made.length}`, RequireEncryption: true, ...(Tags.length > 0 && { Tags }) };
    made.push((await voice.send(new CreateVoiceConnectorCommand(request))).VoiceConnector as Connector);
  }
  await work(...made);
  for (const { VoiceConnectorId } of made) await voice.send(new DeleteVoiceConnectorCommand({ VoiceConnectorId }));
}

const newApplication = async (Name: string, client = voice) => {
  const LambdaArn = `arn:aws:lambda:us-east-1:${accountId}:function:answer`;
  const request = new CreateSipMediaApplicationCommand({ Name, AwsRegion: 'us-east-1', Endpoints: [{ LambdaArn }] });
  return (await client.send(request)).SipMediaApplication as { SipMediaApplicationId: string; SipMediaApplicationArn: string };
};

test('Voice Connectors: a connector can be created, read, listed, updated and deleted', async () => {
  const { VoiceConnectorRegions } = await voice.send(new ListAvailableVoiceConnectorRegionsCommand({}));
  assert.ok(VoiceConnectorRegions?.includes('eu-central-1'));
  const { VoiceConnector } = await voice.send(
    new CreateVoiceConnectorCommand({ Name: 'office', AwsRegion: 'eu-central-1', RequireEncryption: true, NetworkType: 'DUAL_STACK' }),
  );
  const VoiceConnectorId = VoiceConnector?.VoiceConnectorId as string;
  assert.ok(VoiceConnector?.CreatedTimestamp instanceof Date);
  assert.deepEqual((await voice.send(new GetVoiceConnectorCommand({ VoiceConnectorId }))).VoiceConnector, VoiceConnector);
  await voice.send(new UpdateVoiceConnectorCommand({ VoiceConnectorId, Name: 'branch', RequireEncryption: false }));
  const { VoiceConnectors } = await voice.send(new ListVoiceConnectorsCommand({}));
  assert.deepEqual(
    VoiceConnectors?.map((each) => [each.Name, each.AwsRegion, each.RequireEncryption]),
    [['branch', 'eu-central-1', false]],
  );
  await voice.send(new DeleteVoiceConnectorCommand({ VoiceConnectorId }));
  const gone = await refusalOf(voice.send(new GetVoiceConnectorCommand({ VoiceConnectorId })));
  assert.deepEqual([gone.name, gone.status], ['NotFoundException', 404]);
});

test('Configurations: each configuration of a connector can be set, read and deleted', () =>
  withConnectors(1, async ({ VoiceConnectorId }) => {
    const connector = { VoiceConnectorId };
    const Routes = [{ Host: 'pbx.example.org', Port: 5061, Protocol: 'TCP' as const, Priority: 1, Weight: 1 }];
    await voice.send(new PutVoiceConnectorOriginationCommand({ ...connector, Origination: { Routes } }));
    assert.deepEqual((await voice.send(new GetVoiceConnectorOriginationCommand(connector))).Origination?.Routes, Routes);

    const Termination = { CallingRegions: ['US'], CidrAllowedList: ['8.8.8.0/27'], CpsLimit: 1, Disabled: false };
    await voice.send(new PutVoiceConnectorTerminationCommand({ ...connector, Termination }));
    assert.deepEqual((await voice.send(new GetVoiceConnectorTerminationCommand(connector))).Termination, Termination);
    assert.equal((await voice.send(new GetVoiceConnectorTerminationHealthCommand(connector))).TerminationHealth, undefined);

    const EmergencyCallingConfiguration = { DNIS: [{ EmergencyPhoneNumber: '+15550100', CallingCountry: 'US' }] };
    await voice.send(new PutVoiceConnectorEmergencyCallingConfigurationCommand({ ...connector, EmergencyCallingConfiguration }));
    const emergency = await voice.send(new GetVoiceConnectorEmergencyCallingConfigurationCommand(connector));
    assert.deepEqual(emergency.EmergencyCallingConfiguration, EmergencyCallingConfiguration);

    const LoggingConfiguration = { EnableSIPLogs: true, EnableMediaMetricLogs: true };
    await voice.send(new PutVoiceConnectorLoggingConfigurationCommand({ ...connector, LoggingConfiguration }));
    const logging = await voice.send(new GetVoiceConnectorLoggingConfigurationCommand(connector));
    assert.deepEqual(logging.LoggingConfiguration, LoggingConfiguration);

    const SessionBorderControllerTypes = ['ORACLE_ACME_PACKET_SBC' as const];
    await voice.send(new PutVoiceConnectorExternalSystemsConfigurationCommand({ ...connector, SessionBorderControllerTypes }));
    const systems = await voice.send(new GetVoiceConnectorExternalSystemsConfigurationCommand(connector));
    assert.deepEqual(systems.ExternalSystemsConfiguration, { SessionBorderControllerTypes });

    const StreamingConfiguration = { DataRetentionInHours: 24, Disabled: false };
    await voice.send(new PutVoiceConnectorStreamingConfigurationCommand({ ...connector, StreamingConfiguration }));
    const streaming = await voice.send(new GetVoiceConnectorStreamingConfigurationCommand(connector));
    assert.deepEqual(streaming.StreamingConfiguration, StreamingConfiguration);

    await voice.send(new DeleteVoiceConnectorEmergencyCallingConfigurationCommand(connector));
    await voice.send(new DeleteVoiceConnectorOriginationCommand(connector));
    await voice.send(new DeleteVoiceConnectorTerminationCommand(connector));
    await voice.send(new DeleteVoiceConnectorExternalSystemsConfigurationCommand(connector));
    await voice.send(new DeleteVoiceConnectorStreamingConfigurationCommand(connector));
    const gets = [
      voice.send(new GetVoiceConnectorOriginationCommand(connector)),
      voice.send(new GetVoiceConnectorTerminationCommand(connector)),
      voice.send(new GetVoiceConnectorEmergencyCallingConfigurationCommand(connector)),
      voice.send(new GetVoiceConnectorExternalSystemsConfigurationCommand(connector)),
      voice.send(new GetVoiceConnectorStreamingConfigurationCommand(connector)),
    ];
    for (const { name } of await Promise.all(gets.map(refusalOf))) assert.equal(name, 'NotFoundException');
  }));

test('LOG-4: termination credentials are listed by name, and no response or record has a password', () =>
  withConnectors(1, async (made) => {
    const connector = { VoiceConnectorId: made.VoiceConnectorId };
    const Termination = { CallingRegions: ['US'], CidrAllowedList: ['8.8.8.0/27'] };
    await voice.send(new PutVoiceConnectorTerminationCommand({ ...connector, Termination }));
    const Credentials = [
      { Username: 'ada', Password: 'CorrectHorse' },
      { Username: 'bob', Password: 'BatteryStaple' },
    ];
    await voice.send(new PutVoiceConnectorTerminationCredentialsCommand({ ...connector, Credentials }));
    await voice.send(new DeleteVoiceConnectorTerminationCredentialsCommand({ ...connector, Usernames: ['bob'] }));
    const { Usernames } = await voice.send(new ListVoiceConnectorTerminationCredentialsCommand(connector));
    assert.deepEqual(Usernames, ['ada']);

    const [record] = await account.records('PutVoiceConnectorTerminationCredentials');
    assert.deepEqual(record.requestParameters, {
      voiceConnectorId: connector.VoiceConnectorId,
      credentials: Array(2).fill({ username: 'HIDDEN_DUE_TO_SECURITY_REASONS', password: 'HIDDEN_DUE_TO_SECURITY_REASONS' }),
    });
    assert.ok(!/CorrectHorse|BatteryStaple/.test(JSON.stringify(record)));
  }));

test('RES-1: a group has at most three connectors, and a connector in a group cannot be deleted', async () => {
  const west = new ChimeSDKVoiceClient({ ...account.at('chime-sdk-voice'), region: 'us-west-2' });
  const { VoiceConnector } = await west.send(
    new CreateVoiceConnectorCommand({ Name: 'west', AwsRegion: 'us-west-2', RequireEncryption: true }),
  );
  const there = VoiceConnector?.VoiceConnectorId as string;
  await withConnectors(3, async (...connectors) => {
    const here = connectors.map(({ VoiceConnectorId }, index) => ({ VoiceConnectorId, Priority: index + 1 }));
    const items = [{ VoiceConnectorId: there, Priority: 99 }, ...here.slice(0, 2)];
    const { VoiceConnectorGroup } = await voice.send(new CreateVoiceConnectorGroupCommand({ Name: 'both', VoiceConnectorItems: items }));
    const VoiceConnectorGroupId = VoiceConnectorGroup?.VoiceConnectorGroupId as string;
    assert.deepEqual(VoiceConnectorGroup?.VoiceConnectorItems, items);
    assert.deepEqual(
      (await voice.send(new GetVoiceConnectorGroupCommand({ VoiceConnectorGroupId }))).VoiceConnectorGroup,
      VoiceConnectorGroup,
    );

    const four = { Name: 'four', VoiceConnectorItems: [items[0] as (typeof items)[0], ...here] };
    assert.equal((await refusalOf(voice.send(new CreateVoiceConnectorGroupCommand(four)))).name, 'ResourceLimitExceededException');
    const others: string[] = [];
    for (const Name of ['second', 'third']) {
      const made = await voice.send(new CreateVoiceConnectorGroupCommand({ Name }));
      others.push(made.VoiceConnectorGroup?.VoiceConnectorGroupId as string);
    }
    const fourth = await refusalOf(voice.send(new CreateVoiceConnectorGroupCommand({ Name: 'fourth' })));
    assert.deepEqual([fourth.name, fourth.status], ['ResourceLimitExceededException', 400]);
    assert.equal((await voice.send(new ListVoiceConnectorGroupsCommand({}))).VoiceConnectorGroups?.length, 3);

    for (const deletion of [
      () => west.send(new DeleteVoiceConnectorCommand({ VoiceConnectorId: there })),
      () => voice.send(new DeleteVoiceConnectorGroupCommand({ VoiceConnectorGroupId })),
    ]) {
      await assert.rejects(deletion(), {
        name: 'ConflictException',
        Code: 'VoiceConnectorGroupAssociationsExist',
      });
    }
    await voice.send(new UpdateVoiceConnectorGroupCommand({ VoiceConnectorGroupId, Name: 'both', VoiceConnectorItems: [] }));
    await west.send(new DeleteVoiceConnectorCommand({ VoiceConnectorId: there }));
    for (const id of [VoiceConnectorGroupId, ...others]) {
      await voice.send(new DeleteVoiceConnectorGroupCommand({ VoiceConnectorGroupId: id }));
    }
  });
});

test('SIP media applications: an application and its rules can be created, read, updated and deleted', () =>
  withConnectors(1, async (connector) => {
    const { SipMediaApplicationId } = await newApplication('answering');
    const application = { SipMediaApplicationId };
    await voice.send(new UpdateSipMediaApplicationCommand({ ...application, Name: 'greeting' }));
    assert.equal((await voice.send(new GetSipMediaApplicationCommand(application))).SipMediaApplication?.Name, 'greeting');
    assert.equal((await voice.send(new ListSipMediaApplicationsCommand({ MaxResults: 1 }))).SipMediaApplications?.length, 1);
    const SipMediaApplicationLoggingConfiguration = { EnableSipMediaApplicationMessageLogs: true };
    await voice.send(new PutSipMediaApplicationLoggingConfigurationCommand({ ...application, SipMediaApplicationLoggingConfiguration }));
    const logging = await voice.send(new GetSipMediaApplicationLoggingConfigurationCommand(application));
    assert.deepEqual(logging.SipMediaApplicationLoggingConfiguration, SipMediaApplicationLoggingConfiguration);
    const skills = [
      voice.send(new GetSipMediaApplicationAlexaSkillConfigurationCommand(application)),
      voice.send(new PutSipMediaApplicationAlexaSkillConfigurationCommand(application)),
    ];
    for (const { name, status } of await Promise.all(skills.map(refusalOf))) assert.deepEqual([name, status], ['GoneException', 410]);

    const request = {
      Name: 'rule',
      TriggerType: 'RequestUriHostname' as const,
      TriggerValue: connector.OutboundHostName,
      TargetApplications: [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'us-east-1' }],
    };
    const { SipRule } = await voice.send(new CreateSipRuleCommand(request));
    const SipRuleId = SipRule?.SipRuleId as string;
    assert.deepEqual((await voice.send(new GetSipRuleCommand({ SipRuleId }))).SipRule, SipRule);
    assert.deepEqual((await voice.send(new ListSipRulesCommand(application))).SipRules, [SipRule]);
    const conflicts = [voice.send(new CreateSipRuleCommand(request)), voice.send(new DeleteSipMediaApplicationCommand(application))];
    for (const { name } of await Promise.all(conflicts.map(refusalOf))) assert.equal(name, 'ConflictException');
    await voice.send(new UpdateSipRuleCommand({ SipRuleId, Name: 'rule', Disabled: true }));
    await voice.send(new DeleteSipRuleCommand({ SipRuleId }));
    await voice.send(new DeleteSipMediaApplicationCommand(application));
    assert.equal((await refusalOf(voice.send(new GetSipMediaApplicationCommand(application)))).name, 'NotFoundException');
  }));

test('Settings: the bucket of call records and the calling name can be set and read', async () => {
  const update = new UpdateGlobalSettingsCommand({ VoiceConnector: { CdrBucket: 'call-records' } });
  assert.equal((await refusalOf(voice.send(update))).name, 'BadRequestException');
  const s3 = new S3Client({ ...account.client(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'call-records' }));
  await voice.send(update);
  assert.deepEqual((await voice.send(new GetGlobalSettingsCommand({}))).VoiceConnector, { CdrBucket: 'call-records' });
  await voice.send(new UpdatePhoneNumberSettingsCommand({ CallingName: 'Acme' }));
  const { CallingName, CallingNameUpdatedTimestamp } = await voice.send(new GetPhoneNumberSettingsCommand({}));
  assert.deepEqual([CallingName, CallingNameUpdatedTimestamp instanceof Date], ['Acme', true]);
});

test('Voice tags: tags of a connector can be added, listed and removed', () =>
  withConnectors(
    1,
    async (connector) => {
      const ResourceARN = connector.VoiceConnectorArn;
      await voice.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: 'stage', Value: 'test' }] }));
      await voice.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['team'] }));
      assert.deepEqual((await voice.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags, [{ Key: 'stage', Value: 'test' }]);
    },
    { team: 'blue' },
  ));

test('Phone numbers: an empty inventory has no numbers, and an address cannot be validated without a carrier', async () => {
  assert.deepEqual((await voice.send(new SearchAvailablePhoneNumbersCommand({ AreaCode: '206' }))).E164PhoneNumbers, []);
  const address = {
    AwsAccountId: accountId,
    StreetNumber: '1',
    StreetInfo: 'Main',
    City: 'A',
    State: 'WA',
    Country: 'US',
    PostalCode: '1',
  };
  const { name, status, message } = await refusalOf(voice.send(new ValidateE911AddressCommand(address)));
  assert.deepEqual([name, status], ['ForbiddenException', 403]);
  assert.match(message, /no carrier/);
});

test('CHM-3, TS-2, TS-9: a policy can allow one connector, and a denial is AccessDeniedException', () =>
  withConnectors(2, async (own, other) => {
    const client = account.voice(await account.user('one', allow('chime:GetVoiceConnector', own.VoiceConnectorArn)));
    await client.send(new GetVoiceConnectorCommand({ VoiceConnectorId: own.VoiceConnectorId }));
    for (const VoiceConnectorId of [other.VoiceConnectorId, '0000000000000000000000']) {
      const { name, status, message } = await refusalOf(client.send(new GetVoiceConnectorCommand({ VoiceConnectorId })));
      assert.deepEqual([name, status], ['AccessDeniedException', 403]);
      assert.ok(message.includes(`chime:GetVoiceConnector on resource: arn:aws:chime:us-east-1:${accountId}:vc/${VoiceConnectorId}`));
    }
  }));

test('TAG-5: conditions on tags of the connector and of the request apply', () =>
  withConnectors(
    1,
    async (blue) => {
      const Condition = (key: string) => ({ StringEquals: { [`aws:${key}/team`]: 'blue' } });
      const client = account.voice(
        await account.user(
          'blue-only',
          allow('chime:GetVoiceConnector', '*', { Condition: Condition('ResourceTag') }),
          allow(['chime:CreateVoiceConnector', 'chime:TagResource'], '*', { Condition: Condition('RequestTag') }),
        ),
      );
      const create = (Tags?: { Key: string; Value: string }[]) =>
        client.send(new CreateVoiceConnectorCommand({ Name: 'tagged', RequireEncryption: true, ...(Tags && { Tags }) }));
      await client.send(new GetVoiceConnectorCommand({ VoiceConnectorId: blue.VoiceConnectorId }));
      assert.equal((await refusalOf(create([{ Key: 'team', Value: 'red' }]))).name, 'AccessDeniedException');
      assert.equal((await refusalOf(create())).name, 'AccessDeniedException');
      const { VoiceConnector } = await create([{ Key: 'team', Value: 'blue' }]);
      const VoiceConnectorId = VoiceConnector?.VoiceConnectorId as string;
      await voice.send(new UntagResourceCommand({ ResourceARN: VoiceConnector?.VoiceConnectorArn, TagKeys: ['team'] }));
      assert.equal((await refusalOf(client.send(new GetVoiceConnectorCommand({ VoiceConnectorId })))).name, 'AccessDeniedException');
      await voice.send(new DeleteVoiceConnectorCommand({ VoiceConnectorId }));
    },
    { team: 'blue' },
  ));

test('Authorization: calls on groups and rules require permission for their connectors and applications', () =>
  withConnectors(2, async (own, other) => {
    const [mine, foreign] = [await newApplication('mine'), await newApplication('foreign')];
    const both = [own.VoiceConnectorArn, mine.SipMediaApplicationArn];
    const client = account.voice(await account.user('grouping', allow(['chime:CreateVoiceConnectorGroup', 'chime:CreateSipRule'], both)));
    const group = (...ids: (string | undefined)[]) =>
      client.send(
        new CreateVoiceConnectorGroupCommand({
          Name: 'g',
          VoiceConnectorItems: ids.map((VoiceConnectorId) => ({ VoiceConnectorId, Priority: 1 })),
        }),
      );
    assert.equal((await refusalOf(group(own.VoiceConnectorId, other.VoiceConnectorId))).name, 'AccessDeniedException');
    const { VoiceConnectorGroup } = await group(own.VoiceConnectorId);
    const VoiceConnectorGroupId = VoiceConnectorGroup?.VoiceConnectorGroupId;
    await voice.send(new UpdateVoiceConnectorGroupCommand({ VoiceConnectorGroupId, Name: 'g', VoiceConnectorItems: [] }));
    await voice.send(new DeleteVoiceConnectorGroupCommand({ VoiceConnectorGroupId }));

    const rule = ({ SipMediaApplicationId }: { SipMediaApplicationId: string }) =>
      client.send(
        new CreateSipRuleCommand({
          Name: 'r',
          TriggerType: 'RequestUriHostname',
          TriggerValue: own.OutboundHostName,
          TargetApplications: [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'us-east-1' }],
        }),
      );
    assert.equal((await refusalOf(rule(foreign))).name, 'AccessDeniedException');
    assert.equal((await rule(mine)).SipRule?.Name, 'r');
  }));

test('EVAL-8: a resource of another account is denied even if the policies allow it', () =>
  withConnectors(1, async (connector) => {
    const foreign = 'arn:aws:chime:us-east-1:999988887777';
    const ResourceARN = `${foreign}:vc/${connector.VoiceConnectorId}`;
    assert.equal((await refusalOf(voice.send(new ListTagsForResourceCommand({ ResourceARN })))).name, 'AccessDeniedException');
    const MediaInsightsConfiguration = { Disabled: false, ConfigurationArn: `${foreign}:media-insights-pipeline-configuration/calls` };
    const StreamingConfiguration = { DataRetentionInHours: 1, Disabled: false, MediaInsightsConfiguration };
    const put = new PutVoiceConnectorStreamingConfigurationCommand({
      VoiceConnectorId: connector.VoiceConnectorId,
      StreamingConfiguration,
    });
    assert.equal((await refusalOf(voice.send(put))).name, 'AccessDeniedException');
  }));
