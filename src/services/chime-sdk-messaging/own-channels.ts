import type {
  ChannelMembershipForAppInstanceUserSummary,
  ChannelMembershipType,
  ChimeSdkMessagingApi,
} from '#model/generated/chime-sdk-messaging.ts';
import { pageOf } from '../chime/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import { admit, admitToAppInstance, type Bearer, memberOrForbidden } from './admit.ts';
import { missing, toChannelSummary } from './found.ts';
import { inSubChannel } from './membership-events.ts';
import { membershipsOf, noMember } from './memberships.ts';
import type { BearerOperation } from './roles.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type OwnChannelOperations = Pick<
  Operations,
  | 'ListChannelMembershipsForAppInstanceUser'
  | 'DescribeChannelMembershipForAppInstanceUser'
  | 'ListChannelsModeratedByAppInstanceUser'
  | 'DescribeChannelModeratedByAppInstanceUser'
>;

/**
 * The channels that somebody is in or moderates: one's own, and for an administrator anybody's.
 *
 * Source: chime-sdk-messaging 2021-05-15; API reference: without AppInstanceUserArn the bearer is meant.
 */
export const ownChannelOperations: OwnChannelOperations = {
  /** @throws ForbiddenException it is somebody else · BadRequestException a token of another question */
  ListChannelMembershipsForAppInstanceUser: {
    access: onArns('ListChannelMembershipsForAppInstanceUser', ({ ChimeBearer }) => [ChimeBearer]),
    async handle(call, input) {
      const { tx } = call;
      const { appInstanceId, key } = await whom(call, 'ListChannelMembershipsForAppInstanceUser', input);
      const { things, rest } = await pageOf(
        JSON.stringify(['memberships of', appInstanceId, key]),
        input,
        (limit, after) => {
          const [channelKey = '', subChannelId = ''] = after?.split(' ') ?? [];
          return tx.of(memberships).listOfMember(appInstanceId, key, limit, { channelKey, subChannelId });
        },
        ({ channelKey, subChannelId }) => `${channelKey} ${subChannelId}`,
      );
      const ChannelMemberships: ChannelMembershipForAppInstanceUserSummary[] = [];
      for (const membership of things) {
        const channel = await tx.of(channels).getByKey(membership.channelKey);
        if (channel !== undefined) ChannelMemberships.push(toOwnMembership(channel, membership));
      }
      return { ChannelMemberships, ...rest };
    },
  },

  /** @throws ForbiddenException no such channel; it is somebody else; he is no member */
  DescribeChannelMembershipForAppInstanceUser: {
    access: onArns('DescribeChannelMembershipForAppInstanceUser', ({ ChimeBearer, ChannelArn }) => [ChimeBearer, ChannelArn]),
    async handle(call, input) {
      const self = input.AppInstanceUserArn === input.ChimeBearer;
      const { channel } = await admit(call, 'DescribeChannelMembershipForAppInstanceUser', input, { self });
      const [membership] = await membershipsOf(call, channel, input.AppInstanceUserArn);
      if (membership === undefined) throw noMember('DescribeChannelMembershipForAppInstanceUser', input.AppInstanceUserArn);
      return { ChannelMembership: toOwnMembership(channel, membership) };
    },
  },

  /** @throws ForbiddenException it is somebody else · BadRequestException a token of another question */
  ListChannelsModeratedByAppInstanceUser: {
    access: onArns('ListChannelsModeratedByAppInstanceUser', ({ ChimeBearer }) => [ChimeBearer]),
    async handle(call, input) {
      const { tx } = call;
      const { appInstanceId, key } = await whom(call, 'ListChannelsModeratedByAppInstanceUser', input);
      const { things, rest } = await pageOf(
        JSON.stringify(['moderated by', appInstanceId, key]),
        input,
        (limit, after) => tx.of(standings).listOfMember(appInstanceId, 'moderator', key, limit, after),
        ({ channelKey }) => channelKey,
      );
      const Channels = [];
      for (const { channelKey } of things) {
        const channel = await tx.of(channels).getByKey(channelKey);
        if (channel !== undefined) Channels.push({ ChannelSummary: toChannelSummary(channel) });
      }
      return { Channels, ...rest };
    },
  },

  /** @throws ForbiddenException no such channel; his role does not permit it; the user does not moderate it */
  DescribeChannelModeratedByAppInstanceUser: {
    access: onArns('DescribeChannelModeratedByAppInstanceUser', ({ ChimeBearer, ChannelArn }) => [ChimeBearer, ChannelArn]),
    async handle(call, input) {
      const { AppInstanceUserArn } = input;
      const self = AppInstanceUserArn === input.ChimeBearer;
      const { channel } = await admit(call, 'DescribeChannelModeratedByAppInstanceUser', input, { self });
      const { key } = await memberOrForbidden(call, channel.appInstanceId, AppInstanceUserArn);
      if ((await call.tx.of(standings).get(channel.channelKey, 'moderator', key)) === undefined) {
        throw missing('DescribeChannelModeratedByAppInstanceUser', `${AppInstanceUserArn} is not a moderator of the channel.`);
      }
      return { Channel: { ChannelSummary: toChannelSummary(channel) } };
    },
  },
};

/** Whose channels are meant: the bearer's, or where one is named and the bearer may ask, that one's. */
async function whom(
  call: Call,
  operation: BearerOperation,
  input: { readonly ChimeBearer?: string; readonly AppInstanceUserArn?: string },
): Promise<Pick<Bearer, 'appInstanceId' | 'key'>> {
  const { AppInstanceUserArn } = input;
  const bearer = await admitToAppInstance(
    call,
    operation,
    input,
    ({ appInstanceId }) => appInstanceId,
    ({ arn }) => ({ self: AppInstanceUserArn === undefined || AppInstanceUserArn === arn }),
  );
  if (AppInstanceUserArn === undefined) return bearer;
  const { key } = await memberOrForbidden(call, bearer.appInstanceId, AppInstanceUserArn);
  return { appInstanceId: bearer.appInstanceId, key };
}

function toOwnMembership(channel: ChannelRecord, membership: MembershipRecord): ChannelMembershipForAppInstanceUserSummary {
  const { type, readMarkerAt, subChannelId } = membership;
  return {
    ChannelSummary: toChannelSummary(channel),
    AppInstanceUserMembershipSummary: {
      Type: type as ChannelMembershipType,
      ...(readMarkerAt !== undefined && { ReadMarkerTimestamp: readMarkerAt }),
      ...inSubChannel(subChannelId),
    },
  };
}
