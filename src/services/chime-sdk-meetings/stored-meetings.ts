/** Functions that find stored meetings and attendees, and convert them to the shapes of the model. */
import { DAY_MS } from '#core/duration.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Attendee, CreateMeetingRequest, Meeting, MeetingFeaturesConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingNames } from '../chime-kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { guid, meetingArn } from './access.ts';
import { toCapabilities } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { mediaPlacement } from './media-placement.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';
import type { MeetingRecord } from './tables/meetings.ts';
import { findMeeting, type LegacyMark } from './visible-meetings.ts';

/** Request that creates a meeting. In the older service `chime`, the external ID is optional. */
export type NewMeeting = Omit<CreateMeetingRequest, 'ExternalMeetingId'> & Partial<Pick<CreateMeetingRequest, 'ExternalMeetingId'>>;

/** Request that created a meeting. The token and the tags are stored elsewhere. */
export type StoredRequest = Omit<NewMeeting, 'ClientRequestToken' | 'Tags'> & LegacyMark;

/** A stored meeting with its parsed request. */
export interface FoundMeeting {
  readonly record: MeetingRecord;
  readonly request: StoredRequest;
}

/**
 * Returns a meeting of the caller's account and region that has not ended.
 *
 * Source: aws/amazon-chime-sdk-js issue 1569 has the error message, with the angle brackets.
 * @throws NotFoundException the meeting does not exist or has ended
 */
export async function meetingOrNotFound(call: Call, meetingId: string): Promise<FoundMeeting> {
  const record = await findMeeting(call.tx, call, guid(meetingId), call.now);
  if (record === undefined) throw new AwsError('NotFoundException', `Meeting <${meetingId}> not found`);
  return found(record);
}

/** Returns a stored meeting with its request parsed. */
export function found(record: MeetingRecord): FoundMeeting {
  return { record, request: JSON.parse(record.document) as StoredRequest };
}

/** Returns the fields of a meeting event that identify the meeting. */
export function named({ record, request }: FoundMeeting): MeetingNames {
  const { accountId, region, meetingId } = record;
  return omitUndefined({
    accountId,
    region,
    meetingId,
    externalMeetingId: request.ExternalMeetingId,
    mediaRegion: request.MediaRegion,
    notifications: request.NotificationsConfiguration,
  });
}

/**
 * Returns an attendee of a meeting. Assumed: the error message has the same wording as the message for meetings.
 *
 * @throws NotFoundException the attendee is not in the meeting
 */
export async function attendeeOrNotFound({ tx }: Call, { record }: FoundMeeting, attendeeId: string): Promise<AttendeeRecord> {
  const attendee = await tx.of(attendees).get(record.meetingId, guid(attendeeId));
  if (attendee === undefined) throw new AwsError('NotFoundException', `Attendee <${attendeeId}> not found`);
  return attendee;
}

/** Returns a meeting in the shape of the model. */
export function toMeeting(
  { mediaEndpoints, localMediaEndpoints = mediaEndpoints }: MeetingsDeps,
  { localPlain }: Pick<Call, 'localPlain'>,
  { record, request }: FoundMeeting,
): Meeting {
  const { MeetingHostId, ExternalMeetingId, MediaRegion, MeetingFeatures, PrimaryMeetingId, TenantIds = [] } = request;
  return omitUndefined({
    MeetingId: record.meetingId,
    MeetingHostId,
    ExternalMeetingId,
    MediaRegion,
    MediaPlacement: mediaPlacement(localPlain ? localMediaEndpoints : mediaEndpoints, record.meetingId),
    MeetingFeatures: MeetingFeatures && withDefaults(MeetingFeatures),
    PrimaryMeetingId,
    TenantIds,
    MeetingArn: meetingArn(record, record.meetingId),
  });
}

/**
 * Adds the default resolutions to the features of a request. Source: Chime SDK API reference, CreateMeeting: if a
 * request has features, the default of Video is HD, and the default of Content is FHD.
 */
function withDefaults(features: MeetingFeaturesConfiguration): MeetingFeaturesConfiguration {
  return {
    ...features,
    Video: { MaxResolution: features.Video?.MaxResolution ?? 'HD' },
    Content: { MaxResolution: features.Content?.MaxResolution ?? 'FHD' },
  };
}

/** Returns an attendee in the shape of the model. The join token expires with the meeting. */
export function toAttendee({ joinTokens }: MeetingsDeps, { record }: FoundMeeting, attendee: AttendeeRecord): Attendee {
  const { attendeeId, externalUserId } = attendee;
  const { accountId, region, meetingId, createdAt } = record;
  return {
    ExternalUserId: externalUserId,
    AttendeeId: attendeeId,
    JoinToken: joinTokens.issue({ accountId, region, meetingId, attendeeId, externalUserId, expiresAt: lastEnd(createdAt) }),
    Capabilities: toCapabilities(attendee),
  };
}

const MEETING_LIFE_MS = DAY_MS;

/** Returns the latest end of a meeting. Source: Chime SDK Developer Guide, "Meeting lifecycle": 24 hours after its creation. */
export function lastEnd(createdAt: MeetingRecord['createdAt']): MeetingRecord['endsAt'] {
  return (createdAt + MEETING_LIFE_MS) as MeetingRecord['endsAt'];
}
