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

/** What was asked for when a meeting was made: all but the token and the tags, which are kept apart. */
export type AskedFor = Omit<CreateMeetingRequest, 'ClientRequestToken' | 'Tags'>;

/** A meeting as kept, with what was asked for read from its document. */
export interface FoundMeeting {
  readonly record: MeetingRecord;
  readonly asked: AskedFor;
}

/**
 * The meeting of the caller's account and region that has not ended.
 *
 * Source: the text, angle brackets included, in aws/amazon-chime-sdk-js issue 1569.
 * @throws NotFoundException no such meeting, or it has ended
 */
export async function meetingOrNotFound({ tx, accountId, region, now }: Call, givenMeetingId: string): Promise<FoundMeeting> {
  const record = await tx.of(meetings).get(accountId, region, guid(givenMeetingId), now);
  if (record === undefined) throw new AwsError('NotFoundException', `Meeting <${givenMeetingId}> not found`);
  return found(record);
}

export function found(record: MeetingRecord): FoundMeeting {
  return { record, asked: JSON.parse(record.document) as AskedFor };
}

/** What a meeting event says of its meeting. */
export function named({ record, asked }: FoundMeeting): MeetingNames {
  const { accountId, region, meetingId } = record;
  return { accountId, region, meetingId, externalMeetingId: asked.ExternalMeetingId, mediaRegion: asked.MediaRegion };
}

/** @throws NotFoundException no such attendee in the meeting. Assumed: the text, after that of meetings. */
export async function attendeeOrNotFound({ tx }: Call, { record }: FoundMeeting, givenAttendeeId: string): Promise<AttendeeRecord> {
  const attendee = await tx.of(attendees).get(record.meetingId, guid(givenAttendeeId));
  if (attendee === undefined) throw new AwsError('NotFoundException', `Attendee <${givenAttendeeId}> not found`);
  return attendee;
}

/** A meeting as the model has it. */
export function toMeeting({ mediaEndpoints }: MeetingsDeps, { record, asked }: FoundMeeting): Meeting {
  return {
    MeetingId: record.meetingId,
    ...(asked.MeetingHostId !== undefined && { MeetingHostId: asked.MeetingHostId }),
    ExternalMeetingId: asked.ExternalMeetingId,
    MediaRegion: asked.MediaRegion,
    MediaPlacement: mediaPlacement(mediaEndpoints, record.meetingId),
    ...(asked.MeetingFeatures !== undefined && { MeetingFeatures: withDefaults(asked.MeetingFeatures) }),
    ...(asked.PrimaryMeetingId !== undefined && { PrimaryMeetingId: asked.PrimaryMeetingId }),
    TenantIds: asked.TenantIds ?? [],
    MeetingArn: meetingArn(record, record.meetingId),
  };
}

/** Source: Chime SDK API reference, CreateMeeting: Video is HD and Content FHD where features are given without them. */
function withDefaults(features: MeetingFeaturesConfiguration): MeetingFeaturesConfiguration {
  return {
    ...features,
    Video: { MaxResolution: features.Video?.MaxResolution ?? 'HD' },
    Content: { MaxResolution: features.Content?.MaxResolution ?? 'FHD' },
  };
}

/** An attendee as the model has it. The join token ends with the meeting. */
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

/** Source: Chime SDK Developer Guide, "Meeting lifecycle": 24 hours after it was made, a meeting ends whatever happens. */
export function lastEnd(createdAt: MeetingRecord['createdAt']): MeetingRecord['endsAt'] {
  return (createdAt + MEETING_LIFE_MS) as MeetingRecord['endsAt'];
}
