/** Meetings with the SDK clients: responses, authorization and the event history. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  CreateAttendeeCommand,
  CreateMeetingWithAttendeesCommand,
  DeleteAttendeeCommand,
  DeleteMeetingCommand,
  GetAttendeeCommand,
  GetMeetingCommand,
  ListAttendeesCommand,
  ListTagsForResourceCommand,
  StartMeetingTranscriptionCommand,
  StopMeetingTranscriptionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAttendeeCapabilitiesCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { createMeeting } from '../kit/meeting.ts';
import { allow, deny, type Statement } from '../kit/policy.ts';

const account = await startAccount();
const { admin: iam, server } = account;
const meetings = account.meetings();

let tokens = 0;
async function newMeeting(tags: Record<string, string> = {}): Promise<{ MeetingId: string; MeetingArn: string }> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { Meeting } = await meetings.send(createMeeting(`token-${++tokens}`, { Tags }));
  return { MeetingId: Meeting?.MeetingId as string, MeetingArn: Meeting?.MeetingArn as string };
}

/** Creates a user with these statements. Returns a client with the user's key. */
const userWith = async (name: string, ...statements: readonly Statement[]) => account.meetings(await account.user(name, ...statements));

test('Meetings: a meeting can be created, joined, changed, listed and ended with the SDK', async () => {
  const { Meeting, Attendees, Errors } = await meetings.send(
    new CreateMeetingWithAttendeesCommand({
      ClientRequestToken: 'with-attendees',
      MediaRegion: 'eu-central-1',
      ExternalMeetingId: 'planning',
      MeetingFeatures: { Attendee: { MaxCount: 3 } },
      Attendees: [{ ExternalUserId: 'ada' }],
    }),
  );
  const MeetingId = Meeting?.MeetingId as string;
  assert.deepEqual([Attendees?.length, Errors], [1, []]);
  assert.match(Meeting?.MediaPlacement?.SignalingUrl ?? '', /^wss?:\/\/[^?]+$/);

  const { Attendee } = await meetings.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: 'bob' }));
  const AttendeeId = Attendee?.AttendeeId as string;
  assert.match(Attendee?.JoinToken ?? '', /^[\w.-]+$/);
  const Capabilities = { Audio: 'Receive', Video: 'None', Content: 'None' } as const;
  await meetings.send(new UpdateAttendeeCapabilitiesCommand({ MeetingId, AttendeeId, Capabilities }));
  const read = await meetings.send(new GetAttendeeCommand({ MeetingId, AttendeeId }));
  assert.deepEqual(read.Attendee, { ...Attendee, Capabilities });

  const batch = await meetings.send(
    new BatchCreateAttendeeCommand({ MeetingId, Attendees: [{ ExternalUserId: 'carol' }, { ExternalUserId: 'dora' }] }),
  );
  assert.deepEqual(
    [batch.Attendees?.map((each) => each.ExternalUserId), batch.Errors?.map((each) => each.ErrorCode)],
    [['carol'], ['LimitExceeded']],
  );

  const names: (string | undefined)[] = [];
  let NextToken: string | undefined;
  do {
    const page = await meetings.send(new ListAttendeesCommand({ MeetingId, MaxResults: 2, ...(NextToken && { NextToken }) }));
    names.push(...(page.Attendees ?? []).map((each) => each.ExternalUserId));
    NextToken = page.NextToken;
  } while (NextToken);
  assert.deepEqual(names.sort(), ['ada', 'bob', 'carol']);

  await meetings.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
  await assert.rejects(meetings.send(new GetAttendeeCommand({ MeetingId, AttendeeId })), { name: 'NotFoundException' });
  await meetings.send(new DeleteMeetingCommand({ MeetingId }));
  await assert.rejects(
    meetings.send(new GetMeetingCommand({ MeetingId })),
    (error: { name: string; $metadata: { httpStatusCode: number } }) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], ['NotFoundException', 404]);
      return true;
    },
  );
});

test('Meeting tags: tags can be added, listed and removed with the SDK', async () => {
  const { MeetingArn: ResourceARN } = await newMeeting({ team: 'blue' });
  await meetings.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: 'stage', Value: 'test' }] }));
  await meetings.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['team'] }));
  const { Tags } = await meetings.send(new ListTagsForResourceCommand({ ResourceARN }));
  assert.deepEqual(Tags, [{ Key: 'stage', Value: 'test' }]);
  const absent = ResourceARN.replace(/.{12}$/, 'ffffffffffff');
  await assert.rejects(meetings.send(new ListTagsForResourceCommand({ ResourceARN: absent })), {
    name: 'ResourceNotFoundException',
    ResourceName: absent,
  });
});

test('SLR-18: StartMeetingTranscription with permission and role is NotYetImplementedException', async () => {
  const { MeetingId } = await newMeeting();
  const start = new StartMeetingTranscriptionCommand({
    MeetingId,
    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
  });
  const denied = await userWith('listener', allow('chime:GetMeeting'));
  await assert.rejects(denied.send(start), { name: 'AccessDeniedException' });
  await assert.rejects(meetings.send(start), { name: 'ForbiddenException' });
  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'transcription.chime.amazonaws.com' }));
  await assert.rejects(denied.send(start), { name: 'AccessDeniedException' });
  // Checks that the client does not retry this error. The client may send a request up to three times.
  const retrying = new ChimeSDKMeetingsClient({ ...server.client(), maxAttempts: 3 });
  await assert.rejects(retrying.send(start), (error: Error & { $metadata: { attempts: number; httpStatusCode: number } }) => {
    assert.deepEqual([error.name, error.$metadata.httpStatusCode, error.$metadata.attempts], ['NotYetImplementedException', 400, 1]);
    return true;
  });
  await meetings.send(new StopMeetingTranscriptionCommand({ MeetingId }));
});

test('TS-9: a policy can allow one meeting by ARN, and a denial does not reveal whether a meeting exists', async () => {
  const { MeetingId, MeetingArn } = await newMeeting();
  const other = await newMeeting();
  const client = await userWith('guest', allow('chime:GetMeeting', MeetingArn));
  await client.send(new GetMeetingCommand({ MeetingId: MeetingId.toUpperCase() }));
  for (const id of [other.MeetingId, 'ffffffff-0000-4000-8000-000000000000']) {
    await assert.rejects(client.send(new GetMeetingCommand({ MeetingId: id })), { name: 'AccessDeniedException' });
  }
});

test('Authorization: a Deny on one meeting applies to the meeting ID in upper and lower case', async () => {
  const { MeetingId, MeetingArn } = await newMeeting();
  const client = await userWith('fenced', allow('chime:*'), deny('chime:DeleteMeeting', MeetingArn));
  for (const id of [MeetingId, MeetingId.toUpperCase()]) {
    await assert.rejects(client.send(new DeleteMeetingCommand({ MeetingId: id })), { name: 'AccessDeniedException' });
  }
});

test('TAG-5: tags of the meeting and of the request are available to conditions', async () => {
  const blue = await newMeeting({ team: 'blue' });
  const red = await newMeeting({ team: 'red' });
  const client = await userWith(
    'blue-only',
    allow('chime:GetMeeting', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } } }),
    allow(['chime:CreateMeeting', 'chime:TagResource'], '*', { Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } } }),
  );
  await client.send(new GetMeetingCommand({ MeetingId: blue.MeetingId }));
  await assert.rejects(client.send(new GetMeetingCommand({ MeetingId: red.MeetingId })), { name: 'AccessDeniedException' });

  const create = (token: string, Tags?: { Key: string; Value: string }[]) => client.send(createMeeting(token, { ...(Tags && { Tags }) }));
  await create('blue-1', [{ Key: 'team', Value: 'blue' }]);
  await assert.rejects(create('red-1', [{ Key: 'team', Value: 'red' }]), { name: 'AccessDeniedException' });
  await assert.rejects(create('none-1'), { name: 'AccessDeniedException' });
});

test('Authorization: tags at creation also require chime:TagResource', async () => {
  const client = await userWith('no-tagger', allow('chime:CreateMeeting'));
  await assert.rejects(client.send(createMeeting('no-tagger', { Tags: [{ Key: 'team', Value: 'blue' }] })), {
    name: 'AccessDeniedException',
    message: /chime:TagResource/,
  });
  await client.send(createMeeting('no-tagger'));
});

test('LOG-1, LOG-4: the history contains successful, denied and failed calls, and no join token', async () => {
  const { MeetingId, MeetingArn } = await newMeeting();
  const { Attendee } = await meetings.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: 'secret-agent' }));
  await meetings.send(new DeleteMeetingCommand({ MeetingId }));
  await assert.rejects(meetings.send(new GetMeetingCommand({ MeetingId })));
  const denied = await userWith('denied', deny('chime:*'));
  await assert.rejects(denied.send(new GetMeetingCommand({ MeetingId })));

  const records = await account.records(MeetingArn, 'ResourceName');
  assert.deepEqual(
    records.map((each) => [each.eventName, each.errorCode ?? 'none', each.readOnly]),
    [
      ['GetMeeting', 'AccessDeniedException', true],
      ['GetMeeting', 'NotFoundException', true],
      ['DeleteMeeting', 'none', false],
      ['CreateAttendee', 'none', false],
      ['CreateMeeting', 'none', false],
    ],
  );
  const text = JSON.stringify(records);
  assert.ok(!text.includes(Attendee?.JoinToken as string) && !text.includes('secret-agent'));
  assert.equal(
    records.find((each) => each.eventName === 'CreateAttendee').responseElements.attendee.joinToken,
    'HIDDEN_DUE_TO_SECURITY_REASONS',
  );
  assert.equal(records[0].userIdentity.userName, 'denied');
  assert.equal(records[0].additionalEventData.denial.kind, 'explicit');
  assert.equal((await account.records('denied', 'Username')).length, 1);
  assert.equal((await account.records(records[0].eventID, 'EventId')).length, 1);
  const [, notFound] = await account.records('GetMeeting');
  assert.deepEqual([notFound.errorCode, notFound.requestParameters], ['NotFoundException', { meetingId: MeetingId }]);
});
