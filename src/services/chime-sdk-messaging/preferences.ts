import type { ChannelMembershipPreferences, ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onChannel } from './access.ts';
import { admit } from './admit.ts';
import { channelArn, toIdentity } from './found.ts';
import { membershipEvent } from './membership-events.ts';
import { membershipsOf, noMember } from './memberships.ts';
import { memberships } from './tables/memberships.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;

/**
 * What a member wants to be pushed: kept, and nothing is pushed yet.
 *
 * Source: chime-sdk-messaging 2021-05-15, Get- and PutChannelMembershipPreferences.
 */
export function preferenceOperations(): Pick<Operations, 'GetChannelMembershipPreferences' | 'PutChannelMembershipPreferences'> {
  return {
    /** @throws ForbiddenException no such channel; it is somebody else's membership, or there is none */
    GetChannelMembershipPreferences: {
      access: onChannel('GetChannelMembershipPreferences'),
      async handle(call, input) {
        const { channel } = await admit(call, 'GetChannelMembershipPreferences', input, { self: input.MemberArn === input.ChimeBearer });
        const [membership] = await membershipsOf(call, channel, input.MemberArn);
        if (membership === undefined) throw noMember('GetChannelMembershipPreferences', input.MemberArn);
        const Preferences = membership.preferences && (JSON.parse(membership.preferences) as ChannelMembershipPreferences);
        return {
          ChannelArn: channelArn(channel),
          Member: await toIdentity(call.tx, channel, membership.member),
          ...(Preferences && { Preferences }),
        };
      },
    },

    /**
     * @throws ForbiddenException no such channel; it is somebody else's membership, or there is none
     *
     * Emits: UPDATE_CHANNEL_MEMBERSHIP, which only the member receives.
     */
    PutChannelMembershipPreferences: {
      access: onChannel('PutChannelMembershipPreferences'),
      async handle(call, input) {
        const { tx, now } = call;
        const { Preferences, MemberArn } = input;
        const { channel } = await admit(call, 'PutChannelMembershipPreferences', input, { self: MemberArn === input.ChimeBearer });
        const those = await membershipsOf(call, channel, MemberArn);
        const [first] = those;
        if (first === undefined) throw noMember('PutChannelMembershipPreferences', MemberArn);
        for (const membership of those) {
          const changed = { ...membership, updatedAt: now, preferences: JSON.stringify(Preferences) };
          await tx.of(memberships).put(changed);
          await call.emit<ChannelEvent>(await membershipEvent(tx, 'UPDATE_CHANNEL_MEMBERSHIP', channel, changed));
        }
        return { ChannelArn: channelArn(channel), Member: await toIdentity(tx, channel, first.member), Preferences };
      },
    },
  };
}
