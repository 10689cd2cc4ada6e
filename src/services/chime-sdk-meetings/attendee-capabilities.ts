import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { guid, onMeeting } from './access.ts';
import { requireCapabilities, toCapabilities, toCapabilitiesRecord } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { attendeeOrNotFound, type FoundMeeting, meetingOrNotFound, named, toAttendee } from './stored-meetings.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';

/** Number of attendees that one query reads if an operation changes all attendees of a meeting. */
const PAGE = 100;

/** Media that attendees may send and receive. Source: chime-sdk-meetings 2021-07-15. */
export function capabilityOperations(deps: MeetingsDeps) {
  return {
    /**
     * Emits: AttendeeCapabilitiesUpdated.
     * @throws NotFoundException   the meeting does not exist, or the attendee is not in it
     * @throws ValidationError     the capabilities include video or content, which the meeting excludes
     * @throws BadRequestException the attendee would receive content without video
     */
    UpdateAttendeeCapabilities: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const attendee = await attendeeOrNotFound(call, meeting, input.AttendeeId);
        requireCapabilities(input.Capabilities, meeting.request.MeetingFeatures);
        const changed: AttendeeRecord = { ...attendee, ...toCapabilitiesRecord(input.Capabilities) };
        await call.tx.of(attendees).setCapabilities(changed);
        await call.emit<MeetingEvent>(capabilitiesEvent(meeting, changed));
        return { Attendee: toAttendee(deps, meeting, changed) };
      },
    },

    /**
     * Changes the capabilities of every attendee, except the attendees that the request lists.
     *
     * Emits: AttendeeCapabilitiesUpdated for each changed attendee.
     * Assumed: the operation ignores listed attendees that are not in the meeting.
     * @throws NotFoundException   the meeting does not exist
     * @throws ValidationError     the capabilities include video or content, which the meeting excludes
     * @throws BadRequestException attendees would receive content without video
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
            const changed = { ...attendee, ...capabilities };
            await call.tx.of(attendees).setCapabilities(changed);
            await call.emit<MeetingEvent>(capabilitiesEvent(meeting, changed));
          }
          after = page.at(-1)?.attendeeId;
        } while (after !== undefined);
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkMeetingsApi>>;
}

function capabilitiesEvent(meeting: FoundMeeting, attendee: AttendeeRecord): MeetingEvent {
  const { attendeeId, externalUserId } = attendee;
  return { type: 'AttendeeCapabilitiesUpdated', ...named(meeting), attendeeId, externalUserId, capabilities: toCapabilities(attendee) };
}
