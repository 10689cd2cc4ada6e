import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onChannel } from './access.ts';
import { admit } from './admit.ts';
import { AwsError } from './errors.ts';
import { channelArn, named } from './found.ts';
import { membershipEvent } from './membership-events.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { subChannels } from './tables/sub-channels.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;

/**
 * Elastic channels: their members are in sub-channels, which come and go with them.
 *
 * Source: Chime SDK Developer Guide, "Using elastic channels to host live events", "Managing elastic channel members".
 */
export const subChannelOperations: Pick<Operations, 'ListSubChannels'> = {
  /**
   * A page of sub-channels with how many are in each, moderators included.
   *
   * @throws BadRequestException the channel is not elastic (Assumed); a token of another channel
   */
  ListSubChannels: {
    access: onChannel('ListSubChannels'),
    async handle(call, input) {
      const { channel } = await admit(call, 'ListSubChannels', input);
      elasticOf(channel);
      const { things, rest } = await pageOf(
        `sub-channels of ${channel.channelKey}`,
        input,
        (limit, after) => call.tx.of(subChannels).list(channel.channelKey, limit, after),
        ({ subChannelId }) => subChannelId,
      );
      const SubChannels = things.map(({ subChannelId, membershipCount }) => ({
        SubChannelId: subChannelId,
        MembershipCount: membershipCount,
      }));
      return { ChannelArn: channelArn(channel), SubChannels, ...rest };
    },
  },
};

type Elastic = NonNullable<ChannelRecord['document']['elastic']>;

/** @throws BadRequestException the channel is not elastic */
function elasticOf({ document }: ChannelRecord): Elastic {
  if (document.elastic === undefined) throw new AwsError('BadRequestException', 'The channel is not an elastic channel.');
  return document.elastic;
}

/**
 * Where messages and moderators of a channel are: in the sub-channel that the request names, `''` where the channel has none.
 *
 * Assumed: the texts; that a sub-channel which is not there is a bad request.
 * @throws BadRequestException a sub-channel is missing, unknown, or named where there are none
 */
export async function subChannelOf({ tx }: Call, channel: ChannelRecord, subChannelId: string | undefined): Promise<string> {
  if (subChannelId === undefined) {
    if (channel.document.elastic === undefined) return '';
    throw new AwsError('BadRequestException', 'SubChannelId is required for an elastic channel.');
  }
  elasticOf(channel);
  if ((await tx.of(subChannels).get(channel.channelKey, subChannelId)) === undefined) {
    throw new AwsError('BadRequestException', `SubChannel ${subChannelId} does not exist.`);
  }
  return subChannelId;
}

/**
 * The sub-channel where a new member goes: the smallest. Where all are full a new one is made, and gets as many of the others' members
 * as it needs not to be too small.
 *
 * Source: the guide, SCALE_OUT. Assumed: the first sub-channel comes with the first member; members come from one full sub-channel.
 * @throws ResourceLimitExceededException all are full, and there may be no more
 */
export async function subChannelForNew(call: Call, channel: ChannelRecord): Promise<string> {
  const { tx } = call;
  const { channelKey } = channel;
  const { maximumSubChannels, targetMemberships } = elasticOf(channel);
  const those = await tx.of(subChannels).smallest(channelKey, maximumSubChannels);
  const [smallest] = those;
  if (smallest !== undefined && smallest.membershipCount < targetMemberships) return smallest.subChannelId;
  if (those.length >= maximumSubChannels) {
    throw new AwsError('ResourceLimitExceededException', `The channel has ${maximumSubChannels} sub-channels, and all are full.`);
  }
  const subChannelId = call.newId();
  await tx.of(subChannels).add(channelKey, subChannelId);
  await call.emit<ChannelEvent>({ type: 'CREATE_SUB_CHANNEL', ...named(channel), subChannelId });
  if (smallest !== undefined) await moveMembers(call, channel, smallest.subChannelId, subChannelId, minimum(channel) - 1);
  return subChannelId;
}

/**
 * Joins a sub-channel that became too small to another that has room for all of it, and removes it with its messages.
 *
 * Source: the guide, SCALE_IN. Assumed: moderators' memberships in it end with it.
 * Emits: UPDATE_CHANNEL_MEMBERSHIP of each who moved, DELETE_SUB_CHANNEL.
 */
export async function scaleIn(call: Call, channel: ChannelRecord, subChannelId: string): Promise<void> {
  const { tx } = call;
  const { channelKey } = channel;
  const shrunk = await tx.of(subChannels).get(channelKey, subChannelId);
  if (shrunk === undefined || shrunk.membershipCount >= minimum(channel)) return;
  const [other] = (await tx.of(subChannels).smallest(channelKey, 2)).filter((each) => each.subChannelId !== subChannelId);
  if (other === undefined || other.membershipCount + shrunk.membershipCount > elasticOf(channel).targetMemberships) return;
  await moveMembers(call, channel, subChannelId, other.subChannelId, shrunk.membershipCount);
  await tx.of(subChannels).remove(channelKey, subChannelId);
  await call.emit<ChannelEvent>({ type: 'DELETE_SUB_CHANNEL', ...named(channel), subChannelId });
}

/** How many a sub-channel needs to have. */
function minimum(channel: ChannelRecord): number {
  const { targetMemberships, minimumPercentage } = elasticOf(channel);
  return Math.ceil((targetMemberships * minimumPercentage) / 100);
}

async function moveMembers(call: Call, channel: ChannelRecord, from: string, to: string, most: number): Promise<void> {
  const { tx, now } = call;
  for (const member of await tx.of(memberships).move(channel.channelKey, from, to, most, now)) {
    const moved = await tx.of(memberships).get(channel.channelKey, to, member);
    if (moved !== undefined) await call.emit<ChannelEvent>(await membershipEvent(tx, 'UPDATE_CHANNEL_MEMBERSHIP', channel, moved));
  }
}
