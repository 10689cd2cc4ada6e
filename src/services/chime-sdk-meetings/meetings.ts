import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkMeetingsApi, CreateMeetingRequest } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import { onNew, requireTags, withTags } from '../chime-kit/tags.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { guid, meetingArn, onMeeting } from './access.ts';
import { addAttendees, requireAttendeesMax } from './attendees.ts';
import type { MeetingsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { requireExternalId } from './external-id.ts';
import { MEDIA_REGIONS } from './media-placement.ts';
import {
  type FoundMeeting,
  found,
  lastEnd,
  meetingOrNotFound,
  type NewMeeting,
  named,
  type StoredRequest,
  toMeeting,
} from './stored-meetings.ts';
import { meetings } from './tables/meetings.ts';
import { isLegacy } from './visible-meetings.ts';

/** Meetings. Source: chime-sdk-meetings 2021-07-15, CreateMeeting … DeleteMeeting. */
export function meetingOperations(deps: MeetingsDeps) {
  return {
    /**
     * Creates a meeting, or returns the active meeting that was created with the same client request token. The other
     * parameters of the two requests may differ.
     *
     * @throws BadRequestException    an invalid region, external ID or tag, an unknown primary meeting, too many attendees for the resolution
     * @throws LimitExceededException the account has the maximum number of active meetings in the region
     */
    CreateMeeting: {
      access: onNewMeeting,
      async handle(call, input) {
        return { Meeting: toMeeting(deps, call, await createMeeting(call, deps, input)) };
      },
    },

    /**
     * Creates a meeting, or finds the active meeting that was created with the same client request token. Then adds up
     * to 20 attendees. If an attendee cannot be added, `Errors` lists it, and the meeting still exists.
     *
     * @throws AwsError in the same cases as CreateMeeting
     */
    CreateMeetingWithAttendees: {
      access: onNewMeeting,
      async handle(call, input) {
        const meeting = await createMeeting(call, deps, input);
        return { Meeting: toMeeting(deps, call, meeting), ...(await addAttendees(call, deps, meeting, input.Attendees)) };
      },
    },

    /** @throws NotFoundException the meeting does not exist or has ended */
    GetMeeting: {
      access: onMeeting,
      handle: async (call, input) => ({ Meeting: toMeeting(deps, call, await meetingOrNotFound(call, input.MeetingId)) }),
    },

    /**
     * Ends a meeting for all its attendees.
     *
     * Assumed: (1) The operations do not find an ended meeting. (2) A replica meeting continues after the end of its
     * primary meeting.
     * @throws NotFoundException the meeting does not exist or has ended
     */
    DeleteMeeting: {
      access: onMeeting,
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        await call.tx.of(meetings).remove(call.accountId, call.region, meeting.record.meetingId);
        await call.emit<MeetingEvent>({ type: 'MeetingEnded', ...named(meeting) });
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkMeetingsApi>>;
}

function onNewMeeting({ Tags }: Pick<CreateMeetingRequest, 'Tags'>, caller: Caller): readonly DeclaredAccess[] {
  return onNew(caller, meetingArn(caller, '*'), Tags);
}

/**
 * Creates a meeting, or returns the active meeting that was created with the same client request token.
 *
 * Source: chime-sdk-meetings 2021-07-15, ClientRequestToken: different meetings have different tokens.
 * ConflictException is only for simultaneous requests, which this server performs one after the other.
 * Assumed:
 * - A token of CreateMeeting is also a token of CreateMeetingWithAttendees, and vice versa.
 * - A token is valid until its meeting ends.
 * - A repeated CreateMeetingWithAttendees adds attendees to the existing meeting. The caller needs no permission on
 *   that meeting.
 * - The wording of the error messages.
 */
async function createMeeting(call: Call, deps: MeetingsDeps, input: NewMeeting): Promise<FoundMeeting> {
  const { tx, accountId, region, now, legacy } = call;
  const operation = legacy ? 'legacy chime:CreateMeeting' : 'chime:CreateMeeting';
  const key = { accountId, region, operation, token: input.ClientRequestToken };
  const before = await tx.idempotency.get(key, now);
  const present = before && (await tx.of(meetings).get(accountId, region, before.answer, now));
  if (present !== undefined) return found(present);

  await requireMeeting(call, input);
  const { activeMeetings } = deps.limits;
  if ((await tx.of(meetings).count(accountId, region, now, activeMeetings)) >= activeMeetings) {
    throw new AwsError('LimitExceededException', `The account has the maximum of ${activeMeetings} active meetings in ${region}.`);
  }

  const request = omitUndefined({ ...storedRequest(input), Legacy: legacy });
  const record = {
    accountId,
    region,
    meetingId: call.newId(),
    createdAt: now,
    endsAt: lastEnd(now),
    document: JSON.stringify(request),
    tags: withTags([], input.Tags ?? []),
  };
  await tx.of(meetings).add(record);
  await tx.idempotency.put(key, { requestHash: '', answer: record.meetingId, expiresAt: record.endsAt });
  const meeting = { record, request };
  await call.emit<MeetingEvent>({ type: 'MeetingStarted', ...named(meeting) });
  return meeting;
}

/** Returns the members of a request that are stored. The input may have other members, such as the attendees. */
function storedRequest(input: NewMeeting): StoredRequest {
  const { ExternalMeetingId, MediaRegion, MeetingHostId, NotificationsConfiguration, MeetingFeatures } = input;
  const { PrimaryMeetingId, TenantIds, MediaPlacementNetworkType } = input;
  return omitUndefined({
    ExternalMeetingId,
    MediaRegion,
    MeetingHostId,
    NotificationsConfiguration,
    MeetingFeatures,
    PrimaryMeetingId: PrimaryMeetingId && guid(PrimaryMeetingId),
    TenantIds,
    MediaPlacementNetworkType,
  });
}

/**
 * Checks the request for a new meeting. Source: Chime SDK API reference, CreateMeeting. Assumed: a primary meeting must
 * be active, belong to the same account, and not be a replica.
 */
async function requireMeeting({ tx, accountId, now }: Call, input: NewMeeting): Promise<void> {
  if (!MEDIA_REGIONS.has(input.MediaRegion))
    throw new AwsError('BadRequestException', `Invalid media region '${input.MediaRegion}'. Valid: ${[...MEDIA_REGIONS].join(', ')}`);
  if (input.ExternalMeetingId !== undefined) requireExternalId('ExternalMeetingId', input.ExternalMeetingId);
  requireTags(input.Tags ?? []);
  requireAttendeesMax(input.MeetingFeatures);
  if (input.PrimaryMeetingId === undefined) return;
  const primary = await tx.of(meetings).getInAnyRegion(accountId, guid(input.PrimaryMeetingId), now);
  if (primary === undefined || isLegacy(primary))
    throw new AwsError('BadRequestException', `Primary meeting <${input.PrimaryMeetingId}> not found`);
  if (found(primary).request.PrimaryMeetingId !== undefined) {
    throw new AwsError('BadRequestException', `Primary meeting <${input.PrimaryMeetingId}> is a replica meeting`);
  }
}
