import type {
  Attendee,
  ChimeSdkMeetingsApi,
  CreateAttendeeError,
  CreateAttendeeRequestItem,
  MeetingFeaturesConfiguration,
} from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { guid, onMeeting } from './access.ts';
import { defaultCapabilities, requireCapabilities, toCapabilitiesRecord } from './capabilities.ts';
import type { MeetingsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { requireExternalId } from './external-id.ts';
import { attendeeOrNotFound, type FoundMeeting, meetingOrNotFound, named, toAttendee } from './stored-meetings.ts';
import { type AttendeeRecord, attendees } from './tables/attendees.ts';

/** Attendees on a page of ListAttendees if the request has no MaxResults. Assumed: the number. */
const PAGE = 50;

/** Attendees of meetings. Source: chime-sdk-meetings 2021-07-15, CreateAttendee … DeleteAttendee. */
export function attendeeOperations(deps: MeetingsDeps) {
  return {
    /**
     * Creates an attendee, or returns the attendee that already has the external user ID.
     *
     * @throws NotFoundException      the meeting does not exist
     * @throws BadRequestException    an invalid external user ID or invalid capabilities
     * @throws ValidationError        the capabilities include video or content, which the meeting excludes
     * @throws LimitExceededException the meeting has the maximum number of attendees
     */
    CreateAttendee: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const { attendee } = await addAttendee(call, deps, meeting, input, await room(call, deps, meeting));
        return { Attendee: toAttendee(deps, meeting, attendee) };
      },
    },

    /**
     * Adds up to 100 attendees in the same way as CreateAttendee. If an attendee cannot be added, `Errors` lists it,
     * and the other attendees are still added.
     */
    BatchCreateAttendee: {
      access: onMeeting,
      async handle(call, input) {
        return addAttendees(call, deps, await meetingOrNotFound(call, input.MeetingId), input.Attendees);
      },
    },

    /** @throws NotFoundException the meeting does not exist, or the attendee is not in it */
    GetAttendee: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        return { Attendee: toAttendee(deps, meeting, await attendeeOrNotFound(call, meeting, input.AttendeeId)) };
      },
    },

    /**
     * Returns a page of attendees in the order of IDs, so that a token remains valid while attendees are added and deleted.
     *
     * @throws NotFoundException   the meeting does not exist
     * @throws BadRequestException the token belongs to another meeting
     */
    ListAttendees: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const { meetingId } = meeting.record;
        const { items, rest } = await pageOf(
          meetingId,
          input,
          (limit, after) => call.tx.of(attendees).list(meetingId, limit, after),
          ({ attendeeId }) => attendeeId,
          PAGE,
        );
        return { Attendees: items.map((attendee) => toAttendee(deps, meeting, attendee)), ...rest };
      },
    },

    /** @throws NotFoundException the meeting does not exist, or the attendee is not in it */
    DeleteAttendee: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        const attendee = await attendeeOrNotFound(call, meeting, input.AttendeeId);
        await call.tx.of(attendees).remove(meeting.record.meetingId, guid(input.AttendeeId));
        await call.emit<MeetingEvent>(attendeeEvent('AttendeeDeleted', meeting, attendee));
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkMeetingsApi>>;
}

/** Returns a meeting event about one attendee. */
function attendeeEvent(
  type: 'AttendeeAdded' | 'AttendeeDeleted',
  meeting: FoundMeeting,
  { attendeeId, externalUserId }: AttendeeRecord,
): MeetingEvent {
  return { type, ...named(meeting), attendeeId, externalUserId };
}

/** Outcome of adding several attendees. */
interface AddedAttendees {
  readonly Attendees: readonly Attendee[];
  readonly Errors: readonly CreateAttendeeError[];
}

/**
 * Adds attendees one by one. `Errors` lists the attendees that cannot be added. Assumed: `ErrorCode` is the error code
 * without the suffix `Exception`.
 */
export async function addAttendees(
  call: Call,
  deps: MeetingsDeps,
  meeting: FoundMeeting,
  items: readonly CreateAttendeeRequestItem[],
): Promise<AddedAttendees> {
  const Attendees: Attendee[] = [];
  const Errors: CreateAttendeeError[] = [];
  let left = await room(call, deps, meeting);
  for (const item of items) {
    try {
      const { attendee, added } = await addAttendee(call, deps, meeting, item, left);
      if (added) left--;
      Attendees.push(toAttendee(deps, meeting, attendee));
    } catch (error) {
      Errors.push(toItemError(item, error));
    }
  }
  return { Attendees, Errors };
}

/**
 * Returns the `Errors` entry of an attendee that cannot be added. If `error` is not an `AwsError`, it is a bug of the
 * server, so the function throws it again.
 */
function toItemError({ ExternalUserId }: CreateAttendeeRequestItem, error: unknown): CreateAttendeeError {
  if (!(error instanceof AwsError)) throw error;
  return { ExternalUserId, ErrorCode: error.code.replace(/Exception$/, ''), ErrorMessage: error.message };
}

function requireValid({ request }: FoundMeeting, { ExternalUserId, Capabilities }: CreateAttendeeRequestItem): void {
  requireExternalId('ExternalUserId', ExternalUserId);
  if (Capabilities !== undefined) requireCapabilities(Capabilities, request.MeetingFeatures);
}

function meetingFull(deps: MeetingsDeps, meeting: FoundMeeting): AwsError {
  return new AwsError('LimitExceededException', `The meeting has the maximum of ${attendeesMax(deps, meeting)} attendees.`);
}

/**
 * Adds an attendee, or returns the attendee that already has the external user ID. `left` is the number of attendees
 * that the meeting has room for.
 *
 * Source: Chime SDK API reference, ExternalUserId, "An idempotency token".
 * Assumed: a repeated request does not change the capabilities of the attendee.
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
  requireValid(meeting, item);

  const attendee: AttendeeRecord = {
    meetingId,
    attendeeId: call.newId(),
    externalUserId: ExternalUserId,
    ...toCapabilitiesRecord(Capabilities ?? defaultCapabilities(meeting.request.MeetingFeatures)),
    createdAt: now,
  };
  if (left > 0 && (await tx.of(attendees).add(attendee)) === 'added') {
    await call.emit<MeetingEvent>(attendeeEvent('AttendeeAdded', meeting, attendee));
    return { attendee, added: true };
  }
  const present = await tx.of(attendees).getByExternalUserId(meetingId, ExternalUserId);
  if (present === undefined) throw meetingFull(deps, meeting);
  return { attendee: present, added: false };
}

/** Returns the number of attendees that a meeting has room for. */
async function room({ tx }: Call, deps: MeetingsDeps, meeting: FoundMeeting): Promise<number> {
  return attendeesMax(deps, meeting) - (await tx.of(attendees).count(meeting.record.meetingId));
}

/**
 * Returns the maximum number of attendees of a meeting. Assumed: MaxCount limits the number of created attendees,
 * because only the media plane knows which attendees are present.
 */
function attendeesMax({ limits }: MeetingsDeps, { request: { MeetingFeatures } }: FoundMeeting): number {
  return Math.min(MeetingFeatures?.Attendee?.MaxCount ?? limits.attendees, limits.attendees, resolutionMax(MeetingFeatures));
}

/**
 * Checks MaxCount in the features of a new meeting. Assumed: the wording of the error message.
 *
 * @throws BadRequestException MaxCount is more than the resolution of the meeting allows
 */
export function requireAttendeesMax(features: MeetingFeaturesConfiguration | undefined): void {
  const most = resolutionMax(features);
  if ((features?.Attendee?.MaxCount ?? 0) > most) {
    throw new AwsError('BadRequestException', `Attendee MaxCount must be at most ${most} with Video FHD or Content UHD.`);
  }
}

/** Returns the number of attendees that the resolution of a meeting allows. Source: Chime SDK API reference, AttendeeFeatures. */
function resolutionMax(features: MeetingFeaturesConfiguration | undefined): number {
  return features?.Video?.MaxResolution === 'FHD' || features?.Content?.MaxResolution === 'UHD' ? 25 : Number.POSITIVE_INFINITY;
}
