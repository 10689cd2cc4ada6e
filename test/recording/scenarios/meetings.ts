import type { Recorder } from '../recorder.ts';

/** Meetings and attendees: the life of a meeting, then every error of each operation in the order of its checks. */
export async function meetings(recorder: Recorder): Promise<undefined> {
  const ok = (operation: string, input: object) => recorder.ok('chime-sdk-meetings', operation, input);
  const fails = (code: string, operation: string, input: object) => recorder.fails(code, 'chime-sdk-meetings', operation, input);
  const UNKNOWN = '00000000-0000-4000-8000-000000000000';

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

  await ok('GetMeeting', { MeetingId: Meeting.MeetingId });
  await fails('NotFoundException', 'GetMeeting', { MeetingId: UNKNOWN });
  const { Attendee } = await ok('CreateAttendee', {
    MeetingId: Meeting.MeetingId,
    ExternalUserId: 'ada',
    Capabilities: { Audio: 'SendReceive', Video: 'Receive', Content: 'None' },
  });
  await ok('CreateAttendee', { MeetingId: pair.MeetingId, ExternalUserId: 'grace' });
  await fails('LimitExceededException', 'CreateAttendee', { MeetingId: pair.MeetingId, ExternalUserId: 'one-too-many' });
  await fails('NotFoundException', 'CreateAttendee', { MeetingId: UNKNOWN, ExternalUserId: 'ada' });
  await fails('BadRequestException', 'CreateAttendee', { MeetingId: Meeting.MeetingId, ExternalUserId: 'aws:ada' });
  await fails('BadRequestException', 'CreateAttendee', {
    MeetingId: Meeting.MeetingId,
    ExternalUserId: 'eve',
    Capabilities: { Audio: 'None', Video: 'None', Content: 'SendReceive' },
  });
  await ok('BatchCreateAttendee', {
    MeetingId: Meeting.MeetingId,
    Attendees: [{ ExternalUserId: 'bob' }, { ExternalUserId: 'aws:no' }, { ExternalUserId: 'eve' }],
  });
  await fails('NotFoundException', 'BatchCreateAttendee', { MeetingId: UNKNOWN, Attendees: [{ ExternalUserId: 'bob' }] });
  await ok('BatchCreateAttendee', { MeetingId: pair.MeetingId, Attendees: [{ ExternalUserId: 'bob' }] });
  await ok('GetAttendee', { MeetingId: Meeting.MeetingId, AttendeeId: Attendee.AttendeeId });
  await fails('NotFoundException', 'GetAttendee', { MeetingId: Meeting.MeetingId, AttendeeId: UNKNOWN });
  await fails('NotFoundException', 'GetAttendee', { MeetingId: UNKNOWN, AttendeeId: Attendee.AttendeeId });
  await ok('ListAttendees', { MeetingId: Meeting.MeetingId });
  await fails('BadRequestException', 'ListAttendees', { MeetingId: pair.MeetingId, NextToken: 'forged' });
  await fails('NotFoundException', 'ListAttendees', { MeetingId: UNKNOWN });
  const capabilities = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };
  await ok('UpdateAttendeeCapabilities', { MeetingId: Meeting.MeetingId, AttendeeId: Attendee.AttendeeId, Capabilities: capabilities });
  await fails('NotFoundException', 'UpdateAttendeeCapabilities', {
    MeetingId: Meeting.MeetingId,
    AttendeeId: UNKNOWN,
    Capabilities: capabilities,
  });
  await fails('BadRequestException', 'UpdateAttendeeCapabilities', {
    MeetingId: Meeting.MeetingId,
    AttendeeId: Attendee.AttendeeId,
    Capabilities: { Audio: 'None', Video: 'None', Content: 'SendReceive' },
  });
  await ok('BatchUpdateAttendeeCapabilitiesExcept', {
    MeetingId: Meeting.MeetingId,
    ExcludedAttendeeIds: [{ AttendeeId: Attendee.AttendeeId }],
    Capabilities: capabilities,
  });
  await fails('NotFoundException', 'BatchUpdateAttendeeCapabilitiesExcept', {
    MeetingId: UNKNOWN,
    ExcludedAttendeeIds: [{ AttendeeId: UNKNOWN }],
    Capabilities: capabilities,
  });

  await recorder.call('chime-sdk-meetings', 'StartMeetingTranscription', {
    MeetingId: Meeting.MeetingId,
    TranscriptionConfiguration: { EngineTranscribeSettings: { LanguageCode: 'en-US' } },
  });
  await recorder.call('chime-sdk-meetings', 'StartMeetingTranscription', { MeetingId: Meeting.MeetingId, TranscriptionConfiguration: {} });
  await recorder.call('chime-sdk-meetings', 'StopMeetingTranscription', { MeetingId: Meeting.MeetingId });

  const ResourceARN = Meeting.MeetingArn;
  await ok('ListTagsForResource', { ResourceARN });
  await ok('TagResource', { ResourceARN, Tags: [{ Key: 'phase', Value: 'two' }] });
  await fails('BadRequestException', 'TagResource', { ResourceARN, Tags: [{ Key: 'aws:phase', Value: 'two' }] });
  await fails('TooManyTagsException', 'TagResource', {
    ResourceARN,
    Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' })),
  });
  await fails('ResourceNotFoundException', 'TagResource', {
    ResourceARN: ResourceARN.replace(Meeting.MeetingId, UNKNOWN),
    Tags: [{ Key: 'a', Value: 'b' }],
  });
  await ok('UntagResource', { ResourceARN, TagKeys: ['phase', 'absent'] });
  await fails('ResourceNotFoundException', 'UntagResource', {
    ResourceARN: ResourceARN.replace(Meeting.MeetingId, UNKNOWN),
    TagKeys: ['a'],
  });
  await fails('ResourceNotFoundException', 'ListTagsForResource', { ResourceARN: ResourceARN.replace(Meeting.MeetingId, UNKNOWN) });

  await ok('DeleteAttendee', { MeetingId: Meeting.MeetingId, AttendeeId: Attendee.AttendeeId });
  await fails('NotFoundException', 'DeleteAttendee', { MeetingId: Meeting.MeetingId, AttendeeId: Attendee.AttendeeId });
  await ok('DeleteMeeting', { MeetingId: Meeting.MeetingId });
  await fails('NotFoundException', 'DeleteMeeting', { MeetingId: Meeting.MeetingId });
  await fails('NotFoundException', 'GetMeeting', { MeetingId: Meeting.MeetingId });
  return undefined;
}
