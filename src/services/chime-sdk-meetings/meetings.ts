import type { ChimeSdkMeetingsApi, CreateMeetingRequest, CreateMeetingWithAttendeesRequest } from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime/events.ts';
import { onNew, requireTags, withTags } from '../chime/tags.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { requestHash } from '../kit/request-hash.ts';
import { guid, meetingArn, onMeeting } from './access.ts';
import { addAttendees, existingAttendees } from './attendees.ts';
import type { MeetingsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { requireExternalId } from './external-id.ts';
import { type AskedFor, type FoundMeeting, found, lastEnd, meetingOrNotFound, named, toMeeting } from './found.ts';
import { MEDIA_REGIONS } from './media-placement.ts';
import { meetings } from './tables/meetings.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/** Making, reading and ending meetings. Source: chime-sdk-meetings 2021-07-15, CreateMeeting … DeleteMeeting. */
export function meetingOperations(
  deps: MeetingsDeps,
): Pick<Operations, 'CreateMeeting' | 'CreateMeetingWithAttendees' | 'GetMeeting' | 'DeleteMeeting'> {
  return {
    /**
     * Makes a meeting, or answers with the one this token made before and that has not ended.
     *
     * @throws BadRequestException    a region, an id or a tag that cannot be; a primary meeting that is not there
     * @throws ConflictException      the token made another meeting
     * @throws LimitExceededException the account has as many active meetings as it may in this region
     */
    CreateMeeting: {
      access: (input, caller) => onNew(caller, 'chime:CreateMeeting', meetingArn(caller, '*'), input.Tags),
      async handle(call, input) {
        const { meeting } = await makeMeeting(call, deps, 'CreateMeeting', input);
        return { Meeting: toMeeting(deps, meeting) };
      },
    },

    /** As CreateMeeting, with up to 20 attendees; those who cannot be admitted are in `Errors`, and the meeting is made all the same. */
    CreateMeetingWithAttendees: {
      access: (input, caller) => onNew(caller, 'chime:CreateMeetingWithAttendees', meetingArn(caller, '*'), input.Tags),
      async handle(call, input) {
        const { meeting, made } = await makeMeeting(call, deps, 'CreateMeetingWithAttendees', input);
        const attendees = made
          ? await addAttendees(call, deps, meeting, input.Attendees)
          : await existingAttendees(call, deps, meeting, input.Attendees);
        return { Meeting: toMeeting(deps, meeting), ...attendees };
      },
    },

    /** @throws NotFoundException no such meeting, or it has ended */
    GetMeeting: {
      access: (input, caller) => onMeeting(caller, 'chime:GetMeeting', input.MeetingId),
      handle: async (call, input) => ({ Meeting: toMeeting(deps, await meetingOrNotFound(call, input.MeetingId)) }),
    },

    /**
     * Ends a meeting for all its attendees.
     *
     * Assumed: a meeting that has ended is not found; a replica outlives its primary.
     * @throws NotFoundException no such meeting, or it has ended
     */
    DeleteMeeting: {
      access: (input, caller) => onMeeting(caller, 'chime:DeleteMeeting', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        await call.tx.of(meetings).remove(call.accountId, call.region, meeting.record.meetingId);
        await call.emit<MeetingEvent>({ type: 'MeetingEnded', ...named(meeting) });
        return {};
      },
    },
  };
}

/**
 * Source: chime-sdk-meetings 2021-07-15, ClientRequestToken, an idempotency token.
 * Assumed: it counts for both operations together and for as long as the meeting lasts; the texts.
 */
async function makeMeeting(
  call: Call,
  deps: MeetingsDeps,
  operation: 'CreateMeeting' | 'CreateMeetingWithAttendees',
  input: CreateMeetingRequest | CreateMeetingWithAttendeesRequest,
): Promise<{ readonly meeting: FoundMeeting; readonly made: boolean }> {
  const { tx, accountId, region, now } = call;
  const { ClientRequestToken, ...request } = input;
  const key = { accountId, region, operation: 'chime:CreateMeeting', token: ClientRequestToken };
  const hash = requestHash([operation, request]);

  const before = await tx.idempotency.get(key, now);
  const present = before && (await tx.of(meetings).get(accountId, region, before.answer, now));
  if (before && present) {
    if (before.requestHash !== hash) {
      throw new AwsError('ConflictException', 'The client request token was used for a meeting with other parameters.');
    }
    return { meeting: found(present), made: false };
  }

  await requireMeeting(call, input);
  const { activeMeetings } = deps.limits;
  if ((await tx.of(meetings).count(accountId, region, now, activeMeetings)) >= activeMeetings) {
    throw new AwsError('LimitExceededException', `The account has ${activeMeetings} active meetings in ${region}, and may not have more.`);
  }

  const asked = askedFor(input);
  const record = {
    accountId,
    region,
    meetingId: call.newId(),
    createdAt: now,
    endsAt: lastEnd(now),
    document: JSON.stringify(asked),
    tags: withTags([], input.Tags ?? []),
  };
  await tx.of(meetings).add(record);
  await tx.idempotency.put(key, { requestHash: hash, answer: record.meetingId, expiresAt: record.endsAt });
  const meeting = { record, asked };
  await call.emit<MeetingEvent>({ type: 'MeetingStarted', ...named(meeting) });
  return { meeting, made: true };
}

/** The members that are kept, picked by name: the attendees of the request and its token are not among them. */
function askedFor(input: CreateMeetingRequest): AskedFor {
  const { ExternalMeetingId, MediaRegion, MeetingHostId, NotificationsConfiguration, MeetingFeatures } = input;
  const { PrimaryMeetingId, TenantIds, MediaPlacementNetworkType } = input;
  return {
    ExternalMeetingId,
    MediaRegion,
    ...(MeetingHostId !== undefined && { MeetingHostId }),
    ...(NotificationsConfiguration !== undefined && { NotificationsConfiguration }),
    ...(MeetingFeatures !== undefined && { MeetingFeatures }),
    ...(PrimaryMeetingId !== undefined && { PrimaryMeetingId: guid(PrimaryMeetingId) }),
    ...(TenantIds !== undefined && { TenantIds }),
    ...(MediaPlacementNetworkType !== undefined && { MediaPlacementNetworkType }),
  };
}

/** Source: Chime SDK API reference, CreateMeeting. Assumed: a primary meeting is of the same account, active, and no replica itself. */
async function requireMeeting({ tx, accountId, now }: Call, input: CreateMeetingRequest): Promise<void> {
  if (!MEDIA_REGIONS.has(input.MediaRegion)) throw new AwsError('BadRequestException', `Invalid media region: ${input.MediaRegion}`);
  requireExternalId('ExternalMeetingId', input.ExternalMeetingId);
  requireTags(input.Tags ?? []);
  if (input.PrimaryMeetingId === undefined) return;
  const primary = await tx.of(meetings).getInAnyRegion(accountId, guid(input.PrimaryMeetingId), now);
  if (primary === undefined) throw new AwsError('BadRequestException', `Primary meeting <${input.PrimaryMeetingId}> not found`);
  if (found(primary).asked.PrimaryMeetingId !== undefined) {
    throw new AwsError('BadRequestException', `Primary meeting <${input.PrimaryMeetingId}> is a replica itself`);
  }
}
