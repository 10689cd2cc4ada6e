/** The service-linked role of Voice Connectors, with real clients: permissions to create it, deletion, and re-creation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateSipMediaApplicationCommand,
  CreateVoiceConnectorCommand,
  DeleteVoiceConnectorStreamingConfigurationCommand,
  GetVoiceConnectorStreamingConfigurationCommand,
  ListSipMediaApplicationsCommand,
  PutVoiceConnectorStreamingConfigurationCommand,
  UpdateSipMediaApplicationCommand,
} from '@aws-sdk/client-chime-sdk-voice';
import { DeleteServiceLinkedRoleCommand, GetRoleCommand, GetServiceLinkedRoleDeletionStatusCommand } from '@aws-sdk/client-iam';
import { refusalOf } from '../sdk/policy.ts';
import { startVoice } from './rig.ts';

const SERVICE = 'voiceconnector.chime.amazonaws.com';
const ROLE = 'AWSServiceRoleForAmazonChimeVoiceConnector';

const rig = await startVoice();
const { server, iam } = rig;
const voice = rig.voice();
const roleArn = `arn:aws:iam::${server.accountId}:role/aws-service-role/${SERVICE}/${ROLE}`;
const CHIME = { Effect: 'Allow', Action: 'chime:*', Resource: '*' };
const MAKING = {
  Effect: 'Allow',
  Action: 'iam:CreateServiceLinkedRole',
  Resource: roleArn,
  Condition: { StringLike: { 'iam:AWSServiceName': SERVICE } },
};

const { VoiceConnector } = await voice.send(new CreateVoiceConnectorCommand({ Name: 'trunk', RequireEncryption: true }));
const VoiceConnectorId = VoiceConnector?.VoiceConnectorId as string;
const put = new PutVoiceConnectorStreamingConfigurationCommand({
  VoiceConnectorId,
  StreamingConfiguration: { DataRetentionInHours: 1, Disabled: false },
});
const createApplication = (Name: string) =>
  new CreateSipMediaApplicationCommand({
    Name,
    AwsRegion: 'us-east-1',
    Endpoints: [{ LambdaArn: `arn:aws:lambda:us-east-1:${server.accountId}:function:answer` }],
  });

/** Requests the deletion of the role. Returns the status of the deletion. */
async function deleteRole() {
  const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName: ROLE }));
  return iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
}
async function roleIsThere(): Promise<boolean> {
  try {
    await iam.send(new GetRoleCommand({ RoleName: ROLE }));
    return true;
  } catch (error) {
    assert.equal((error as Error).name, 'NoSuchEntityException');
    return false;
  }
}

const without = await rig.userWith('without', CHIME);
const elsewhere = await rig.userWith('elsewhere', CHIME, {
  ...MAKING,
  Resource: '*',
  Condition: { StringLike: { 'iam:AWSServiceName': 'messaging.chime.amazonaws.com' } },
});
const maker = await rig.userWith('maker', CHIME, MAKING);

for (const [title, client] of [
  ['a caller without the permission', without],
  ['a caller with the permission for another service', elsewhere],
] as const) {
  test(`SLR-5, SLR-6: ${title} cannot stream, and changes nothing`, async () => {
    for (const command of [put, createApplication('refused')] as const) {
      const { name, status, message } = await refusalOf(client.send(command as typeof put));
      assert.deepEqual([name, status], ['AccessDeniedException', 403]);
      assert.ok(message.includes(`iam:CreateServiceLinkedRole on resource: ${roleArn}`), message);
    }
    assert.equal(await roleIsThere(), false);
    assert.equal(
      (await refusalOf(voice.send(new GetVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId })))).name,
      'NotFoundException',
    );
    assert.deepEqual((await voice.send(new ListSipMediaApplicationsCommand({}))).SipMediaApplications, []);
    assert.deepEqual(await rig.records('CreateServiceLinkedRole'), []);
  });
}

test('SLR-5, SLR-6: the role is created with the caller’s permission, and recorded with the service', async () => {
  await maker.send(put);
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: ROLE }));
  assert.equal(Role?.Arn, roleArn);
  const [record, ...more] = await rig.records('CreateServiceLinkedRole');
  assert.deepEqual(more, []);
  assert.deepEqual(
    [record.userIdentity.type, record.userIdentity.userName, record.userIdentity.invokedBy, record.eventSource, record.sourceIPAddress],
    ['IAMUser', 'maker', SERVICE, 'iam.amazonaws.com', SERVICE],
  );
  assert.deepEqual([record.requestParameters, record.responseElements.role.arn], [{ aWSServiceName: SERVICE }, roleArn]);
});

test('The role of Voice Connectors: once it exists, callers need no permission to create it', async () => {
  await without.send(put);
  await without.send(createApplication('allowed'));
  assert.equal((await rig.records('CreateServiceLinkedRole')).length, 1);
});

test('SLR-14: the deletion fails and lists the connectors while one has a streaming configuration', async () => {
  const failed = await deleteRole();
  assert.equal(failed.Status, 'FAILED');
  assert.deepEqual(failed.Reason?.RoleUsageList, [{ Region: 'us-east-1', Resources: [VoiceConnector?.VoiceConnectorArn] }]);
  assert.equal(await roleIsThere(), true);

  await voice.send(new DeleteVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId }));
  assert.equal((await deleteRole()).Status, 'SUCCEEDED');
  assert.equal(await roleIsThere(), false);
});

test('SLR-15: each feature creates the role again, with the permission of its caller', async () => {
  const { SipMediaApplications } = await voice.send(new ListSipMediaApplicationsCommand({}));
  const { SipMediaApplicationId } = SipMediaApplications?.[0] ?? {};
  const update = new UpdateSipMediaApplicationCommand({ SipMediaApplicationId, Name: 'renamed' });
  for (const command of [put, createApplication('another'), update] as const) {
    assert.equal((await refusalOf(without.send(command as typeof put))).name, 'AccessDeniedException');
    assert.equal(await roleIsThere(), false);
    await maker.send(command as typeof put);
    assert.equal(await roleIsThere(), true);
    if (command === put) await voice.send(new DeleteVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId }));
    assert.equal((await deleteRole()).Status, 'SUCCEEDED');
  }
});
