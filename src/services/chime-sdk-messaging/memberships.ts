import type { BatchCreateChannelMembershipError, ErrorCode, Identity } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { pageOf } from '../chime-kit/page.ts';
import { requireSeesHidden } from './admit.ts';
import { inChannel } from './bearer-operations.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { addMember, notMember, removeMemberships, requireModerator, visibleMembershipsOf } from './members.ts';
import { inSubChannel, toMembership } from './membership-events.ts';
import { channelArn, named, toIdentities, toIdentity } from './stored-channels.ts';
import { memberships } from './tables/memberships.ts';

/** Adding members to channels. Source: chime-sdk-messaging 2021-05-15. */
export function newMembershipOperations(deps: MessagingDeps) {
  return inChannel({
    /**
     * Adds a member, with the bearer as `InvitedBy`.
     *
     * @throws ForbiddenException             the bearer may not add hidden members · the user or bot is not in the app
     *   instance · the user or bot is banned, or is a hidden member that the bearer may not see
     * @throws BadRequestException            an invalid sub-channel, or a hidden member of an elastic channel
     * @throws ConflictException              the user or bot is already a member, and the bearer may see this
     * @throws ResourceLimitExceededException the channel has the maximum number of members
     *
     * Emits: CREATE_CHANNEL_MEMBERSHIP.
     */
    CreateChannelMembership: {
      inAnySubChannel: true,
      about: (_, { MemberArn }, __, { arn, type }) => ({ self: type === 'user' && MemberArn === arn }),
      async handle(call, input, admitted) {
        const { channel } = admitted;
        if (input.Type === 'HIDDEN') requireSeesHidden(admitted);
        const { subChannelId, member } = await addMember(call, deps, admitted, input);
        return { ChannelArn: channelArn(channel), Member: await toIdentity(call.tx, channel, member), ...inSubChannel(subChannelId) };
      },
    },

    /**
     * Adds up to 100 members in the same way as CreateChannelMembership. `Errors` lists the members that cannot be
     * added.
     *
     * Emits: BATCH_CREATE_CHANNEL_MEMBERSHIP. For hidden members, and in an elastic channel, it emits
     * CREATE_CHANNEL_MEMBERSHIP for each member instead.
     */
    BatchCreateChannelMembership: {
      inAnySubChannel: true,
      async handle(call, input, admitted) {
        const { bearer, channel } = admitted;
        const { tx } = call;
        const Type = input.Type ?? 'DEFAULT';
        if (Type === 'HIDDEN') requireSeesHidden(admitted);
        // If one event listed several hidden members, these members would see each other.
        const oneByOne = channel.document.elastic !== undefined || Type === 'HIDDEN';
        const Members: Identity[] = [];
        const Errors: BatchCreateChannelMembershipError[] = [];
        for (const MemberArn of input.MemberArns) {
          try {
            const { member } = await addMember(call, deps, admitted, { ...input, MemberArn, Type }, oneByOne);
            Members.push(await toIdentity(tx, channel, member));
          } catch (error) {
            if (!(error instanceof AwsError)) throw error;
            Errors.push({ MemberArn, ErrorCode: error.code.replace(/Exception$/, '') as ErrorCode, ErrorMessage: error.message });
          }
        }
        const BatchChannelMemberships = {
          InvitedBy: await toIdentity(tx, channel, bearer.key),
          Type,
          Members,
          ChannelArn: channelArn(channel),
          ...inSubChannel(input.SubChannelId ?? ''),
        };
        if (!oneByOne && Members.length > 0) {
          await call.emit<ChannelEvent>({
            type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP',
            ...named(channel),
            memberships: BatchChannelMemberships,
          });
        }
        return { BatchChannelMemberships, Errors };
      },
    },
  });
}

/** Reading and deleting memberships. Source: chime-sdk-messaging 2021-05-15. */
export const membershipOperations = inChannel({
  /** @throws NotFoundException the channel does not exist, or the user or bot is not a member */
  DescribeChannelMembership: {
    inAnySubChannel: true,
    async handle(call, input, admitted) {
      const [membership] = await visibleMembershipsOf(call, admitted, input.MemberArn, input.SubChannelId);
      if (membership === undefined) throw notMember(admitted, input.MemberArn);
      return { ChannelMembership: await toMembership(call.tx, admitted.channel, membership) };
    },
  },

  /**
   * Returns a page of members of one type, in the order of member keys (`bot/helper`, `user/ada`). In an elastic
   * channel, lists the members of one sub-channel, or of all sub-channels.
   *
   * Source: API reference, ListChannelMemberships: without Type, the list has the members of type DEFAULT. It has
   * hidden members only if Type is HIDDEN.
   * @throws ForbiddenException  Type is HIDDEN, and the bearer is neither a moderator nor an app instance admin
   * @throws BadRequestException the token belongs to another list
   */
  ListChannelMemberships: {
    inAnySubChannel: true,
    async handle({ tx }, input, admitted) {
      const { channel } = admitted;
      const { channelKey } = channel;
      const type = input.Type ?? 'DEFAULT';
      if (type === 'HIDDEN') requireSeesHidden(admitted);
      const { items, rest } = await pageOf(
        JSON.stringify(['memberships', channelKey, input.SubChannelId, type]),
        input,
        (limit, after) => {
          const [subChannelId = '', member = ''] = after?.split(' ') ?? [];
          return tx.of(memberships).list(channelKey, input.SubChannelId, type, limit, { subChannelId, member });
        },
        ({ subChannelId, member }) => `${subChannelId} ${member}`,
      );
      const members = items.map(({ member }) => member);
      const identityOf = await toIdentities(tx, channel, members);
      return {
        ChannelArn: channelArn(channel),
        ChannelMemberships: members.map((member) => ({ Member: identityOf(member) })),
        ...rest,
      };
    },
  },

  /**
   * Deletes the membership of a user or bot. A moderator of an elastic channel can have several memberships. If the
   * input names a sub-channel, the operation deletes the membership in this sub-channel, otherwise all memberships.
   *
   * @throws ForbiddenException  the channel does not exist, or the user or bot is not a member
   * @throws BadRequestException the input names a sub-channel for a member that is not a moderator
   *
   * Emits: DELETE_CHANNEL_MEMBERSHIP.
   */
  DeleteChannelMembership: {
    about: (_, { MemberArn, ChimeBearer }) => ({ self: MemberArn === ChimeBearer }),
    inAnySubChannel: true,
    async handle(call, input, admitted) {
      const { channel } = admitted;
      const found = await visibleMembershipsOf(call, admitted, input.MemberArn, input.SubChannelId);
      const [first] = found;
      if (first === undefined) throw notMember(admitted, input.MemberArn);
      if (input.SubChannelId !== undefined) await requireModerator(call, channel, first.member);
      await removeMemberships(call, channel, found);
      return {};
    },
  },
});
