import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import { tagOperations } from '../chime/tags.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { CHANNEL_FLOW } from './flow-documents.ts';
import { findFlow } from './flows.ts';
import { findChannel } from './found.ts';
import { channels } from './tables/channels.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;

/**
 * Tags of channels and channel flows.
 *
 * Source: chime-sdk-messaging 2021-05-15: the three model ForbiddenException and no NotFoundException; TagResource ResourceLimitExceededException.
 * Assumed: the texts.
 */
export const messagingTagOperations: Pick<Operations, 'TagResource' | 'UntagResource' | 'ListTagsForResource'> = tagOperations({
  async find(tx, caller, resourceArn) {
    const channel = await findChannel(tx, caller, resourceArn);
    if (channel !== undefined) return { tags: channel.tags, keep: (tags) => tx.of(channels).setTags(channel.channelKey, tags) };
    const flow = await findFlow(tx, caller, resourceArn);
    return (
      flow && {
        tags: flow.tags,
        async keep(tags) {
          await tx.resources.put(CHANNEL_FLOW, { ...flow, tags });
        },
      }
    );
  },
  notFound: (resourceArn) => new AwsError('ForbiddenException', `Resource ${resourceArn} does not exist.`),
  tooMany: (_, most) => new AwsError('ResourceLimitExceededException', `A resource can have ${most} tags.`),
});
