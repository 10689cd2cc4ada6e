import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { guid, onMeeting } from './access.ts';
import { attendeeEvent } from './attendees.ts';
import { requireCapabilities, toCapabilitiesRecord } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { attendeeOrNotFound, meetingOrNotFound, toAttendee } from './stored-meetings.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';

/** Number of attendees that one query reads if an operation changes all attendees of a meeting. */
const PAGE = 100;

/** Media that attendees may send and receive. Source: chime-sdk-meetings 2021-07-15. */
export function capabilityOperations(deps: MeetingsDeps) {
  return {
    /**
     * Emits: AttendeeCapabilitiesChanged.
     * @throws NotFoundException   the meeting does not exist, or the attendee is not in it
     * @throws ValidationError     the meeting excludes video or content
     * @throws BadRequestException content without video
     */
    UpdateAttendeeCapabilities: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const attendee = await attendeeOrNotFound(call, meeting, input.AttendeeId);
        requireCapabilities(input.Capabilities, meeting.request.MeetingFeatures);
        const changed: AttendeeRecord = { ...attendee, ...toCapabilitiesRecord(input.Capabilities) };
        await call.tx.of(attendees).setCapabilities(changed);
        await call.emit<MeetingEvent>(attendeeEvent('AttendeeCapabilitiesChanged', meeting, changed));
        return { Attendee: toAttendee(deps, meeting, changed) };
      },
    },

    /**
     * Changes every attendee except the listed ones.
     *
     * Emits: AttendeeCapabilitiesChanged for each.
     * Assumed: the operation ignores listed attendees that are not in the meeting.
     * @throws as UpdateAttendeeCapabilities
     */
    BatchUpdateAttendeeCapabilitiesExcept: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        requireCapabilities(input.Capabilities, meeting.request.MeetingFeatures);
        const capabilities = toCapabilitiesRecord(input.Capabilities);
        const excluded = new Set(input.ExcludedAttendeeIds.map(({ AttendeeId }) => guid(AttendeeId)));
        let after: string | undefined;
        do {
          const page: readonly AttendeeRecord[] = await call.tx.of(attendees).list(meeting.record.meetingId, PAGE, after);
          for (const attendee of page) {
            if (excluded.has(attendee.attendeeId)) continue;
            await call.tx.of(attendees).setCapabilities({ ...attendee, ...capabilities });
            await call.emit<MeetingEvent>(attendeeEvent('AttendeeCapabilitiesChanged', meeting, attendee));
          }
          after = page.at(-1)?.attendeeId;
        } while (after !== undefined);
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkMeetingsApi>>;
}
