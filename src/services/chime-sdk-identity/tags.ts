import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import { tagOperations } from '../chime/tags.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { findTagged } from './access.ts';
import { AwsError } from './errors.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

/**
 * Tags of app instances, their users and bots.
 *
 * Source: chime-sdk-identity 2021-04-20: the three model ForbiddenException and no NotFoundException; TagResource models ResourceLimitExceededException.
 * Assumed: the texts.
 */
export const identityTagOperations: Pick<Operations, 'TagResource' | 'UntagResource' | 'ListTagsForResource'> = tagOperations({
  find: findTagged,
  notFound: () => new AwsError('ForbiddenException', 'An invalid resource ARN was supplied for the input parameter.'),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have ${most} tags.`),
});
