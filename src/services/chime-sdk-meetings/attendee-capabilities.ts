import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { guid, onMeeting } from './access.ts';
import { attendeeEvent } from './attendees.ts';
import { requireCapabilities, toCapabilitiesRecord } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { attendeeOrNotFound, meetingOrNotFound, toAttendee } from './found.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/** Attendees read at once while all of a meeting are gone through. */
const PAGE = 100;

/** Changing what attendees may send and receive. Source: chime-sdk-meetings 2021-07-15. */
export function capabilityOperations(
  deps: MeetingsDeps,
): Pick<Operations, 'UpdateAttendeeCapabilities' | 'BatchUpdateAttendeeCapabilitiesExcept'> {
  return {
    /**
     * @throws NotFoundException   no such meeting, or no such attendee in it
     * @throws ValidationError     video or content where the meeting has none of it
     * @throws BadRequestException content is to be received without video
     */
    UpdateAttendeeCapabilities: {
      access: (input, caller) => onMeeting(caller, 'chime:UpdateAttendeeCapabilities', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const attendee = await attendeeOrNotFound(call, meeting, input.AttendeeId);
        requireCapabilities(input.Capabilities, meeting.asked.MeetingFeatures);
        const changed: AttendeeRecord = { ...attendee, ...toCapabilitiesRecord(input.Capabilities) };
        await call.tx.of(attendees).setCapabilities(changed);
        await call.emit<MeetingEvent>(attendeeEvent('AttendeeCapabilitiesChanged', meeting, changed));
        return { Attendee: toAttendee(deps, meeting, changed) };
      },
    },

    /**
     * Changes every attendee but those named.
     *
     * Assumed: a named attendee who is not in the meeting is passed over.
     * @throws as UpdateAttendeeCapabilities
     */
    BatchUpdateAttendeeCapabilitiesExcept: {
      access: (input, caller) => onMeeting(caller, 'chime:BatchUpdateAttendeeCapabilitiesExcept', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        requireCapabilities(input.Capabilities, meeting.asked.MeetingFeatures);
        const capabilities = toCapabilitiesRecord(input.Capabilities);
        const spared = new Set(input.ExcludedAttendeeIds.map(({ AttendeeId }) => guid(AttendeeId)));
        let after: string | undefined;
        do {
          const page: readonly AttendeeRecord[] = await call.tx.of(attendees).list(meeting.record.meetingId, PAGE, after);
          for (const attendee of page) {
            if (spared.has(attendee.attendeeId)) continue;
            await call.tx.of(attendees).setCapabilities({ ...attendee, ...capabilities });
            await call.emit<MeetingEvent>(attendeeEvent('AttendeeCapabilitiesChanged', meeting, attendee));
          }
          after = page.at(-1)?.attendeeId;
        } while (after !== undefined);
        return {};
      },
    },
  };
}
