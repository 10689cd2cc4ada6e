/** Elastic channels: their members are in sub-channels, whose number grows and shrinks with the number of members. */
import type { ChannelEvent } from '../chime-kit/events.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Call } from '../kit/operation.ts';
import { inChannel } from './bearer-operations.ts';
import { AwsError } from './errors.ts';
import { membershipEvent } from './membership-events.ts';
import { channelArn, named } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { subChannels } from './tables/sub-channels.ts';

/** Source: Chime SDK Developer Guide, "Using elastic channels to host live events", "Managing elastic channel members". */
export const subChannelOperations = inChannel({
  /**
   * Returns a page of sub-channels with their numbers of members, including moderators.
   *
   * @throws BadRequestException the channel is not elastic (Assumed), or the token belongs to another channel
   */
  ListSubChannels: {
    async handle({ tx }, input, { channel }) {
      elasticOf(channel);
      const { items, rest } = await pageOf(
        `sub-channels of ${channel.channelKey}`,
        input,
        (limit, after) => tx.of(subChannels).list(channel.channelKey, limit, after),
        ({ subChannelId }) => subChannelId,
      );
      const SubChannels = items.map(({ subChannelId, membershipCount }) => ({
        SubChannelId: subChannelId,
        MembershipCount: membershipCount,
      }));
      return { ChannelArn: channelArn(channel), SubChannels, ...rest };
    },
  },
});

type Elastic = NonNullable<ChannelRecord['document']['elastic']>;

/** @throws BadRequestException the channel is not elastic */
function elasticOf({ document }: ChannelRecord): Elastic {
  if (document.elastic === undefined) throw new AwsError('BadRequestException', 'The channel is not an elastic channel.');
  return document.elastic;
}

/**
 * Returns the sub-channel that a request names; `''` if the channel is not elastic.
 *
 * Assumed: (1) The wording of the error messages. (2) An unknown sub-channel is a BadRequestException.
 * @throws BadRequestException the sub-channel is missing or unknown, or the channel is not elastic
 */
export async function subChannelOf({ tx }: Call, channel: ChannelRecord, subChannelId: string | undefined): Promise<string> {
  if (subChannelId === undefined) {
    if (channel.document.elastic === undefined) return '';
    throw new AwsError('BadRequestException', 'SubChannelId is required for an elastic channel.');
  }
  elasticOf(channel);
  if ((await tx.of(subChannels).get(channel.channelKey, subChannelId)) === undefined) {
    throw new AwsError('BadRequestException', `SubChannel '${subChannelId}' does not exist.`);
  }
  return subChannelId;
}

/**
 * Returns the sub-channel for a new member: the sub-channel with the fewest members. If all sub-channels are full,
 * creates a sub-channel, and moves members from a full sub-channel to it. The new sub-channel then has the minimum
 * number of members.
 *
 * Source: Chime SDK Developer Guide, "Managing elastic channel members", SCALE_OUT.
 * Assumed: (1) The first member of a channel creates the first sub-channel. (2) The moved members come from one full
 * sub-channel.
 * @throws ResourceLimitExceededException all sub-channels are full, and the channel has the maximum number of
 *   sub-channels
 */
export async function subChannelForNew(call: Call, channel: ChannelRecord): Promise<string> {
  const { tx } = call;
  const { channelKey } = channel;
  const { maximumSubChannels, targetMemberships } = elasticOf(channel);
  const present = await tx.of(subChannels).smallest(channelKey, maximumSubChannels);
  const [smallest] = present;
  if (smallest !== undefined && smallest.membershipCount < targetMemberships) return smallest.subChannelId;
  if (present.length >= maximumSubChannels) {
    throw new AwsError(
      'ResourceLimitExceededException',
      `The channel has the maximum of ${maximumSubChannels} sub-channels, and all of them are full.`,
    );
  }
  const subChannelId = call.newId();
  await tx.of(subChannels).add(channelKey, subChannelId);
  await call.emit<ChannelEvent>({ type: 'CREATE_SUB_CHANNEL', ...named(channel), subChannelId });
  if (smallest !== undefined) await moveMembers(call, channel, smallest.subChannelId, subChannelId, minimum(channel) - 1);
  return subChannelId;
}

/**
 * Deletes a sub-channel that has fewer members than the minimum, if another sub-channel has room for these members.
 * First moves the members that are not moderators to the other sub-channel. Also deletes the moderators' memberships in
 * the deleted sub-channel, and the messages of the deleted sub-channel.
 *
 * Source: Chime SDK Developer Guide, "Managing elastic channel members", SCALE_IN; "Understanding message structures",
 * the reason `subchannel_DELETED`: "Only seen by moderators after membership balancing deletes a sub-channel that they
 * belonged to."
 * Emits: UPDATE_CHANNEL_MEMBERSHIP for each moved member, DELETE_CHANNEL_MEMBERSHIP for each moderator,
 * DELETE_SUB_CHANNEL.
 */
export async function scaleIn(call: Call, channel: ChannelRecord, subChannelId: string): Promise<void> {
  const { tx } = call;
  const { channelKey } = channel;
  const shrunk = await tx.of(subChannels).get(channelKey, subChannelId);
  if (shrunk === undefined || shrunk.membershipCount >= minimum(channel)) return;
  const [other] = (await tx.of(subChannels).smallest(channelKey, 2)).filter((each) => each.subChannelId !== subChannelId);
  if (other === undefined || other.membershipCount + shrunk.membershipCount > elasticOf(channel).targetMemberships) return;
  await moveMembers(call, channel, subChannelId, other.subChannelId, shrunk.membershipCount);
  for (const moderator of await tx.of(memberships).list(channelKey, subChannelId, 'DEFAULT', shrunk.membershipCount)) {
    await tx.of(memberships).remove(channelKey, subChannelId, moderator.member);
    await call.emit<ChannelEvent>(await membershipEvent(tx, 'DELETE_CHANNEL_MEMBERSHIP', channel, moderator, 'subchannel_DELETED'));
  }
  await tx.of(subChannels).remove(channelKey, subChannelId);
  await call.emit<ChannelEvent>({ type: 'DELETE_SUB_CHANNEL', ...named(channel), subChannelId });
}

/** Returns the minimum number of members of a sub-channel. */
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
