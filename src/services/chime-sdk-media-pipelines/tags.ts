import { requireTags, TAGS_MAX, type Tag, tagOperations } from '../chime/tags.ts';
import { CONFIGURATION, configurationArn, findConfiguration } from './access.ts';
import { AwsError } from './errors.ts';

/**
 * Tags of media insights pipeline configurations: of what the service has, all there is.
 *
 * Source: chime-sdk-media-pipelines 2021-07-15, TagResource: NotFoundException and no error for too many.
 * Assumed: too many are a BadRequestException; the texts. TAG-6.
 */
export const pipelineTagOperations = tagOperations({
  async find(tx, where, resourceArn) {
    if (!resourceArn.startsWith(configurationArn(where, ''))) return undefined;
    const configuration = await findConfiguration(tx, where, resourceArn);
    return (
      configuration && {
        tags: configuration.tags,
        keep: async (tags) => {
          await tx.resources.put(CONFIGURATION, { ...configuration, tags });
        },
      }
    );
  },
  notFound: (resourceArn) => new AwsError('NotFoundException', `Resource ${resourceArn} not found`),
  tooMany: tooManyTags,
});

/** As `requireTags`, of what is made: the model lets more tags through than a resource can have. */
export function requireNewTags(tags: readonly Tag[]): void {
  requireTags(tags);
  if (tags.length > TAGS_MAX) throw tooManyTags();
}

function tooManyTags(): AwsError {
  return new AwsError('BadRequestException', `A resource can have ${TAGS_MAX} tags.`);
}
