import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMembershipPreferences } from '#model/generated/chime-sdk-messaging.ts';
import { inChannel } from './bearer-operations.ts';
import { AwsError } from './errors.ts';
import { requireFilterRule } from './filter-rules.ts';
import { membershipsOf, notMember } from './members.ts';
import { channelArn, toIdentity } from './stored-channels.ts';
import { memberships } from './tables/memberships.ts';

/**
 * Settings that only the member reads and changes: preferences for push notifications, and the read marker.
 *
 * Source: chime-sdk-messaging 2021-05-15, GetChannelMembershipPreferences, PutChannelMembershipPreferences,
 * UpdateChannelReadMarker.
 * Source: Chime SDK Developer Guide, "Understanding system messages": UPDATE_CHANNEL_MEMBERSHIP only applies to elastic
 * channels, which have neither preferences nor read markers. So these operations emit no event.
 */
export const preferenceOperations = inChannel({
  /**
   * @throws ForbiddenException the channel does not exist · `MemberArn` is not the bearer's ARN · the bearer is not a
   *   member of the channel
   */
  GetChannelMembershipPreferences: {
    about: (_, { MemberArn, ChimeBearer }) => ({ self: MemberArn === ChimeBearer }),
    async handle(call, { MemberArn }, admitted) {
      const { channel } = admitted;
      const [membership] = await membershipsOf(call, channel, MemberArn);
      if (membership === undefined) throw notMember(admitted, MemberArn);
      const Member = await toIdentity(call.tx, channel, membership.member);
      const Preferences = membership.preferences && (JSON.parse(membership.preferences) as ChannelMembershipPreferences);
      return omitUndefined({ ChannelArn: channelArn(channel), Member, Preferences: Preferences || undefined });
    },
  },

  /**
   * @throws ForbiddenException  the channel does not exist · `MemberArn` is not the bearer's ARN · the bearer is not a
   *   member of the channel
   * @throws BadRequestException the filter rule is invalid, or the channel is elastic
   */
  PutChannelMembershipPreferences: {
    about: (_, { MemberArn, ChimeBearer }) => ({ self: MemberArn === ChimeBearer }),
    async handle(call, { MemberArn, Preferences }, admitted) {
      const { tx, now } = call;
      const { channel } = admitted;
      const found = await membershipsOf(call, channel, MemberArn);
      const [first] = found;
      if (first === undefined) throw notMember(admitted, MemberArn);
      // Elastic channels have no membership preferences. Source: Chime SDK Developer Guide, "Using elastic channels to
      // host live events". Assumed: the error code and the wording of the message.
      if (channel.document.elastic !== undefined) {
        throw new AwsError('BadRequestException', 'Membership preferences are not available in elastic channels.');
      }
      const { FilterRule } = Preferences.PushNotifications ?? {};
      if (FilterRule !== undefined) requireFilterRule(FilterRule);
      const preferences = JSON.stringify(Preferences);
      for (const membership of found) await tx.of(memberships).put({ ...membership, updatedAt: now, preferences });
      return { ChannelArn: channelArn(channel), Member: await toIdentity(tx, channel, first.member), Preferences };
    },
  },

  /**
   * Sets the read marker of the bearer to the current time.
   *
   * @throws ForbiddenException the channel does not exist or is elastic, or the bearer is not a member
   */
  UpdateChannelReadMarker: {
    async handle(call, _, { bearer, channel }) {
      const { tx, now } = call;
      for (const membership of await tx.of(memberships).ofMember(channel, bearer.key))
        await tx.of(memberships).put({ ...membership, readMarkerAt: now });
      return { ChannelArn: channelArn(channel) };
    },
  },
});
