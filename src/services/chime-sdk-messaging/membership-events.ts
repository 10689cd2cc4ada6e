import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMembership, ChannelMembershipType } from '#model/generated/chime-sdk-messaging.ts';
import type { Tx } from '#store/store.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { channelArn, named, toIdentity } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import type { MembershipRecord } from './tables/memberships.ts';

/** Returns a membership in the shape of the model. */
export async function toMembership(tx: Tx, channel: ChannelRecord, membership: MembershipRecord): Promise<ChannelMembership> {
  const { subChannelId, member, invitedBy, type, createdAt, updatedAt } = membership;
  return {
    InvitedBy: await toIdentity(tx, channel, invitedBy),
    Type: type as ChannelMembershipType,
    Member: await toIdentity(tx, channel, member),
    ChannelArn: channelArn(channel),
    CreatedTimestamp: createdAt,
    LastUpdatedTimestamp: updatedAt,
    ...inSubChannel(subChannelId),
  };
}

/** Returns the field `SubChannelId` of a response. It is absent if the channel is not elastic. */
export function inSubChannel(subChannelId: string): { readonly SubChannelId?: string } {
  return omitUndefined({ SubChannelId: subChannelId === '' ? undefined : subChannelId });
}

type MembershipEvent = Extract<ChannelEvent, { readonly membership: unknown }>;

/** Returns a channel event about one membership. */
export async function membershipEvent(
  tx: Tx,
  type: MembershipEvent['type'],
  channel: ChannelRecord,
  membership: MembershipRecord,
  reason?: MembershipEvent['reason'],
): Promise<ChannelEvent> {
  return omitUndefined({ type, ...named(channel), membership: await toMembership(tx, channel, membership), reason });
}
