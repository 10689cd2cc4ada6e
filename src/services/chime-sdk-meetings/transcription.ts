import { AwsError } from '#core/aws-error.ts';
import type { ChimeSdkMeetingsApi, TranscriptionConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import type { ServiceOperations } from '../operation.ts';
import { requireLinkedRole } from '../service-linked-roles.ts';
import { requireTranscribeSettings } from '../transcribe-settings.ts';
import { onMeeting } from './access.ts';
import type { MeetingsDeps } from './deps.ts';
import { meetingOrNotFound, named } from './found.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/**
 * Live transcription of a meeting: its configuration is kept and told. Who turns speech into text is a part of the media plane,
 * and there may be none.
 *
 * Source: chime-sdk-meetings 2021-07-15, StartMeetingTranscription, StopMeetingTranscription.
 * Assumed: a second start changes the configuration; stopping what was not started is no error.
 */
export function transcriptionOperations(deps: MeetingsDeps): Pick<Operations, 'StartMeetingTranscription' | 'StopMeetingTranscription'> {
  return {
    /**
     * @throws NotFoundException   no such meeting
     * @throws BadRequestException a configuration that contradicts itself
     * @throws ForbiddenException  the account has no transcription role
     */
    StartMeetingTranscription: {
      access: (input, caller) => onMeeting(caller, 'chime:StartMeetingTranscription', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        requireConfiguration(input.TranscriptionConfiguration);
        // Source: Chime SDK Administrator Guide, "Using roles with live transcription".
        await requireLinkedRole(call, 'transcription.chime.amazonaws.com');
        await call.tx.meetings.setTranscription(meeting.record.meetingId, JSON.stringify(input.TranscriptionConfiguration));
        await deps.tell?.(call.tx, { type: 'TranscriptionStarted', ...named(meeting) });
        return {};
      },
    },

    /** @throws NotFoundException no such meeting */
    StopMeetingTranscription: {
      access: (input, caller) => onMeeting(caller, 'chime:StopMeetingTranscription', input.MeetingId),
      async handle(call, input) {
        const meeting = await meetingOrNotFound(call, input.MeetingId);
        if (meeting.record.transcription === undefined) return {};
        await call.tx.meetings.setTranscription(meeting.record.meetingId, undefined);
        await deps.tell?.(call.tx, { type: 'TranscriptionStopped', ...named(meeting) });
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
