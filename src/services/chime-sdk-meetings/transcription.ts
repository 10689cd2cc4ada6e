import type {
  ChimeSdkMeetingsApi,
  StartMeetingTranscriptionRequest,
  TranscriptionConfiguration,
} from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime/events.ts';
import { requireLinkedRole } from '../iam/service-linked-roles.ts';
import { type NotYet, notYetImplemented } from '../kit/not-yet.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onMeeting } from './access.ts';
import { AwsError } from './errors.ts';
import { meetingOrNotFound, named } from './stored-meetings.ts';
import { meetings } from './tables/meetings.ts';

/** Operations of live transcription. */
interface TranscriptionOperations {
  readonly StartMeetingTranscription: NotYet<StartMeetingTranscriptionRequest>;
  readonly StopMeetingTranscription: ServiceOperations<ChimeSdkMeetingsApi>['StopMeetingTranscription'];
}

/**
 * Live transcription of a meeting. Meetings carry no media yet, so a start would have no effect.
 *
 * Source: chime-sdk-meetings 2021-07-15, StartMeetingTranscription, StopMeetingTranscription.
 * Assumed: stopping a transcription that was not started is not an error.
 */
export const transcriptionOperations: TranscriptionOperations = {
  /**
   * Checks everything that a start requires, then returns an error.
   *
   * @throws NotFoundException          the meeting does not exist
   * @throws BadRequestException        the configuration does not have exactly one engine
   * @throws ForbiddenException         the account does not have the transcription role
   * @throws NotYetImplementedException otherwise
   */
  StartMeetingTranscription: {
    notYet: true,
    access: onMeeting,
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
    access: onMeeting,
    async handle(call, input) {
      const meeting = await meetingOrNotFound(call, input.MeetingId);
      if (meeting.record.transcription === undefined) return {};
      await call.tx.of(meetings).setTranscription(meeting.record.meetingId, undefined);
      await call.emit<MeetingEvent>({ type: 'TranscriptionStopped', ...named(meeting) });
      return {};
    },
  },
};

/**
 * Checks that a configuration has exactly one engine. The settings of the engine are not checked here: Amazon Transcribe does that, and the
 * meeting gets the event TranscriptFailed.
 *
 * Source: Chime SDK API reference, TranscriptionConfiguration, EngineTranscribeSettings.
 * Assumed: exactly one engine is required; the message.
 * @throws BadRequestException
 */
function requireConfiguration({ EngineTranscribeSettings, EngineTranscribeMedicalSettings }: TranscriptionConfiguration): void {
  if ((EngineTranscribeSettings === undefined) === (EngineTranscribeMedicalSettings === undefined)) {
    throw new AwsError('BadRequestException', 'Exactly one of EngineTranscribeSettings and EngineTranscribeMedicalSettings is required.');
  }
}
