import { findTaggedOf, tagOperations } from '../chime-kit/tags.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION, VOICE_CONNECTOR, VOICE_PROFILE_DOMAIN } from './kinds.ts';

/**
 * Tags of Voice Connectors, SIP media applications and voice profile domains.
 *
 * Source: service authorization reference, TagResource.
 * chime-sdk-voice 2022-08-03, TagResource: NotFoundException and ResourceLimitExceededException.
 * Assumed: the wording of the error messages.
 */
export const voiceTagOperations = tagOperations({
  find: findTaggedOf(VOICE_CONNECTOR, SIP_MEDIA_APPLICATION, VOICE_PROFILE_DOMAIN),
  notFound: (resourceArn) => new AwsError('NotFoundException', `Resource '${resourceArn}' not found.`),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have at most ${most} tags.`),
});
