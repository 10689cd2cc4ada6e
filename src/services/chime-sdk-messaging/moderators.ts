import type { ChannelModerator, ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime/events.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onChannel } from './access.ts';
import { admit, type Bearer, memberOrForbidden } from './admit.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { channelArn, named, toIdentity } from './found.ts';
import { removeMemberships } from './memberships.ts';
import { addStanding, describeStanding, pageOfStandings, standingOrMissing } from './standings.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { type StandingRecord, standings } from './tables/standings.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type ModeratorOperations = Pick<
  Operations,
  'CreateChannelModerator' | 'DescribeChannelModerator' | 'ListChannelModerators' | 'DeleteChannelModerator'
>;

/** Moderators of channels. Source: chime-sdk-messaging 2021-05-15. */
export function moderatorOperations(deps: MessagingDeps): ModeratorOperations {
  return {
    /**
     * @throws ForbiddenException             his role does not permit it; who is to be one is banned, or not of the app instance
     * @throws ConflictException              a moderator already
     * @throws ResourceLimitExceededException the channel has as many as it may
     *
     * Emits: CREATE_CHANNEL_MODERATOR; of an elastic channel DELETE_CHANNEL_MEMBERSHIP of what he was a member of.
     */
    CreateChannelModerator: {
      access: onChannel('CreateChannelModerator'),
      async handle(call, input) {
        const { bearer, channel } = await admit(call, 'CreateChannelModerator', input);
        const { member } = await addModerator(call, deps, channel, bearer, input.ChannelModeratorArn);
        return { ChannelArn: channelArn(channel), ChannelModerator: await toIdentity(call.tx, channel, member) };
      },
    },

    /** @throws NotFoundException no such channel, no such moderator · ForbiddenException his role does not permit it */
    DescribeChannelModerator: {
      access: onChannel('DescribeChannelModerator'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DescribeChannelModerator', input);
        const found = await standingOrMissing(call, 'DescribeChannelModerator', channel, 'moderator', input.ChannelModeratorArn);
        return { ChannelModerator: await toModerator(call, channel, found) };
      },
    },

    ListChannelModerators: {
      access: onChannel('ListChannelModerators'),
      async handle(call, input) {
        const admitted = await admit(call, 'ListChannelModerators', input);
        const { identities, rest } = await pageOfStandings(call, admitted, 'moderator', input);
        return {
          ChannelArn: channelArn(admitted.channel),
          ChannelModerators: identities.map((Moderator) => ({ Moderator })),
          ...rest,
        };
      },
    },

    /**
     * @throws ForbiddenException his role does not permit it; no such channel, no such moderator
     *
     * Emits: DELETE_CHANNEL_MODERATOR; of an elastic channel DELETE_CHANNEL_MEMBERSHIP of what he was a member of.
     */
    DeleteChannelModerator: {
      access: onChannel('DeleteChannelModerator'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DeleteChannelModerator', input);
        const found = await standingOrMissing(call, 'DeleteChannelModerator', channel, 'moderator', input.ChannelModeratorArn);
        await call.tx.of(standings).remove(channel.channelKey, 'moderator', found.member);
        const moderator = await toModerator(call, channel, found);
        await call.emit<ChannelEvent>({ type: 'DELETE_CHANNEL_MODERATOR', ...named(channel), moderator });
        await leaveSubChannels(call, channel, found.member);
        return {};
      },
    },
  };
}

/** Makes somebody a moderator of a channel that was found. @throws as CreateChannelModerator */
export async function addModerator(
  call: Call,
  deps: MessagingDeps,
  channel: ChannelRecord,
  by: Bearer,
  moderatorArn: string,
): Promise<StandingRecord> {
  const { key } = await memberOrForbidden(call, channel.appInstanceId, moderatorArn);
  if ((await call.tx.of(standings).get(channel.channelKey, 'banned', key)) !== undefined) {
    throw new AwsError('ForbiddenException', `${moderatorArn} is banned from the channel.`);
  }
  const made = await addStanding(call, channel, 'moderator', key, by.key, deps.limits.moderatorsOfChannel);
  const moderator = await toModerator(call, channel, made);
  await call.emit<ChannelEvent>({ type: 'CREATE_CHANNEL_MODERATOR', ...named(channel), moderator });
  await leaveSubChannels(call, channel, key);
  return made;
}

/** Source: Chime SDK Developer Guide, "Managing elastic channel members": who becomes a moderator, or no longer is one, loses his memberships. */
async function leaveSubChannels(call: Call, channel: ChannelRecord, member: string): Promise<void> {
  if (channel.document.elastic === undefined) return;
  await removeMemberships(call, channel, await call.tx.of(memberships).ofMember(channel, member));
}

async function toModerator(call: Call, channel: ChannelRecord, record: StandingRecord): Promise<ChannelModerator> {
  const { who, since } = await describeStanding(call, channel, record);
  return { Moderator: who, ...since };
}
