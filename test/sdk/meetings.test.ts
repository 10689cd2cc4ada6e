/** Meetings as the real SDK sees them: what is answered, who may ask, and what stands in the event history afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  CreateAttendeeCommand,
  CreateMeetingCommand,
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
import { CloudTrailClient, type LookupAttribute, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { startTestServer } from '../server.ts';

const server = await startTestServer();
// The address says which service is meant: all of Chime's sign alike.
const meetings = new ChimeSDKMeetingsClient(at(server.credentials));
const iam = new IAMClient(server.client());
const cloudtrail = new CloudTrailClient(server.client());

function at(credentials: { accessKeyId: string; secretAccessKey: string }) {
  return { ...server.client(credentials), endpoint: `${server.endpoint}/_chime-sdk-meetings` };
}

let tokens = 0;
async function newMeeting(tags: Record<string, string> = {}): Promise<{ MeetingId: string; MeetingArn: string }> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { Meeting } = await meetings.send(
    new CreateMeetingCommand({ ClientRequestToken: `token-${++tokens}`, MediaRegion: 'us-east-1', ExternalMeetingId: 'standup', Tags }),
  );
  return { MeetingId: Meeting?.MeetingId as string, MeetingArn: Meeting?.MeetingArn as string };
}

/** A client of a new user who may do what these statements say. */
async function userWith(UserName: string, ...Statement: readonly object[]): Promise<ChimeSDKMeetingsClient> {
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return new ChimeSDKMeetingsClient(
    at({ accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string }),
  );
}

async function history(AttributeKey: LookupAttribute['AttributeKey'], AttributeValue: string) {
  const { Events = [] } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes: [{ AttributeKey, AttributeValue }] }));
  return Events;
}

test('A meeting: it is made, joined, changed, listed and ended through the SDK', async () => {
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

test('Tags: they are given, listed and taken away through the SDK', async () => {
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

test('StartMeetingTranscription: without permission and role it is denied, with both it is refused once (SLR-18)', async () => {
  const { MeetingId } = await newMeeting();
  const start = new StartMeetingTranscriptionCommand({
    MeetingId,
    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
  });
  const denied = await userWith('listener', { Effect: 'Allow', Action: 'chime:GetMeeting', Resource: '*' });
  await assert.rejects(denied.send(start), { name: 'AccessDeniedException' });
  await assert.rejects(meetings.send(start), { name: 'ForbiddenException' });
  await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'transcription.chime.amazonaws.com' }));
  await assert.rejects(denied.send(start), { name: 'AccessDeniedException' });
  // The client with its default of three attempts sends the request once.
  const retrying = new ChimeSDKMeetingsClient({ ...server.client(), maxAttempts: 3 });
  await assert.rejects(retrying.send(start), (error: Error & { $metadata: { attempts: number; httpStatusCode: number } }) => {
    assert.deepEqual([error.name, error.$metadata.httpStatusCode, error.$metadata.attempts], ['NotYetImplementedException', 400, 1]);
    return true;
  });
  await meetings.send(new StopMeetingTranscriptionCommand({ MeetingId }));
});

test('Authorization: one meeting may be allowed by its ARN, and who may not ask is told nothing of what exists (TS-9)', async () => {
  const { MeetingId, MeetingArn } = await newMeeting();
  const other = await newMeeting();
  const client = await userWith('guest', { Effect: 'Allow', Action: 'chime:GetMeeting', Resource: MeetingArn });
  await client.send(new GetMeetingCommand({ MeetingId: MeetingId.toUpperCase() }));
  for (const id of [other.MeetingId, 'ffffffff-0000-4000-8000-000000000000']) {
    await assert.rejects(client.send(new GetMeetingCommand({ MeetingId: id })), { name: 'AccessDeniedException' });
  }
});

test('Authorization: a Deny on one meeting holds however its id is spelt', async () => {
  const { MeetingId, MeetingArn } = await newMeeting();
  const client = await userWith(
    'fenced',
    { Effect: 'Allow', Action: 'chime:*', Resource: '*' },
    { Effect: 'Deny', Action: 'chime:DeleteMeeting', Resource: MeetingArn },
  );
  for (const id of [MeetingId, MeetingId.toUpperCase()]) {
    await assert.rejects(client.send(new DeleteMeetingCommand({ MeetingId: id })), { name: 'AccessDeniedException' });
  }
});

test('Authorization: tags of the meeting and of the request decide (TAG-5)', async () => {
  const blue = await newMeeting({ team: 'blue' });
  const red = await newMeeting({ team: 'red' });
  const client = await userWith(
    'blue-only',
    { Effect: 'Allow', Action: 'chime:GetMeeting', Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } } },
    {
      Effect: 'Allow',
      Action: ['chime:CreateMeeting', 'chime:TagResource'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } },
    },
  );
  await client.send(new GetMeetingCommand({ MeetingId: blue.MeetingId }));
  await assert.rejects(client.send(new GetMeetingCommand({ MeetingId: red.MeetingId })), { name: 'AccessDeniedException' });

  const create = (token: string, Tags?: { Key: string; Value: string }[]) =>
    client.send(
      new CreateMeetingCommand({ ClientRequestToken: token, MediaRegion: 'us-east-1', ExternalMeetingId: 'tagged', ...(Tags && { Tags }) }),
    );
  await create('blue-1', [{ Key: 'team', Value: 'blue' }]);
  await assert.rejects(create('red-1', [{ Key: 'team', Value: 'red' }]), { name: 'AccessDeniedException' });
  await assert.rejects(create('none-1'), { name: 'AccessDeniedException' });
});

test('Authorization: tags at creation want chime:TagResource too', async () => {
  const client = await userWith('no-tagger', { Effect: 'Allow', Action: 'chime:CreateMeeting', Resource: '*' });
  const request = { ClientRequestToken: 'no-tagger', MediaRegion: 'us-east-1', ExternalMeetingId: 'tagged' };
  await assert.rejects(client.send(new CreateMeetingCommand({ ...request, Tags: [{ Key: 'team', Value: 'blue' }] })), {
    name: 'AccessDeniedException',
    message: /chime:TagResource/,
  });
  await client.send(new CreateMeetingCommand(request));
});

test('The event history: what was made, what was refused and what was not found are in it, and no join token is (LOG-1, LOG-4)', async () => {
  const { MeetingId, MeetingArn } = await newMeeting();
  const { Attendee } = await meetings.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: 'secret-agent' }));
  await meetings.send(new DeleteMeetingCommand({ MeetingId }));
  await assert.rejects(meetings.send(new GetMeetingCommand({ MeetingId })));
  const refused = await userWith('nobody', { Effect: 'Deny', Action: 'chime:*', Resource: '*' });
  await assert.rejects(refused.send(new GetMeetingCommand({ MeetingId })));

  const events = await history('ResourceName', MeetingArn);
  const records = events.map((each) => JSON.parse(each.CloudTrailEvent as string));
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
  assert.equal(records[0].userIdentity.userName, 'nobody');
  assert.equal(records[0].additionalEventData.denial.kind, 'explicit');
  assert.equal((await history('Username', 'nobody')).length, 1);
  assert.equal((await history('EventId', events[0]?.EventId as string)).length, 1);
  const [, notFound] = (await history('EventName', 'GetMeeting')).map((each) => JSON.parse(each.CloudTrailEvent as string));
  assert.deepEqual([notFound.errorCode, notFound.requestParameters], ['NotFoundException', { meetingId: MeetingId }]);
});
