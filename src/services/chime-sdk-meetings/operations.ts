import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { capabilityOperations } from './attendee-capabilities.ts';
import { attendeeOperations } from './attendees.ts';
import type { MeetingsDeps } from './deps.ts';
import { meetingOperations } from './meetings.ts';
import { meetingTagOperations } from './tags.ts';
import { transcriptionOperations } from './transcription.ts';

/** Every operation of Chime SDK Meetings. */
export function meetingsOperations(deps: MeetingsDeps): ServiceOperations<ChimeSdkMeetingsApi> {
  return {
    ...meetingOperations(deps),
    ...attendeeOperations(deps),
    ...capabilityOperations(deps),
    ...transcriptionOperations(),
    ...meetingTagOperations,
  };
}
