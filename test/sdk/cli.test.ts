import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { keysOf } from '../kit/keys.ts';
import { allow, policy } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';

/** Tests the AWS CLI over HTTPS with the local CA of the data folder. `test/readme/` tests the commands of the README. */

/** Output of a command. */
type Output = Readonly<Record<string, Readonly<Record<string, string>> & readonly Readonly<Record<string, string>>[]>>;

const server = await startTestServer();
const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;

type Key = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** Runs a command. Returns its output, parsed as JSON, or its error message. */
function aws(command: readonly string[], key: Key = server.credentials): Promise<{ readonly output?: Output; readonly error?: string }> {
  return new Promise((resolve) => {
    const env = {
      PATH: process.env['PATH'],
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CA_BUNDLE: server.caFile,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    execFile(
      CLI,
      ['--endpoint-url', server.httpsEndpoint, '--output', 'json', '--no-cli-pager', ...command],
      { env },
      (error, stdout, stderr) => {
        if (error) resolve({ error: stderr.trim() });
        else resolve({ output: stdout.trim() === '' ? undefined : JSON.parse(stdout) });
      },
    );
  });
}

/** Runs a command that must succeed. Returns its output. */
async function done(command: readonly string[], key?: Key): Promise<Output> {
  const { output, error } = await aws(command, key);
  assert.equal(error, undefined, command.join(' '));
  return output as Output;
}

test('AWS CLI: users, policies and meetings work, other calls are denied, and the trail has all events', async () => {
  await done(['iam', 'create-user', '--user-name', 'maker']);
  const overTls = { Condition: { Bool: { 'aws:SecureTransport': 'true' } } };
  const document = policy(allow(['chime:CreateMeeting', 'chime:GetMeeting'], '*', overTls));
  const [created] = await Promise.all([
    done(['iam', 'create-access-key', '--user-name', 'maker']),
    aws(['iam', 'put-user-policy', '--user-name', 'maker', '--policy-name', 'meet', '--policy-document', document]),
  ]);
  const maker = keysOf(created['AccessKey'] as Record<string, string>);
  const create = [
    'chime-sdk-meetings',
    'create-meeting',
    '--client-request-token',
    'first',
    '--media-region',
    'us-east-1',
    '--external-meeting-id',
    'weekly',
  ];
  const id = (await done(create, maker))['Meeting']?.['MeetingId'] as string;

  const on = ['--meeting-id', id];
  const [read, ended, users, wrong] = await Promise.all([
    done(['chime-sdk-meetings', 'get-meeting', ...on], maker),
    aws(['chime-sdk-meetings', 'delete-meeting', ...on], maker),
    aws(['iam', 'list-users'], maker),
    aws(['chime-sdk-meetings', 'get-meeting', ...on], { ...maker, secretAccessKey: 'x'.repeat(40) }),
  ]);
  assert.equal(read['Meeting']?.['ExternalMeetingId'], 'weekly');
  const arn = `arn:aws:iam::${server.accountId}:user/maker`;
  assert.equal(
    ended.error,
    `An error occurred (AccessDeniedException) when calling the DeleteMeeting operation: User: ${arn} is not authorized to perform: chime:DeleteMeeting on resource: arn:aws:chime:us-east-1:${server.accountId}:meeting/${id} because no identity-based policy allows the chime:DeleteMeeting action`,
  );
  assert.match(
    users.error ?? '',
    /^An error occurred \(AccessDenied\) when calling the ListUsers operation: User: .*:user\/maker is not authorized to perform: iam:ListUsers /,
  );
  assert.match(wrong.error ?? '', /^An error occurred \(InvalidSignatureException\) when calling the GetMeeting operation: /);

  const looked = await done([
    'cloudtrail',
    'lookup-events',
    '--lookup-attributes',
    'AttributeKey=AccessKeyId,AttributeValue=' + maker.accessKeyId,
  ]);
  const calls = looked['Events']?.map((event) => {
    const { errorCode, userIdentity, tlsDetails } = JSON.parse(event['CloudTrailEvent'] as string);
    assert.equal(tlsDetails.clientProvidedHostHeader, new URL(server.httpsEndpoint).host);
    return `${event['EventName']} ${errorCode ?? 'ok'} ${userIdentity.arn ?? 'unproven'}`;
  });
  assert.deepEqual(calls?.sort(), [
    `CreateMeeting ok ${arn}`,
    `DeleteMeeting AccessDeniedException ${arn}`,
    'GetMeeting InvalidSignatureException unproven',
    `GetMeeting ok ${arn}`,
    `ListUsers AccessDenied ${arn}`,
  ]);
});
