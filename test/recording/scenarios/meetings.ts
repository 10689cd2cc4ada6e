import type { AnyOutput, Recorder, ServiceCalls } from '../recorder.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** Records calls on meetings and attendees: from creation to deletion, then each operation's errors in the order of the checks. */
export async function meetings(recorder: Recorder): Promise<undefined> {
  const calls = recorder.of('chime-sdk-meetings');
  const { Meeting, pair } = await newMeetings(calls);
  const { MeetingId } = Meeting;
  const { AttendeeId } = await attendees(calls, MeetingId, pair.MeetingId);
  await capabilities(calls, MeetingId, AttendeeId);
  await transcription(calls, MeetingId);
  await tags(calls, Meeting);
  await deletions(calls, MeetingId, AttendeeId);
  return undefined;
}

/** Creates meetings. `pair` has space for two attendees. */
async function newMeetings({ ok, fails }: ServiceCalls): Promise<{ readonly Meeting: AnyOutput; readonly pair: AnyOutput }> {
  const standup = {
    ClientRequestToken: 'standup',
    MediaRegion: 'us-east-1',
    ExternalMeetingId: 'standup',
    Tags: [{ Key: 'team', Value: 'blue' }],
  };
  const { Meeting } = await ok('CreateMeeting', standup);
  await ok('CreateMeeting', standup);
  await ok('CreateMeeting', { ...standup, ExternalMeetingId: 'other' });
  await fails('BadRequestException', 'CreateMeeting', { ...standup, ClientRequestToken: 'token-b', MediaRegion: 'mars-north-1' });
  await fails('BadRequestException', 'CreateMeeting', { ...standup, ClientRequestToken: 'token-c', ExternalMeetingId: 'aws:standup' });
  await fails('BadRequestException', 'CreateMeeting', { ...standup, ClientRequestToken: 'token-d', PrimaryMeetingId: UNKNOWN });
  await fails('BadRequestException', 'CreateMeeting', { ...standup, ClientRequestToken: 'token-e', Tags: [{ Key: 'aws:x', Value: 'y' }] });
  const replica = {
    ClientRequestToken: 'replica',
    MediaRegion: 'us-east-1',
    ExternalMeetingId: 'replica',
    PrimaryMeetingId: Meeting.MeetingId,
  };
  await fails('BadRequestException', 'CreateMeeting', {
    ...standup,
    ClientRequestToken: 'token-h',
    MeetingFeatures: { Video: { MaxResolution: 'FHD' }, Attendee: { MaxCount: 26 } },
  });
  const { Meeting: replicated } = await ok('CreateMeeting', replica);
  await fails('BadRequestException', 'CreateMeeting', {
    ...replica,
    ClientRequestToken: 'token-f',
    PrimaryMeetingId: replicated.MeetingId,
  });
  const small = {
    ClientRequestToken: 'small',
    MediaRegion: 'eu-central-1',
    ExternalMeetingId: 'small',
    MeetingFeatures: { Audio: { EchoReduction: 'AVAILABLE' }, Video: { MaxResolution: 'FHD' }, Attendee: { MaxCount: 2 } },
    TenantIds: ['tenant'],
    Attendees: [{ ExternalUserId: 'ada' }, { ExternalUserId: 'aws:bad' }],
  };
  await ok('CreateMeetingWithAttendees', small);
  const { Meeting: pair } = await ok('CreateMeetingWithAttendees', {
    ...small,
    ClientRequestToken: 'pair',
    Attendees: [{ ExternalUserId: 'ada' }],
  });
  await ok('CreateMeetingWithAttendees', { ...small, MediaRegion: 'us-east-1' });
  await fails('BadRequestException', 'CreateMeetingWithAttendees', {
    ...small,
    ClientRequestToken: 'token-g',
    MediaRegion: 'mars-north-1',
  });
  return { Meeting, pair };
}

async function attendees({ ok, fails }: ServiceCalls, MeetingId: string, pairId: string): Promise<AnyOutput> {
  await ok('GetMeeting', { MeetingId });
  await fails('NotFoundException', 'GetMeeting', { MeetingId: UNKNOWN });
  const { Attendee } = await ok('CreateAttendee', {
    MeetingId,
    ExternalUserId: 'ada',
    Capabilities: { Audio: 'SendReceive', Video: 'Receive', Content: 'None' },
  });
  await ok('CreateAttendee', { MeetingId: pairId, ExternalUserId: 'grace' });
  await fails('LimitExceededException', 'CreateAttendee', { MeetingId: pairId, ExternalUserId: 'one-too-many' });
  await fails('NotFoundException', 'CreateAttendee', { MeetingId: UNKNOWN, ExternalUserId: 'ada' });
  await fails('BadRequestException', 'CreateAttendee', { MeetingId, ExternalUserId: 'aws:ada' });
  await fails('BadRequestException', 'CreateAttendee', {
    MeetingId,
    ExternalUserId: 'eve',
    Capabilities: { Audio: 'None', Video: 'None', Content: 'SendReceive' },
  });
  await ok('BatchCreateAttendee', {
    MeetingId,
    Attendees: [{ ExternalUserId: 'bob' }, { ExternalUserId: 'aws:no' }, { ExternalUserId: 'eve' }],
  });
  await fails('NotFoundException', 'BatchCreateAttendee', { MeetingId: UNKNOWN, Attendees: [{ ExternalUserId: 'bob' }] });
  await ok('BatchCreateAttendee', { MeetingId: pairId, Attendees: [{ ExternalUserId: 'bob' }] });
  await ok('GetAttendee', { MeetingId, AttendeeId: Attendee.AttendeeId });
  await fails('NotFoundException', 'GetAttendee', { MeetingId, AttendeeId: UNKNOWN });
  await fails('NotFoundException', 'GetAttendee', { MeetingId: UNKNOWN, AttendeeId: Attendee.AttendeeId });
  await ok('ListAttendees', { MeetingId });
  await fails('BadRequestException', 'ListAttendees', { MeetingId: pairId, NextToken: 'forged' });
  await fails('NotFoundException', 'ListAttendees', { MeetingId: UNKNOWN });
  return Attendee;
}

async function capabilities({ ok, fails }: ServiceCalls, MeetingId: string, AttendeeId: string): Promise<void> {
  const Capabilities = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };
  await ok('UpdateAttendeeCapabilities', { MeetingId, AttendeeId, Capabilities });
  await fails('NotFoundException', 'UpdateAttendeeCapabilities', {
    MeetingId,
    AttendeeId: UNKNOWN,
    Capabilities,
  });
  await fails('BadRequestException', 'UpdateAttendeeCapabilities', {
    MeetingId,
    AttendeeId,
    Capabilities: { Audio: 'None', Video: 'None', Content: 'SendReceive' },
  });
  await ok('BatchUpdateAttendeeCapabilitiesExcept', {
    MeetingId,
    ExcludedAttendeeIds: [{ AttendeeId }],
    Capabilities,
  });
  await fails('NotFoundException', 'BatchUpdateAttendeeCapabilitiesExcept', {
    MeetingId: UNKNOWN,
    ExcludedAttendeeIds: [{ AttendeeId: UNKNOWN }],
    Capabilities,
  });
}

async function transcription({ call }: ServiceCalls, MeetingId: string): Promise<void> {
  await call('StartMeetingTranscription', {
    MeetingId,
    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
  });
  await call('StartMeetingTranscription', { MeetingId, TranscriptionConfiguration: {} });
  await call('StopMeetingTranscription', { MeetingId });
}

async function tags({ ok, fails }: ServiceCalls, { MeetingId, MeetingArn: ResourceARN }: AnyOutput): Promise<void> {
  const unknown = ResourceARN.replace(MeetingId, UNKNOWN);
  await ok('ListTagsForResource', { ResourceARN });
  await ok('TagResource', { ResourceARN, Tags: [{ Key: 'phase', Value: 'two' }] });
  await fails('BadRequestException', 'TagResource', { ResourceARN, Tags: [{ Key: 'aws:phase', Value: 'two' }] });
  await fails('TooManyTagsException', 'TagResource', {
    ResourceARN,
    Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' })),
  });
  await fails('ResourceNotFoundException', 'TagResource', {
    ResourceARN: unknown,
    Tags: [{ Key: 'a', Value: 'b' }],
  });
  await ok('UntagResource', { ResourceARN, TagKeys: ['phase', 'absent'] });
  await fails('ResourceNotFoundException', 'UntagResource', {
    ResourceARN: unknown,
    TagKeys: ['a'],
  });
  await fails('ResourceNotFoundException', 'ListTagsForResource', { ResourceARN: unknown });
}

async function deletions({ ok, fails }: ServiceCalls, MeetingId: string, AttendeeId: string): Promise<void> {
  await ok('DeleteAttendee', { MeetingId, AttendeeId });
  await fails('NotFoundException', 'DeleteAttendee', { MeetingId, AttendeeId });
  await ok('DeleteMeeting', { MeetingId });
  await fails('NotFoundException', 'DeleteMeeting', { MeetingId });
  await fails('NotFoundException', 'GetMeeting', { MeetingId });
}
