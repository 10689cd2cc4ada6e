import { tagOperations } from '../chime-kit/tags.ts';
import { findTagged } from './access.ts';
import { AwsError } from './errors.ts';

/**
 * Tags of app instances, users and bots.
 *
 * Source: chime-sdk-identity 2021-04-20: the three tag operations have ForbiddenException and no NotFoundException.
 * TagResource has ResourceLimitExceededException.
 * Assumed: the wording of the error messages.
 */
export const identityTagOperations = tagOperations({
  find: findTagged,
  notFound: () => new AwsError('ForbiddenException', 'An invalid resource ARN was supplied for the input parameter.'),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have at most ${most} tags.`),
});
