/** Channel details that a client receives when it opens a messaging session. */
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMembershipSummary, ChannelMessageSummary, ChannelSummary } from '#model/generated/chime-sdk-messaging.ts';
import type { Tx } from '#store/store.ts';
import { chimeRetentionOf } from './chime-retention.ts';
import { found, toMessageSummary } from './message-documents.ts';
import { toChannelSummary, toIdentities } from './stored-channels.ts';
import { ALL_TIMES, channelMessages } from './tables/channel-messages.ts';
import { channels } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';

/** Payload of a CHANNEL_DETAILS event. */
export interface ChannelDetails {
  readonly Channel: ChannelSummary;
  /** Messages that the member sees, newest first. */
  readonly ChannelMessages: readonly ChannelMessageSummary[];
  readonly ChannelMemberships: readonly ChannelMembershipSummary[];
  readonly ReadMarkerTimestamp?: Instant;
  readonly ChannelMessagesHasMore: boolean;
}

/**
 * Maximum messages (`MESSAGES_MAX`) and members (`MEMBERS_MAX`) in one event. Source: Chime SDK Developer Guide, "Using
 * prefetch to deliver channel details": the latest 20 messages and at most 30 members.
 */
const MESSAGES_MAX = 20;
const MEMBERS_MAX = 30;

/**
 * Returns the details of a member's channel; `undefined` if the membership or the channel does not exist anymore.
 *
 * Source: Chime SDK Developer Guide, "Using prefetch to deliver channel details".
 * Assumed: (1) The details list the members that ListChannelMemberships returns by default. (2) In an elastic channel,
 * the details contain only messages and members of the member's own sub-channel.
 */
export async function channelDetails(
  tx: Tx,
  { channelKey, subChannelId, member }: Pick<MembershipRecord, 'channelKey' | 'subChannelId' | 'member'>,
  now: Instant,
): Promise<ChannelDetails | undefined> {
  const membership = await tx.of(memberships).get(channelKey, subChannelId, member);
  const channel = await tx.of(channels).getByKey(channelKey);
  if (membership === undefined || channel === undefined) return undefined;
  const { hiddenBefore: notBefore = ALL_TIMES.notBefore } = (await chimeRetentionOf(tx, channel, now)) ?? {};
  const range = { channelKey, subChannelId, reader: member, ...ALL_TIMES, notBefore, order: 'DESCENDING' } as const;
  const messages = await tx.of(channelMessages).list(range, MESSAGES_MAX + 1);
  const ChannelMessages: ChannelMessageSummary[] = [];
  for (const record of messages.slice(0, MESSAGES_MAX)) ChannelMessages.push(await toMessageSummary(tx, channel, found(record)));
  const members = (await tx.of(memberships).list(channelKey, subChannelId, 'DEFAULT', MEMBERS_MAX)).map((each) => each.member);
  const identityOf = await toIdentities(tx, channel, members);
  return omitUndefined({
    Channel: toChannelSummary(channel),
    ChannelMessages,
    ChannelMemberships: members.map((key) => ({ Member: identityOf(key) })),
    ReadMarkerTimestamp: membership.readMarkerAt,
    ChannelMessagesHasMore: messages.length > MESSAGES_MAX,
  });
}
