import type {
  ChimeSdkMeetingsApi,
  StartMeetingTranscriptionRequest,
  TranscriptionConfiguration,
} from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime/events.ts';
import { requireTranscribeSettings } from '../chime/transcribe-settings.ts';
import { requireLinkedRole } from '../iam/service-linked-roles.ts';
import { type NotYet, notYetImplemented } from '../kit/not-yet.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onMeeting } from './access.ts';
import { AwsError } from './errors.ts';
import { meetingOrNotFound, named } from './found.ts';
import { meetings } from './tables/meetings.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/** Operations of live transcription. */
interface TranscriptionOperations {
  readonly StartMeetingTranscription: NotYet<StartMeetingTranscriptionRequest>;
  readonly StopMeetingTranscription: Operations['StopMeetingTranscription'];
}

/**
 * Live transcription of a meeting. Meetings carry no media yet, so a start would have no effect.
 *
 * Source: chime-sdk-meetings 2021-07-15, StartMeetingTranscription, StopMeetingTranscription.
 * Assumed: stopping a transcription that was not started is not an error.
 */
export function transcriptionOperations(): TranscriptionOperations {
  return {
    /**
     * Checks everything that a start requires, then refuses it.
     *
     * @throws NotFoundException          the meeting does not exist
     * @throws BadRequestException        the configuration contradicts itself
     * @throws ForbiddenException         the account does not have the transcription role
     * @throws NotYetImplementedException otherwise
     */
    StartMeetingTranscription: {
      notYet: true,
      access: (input, caller) => onMeeting(caller, 'chime:StartMeetingTranscription', input.MeetingId),
      async handle(call, input) {
        await meetingOrNotFound(call, input.MeetingId);
        requireConfiguration(input.TranscriptionConfiguration);
        // Source: Chime SDK Administrator Guide, "Using roles with live transcription".
        await requireLinkedRole(call, 'transcription.chime.amazonaws.com');
        throw notYetImplemented('StartMeetingTranscription');
      },
    },

    /**
     * Ends a transcription that an earlier version of the server recorded. Otherwise there is nothing to stop.
     *
     * @throws NotFoundException the meeting does not exist
     */
    StopMeetingTranscription: {
      access: (input, caller) => onMeeting(caller, 'chime:StopMeetingTranscription', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        if (meeting.record.transcription === undefined) return {};
        await call.tx.of(meetings).setTranscription(meeting.record.meetingId, undefined);
        await call.emit<MeetingEvent>({ type: 'TranscriptionStopped', ...named(meeting) });
        return {};
      },
    },
  };
}

/**
 * Source: Chime SDK API reference, TranscriptionConfiguration.
 * Assumed: the texts, and that exactly one engine is wanted.
 */
function requireConfiguration({ EngineTranscribeSettings, EngineTranscribeMedicalSettings }: TranscriptionConfiguration): void {
  if ((EngineTranscribeSettings === undefined) === (EngineTranscribeMedicalSettings === undefined)) {
    throw new AwsError('BadRequestException', 'Exactly one of EngineTranscribeSettings and EngineTranscribeMedicalSettings must be given.');
  }
  if (EngineTranscribeSettings !== undefined) requireTranscribeSettings(EngineTranscribeSettings);
}
