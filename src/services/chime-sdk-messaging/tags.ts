import { findTaggedOf, tagOperations } from '../chime-kit/tags.ts';
import { AwsError } from './errors.ts';
import { CHANNEL_FLOW } from './kinds.ts';
import { findChannel } from './stored-channels.ts';
import { channels } from './tables/channels.ts';

const findFlow = findTaggedOf(CHANNEL_FLOW);

/**
 * Tags of channels and channel flows.
 *
 * Source: chime-sdk-messaging 2021-05-15: the tag operations have ForbiddenException and no NotFoundException.
 * TagResource has ResourceLimitExceededException.
 * Assumed: the wording of the error messages.
 */
export const messagingTagOperations = tagOperations({
  async find(tx, caller, resourceArn) {
    const channel = await findChannel(tx, caller, resourceArn);
    if (channel === undefined) return findFlow(tx, caller, resourceArn);
    return { tags: channel.tags, keep: (tags) => tx.of(channels).setTags(channel.channelKey, tags) };
  },
  notFound: (resourceArn) => new AwsError('ForbiddenException', `Resource '${resourceArn}' does not exist.`),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have at most ${most} tags.`),
});
