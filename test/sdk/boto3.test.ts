import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { otherAccount } from '../kit/account.ts';
import { startTestServer } from '../kit/server.ts';
import { readUnproven } from '../kit/trail.ts';

/** Main job (users, policies, meetings, denials, trail) with boto3 from Debian. `main_job.py` prints the result of each call. */

const SCRIPT = fileURLToPath(new URL('main_job.py', import.meta.url));

interface Output {
  readonly account: string;
  readonly meeting: string;
  readonly role: string;
  readonly results: readonly (readonly [string, unknown])[];
}

test('boto3: users, policies, meetings, denials and trail events work with the unmodified client', async () => {
  const server = await startTestServer();
  const partner = await otherAccount(server, 'Partner');
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', SCRIPT], {
    env: {
      ENDPOINT: server.endpoint,
      ADMIN_KEY: server.credentials.accessKeyId,
      ADMIN_SECRET: server.credentials.secretAccessKey,
      PARTNER_KEY: partner.keys.accessKeyId,
      PARTNER_SECRET: partner.keys.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
  });
  const { account, meeting, role, results } = JSON.parse(stdout) as Output;
  const outcomes = Object.fromEntries(results);
  const meetingArn = `arn:aws:chime:us-east-1:${account}:meeting/${meeting}`;
  const unauthorized = (user: string, action: string, on: string) =>
    `User: arn:aws:iam::${account}:user/${user} is not authorized to perform: ${action} on resource: ${on}`;
  const because = (action: string) => ` because no identity-based policy allows the ${action} action`;

  assert.deepEqual(outcomes['users'], ['admin', 'guest', 'maker']);
  assert.deepEqual(outcomes['attendees'], ['anna', 'bert']);
  // biome-ignore format: a table
  for (const [call, expected] of [
    ['maker deletes',                  `AccessDeniedException 403: ${unauthorized('maker', 'chime:DeleteMeeting', meetingArn)}${because('chime:DeleteMeeting')}`],
    ['guest reads',                    `AccessDeniedException 403: ${unauthorized('guest', 'chime:GetMeeting', meetingArn)}${because('chime:GetMeeting')}`],
    ['guest lists users',              `AccessDenied 403: ${unauthorized('guest', 'iam:ListUsers', `arn:aws:iam::${account}:user/`)}${because('iam:ListUsers')}`],
    ['wrong secret',                   'InvalidSignatureException 403: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'],
    ['unknown key',                    'InvalidClientTokenId 403: The security token included in the request is invalid.'],
    ['altered body',                   'SignatureDoesNotMatch 403: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'],
    ['assume without the external id', `AccessDenied 403: ${unauthorized('maker', 'sts:AssumeRole', role)}`],
    ['visitor reads',                  'ok'],
  ] as const) {
    assert.equal(outcomes[call], expected, call);
  }
  assert.match(String(outcomes['skewed clock']), /^InvalidSignatureException 403: Signature expired: /);
  assert.match(
    String(outcomes['visitor reads after the policy is detached']),
    /^AccessDeniedException 403: User: arn:aws:sts::\d{12}:assumed-role\/visitor\/visit is not authorized to perform: chime:GetMeeting /,
  );
  const presigned = await fetch(String(outcomes['presigned']));
  assert.match(await presigned.text(), new RegExp(`<Arn>arn:aws:iam::${account}:user/maker</Arn>`));

  const record = outcomes['record'] as readonly (readonly [string | null, string, string | null])[];
  const of = (user: string | null) => record.filter(([name]) => name === user).map(([, call, error]) => `${call} ${error ?? 'ok'}`);
  assert.deepEqual(of('maker'), [
    'CreateMeeting ok',
    'CreateAttendee ok',
    'CreateAttendee ok',
    'ListAttendees ok',
    'DeleteMeeting AccessDeniedException',
    'AssumeRole AccessDenied',
    'AssumeRole ok',
  ]);
  assert.deepEqual(of('guest'), ['GetMeeting AccessDeniedException', 'ListUsers AccessDenied']);
  assert.deepEqual(of(null), [
    'GetMeeting InvalidSignatureException',
    'GetMeeting InvalidSignatureException',
    'CreateUser SignatureDoesNotMatch',
  ]);
  // The request with an unknown key has a record without an account.
  assert.deepEqual(
    (await readUnproven(server.dataFolder)).map((record) => `${record['eventName']} ${record['errorCode']}`),
    ['ListUsers InvalidClientTokenId'],
  );
});
