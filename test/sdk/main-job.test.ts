import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  ChimeSDKMeetingsClient,
  CreateAttendeeCommand,
  CreateMeetingCommand,
  DeleteMeetingCommand,
  GetMeetingCommand,
  ListAttendeesCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DetachRolePolicyCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { otherAccount, startAccount } from '../kit/account.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, policy } from '../kit/policy.ts';
import { issueSession } from '../kit/session.ts';
import { everyEvent, readUnproven } from '../kit/trail.ts';

/**
 * Tests the main use of the server with AWS SDK clients. The tests are consecutive steps: they start with an empty data
 * folder, create users and meetings, and end with the trail events.
 */

const account = await startAccount();
const { server, admin } = account;
const region = 'us-east-1';
const MEETING = { ClientRequestToken: 'first', ExternalMeetingId: 'weekly', MediaRegion: region };
const MAKER_MAY = ['chime:CreateMeeting', 'chime:GetMeeting', 'chime:CreateAttendee', 'chime:ListAttendees'];

const keys = {} as Record<'maker' | 'guest' | 'second', Keys>;
const meetings = (of: Keys) => new ChimeSDKMeetingsClient(server.client(of));
const secondAccount = { accountId: '' };
let meetingId = '';

before(async () => {
  const { accountId, keys: second } = await otherAccount(server, 'Partner');
  secondAccount.accountId = accountId;
  keys.second = second;
});

test('Step 1: the administrator creates two users, their access keys, and a policy with a condition', async () => {
  for (const UserName of ['maker', 'guest'] as const) {
    keys[UserName] = await account.user(UserName);
  }
  const { Policy } = await admin.send(
    new CreatePolicyCommand({
      PolicyName: 'make-meetings',
      PolicyDocument: policy(
        allow(MAKER_MAY, `arn:aws:chime:*:${server.accountId}:meeting/*`, {
          Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' }, StringEquals: { 'aws:RequestedRegion': region } },
        }),
      ),
    }),
  );
  await admin.send(new AttachUserPolicyCommand({ UserName: 'maker', PolicyArn: Policy?.Arn }));
});

test('Step 2: the user maker creates and reads a meeting with two attendees', async () => {
  const { Meeting } = await meetings(keys.maker).send(new CreateMeetingCommand(MEETING));
  meetingId = Meeting?.MeetingId as string;
  for (const ExternalUserId of ['anna', 'bert']) {
    await meetings(keys.maker).send(new CreateAttendeeCommand({ MeetingId: meetingId, ExternalUserId }));
  }
  const read = await meetings(keys.maker).send(new GetMeetingCommand({ MeetingId: meetingId }));
  assert.deepEqual(read.Meeting, Meeting);
  const { Attendees } = await meetings(keys.maker).send(new ListAttendeesCommand({ MeetingId: meetingId }));
  assert.deepEqual(Attendees?.map((each) => each.ExternalUserId).sort(), ['anna', 'bert']);
});

test('Step 2: a condition that does not hold denies the call', async () => {
  const elsewhere = new ChimeSDKMeetingsClient({ ...server.client(keys.maker), region: 'eu-central-1' });
  const refused = await refusalOf(elsewhere.send(new GetMeetingCommand({ MeetingId: meetingId })));
  assert.deepEqual([refused.name, refused.status], ['AccessDeniedException', 403]);
});

test("Step 3: DeleteMeeting by the user maker is denied with AWS's message", async () => {
  const resource = `arn:aws:chime:${region}:${server.accountId}:meeting/${meetingId}`;
  assert.deepEqual(await refusalOf(meetings(keys.maker).send(new DeleteMeetingCommand({ MeetingId: meetingId }))), {
    name: 'AccessDeniedException',
    status: 403,
    message: `User: arn:aws:iam::${server.accountId}:user/maker is not authorized to perform: chime:DeleteMeeting on resource: ${resource} because no identity-based policy allows the chime:DeleteMeeting action`,
  });
});

test('Step 3: the user guest gets the same denial for existing and unknown meetings', async () => {
  const guest = meetings(keys.guest);
  for (const [action, send] of [
    ['chime:CreateMeeting', () => guest.send(new CreateMeetingCommand(MEETING))],
    ['chime:GetMeeting', () => guest.send(new GetMeetingCommand({ MeetingId: meetingId }))],
    ['chime:GetMeeting', () => guest.send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' }))],
    ['chime:CreateAttendee', () => guest.send(new CreateAttendeeCommand({ MeetingId: meetingId, ExternalUserId: 'eve' }))],
    ['chime:DeleteMeeting', () => guest.send(new DeleteMeetingCommand({ MeetingId: meetingId }))],
  ] as const) {
    const refused = await refusalOf(send());
    assert.deepEqual([refused.name, refused.status], ['AccessDeniedException', 403]);
    assert.match(
      refused.message,
      new RegExp(`:user/guest is not authorized to perform: ${action} on resource: .* because no identity-based policy`),
    );
  }
  const refused = await refusalOf(new IAMClient(server.client(keys.guest)).send(new ListUsersCommand({})));
  assert.deepEqual([refused.name, refused.status], ['AccessDenied', 403]);
});

test('Step 3: invalid signatures, unknown keys and expired tokens are rejected before authorization', async () => {
  const get = new GetMeetingCommand({ MeetingId: meetingId });
  const altered = meetings(keys.maker);
  altered.middlewareStack.add(
    (next) => (sent) => {
      const request = sent.request as { body: string | Uint8Array };
      request.body = Buffer.from(Buffer.from(request.body).toString().replace('weekly', 'yearly'));
      return next(sent);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'alterAfterSigning' },
  );
  const skewed = new ChimeSDKMeetingsClient({ ...server.client(keys.maker), systemClockOffset: -6 * 60_000 });
  // biome-ignore format: a table
  for (const [title, send, name] of [
    ['wrong secret',  () => meetings({ ...keys.maker, secretAccessKey: 'x'.repeat(40) }).send(get),                     'InvalidSignatureException'],
    ['unknown key',   () => meetings({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) }).send(get), 'UnrecognizedClientException'],
    ['skewed clock',  () => skewed.send(get),                                                                            'InvalidSignatureException'],
    ['expired token', () => meetings(issueSession(server, 'root', -1)).send(get),                                                         'ExpiredTokenException'],
    ['altered body',  () => altered.send(new CreateMeetingCommand({ ...MEETING, ClientRequestToken: 'second' })),        'InvalidSignatureException'],
  ] as const) {
    const refused = await refusalOf(send());
    assert.deepEqual([refused.name, refused.status], [name, 403], title);
  }
});

test('Step 4, ROLE-2: a cross-account role works with the external ID, until the role has no policy', async () => {
  const partner = new IAMClient(server.client(keys.second));
  const { Role } = await partner.send(
    new CreateRoleCommand({
      RoleName: 'visitor',
      AssumeRolePolicyDocument: policy({
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${server.accountId}:root` },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': 'agreed' } },
      }),
    }),
  );
  const RoleArn = Role?.Arn as string;
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonChimeSDK';
  await partner.send(new AttachRolePolicyCommand({ RoleName: 'visitor', PolicyArn }));
  const assume = (ExternalId: string | undefined, of: Keys = keys.maker) =>
    new STSClient(server.client(of)).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'visit', ...(ExternalId && { ExternalId }) }));

  const denialFor = (name: string) =>
    `User: arn:aws:iam::${server.accountId}:user/${name} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`;
  const withoutIdentityPolicy = await refusalOf(assume('agreed'));
  assert.deepEqual([withoutIdentityPolicy.name, withoutIdentityPolicy.status], ['AccessDenied', 403]);
  assert.ok(withoutIdentityPolicy.message.startsWith(denialFor('maker')), withoutIdentityPolicy.message);
  const { Policy } = await admin.send(
    new CreatePolicyCommand({
      PolicyName: 'visit',
      PolicyDocument: policy(allow('sts:AssumeRole', RoleArn)),
    }),
  );
  await admin.send(new AttachUserPolicyCommand({ UserName: 'maker', PolicyArn: Policy?.Arn }));
  for (const wrong of ['other', undefined]) {
    assert.deepEqual(await refusalOf(assume(wrong)), { name: 'AccessDenied', status: 403, message: denialFor('maker') });
  }

  const { Credentials, AssumedRoleUser } = await assume('agreed');
  assert.equal(AssumedRoleUser?.Arn, `arn:aws:sts::${secondAccount.accountId}:assumed-role/visitor/visit`);
  const session = keysOf(Credentials);
  const visitor = meetings(session);
  const { Meeting } = await visitor.send(new CreateMeetingCommand({ ...MEETING, ClientRequestToken: 'visit' }));
  const get = () => visitor.send(new GetMeetingCommand({ MeetingId: Meeting?.MeetingId }));
  assert.equal((await get()).Meeting?.MeetingId, Meeting?.MeetingId);

  await partner.send(new DetachRolePolicyCommand({ RoleName: 'visitor', PolicyArn }));
  assert.deepEqual(await refusalOf(get()), {
    name: 'AccessDeniedException',
    status: 403,
    message: `User: ${AssumedRoleUser?.Arn} is not authorized to perform: chime:GetMeeting on resource: arn:aws:chime:${region}:${secondAccount.accountId}:meeting/${Meeting?.MeetingId} because no identity-based policy allows the chime:GetMeeting action`,
  });
  // STS-11: GetCallerIdentity requires no permission.
  assert.equal((await new STSClient(server.client(session)).send(new GetCallerIdentityCommand({}))).Arn, AssumedRoleUser?.Arn);
});

test('Step 5, LOG-1: the event history contains each of these calls once, with caller and result', async () => {
  const here = await everyEvent(new CloudTrailClient(server.client()));
  const calls = (userName: string | undefined) =>
    here.filter((event) => event.userName === userName).map((event) => `${event.eventName} ${event.errorCode ?? 'ok'}`);
  const denied = 'AccessDeniedException';
  assert.deepEqual(calls('maker'), [
    'CreateMeeting ok',
    'CreateAttendee ok',
    'CreateAttendee ok',
    'GetMeeting ok',
    'ListAttendees ok',
    `DeleteMeeting ${denied}`,
    'AssumeRole AccessDenied',
    'AssumeRole AccessDenied',
    'AssumeRole AccessDenied',
    'AssumeRole ok',
  ]);
  assert.deepEqual(calls('guest').sort(), [
    `CreateAttendee ${denied}`,
    `CreateMeeting ${denied}`,
    `DeleteMeeting ${denied}`,
    `GetMeeting ${denied}`,
    `GetMeeting ${denied}`,
    'ListUsers AccessDenied',
  ]);
  assert.deepEqual(calls(undefined).sort(), [
    'CreateMeeting InvalidSignatureException',
    'GetMeeting InvalidSignatureException',
    'GetMeeting InvalidSignatureException',
  ]);
  // The request with an unknown key has a record without an account.
  assert.deepEqual(
    (await readUnproven(server.dataFolder)).map((record) => `${record['eventName']} ${record['errorCode']}`),
    ['GetMeeting UnrecognizedClientException'],
  );
  assert.deepEqual(calls('root'), ['GetMeeting ExpiredTokenException']);
  assert.deepEqual(calls('admin').slice(0, 6), [
    'CreateUser ok',
    'CreateAccessKey ok',
    'CreateUser ok',
    'CreateAccessKey ok',
    'CreatePolicy ok',
    'AttachUserPolicy ok',
  ]);
  // Each region has a separate history. The call that the condition denied is in the history of its region.
  const elsewhere = await everyEvent(new CloudTrailClient({ ...server.client(), region: 'eu-central-1' }));
  assert.deepEqual(
    elsewhere.filter((event) => event.userName === 'maker').map((event) => `${event.eventName} ${event.errorCode}`),
    [`GetMeeting ${denied}`],
  );
});

test("Step 5, LOG-3: the second account's history contains the calls of the role session", async () => {
  const there = await everyEvent(new CloudTrailClient(server.client(keys.second)));
  const visits = there.filter((event) => event.userName === 'visit');
  assert.deepEqual(
    visits.map((event) => `${event.eventName} ${event.errorCode ?? 'ok'}`),
    ['CreateMeeting ok', 'GetMeeting ok', 'GetMeeting AccessDeniedException', 'GetCallerIdentity ok'],
  );
  for (const { document } of visits) {
    const { type, arn, accountId, sessionContext } = document.userIdentity;
    assert.deepEqual(
      [type, arn, accountId, sessionContext?.sessionIssuer?.arn],
      [
        'AssumedRole',
        `arn:aws:sts::${secondAccount.accountId}:assumed-role/visitor/visit`,
        secondAccount.accountId,
        `arn:aws:iam::${secondAccount.accountId}:role/visitor`,
      ],
    );
  }
});
