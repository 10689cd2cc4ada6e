/** Chime SDK Voice with clients that no longer change: the AWS SDK for JavaScript v2 and Debian's AWS CLI. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { callLegacy, legacyVoice } from '../guide/legacy-clients.ts';
import { startAccount } from '../kit/account.ts';

const account = await startAccount();
const { accountId, server, keys } = account;
const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;

/** Runs a command of the AWS CLI. Returns its output. */
async function aws(...command: readonly string[]) {
  const args = ['--endpoint-url', server.endpoint, '--no-cli-pager', '--output', 'json', ...command];
  const env = {
    ...{ PATH: process.env['PATH'], AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
    ...{ AWS_DEFAULT_REGION: 'us-east-1', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' },
  };
  const { stdout } = await promisify(execFile)(CLI, args, { env });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

// Source: Chime SDK Developer Guide, "Migrating to the Amazon Chime SDK Voice namespace": AWS.ChimeSDKVoice with a region.
test('SDK v2: ChimeSDKVoice creates, reads and deletes a Voice Connector, an application and a rule', async () => {
  const client = legacyVoice(server.endpoint, keys, 'eu-central-1');
  const call = async (operation: string, input: object) => {
    const { code, message, output } = await callLegacy(client, operation, input);
    assert.deepEqual([operation, code, message], [operation, 'ok', '']);
    return output as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const Tags = [{ Key: 'team', Value: 'voice' }];
  const trunk = { Name: 'trunk', AwsRegion: 'eu-central-1', RequireEncryption: true, Tags };
  const { VoiceConnector } = await call('CreateVoiceConnector', trunk);
  const { VoiceConnectorId, VoiceConnectorArn: ResourceARN, OutboundHostName, CreatedTimestamp } = VoiceConnector ?? {};
  assert.equal(ResourceARN, `arn:aws:chime:eu-central-1:${accountId}:vc/${VoiceConnectorId}`);
  assert.ok(CreatedTimestamp instanceof Date);
  assert.deepEqual((await call('ListTagsForResource', { ResourceARN }))['Tags'], Tags);
  const Termination = { CallingRegions: ['DE'], CidrAllowedList: ['8.8.8.8/32'], CpsLimit: 1, Disabled: false };
  await call('PutVoiceConnectorTermination', { VoiceConnectorId, Termination });
  assert.deepEqual((await call('GetVoiceConnectorTermination', { VoiceConnectorId }))['Termination'], Termination);
  const application = await call('CreateSipMediaApplication', {
    ...{ AwsRegion: 'eu-central-1', Name: 'answering' },
    Endpoints: [{ LambdaArn: `arn:aws:lambda:eu-central-1:${accountId}:function:answer` }],
  });
  const { SipMediaApplicationId } = application['SipMediaApplication'] ?? {};
  const { SipRule } = await call('CreateSipRule', {
    ...{ Name: 'rule', TriggerType: 'RequestUriHostname', TriggerValue: OutboundHostName },
    TargetApplications: [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'eu-central-1' }],
  });
  const { SipRuleId } = SipRule ?? {};
  assert.deepEqual((await call('ListSipRules', { SipMediaApplicationId }))['SipRules'], [SipRule]);
  const used = await callLegacy(client, 'DeleteSipMediaApplication', { SipMediaApplicationId });
  assert.deepEqual([used.code, used.clientCode, used.status], ['ConflictException', 'Conflict', 409]);
  await call('DeleteSipRule', { SipRuleId });
  await call('DeleteSipMediaApplication', { SipMediaApplicationId });
  await call('DeleteVoiceConnector', { VoiceConnectorId });
  const gone = await callLegacy(client, 'GetVoiceConnector', { VoiceConnectorId });
  assert.deepEqual([gone.code, gone.clientCode, gone.status], ['NotFoundException', 'NotFound', 404]);
});

test('AWS CLI: a Voice Connector is created, configured, listed and deleted', async () => {
  const created = await aws('chime-sdk-voice', 'create-voice-connector', '--name', 'cli', '--require-encryption');
  const id = ['--voice-connector-id', created.VoiceConnector.VoiceConnectorId];
  const termination = ['--termination', 'CallingRegions=US,CA,CidrAllowedList=8.8.8.0/27,8.8.4.4/32'];
  const put = await aws('chime-sdk-voice', 'put-voice-connector-termination', ...id, ...termination);
  assert.deepEqual(put.Termination, {
    ...{ CallingRegions: ['US', 'CA'], CidrAllowedList: ['8.8.8.0/27', '8.8.4.4/32'], CpsLimit: 1, Disabled: false },
  });
  const { VoiceConnectors } = await aws('chime-sdk-voice', 'list-voice-connectors');
  assert.deepEqual(VoiceConnectors, [created.VoiceConnector]);
  assert.equal(await aws('chime-sdk-voice', 'delete-voice-connector', ...id), undefined);
});
