import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { capabilityOperations } from './attendee-capabilities.ts';
import { attendeeOperations } from './attendees.ts';
import type { MeetingsDeps } from './deps.ts';
import { meetingOperations } from './meetings.ts';
import { meetingTagOperations } from './tags.ts';
import { transcriptionOperations } from './transcription.ts';

/** Returns all operations of Chime SDK meetings. */
export function meetingsOperations(deps: MeetingsDeps): OperationTable<'chime-sdk-meetings'> {
  return operationTable('chime-sdk-meetings', {
    ...meetingOperations(deps),
    ...attendeeOperations(deps),
    ...capabilityOperations(deps),
    ...transcriptionOperations,
    ...meetingTagOperations,
  } satisfies ServiceOperations<ChimeSdkMeetingsApi>);
}
