/** Stored meetings and attendees: how operations find them, and the shapes of the model. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Attendee, CreateMeetingRequest, Meeting, MeetingFeaturesConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingNames } from '../chime/events.ts';
import type { Call } from '../kit/operation.ts';
import { guid, meetingArn } from './access.ts';
import { toCapabilities } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { mediaPlacement } from './media-placement.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';
import { type MeetingRecord, meetings } from './tables/meetings.ts';

/** Request that created a meeting. The token and the tags are stored elsewhere. */
export type StoredRequest = Omit<CreateMeetingRequest, 'ClientRequestToken' | 'Tags'>;

/** A stored meeting with its parsed request. */
export interface FoundMeeting {
  readonly record: MeetingRecord;
  readonly request: StoredRequest;
}

/**
 * Returns a meeting of the caller's account and region that has not ended.
 *
 * Source: the message, with angle brackets, in aws/amazon-chime-sdk-js issue 1569.
 * @throws NotFoundException the meeting does not exist or has ended
 */
export async function meetingOrNotFound({ tx, accountId, region, now }: Call, meetingId: string): Promise<FoundMeeting> {
  const record = await tx.of(meetings).get(accountId, region, guid(meetingId), now);
  if (record === undefined) throw new AwsError('NotFoundException', `Meeting <${meetingId}> not found`);
  return found(record);
}

/** Returns a stored meeting with its request parsed. */
export function found(record: MeetingRecord): FoundMeeting {
  return { record, request: JSON.parse(record.document) as StoredRequest };
}

/** Returns the members of a meeting event that identify its meeting. */
export function named({ record, request }: FoundMeeting): MeetingNames {
  const { accountId, region, meetingId } = record;
  return { accountId, region, meetingId, externalMeetingId: request.ExternalMeetingId, mediaRegion: request.MediaRegion };
}

/** @throws NotFoundException the attendee is not in the meeting. Assumed: the message, like that of meetings. */
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

/** Source: Chime SDK API reference, CreateMeeting: the default of Video is HD and that of Content is FHD, if a request has features. */
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

const MEETING_LIFE_MS = 24 * 60 * 60_000;

/** Returns the latest end of a meeting. Source: Chime SDK Developer Guide, "Meeting lifecycle": 24 hours after its creation. */
export function lastEnd(createdAt: MeetingRecord['createdAt']): MeetingRecord['endsAt'] {
  return (createdAt + MEETING_LIFE_MS) as MeetingRecord['endsAt'];
}
