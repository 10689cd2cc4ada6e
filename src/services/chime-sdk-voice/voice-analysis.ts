/**
 * Voice analysis: speaker search, voice tone analysis, and the voice profiles that a speaker search creates. All of them
 * need the audio of a call, which this server does not carry. So no task runs, and no voice profile exists.
 */
import { arn } from '#core/arn.ts';
import { refused } from '../kit/not-yet.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, VOICE_PROFILE_DOMAIN } from './kinds.ts';

/**
 * The operations on tasks and voice profiles. No request succeeds.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceProfile … UpdateVoiceProfile, StartSpeakerSearchTask …
 * StopVoiceToneAnalysisTask. Service authorization reference: the tasks require the action on the Voice Connector, and the
 * operations on a voice profile on the profile.
 * Assumed: (1) A task cannot start with ForbiddenException, because clients repeat a request after 503. (2) The wording of
 * the messages.
 */
export const voiceAnalysisOperations = {
  /** @throws NotFoundException  always, because the task does not exist */
  CreateVoiceProfile: refused<{ readonly SpeakerSearchTaskId: string }>({
    access: (_, caller) => onProfile(caller, '*'),
    async handle(_, { SpeakerSearchTaskId }) {
      throw noTask('SpeakerSearchTask', SpeakerSearchTaskId);
    },
  }),
  GetVoiceProfile: onMissingProfile(),
  /** Checks the voice profile before the task. @throws NotFoundException  always */
  UpdateVoiceProfile: onMissingProfile(),
  DeleteVoiceProfile: onMissingProfile(),

  /**
   * @throws NotFoundException   the Voice Connector does not exist · the voice profile domain does not exist
   * @throws ForbiddenException  otherwise
   */
  StartSpeakerSearchTask: refused<{ readonly VoiceConnectorId: string; readonly VoiceProfileDomainId: string }>({
    access: onResource(VOICE_CONNECTOR),
    async handle(call, input) {
      await findOrThrow(call, VOICE_CONNECTOR, input);
      await findOrThrow(call, VOICE_PROFILE_DOMAIN, input);
      throw new AwsError('ForbiddenException', 'Calls carry no audio through this server, so it cannot search for speakers.');
    },
  }),
  GetSpeakerSearchTask: onMissingTask('SpeakerSearchTask'),
  StopSpeakerSearchTask: onMissingTask('SpeakerSearchTask'),

  /**
   * @throws NotFoundException   the Voice Connector does not exist
   * @throws ForbiddenException  otherwise
   */
  StartVoiceToneAnalysisTask: refused<{ readonly VoiceConnectorId: string }>({
    access: onResource(VOICE_CONNECTOR),
    async handle(call, input) {
      await findOrThrow(call, VOICE_CONNECTOR, input);
      throw new AwsError('ForbiddenException', 'Calls carry no audio through this server, so it cannot analyze the tone of voices.');
    },
  }),
  GetVoiceToneAnalysisTask: onMissingTask('VoiceToneAnalysisTask'),
  StopVoiceToneAnalysisTask: onMissingTask('VoiceToneAnalysisTask'),
};

/** Returns the declaration of an operation on a voice profile. @throws NotFoundException  always */
function onMissingProfile() {
  return refused<{ readonly VoiceProfileId: string }>({
    access: ({ VoiceProfileId }, caller) => onProfile(caller, VoiceProfileId),
    async handle(_, { VoiceProfileId }) {
      throw VOICE_CONNECTOR.conventions.notFound('VoiceProfile', VoiceProfileId);
    },
  });
}

/**
 * Returns the declaration of an operation on a task of a Voice Connector.
 *
 * @throws NotFoundException  the Voice Connector does not exist · otherwise the task
 */
function onMissingTask<Task extends 'SpeakerSearchTask' | 'VoiceToneAnalysisTask'>(task: Task) {
  return refused<{ readonly VoiceConnectorId: string } & { readonly [Id in `${Task}Id`]: string }>({
    access: onResource(VOICE_CONNECTOR),
    async handle(call, input) {
      await findOrThrow(call, VOICE_CONNECTOR, input);
      throw noTask(task, input[`${task}Id`]);
    },
  });
}

/** Requires the action on a voice profile. Voice profiles have no tags. */
function onProfile({ profile, region, accountId }: Caller, id: string): DeclaredAccess {
  return { resources: [profile === 'classic' ? '*' : arn('chime', region, accountId, `voice-profile/${id}`)] };
}

function noTask(task: string, id: string): AwsError {
  return new AwsError(
    'NotFoundException',
    `Could not find ${task} with Id '${id}'. Calls carry no audio through this server, so no task runs.`,
  );
}
