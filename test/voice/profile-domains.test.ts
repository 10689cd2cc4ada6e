/** Voice profile domains, and the operations of voice that no request can complete, with the real SDK. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { startAccount } from '../kit/account.ts';
import { denialOf, refusalOf } from '../kit/outcome.ts';
import { allow, deny } from '../kit/policy.ts';

const account = await startAccount({
  BELFRY_VOICE_PROFILE_DOMAINS: '2',
  BELFRY_VOICE_CONNECTORS: '1',
  BELFRY_VOICE_CALLS_PER_SECOND: '5',
  BELFRY_VOICE_CREDENTIALS: '1',
});
const { accountId } = account;
const voice = account.voice();
const ServerSideEncryptionConfiguration = { KmsKeyArn: `arn:aws:kms:us-east-1:${accountId}:key/k` };
const ID = 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';

const newDomain = async (Name: string, team?: string) => {
  const request = { Name, ServerSideEncryptionConfiguration, ...(team !== undefined && { Tags: [{ Key: 'team', Value: team }] }) };
  const { VoiceProfileDomain } = await voice.send(new sdk.CreateVoiceProfileDomainCommand(request));
  return VoiceProfileDomain as { VoiceProfileDomainId: string; VoiceProfileDomainArn: string };
};

test('Voice profile domains: a domain can be created, read, listed, tagged, updated and deleted', async () => {
  const { VoiceProfileDomainId, VoiceProfileDomainArn } = await newDomain('customers', 'blue');
  const read = await voice.send(new sdk.GetVoiceProfileDomainCommand({ VoiceProfileDomainId }));
  assert.deepEqual(read.VoiceProfileDomain?.ServerSideEncryptionConfiguration, ServerSideEncryptionConfiguration);
  assert.ok(read.VoiceProfileDomain?.CreatedTimestamp instanceof Date);
  await voice.send(new sdk.UpdateVoiceProfileDomainCommand({ VoiceProfileDomainId, Description: 'with consent' }));
  const other = await newDomain('staff');
  const listed: (string | undefined)[] = [];
  for await (const page of sdk.paginateListVoiceProfileDomains({ client: voice, pageSize: 1 }, {}))
    listed.push(...(page.VoiceProfileDomains ?? []).map(({ Description, Name }) => `${Name} ${Description}`));
  assert.deepEqual(listed.sort(), ['customers with consent', 'staff undefined']);
  assert.deepEqual((await voice.send(new sdk.ListVoiceProfilesCommand({ VoiceProfileDomainId }))).VoiceProfiles, []);

  await voice.send(new sdk.TagResourceCommand({ ResourceARN: VoiceProfileDomainArn, Tags: [{ Key: 'phase', Value: 'two' }] }));
  const { Tags } = await voice.send(new sdk.ListTagsForResourceCommand({ ResourceARN: VoiceProfileDomainArn }));
  assert.deepEqual(
    Tags?.map(({ Key }) => Key),
    ['team', 'phase'],
  );

  const more = await refusalOf(newDomain('third'));
  assert.deepEqual([more.name, more.status], ['ResourceLimitExceededException', 400]);
  for (const each of [VoiceProfileDomainId, other.VoiceProfileDomainId])
    await voice.send(new sdk.DeleteVoiceProfileDomainCommand({ VoiceProfileDomainId: each }));
  const gone = await refusalOf(voice.send(new sdk.GetVoiceProfileDomainCommand({ VoiceProfileDomainId })));
  assert.deepEqual([gone.name, gone.status], ['NotFoundException', 404]);
});

test('CHM-3, TAG-5: policies match domains by ARN and tag, and records do not contain the ARN of the key', async () => {
  const [own, other] = [await newDomain('own', 'blue'), await newDomain('other', 'red')];
  const get = ({ VoiceProfileDomainId }: { VoiceProfileDomainId: string }) =>
    new sdk.GetVoiceProfileDomainCommand({ VoiceProfileDomainId });
  const byArn = account.voice(await account.user('by-arn', allow('chime:*', own.VoiceProfileDomainArn)));
  await byArn.send(get(own));
  assert.match(
    await denialOf(byArn.send(get(other))),
    new RegExp(`chime:GetVoiceProfileDomain on resource: ${other.VoiceProfileDomainArn} `),
  );
  const Condition = { StringEquals: { 'aws:ResourceTag/team': 'red' } };
  const byTag = account.voice(await account.user('by-tag', allow('chime:*'), deny('chime:DeleteVoiceProfileDomain', '*', { Condition })));
  await denialOf(byTag.send(new sdk.DeleteVoiceProfileDomainCommand(other)));
  await byTag.send(new sdk.DeleteVoiceProfileDomainCommand(own));
  const [record] = await account.records('CreateVoiceProfileDomain');
  assert.doesNotMatch(JSON.stringify(record), /:kms:/);
  await voice.send(new sdk.DeleteVoiceProfileDomainCommand(other));
});

test('Limits: the operator can change the limits of Voice Connectors', async () => {
  const create = () => voice.send(new sdk.CreateVoiceConnectorCommand({ Name: 'trunk', RequireEncryption: false }));
  const VoiceConnectorId = (await create()).VoiceConnector?.VoiceConnectorId as string;
  assert.equal((await refusalOf(create())).name, 'ResourceLimitExceededException');
  const put = (CpsLimit: number) =>
    voice.send(
      new sdk.PutVoiceConnectorTerminationCommand({
        VoiceConnectorId,
        Termination: { CallingRegions: ['US'], CidrAllowedList: ['8.8.8.0/27'], CpsLimit },
      }),
    );
  assert.equal((await put(5)).Termination?.CpsLimit, 5);
  assert.match((await refusalOf(put(6))).message, /at most 5/);
  const Credentials = ['a', 'b'].map((Username) => ({ Username, Password: 'CorrectHorse' }));
  const credentials = new sdk.PutVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId, Credentials });
  assert.match((await refusalOf(voice.send(credentials))).message, /at most 1/);
  await voice.send(new sdk.DeleteVoiceConnectorCommand({ VoiceConnectorId }));
});

const connector = { VoiceConnectorId: 'abcdefghijklmnopqrstuv' };
const session = { ...connector, ProxySessionId: ID };
const application = { SipMediaApplicationId: ID };
const Capabilities = ['Voice' as const];
// biome-ignore format: a table
const REFUSED: readonly (readonly [code: string, send: (client: sdk.ChimeSDKVoiceClient) => Promise<unknown>])[] = [
  ['NotFoundException',   (client) => client.send(new sdk.CreateVoiceProfileCommand({ SpeakerSearchTaskId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.GetVoiceProfileCommand({ VoiceProfileId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.UpdateVoiceProfileCommand({ VoiceProfileId: ID, SpeakerSearchTaskId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.DeleteVoiceProfileCommand({ VoiceProfileId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.StartSpeakerSearchTaskCommand({ ...connector, TransactionId: ID, VoiceProfileDomainId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.GetSpeakerSearchTaskCommand({ ...connector, SpeakerSearchTaskId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.StopSpeakerSearchTaskCommand({ ...connector, SpeakerSearchTaskId: ID }))],
  ['NotFoundException',   (client) => client.send(new sdk.StartVoiceToneAnalysisTaskCommand({ ...connector, TransactionId: ID, LanguageCode: 'en-US' }))],
  ['NotFoundException',   (client) => client.send(new sdk.GetVoiceToneAnalysisTaskCommand({ ...connector, VoiceToneAnalysisTaskId: ID, IsCaller: true }))],
  ['NotFoundException',   (client) => client.send(new sdk.StopVoiceToneAnalysisTaskCommand({ ...connector, VoiceToneAnalysisTaskId: ID }))],
  ['BadRequestException', (client) => client.send(new sdk.CreateSipMediaApplicationCallCommand({ ...application, FromPhoneNumber: '+15550100', ToPhoneNumber: '+15550101' }))],
  ['NotFoundException',   (client) => client.send(new sdk.UpdateSipMediaApplicationCallCommand({ ...application, TransactionId: ID, Arguments: {} }))],
  ['NotFoundException',   (client) => client.send(new sdk.PutVoiceConnectorProxyCommand({ ...connector, DefaultSessionExpiryMinutes: 1, PhoneNumberPoolCountries: ['US'] }))],
  ['NotFoundException',   (client) => client.send(new sdk.GetVoiceConnectorProxyCommand(connector))],
  ['NotFoundException',   (client) => client.send(new sdk.DeleteVoiceConnectorProxyCommand(connector))],
  ['NotFoundException',   (client) => client.send(new sdk.CreateProxySessionCommand({ ...connector, ParticipantPhoneNumbers: ['+15550100', '+15550101'], Capabilities }))],
  ['NotFoundException',   (client) => client.send(new sdk.GetProxySessionCommand(session))],
  ['NotFoundException',   (client) => client.send(new sdk.UpdateProxySessionCommand({ ...session, Capabilities }))],
  ['NotFoundException',   (client) => client.send(new sdk.DeleteProxySessionCommand(session))],
  ['NotFoundException',   (client) => client.send(new sdk.ListProxySessionsCommand(connector))],
];

test('Refusals: without permission each one is AccessDeniedException, and with permission an error of the model', async () => {
  const stranger = account.voice(await account.user('stranger'));
  for (const [code, send] of REFUSED) {
    assert.equal((await refusalOf(send(stranger))).name, 'AccessDeniedException', send.toString());
    const refusal = await refusalOf(send(voice));
    assert.equal(refusal.name, code, `${send} ${refusal.message}`);
  }
});
