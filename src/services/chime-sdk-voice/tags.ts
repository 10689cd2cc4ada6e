import { findTaggedOf, tagOperations } from '../chime-kit/tags.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION, VOICE_CONNECTOR } from './kinds.ts';

/**
 * Tags of Voice Connectors and SIP media applications.
 *
 * Source: service authorization reference, TagResource. Domains of voice profiles also have tags, but Belfry does not
 * implement such domains.
 * chime-sdk-voice 2022-08-03, TagResource: NotFoundException and ResourceLimitExceededException.
 * Assumed: the wording of the error messages.
 */
export const voiceTagOperations = tagOperations({
  find: findTaggedOf(VOICE_CONNECTOR, SIP_MEDIA_APPLICATION),
  notFound: (resourceArn) => new AwsError('NotFoundException', `Resource '${resourceArn}' not found.`),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have at most ${most} tags.`),
});
