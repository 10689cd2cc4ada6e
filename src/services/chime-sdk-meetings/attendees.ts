import type { Attendee, ChimeSdkMeetingsApi, CreateAttendeeError, CreateAttendeeRequestItem } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { guid, onMeeting } from './access.ts';
import { defaultCapabilities, requireCapabilities, toCapabilitiesRecord } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { requireExternalId } from './external-id.ts';
import { attendeeOrNotFound, type FoundMeeting, meetingOrNotFound, named, toAttendee } from './found.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/** Assumed: how many ListAttendees answers with where MaxResults is absent. */
const PAGE = 50;

/** Making, reading and removing attendees. Source: chime-sdk-meetings 2021-07-15, CreateAttendee … DeleteAttendee. */
export function attendeeOperations(
  deps: MeetingsDeps,
): Pick<Operations, 'CreateAttendee' | 'BatchCreateAttendee' | 'GetAttendee' | 'ListAttendees' | 'DeleteAttendee'> {
  return {
    /**
     * Makes an attendee, or answers with the one who has this external user id.
     *
     * @throws NotFoundException      no such meeting
     * @throws BadRequestException    an external user id or capabilities that cannot be
     * @throws LimitExceededException the meeting has as many attendees as it may
     */
    CreateAttendee: {
      access: (input, caller) => onMeeting(caller, 'chime:CreateAttendee', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const { attendee } = await addAttendee(call, deps, meeting, input, await room(call, deps, meeting));
        return { Attendee: toAttendee(deps, meeting, attendee) };
      },
    },

    /** As CreateAttendee for up to 100; who cannot be admitted is in `Errors`, and the others are. */
    BatchCreateAttendee: {
      access: (input, caller) => onMeeting(caller, 'chime:BatchCreateAttendee', input.MeetingId),
      async handle(call, input) {
        return addAttendees(call, deps, await meetingOrNotFound(call, input.MeetingId), input.Attendees);
      },
    },

    /** @throws NotFoundException no such meeting, or no such attendee in it */
    GetAttendee: {
      access: (input, caller) => onMeeting(caller, 'chime:GetAttendee', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        return { Attendee: toAttendee(deps, meeting, await attendeeOrNotFound(call, meeting, input.AttendeeId)) };
      },
    },

    /**
     * A page of attendees, in the order of their ids, so that a token holds while attendees come and go.
     *
     * @throws NotFoundException   no such meeting
     * @throws BadRequestException a token that is not of this meeting
     */
    ListAttendees: {
      access: (input, caller) => onMeeting(caller, 'chime:ListAttendees', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const { meetingId } = meeting.record;
        const { things, rest } = await pageOf(
          meetingId,
          input,
          (limit, after) => call.tx.of(attendees).list(meetingId, limit, after),
          ({ attendeeId }) => attendeeId,
          PAGE,
        );
        return { Attendees: things.map((attendee) => toAttendee(deps, meeting, attendee)), ...rest };
      },
    },

    /** @throws NotFoundException no such meeting, or no such attendee in it */
    DeleteAttendee: {
      access: (input, caller) => onMeeting(caller, 'chime:DeleteAttendee', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const attendee = await attendeeOrNotFound(call, meeting, input.AttendeeId);
        await call.tx.of(attendees).remove(meeting.record.meetingId, guid(input.AttendeeId));
        await call.emit<MeetingEvent>(attendeeEvent('AttendeeDeleted', meeting, attendee));
        return {};
      },
    },
  };
}

/** A meeting event about one attendee. */
export function attendeeEvent(
  type: Extract<MeetingEvent, { readonly attendeeId: string }>['type'],
  meeting: FoundMeeting,
  { attendeeId, externalUserId }: AttendeeRecord,
): MeetingEvent {
  return { type, ...named(meeting), attendeeId, externalUserId };
}

/** Adds attendees one by one; one refused does not keep the next out. Assumed: `ErrorCode` is the code without `Exception`. */
export async function addAttendees(
  call: Call,
  deps: MeetingsDeps,
  meeting: FoundMeeting,
  items: readonly CreateAttendeeRequestItem[],
): Promise<{ readonly Attendees: readonly Attendee[]; readonly Errors: readonly CreateAttendeeError[] }> {
  const Attendees: Attendee[] = [];
  const Errors: CreateAttendeeError[] = [];
  let left = await room(call, deps, meeting);
  for (const item of items) {
    try {
      const { attendee, added } = await addAttendee(call, deps, meeting, item, left);
      if (added) left--;
      Attendees.push(toAttendee(deps, meeting, attendee));
    } catch (error) {
      Errors.push(refusalOf(item, error));
    }
  }
  return { Attendees, Errors };
}

/**
 * What a request made again answers, which makes nobody: those who are in the meeting, and who was kept out, as the first time.
 * Assumed: who has been deleted since is in neither list.
 */
export async function existingAttendees(
  call: Call,
  deps: MeetingsDeps,
  meeting: FoundMeeting,
  items: readonly CreateAttendeeRequestItem[],
): Promise<{ readonly Attendees: readonly Attendee[]; readonly Errors: readonly CreateAttendeeError[] }> {
  const Attendees: Attendee[] = [];
  const Errors: CreateAttendeeError[] = [];
  const left = await room(call, deps, meeting);
  for (const item of items) {
    try {
      requireAdmissible(meeting, item);
      const attendee = await call.tx.of(attendees).getByExternalUserId(meeting.record.meetingId, item.ExternalUserId);
      if (attendee !== undefined) Attendees.push(toAttendee(deps, meeting, attendee));
      else if (left <= 0) throw noRoom(deps, meeting);
    } catch (error) {
      Errors.push(refusalOf(item, error));
    }
  }
  return { Attendees, Errors };
}

/** Why one of several is not admitted. @throws what is no answer for a client */
function refusalOf({ ExternalUserId }: CreateAttendeeRequestItem, error: unknown): CreateAttendeeError {
  if (!(error instanceof AwsError)) throw error;
  return { ExternalUserId, ErrorCode: error.code.replace(/Exception$/, ''), ErrorMessage: error.message };
}

function requireAdmissible({ asked }: FoundMeeting, { ExternalUserId, Capabilities }: CreateAttendeeRequestItem): void {
  requireExternalId('ExternalUserId', ExternalUserId);
  if (Capabilities !== undefined) requireCapabilities(Capabilities, asked.MeetingFeatures);
}

function noRoom(deps: MeetingsDeps, meeting: FoundMeeting): AwsError {
  return new AwsError('LimitExceededException', `The meeting has ${attendeesMax(deps, meeting)} attendees, and may not have more.`);
}

/**
 * Source: Chime SDK API reference, ExternalUserId, "An idempotency token".
 * Assumed: an attendee who is there already stays as he is, whatever capabilities the second request asks for.
 */
async function addAttendee(
  call: Call,
  deps: MeetingsDeps,
  meeting: FoundMeeting,
  item: CreateAttendeeRequestItem,
  left: number,
): Promise<{ readonly attendee: AttendeeRecord; readonly added: boolean }> {
  const { tx, now } = call;
  const { meetingId } = meeting.record;
  const { ExternalUserId, Capabilities } = item;
  requireAdmissible(meeting, item);

  const attendee: AttendeeRecord = {
    meetingId,
    attendeeId: call.newId(),
    externalUserId: ExternalUserId,
    ...toCapabilitiesRecord(Capabilities ?? defaultCapabilities(meeting.asked.MeetingFeatures)),
    createdAt: now,
  };
  if (left > 0 && (await tx.of(attendees).add(attendee)) === 'added') {
    await call.emit<MeetingEvent>(attendeeEvent('AttendeeAdded', meeting, attendee));
    return { attendee, added: true };
  }
  const present = await tx.of(attendees).getByExternalUserId(meetingId, ExternalUserId);
  if (present === undefined) throw noRoom(deps, meeting);
  return { attendee: present, added: false };
}

/** How many more attendees a meeting may have. */
async function room({ tx }: Call, deps: MeetingsDeps, meeting: FoundMeeting): Promise<number> {
  return attendeesMax(deps, meeting) - (await tx.of(attendees).count(meeting.record.meetingId));
}

/** Assumed: MaxCount limits how many are made, as only the media plane knows who is present. */
function attendeesMax({ limits }: MeetingsDeps, { asked }: FoundMeeting): number {
  return Math.min(asked.MeetingFeatures?.Attendee?.MaxCount ?? limits.attendees, limits.attendees);
}
