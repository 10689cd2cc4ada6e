/** Service-linked role of Voice Connectors, with real clients: permissions to create the role, deletion, and re-creation. */

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
import { GetRoleCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { deleteLinkedRole, linkedRoleExists } from '../kit/linked-role.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';

const SERVICE = 'voiceconnector.chime.amazonaws.com';
const ROLE = 'AWSServiceRoleForAmazonChimeVoiceConnector';

const account = await startAccount();
const { server, admin: iam } = account;
const voice = account.voice();
const roleArn = `arn:aws:iam::${server.accountId}:role/aws-service-role/${SERVICE}/${ROLE}`;
const CHIME = allow('chime:*');
const MAKING = allow('iam:CreateServiceLinkedRole', roleArn, { Condition: { StringLike: { 'iam:AWSServiceName': SERVICE } } });

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

const deleteRole = () => deleteLinkedRole(iam, ROLE);
const roleIsThere = () => linkedRoleExists(iam, ROLE);

const without = account.voice(await account.user('without', CHIME));
const elsewhere = account.voice(
  await account.user(
    'elsewhere',
    CHIME,
    allow('iam:CreateServiceLinkedRole', '*', { Condition: { StringLike: { 'iam:AWSServiceName': 'messaging.chime.amazonaws.com' } } }),
  ),
);
const maker = account.voice(await account.user('maker', CHIME, MAKING));

for (const [title, client] of [
  ['a caller without the permission', without],
  ['a caller with the permission for another service', elsewhere],
] as const) {
  test(`SLR-5, SLR-6: ${title} is denied, and neither role nor configuration is created`, async () => {
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
    assert.deepEqual(await account.records('CreateServiceLinkedRole'), []);
  });
}

test('SLR-5, SLR-6: the role is created with the caller’s permission, and the record names the service', async () => {
  await maker.send(put);
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: ROLE }));
  assert.equal(Role?.Arn, roleArn);
  const [record, ...more] = await account.records('CreateServiceLinkedRole');
  assert.deepEqual(more, []);
  assert.deepEqual(
    [record.userIdentity.type, record.userIdentity.userName, record.userIdentity.invokedBy, record.eventSource, record.sourceIPAddress],
    ['IAMUser', 'maker', SERVICE, 'iam.amazonaws.com', SERVICE],
  );
  assert.deepEqual([record.requestParameters, record.responseElements.role.arn], [{ aWSServiceName: SERVICE }, roleArn]);
});

test('Service-linked role: if the role exists, callers can stream without permission to create it', async () => {
  await without.send(put);
  await without.send(createApplication('allowed'));
  assert.equal((await account.records('CreateServiceLinkedRole')).length, 1);
});

test('SLR-14: while a connector streams, deleting the role fails, and the failure lists the connector', async () => {
  const failed = await deleteRole();
  assert.equal(failed.Status, 'FAILED');
  assert.deepEqual(failed.Reason?.RoleUsageList, [{ Region: 'us-east-1', Resources: [VoiceConnector?.VoiceConnectorArn] }]);
  assert.equal(await roleIsThere(), true);

  await voice.send(new DeleteVoiceConnectorStreamingConfigurationCommand({ VoiceConnectorId }));
  assert.equal((await deleteRole()).Status, 'SUCCEEDED');
  assert.equal(await roleIsThere(), false);
});

test('SLR-15: after the role is deleted, each feature creates it again, with the caller’s permission', async () => {
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
