import type { ChannelModerator } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { type Bearer, memberOrForbidden } from './admit.ts';
import { inChannel } from './bearer-operations.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { removeMemberships } from './members.ts';
import { addStanding, describeStanding, pageOfStandings, standingOrMissing } from './standings.ts';
import { channelArn, named, toIdentity } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { type StandingRecord, standings } from './tables/standings.ts';

/** Moderators of channels. Source: chime-sdk-messaging 2021-05-15. */
export function moderatorOperations(deps: MessagingDeps) {
  return inChannel({
    /**
     * Adds a moderator to a channel.
     *
     * @throws ForbiddenException             the user or bot is not in the app instance, or is banned
     * @throws ConflictException              the user or bot is already a moderator
     * @throws ResourceLimitExceededException the channel has the maximum number of moderators
     *
     * Emits: CREATE_CHANNEL_MODERATOR. In an elastic channel also DELETE_CHANNEL_MEMBERSHIP for the new moderator's
     * memberships.
     */
    CreateChannelModerator: {
      async handle(call, { ChannelModeratorArn }, { bearer, channel }) {
        const { member } = await addModerator(call, deps, channel, bearer, ChannelModeratorArn);
        return { ChannelArn: channelArn(channel), ChannelModerator: await toIdentity(call.tx, channel, member) };
      },
    },

    /** @throws NotFoundException the channel does not exist, or the user or bot does not moderate it */
    DescribeChannelModerator: {
      async handle(call, { ChannelModeratorArn }, admitted) {
        const record = await standingOrMissing(call, admitted, 'moderator', ChannelModeratorArn);
        return { ChannelModerator: await toModerator(call, admitted.channel, record) };
      },
    },

    ListChannelModerators: {
      async handle(call, input, { channel }) {
        const { identities, rest } = await pageOfStandings(call, channel, 'moderator', input);
        return { ChannelArn: channelArn(channel), ChannelModerators: identities.map((Moderator) => ({ Moderator })), ...rest };
      },
    },

    /**
     * Removes a moderator from a channel.
     *
     * @throws ForbiddenException the channel does not exist, or the user or bot does not moderate it
     *
     * Emits: DELETE_CHANNEL_MODERATOR. In an elastic channel also DELETE_CHANNEL_MEMBERSHIP for the former moderator's
     * memberships.
     */
    DeleteChannelModerator: {
      async handle(call, { ChannelModeratorArn }, admitted) {
        const { channel } = admitted;
        const record = await standingOrMissing(call, admitted, 'moderator', ChannelModeratorArn);
        await call.tx.of(standings).remove(channel.channelKey, 'moderator', record.member);
        const moderator = await toModerator(call, channel, record);
        await call.emit<ChannelEvent>({ type: 'DELETE_CHANNEL_MODERATOR', ...named(channel), moderator });
        await leaveSubChannels(call, channel, record.member);
        return {};
      },
    },
  });
}

/**
 * Adds a moderator to a channel.
 *
 * @throws AwsError in the same cases as CreateChannelModerator
 */
export async function addModerator(
  call: Call,
  { limits }: MessagingDeps,
  channel: ChannelRecord,
  createdBy: Bearer,
  moderatorArn: string,
): Promise<StandingRecord> {
  const { key } = await memberOrForbidden(call, channel.appInstanceId, moderatorArn);
  if ((await call.tx.of(standings).get(channel.channelKey, 'banned', key)) !== undefined) {
    throw new AwsError('ForbiddenException', `'${moderatorArn}' is banned from the channel.`);
  }
  const record = await addStanding(call, channel, 'moderator', { key, arn: moderatorArn }, createdBy.key, limits.moderatorsOfChannel);
  const moderator = await toModerator(call, channel, record);
  await call.emit<ChannelEvent>({ type: 'CREATE_CHANNEL_MODERATOR', ...named(channel), moderator });
  await leaveSubChannels(call, channel, key);
  return record;
}

/**
 * Deletes the memberships of a new or former moderator of an elastic channel.
 *
 * Source: Chime SDK Developer Guide, "Managing elastic channel members".
 */
async function leaveSubChannels(call: Call, channel: ChannelRecord, member: string): Promise<void> {
  if (channel.document.elastic === undefined) return;
  await removeMemberships(call, channel, await call.tx.of(memberships).ofMember(channel, member));
}

async function toModerator(call: Call, channel: ChannelRecord, record: StandingRecord): Promise<ChannelModerator> {
  const { identity, since } = await describeStanding(call, channel, record);
  return { Moderator: identity, ...since };
}
