import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeSDKMeetingsClient, CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { DecodeAuthorizationMessageCommand, STSClient } from '@aws-sdk/client-sts';
import { startTestServer } from '../server.ts';

const server = await startTestServer();
const iam = new IAMClient(server.client());

async function userWith(name: string, ...statements: object[]): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  await iam.send(new CreateUserCommand({ UserName: name }));
  if (statements.length > 0) {
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'own', PolicyDocument }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return { accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string };
}

/** Calls CreateMeeting and returns the encoded message of the denial. */
async function deniedMessage(credentials: { accessKeyId: string; secretAccessKey: string }): Promise<string> {
  const client = new ChimeSDKMeetingsClient(server.client(credentials));
  const denial = await client
    .send(new CreateMeetingCommand({ ClientRequestToken: 'explained', MediaRegion: 'us-east-1', ExternalMeetingId: 'explained' }))
    .then(
      () => assert.fail('it was allowed'),
      (error) => error as { $response: { headers: Record<string, string> } },
    );
  const message = denial.$response.headers['x-belfry-authorization-message'];
  assert.ok(message);
  return message;
}

test('TS-8: the encoded message of a denial contains the deciding statement for an authorized caller', async () => {
  const message = await deniedMessage(
    await userWith(
      'explicit',
      { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' },
      { Sid: 'NoMeetings', Effect: 'Deny', Action: 'chime:Create*', Resource: '*' },
    ),
  );
  const { DecodedMessage } = await new STSClient(server.client()).send(new DecodeAuthorizationMessageCommand({ EncodedMessage: message }));
  const decoded = JSON.parse(DecodedMessage as string);
  assert.equal(decoded.allowed, false);
  assert.equal(decoded.explicitDeny, true);
  assert.deepEqual(
    decoded.matchedStatements.items.map((each: { statementId: string; effect: string }) => [each.statementId, each.effect]),
    [['NoMeetings', 'DENY']],
  );
  assert.equal(decoded.context.action, 'chime:CreateMeeting');
});

test('TS-8: decoding is denied without permission, and an altered message is invalid', async () => {
  const guest = await userWith('unexplained');
  const message = await deniedMessage(guest);
  const decode = (EncodedMessage: string, credentials?: typeof guest) =>
    new STSClient(server.client(credentials)).send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
  await assert.rejects(decode(message, guest), { name: 'AccessDenied' });
  const altered = `${message.slice(0, -2)}${message.endsWith('AA') ? 'BB' : 'AA'}`;
  await assert.rejects(decode(altered), { name: 'InvalidAuthorizationMessageException' });
});
