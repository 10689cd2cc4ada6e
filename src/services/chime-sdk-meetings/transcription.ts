import { AwsError } from '#core/aws-error.ts';
import type { ChimeSdkMeetingsApi, EngineTranscribeSettings, TranscriptionConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import type { Call, ServiceOperations } from '../operation.ts';
import { onMeeting } from './access.ts';
import type { MeetingsDeps } from './deps.ts';
import { meetingOrNotFound, named } from './found.ts';

type Operations = ServiceOperations<ChimeSdkMeetingsApi>;

/** The role whose being there lets a meeting be transcribed. Source: Chime SDK Administrator Guide, "Using roles with live transcription". */
const TRANSCRIPTION_ROLE = 'AWSServiceRoleForAmazonChimeTranscription';
const TRANSCRIPTION_SERVICE = 'transcription.chime.amazonaws.com';

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
        await requireTranscriptionRole(call);
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

/** Requirement SLR-18. Assumed: code and text. A role of the name that no service owns does not do (SLR-17). */
async function requireTranscriptionRole({ tx, accountId }: Call): Promise<void> {
  const role = await tx.identity.get(accountId, 'role', TRANSCRIPTION_ROLE.toLowerCase());
  if (role?.linkedService !== TRANSCRIPTION_SERVICE) {
    throw new AwsError('ForbiddenException', `The service-linked role ${TRANSCRIPTION_ROLE} does not exist in this account.`);
  }
}

/**
 * Source: Chime SDK API reference, TranscriptionConfiguration, EngineTranscribeSettings.
 * Assumed: the texts, and that exactly one engine is wanted.
 */
function requireConfiguration({ EngineTranscribeSettings, EngineTranscribeMedicalSettings }: TranscriptionConfiguration): void {
  if ((EngineTranscribeSettings === undefined) === (EngineTranscribeMedicalSettings === undefined)) {
    throw new AwsError('BadRequestException', 'Exactly one of EngineTranscribeSettings and EngineTranscribeMedicalSettings must be given.');
  }
  for (const [says, holds] of EngineTranscribeSettings ? contradictions(EngineTranscribeSettings) : []) {
    if (holds) throw new AwsError('BadRequestException', says);
  }
}

// biome-ignore format: a table
function contradictions(settings: EngineTranscribeSettings): readonly [says: string, holds: boolean][] {
  const { LanguageCode, IdentifyLanguage = false, LanguageOptions, PreferredLanguage } = settings;
  const { VocabularyName, VocabularyFilterName, VocabularyNames, VocabularyFilterNames } = settings;
  const { ContentIdentificationType, ContentRedactionType, PiiEntityTypes, PartialResultsStability, EnablePartialResultsStabilization = false } = settings;
  return [
    ['LanguageCode must be given, or IdentifyLanguage be true.',                  LanguageCode === undefined && !IdentifyLanguage],
    ['LanguageCode must not be given where IdentifyLanguage is true.',            LanguageCode !== undefined && IdentifyLanguage],
    ['LanguageOptions needs IdentifyLanguage to be true.',                        LanguageOptions !== undefined && !IdentifyLanguage],
    ['PreferredLanguage needs IdentifyLanguage and LanguageOptions.',             PreferredLanguage !== undefined && (!IdentifyLanguage || LanguageOptions === undefined)],
    ['VocabularyName must not be given where IdentifyLanguage is true.',          VocabularyName !== undefined && IdentifyLanguage],
    ['VocabularyFilterName must not be given where IdentifyLanguage is true.',    VocabularyFilterName !== undefined && IdentifyLanguage],
    ['VocabularyNames needs IdentifyLanguage to be true.',                        VocabularyNames !== undefined && !IdentifyLanguage],
    ['VocabularyFilterNames needs IdentifyLanguage to be true.',                  VocabularyFilterNames !== undefined && !IdentifyLanguage],
    ['ContentIdentificationType and ContentRedactionType exclude each other.',    ContentIdentificationType !== undefined && ContentRedactionType !== undefined],
    ['PiiEntityTypes needs ContentIdentificationType or ContentRedactionType.',   PiiEntityTypes !== undefined && ContentIdentificationType === undefined && ContentRedactionType === undefined],
    ['PartialResultsStability needs EnablePartialResultsStabilization to be true.', PartialResultsStability !== undefined && !EnablePartialResultsStabilization],
  ];
}
