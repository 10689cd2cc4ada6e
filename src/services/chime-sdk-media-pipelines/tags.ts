import { findTaggedOf, TAGS_MAX, type Tag, tagOperations } from '../chime-kit/tags.ts';
import { AwsError } from './errors.ts';
import { CONFIGURATION, POOL } from './kinds.ts';

/**
 * Tags of media insights pipeline configurations and of pools of video streams.
 *
 * Source: chime-sdk-media-pipelines 2021-07-15: TagResource has NotFoundException and no error for too many tags.
 * Assumed: (1) Too many tags are a BadRequestException. (2) The wording of the error messages. Requirement TAG-6.
 */
export const pipelineTagOperations = tagOperations({
  find: findTaggedOf(CONFIGURATION, POOL),
  notFound: (resourceArn) => new AwsError('NotFoundException', `Resource '${resourceArn}' not found`),
  tooMany: tooManyTags,
});

/** Checks the number of tags of a new resource. The model accepts more tags than a resource can have. */
export function requireTagCount(tags: readonly Tag[] = []): void {
  if (tags.length > TAGS_MAX) throw tooManyTags();
}

function tooManyTags(): AwsError {
  return new AwsError('BadRequestException', `A resource can have at most ${TAGS_MAX} tags.`);
}
