import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMembershipForAppInstanceUserSummary, ChannelMembershipType } from '#model/generated/chime-sdk-messaging.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Call } from '../kit/operation.ts';
import { type AdmittedBearer, type Bearer, memberOrForbidden } from './admit.ts';
import { inChannel, inOwnAppInstance } from './bearer-operations.ts';
import { membershipsOf, notMember } from './members.ts';
import { inSubChannel } from './membership-events.ts';
import { missing, toChannelSummary } from './stored-channels.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

/** Fields of an input that select a user or bot. */
interface OfUser {
  readonly ChimeBearer?: string;
  readonly AppInstanceUserArn?: string;
}

/**
 * Reports whether the input selects the bearer. Source: API reference: the default of AppInstanceUserArn is the bearer.
 */
const isSelf = ({ AppInstanceUserArn }: OfUser, { arn }: Bearer) => ({
  self: AppInstanceUserArn === undefined || AppInstanceUserArn === arn,
});

/**
 * Lists of the channels that a user or bot is a member of or moderates. Only administrators see the channels of another user.
 *
 * Source: chime-sdk-messaging 2021-05-15.
 */
export const ownChannelListOperations = inOwnAppInstance({
  /**
   * @throws ForbiddenException  the input selects another user, and the bearer is not an administrator
   * @throws BadRequestException the token belongs to another list
   */
  ListChannelMembershipsForAppInstanceUser: {
    about: isSelf,
    async handle(call, input, admitted) {
      const { tx } = call;
      const { appInstanceId, key } = await selectedMember(call, input, admitted);
      const { items, rest } = await pageOf(
        JSON.stringify(['memberships of', appInstanceId, key]),
        input,
        (limit, after) => {
          const [channelKey = '', subChannelId = ''] = after?.split(' ') ?? [];
          return tx.of(memberships).listOfMember(appInstanceId, key, limit, { channelKey, subChannelId });
        },
        ({ channelKey, subChannelId }) => `${channelKey} ${subChannelId}`,
      );
      const ChannelMemberships: ChannelMembershipForAppInstanceUserSummary[] = [];
      for (const membership of items) {
        const channel = await tx.of(channels).getByKey(membership.channelKey);
        if (channel !== undefined) ChannelMemberships.push(toOwnMembership(channel, membership));
      }
      return { ChannelMemberships, ...rest };
    },
  },

  /**
   * @throws ForbiddenException  the input selects another user, and the bearer is not an administrator
   * @throws BadRequestException the token belongs to another list
   */
  ListChannelsModeratedByAppInstanceUser: {
    about: isSelf,
    async handle(call, input, admitted) {
      const { tx } = call;
      const { appInstanceId, key } = await selectedMember(call, input, admitted);
      const { items, rest } = await pageOf(
        JSON.stringify(['moderated by', appInstanceId, key]),
        input,
        (limit, after) => tx.of(standings).listOfMember(appInstanceId, 'moderator', key, limit, after),
        ({ channelKey }) => channelKey,
      );
      const Channels = [];
      for (const { channelKey } of items) {
        const channel = await tx.of(channels).getByKey(channelKey);
        if (channel !== undefined) Channels.push({ ChannelSummary: toChannelSummary(channel) });
      }
      return { Channels, ...rest };
    },
  },
});

/** One channel that a user or bot is a member of or moderates. Source: chime-sdk-messaging 2021-05-15. */
export const ownChannelOperations = inChannel({
  /**
   * @throws ForbiddenException the channel does not exist · the input selects another user, and the bearer is not an
   *   administrator · the user is not a member
   */
  DescribeChannelMembershipForAppInstanceUser: {
    about: (_, input) => ({ self: input.AppInstanceUserArn === input.ChimeBearer }),
    async handle(call, { AppInstanceUserArn }, admitted) {
      const [membership] = await membershipsOf(call, admitted.channel, AppInstanceUserArn);
      if (membership === undefined) throw notMember(admitted, AppInstanceUserArn);
      return { ChannelMembership: toOwnMembership(admitted.channel, membership) };
    },
  },

  /** @throws ForbiddenException the channel does not exist, or the user does not moderate it */
  DescribeChannelModeratedByAppInstanceUser: {
    about: (_, input) => ({ self: input.AppInstanceUserArn === input.ChimeBearer }),
    async handle(call, { AppInstanceUserArn }, { operation, channel }) {
      const { key } = await memberOrForbidden(call, channel.appInstanceId, AppInstanceUserArn);
      if ((await call.tx.of(standings).get(channel.channelKey, 'moderator', key)) === undefined) {
        throw missing(operation, `'${AppInstanceUserArn}' is not a moderator of the channel.`);
      }
      return { Channel: { ChannelSummary: toChannelSummary(channel) } };
    },
  },
});

/**
 * Returns the user or bot that the input selects. By default, this is the bearer.
 *
 * @throws ForbiddenException the user or bot does not exist
 */
async function selectedMember(
  call: Call,
  { AppInstanceUserArn }: OfUser,
  { bearer }: AdmittedBearer,
): Promise<Pick<Bearer, 'appInstanceId' | 'key'>> {
  if (AppInstanceUserArn === undefined) return bearer;
  const { key } = await memberOrForbidden(call, bearer.appInstanceId, AppInstanceUserArn);
  return { appInstanceId: bearer.appInstanceId, key };
}

function toOwnMembership(channel: ChannelRecord, membership: MembershipRecord): ChannelMembershipForAppInstanceUserSummary {
  const { type, readMarkerAt, subChannelId } = membership;
  return {
    ChannelSummary: toChannelSummary(channel),
    AppInstanceUserMembershipSummary: omitUndefined({
      Type: type as ChannelMembershipType,
      ReadMarkerTimestamp: readMarkerAt,
      ...inSubChannel(subChannelId),
    }),
  };
}
