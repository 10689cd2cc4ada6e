import type {
  ChimeSdkMeetingsApi,
  StartMeetingTranscriptionRequest,
  TranscriptionConfiguration,
} from '#model/generated/chime-sdk-meetings.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
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
 * Live transcription of a meeting. Meetings carry no media yet, so starting a transcription would have no effect.
 *
 * Source: chime-sdk-meetings 2021-07-15, StartMeetingTranscription, StopMeetingTranscription.
 * Assumed: stopping a transcription that was not started is not an error.
 */
export const transcriptionOperations: TranscriptionOperations = {
  /**
   * Checks everything that is required to start a transcription, then returns an error.
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
   * Ends a transcription that an earlier version of Belfry stored. Does nothing if the meeting has no transcription.
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
 * Checks that a configuration has exactly one engine. Does not check the settings of the engine. On AWS, Amazon
 * Transcribe checks them, and the meeting gets the event TranscriptFailed if they are invalid.
 *
 * Source: Chime SDK API reference, TranscriptionConfiguration, EngineTranscribeSettings.
 * Assumed: (1) Exactly one engine is required. (2) The wording of the error message.
 * @throws BadRequestException
 */
function requireConfiguration({ EngineTranscribeSettings, EngineTranscribeMedicalSettings }: TranscriptionConfiguration): void {
  if ((EngineTranscribeSettings === undefined) === (EngineTranscribeMedicalSettings === undefined)) {
    throw new AwsError('BadRequestException', 'Exactly one of EngineTranscribeSettings and EngineTranscribeMedicalSettings is required.');
  }
}
