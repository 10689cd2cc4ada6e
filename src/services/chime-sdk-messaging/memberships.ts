import type {
  BatchCreateChannelMembershipError,
  ChannelMembershipType,
  ChimeSdkMessagingApi,
  ErrorCode,
  Identity,
} from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onChannel } from './access.ts';
import { type Admitted, admit, type Bearer, memberOrForbidden, requireSeesHidden, seesHidden } from './admit.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { channelArn, missing, named, toIdentities, toIdentity } from './found.ts';
import { inSubChannel, membershipEvent, toMembership } from './membership-events.ts';
import { scaleIn, subChannelForNew, subChannelOf } from './sub-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type MembershipOperations = Pick<
  Operations,
  | 'CreateChannelMembership'
  | 'BatchCreateChannelMembership'
  | 'DescribeChannelMembership'
  | 'ListChannelMemberships'
  | 'DeleteChannelMembership'
>;

/** Adding, reading and removing members of channels. Source: chime-sdk-messaging 2021-05-15. */
export function membershipOperations(deps: MessagingDeps): MembershipOperations {
  return {
    /**
     * Adds a member; the bearer becomes its `InvitedBy`.
     *
     * @throws NotFoundException              no such channel
     * @throws ForbiddenException             the bearer's role does not allow it, or not for a hidden member; the member is banned, or
     *                                        not of the app instance
     * @throws BadRequestException            a sub-channel that cannot be given; a hidden member of an elastic channel
     * @throws ConflictException              already a member, whatever the Type
     * @throws ResourceLimitExceededException the channel has as many members as it may
     *
     * Emits: CREATE_CHANNEL_MEMBERSHIP.
     */
    CreateChannelMembership: {
      access: onChannel('CreateChannelMembership'),
      async handle(call, input) {
        const { bearer, channel, roles } = await admit(call, 'CreateChannelMembership', withoutSubChannel(input));
        if (input.Type === 'HIDDEN') requireSeesHidden('CreateChannelMembership', roles);
        const { subChannelId, member } = await addMember(call, deps, channel, bearer, input);
        return { ChannelArn: channelArn(channel), Member: await toIdentity(call.tx, channel, member), ...inSubChannel(subChannelId) };
      },
    },

    /**
     * Adds up to 100 members as CreateChannelMembership does. Members that cannot be added are in `Errors`.
     *
     * Emits: BATCH_CREATE_CHANNEL_MEMBERSHIP; of an elastic channel, and of hidden members, CREATE_CHANNEL_MEMBERSHIP of each.
     */
    BatchCreateChannelMembership: {
      access: onChannel('BatchCreateChannelMembership'),
      async handle(call, input) {
        const { bearer, channel, roles } = await admit(call, 'BatchCreateChannelMembership', withoutSubChannel(input));
        const { tx } = call;
        const Type = input.Type ?? 'DEFAULT';
        if (Type === 'HIDDEN') requireSeesHidden('BatchCreateChannelMembership', roles);
        // One event for several hidden members would show each of them the others.
        const alone = channel.document.elastic !== undefined || Type === 'HIDDEN';
        const Members: Identity[] = [];
        const Errors: BatchCreateChannelMembershipError[] = [];
        for (const MemberArn of input.MemberArns) {
          try {
            const { member } = await addMember(call, deps, channel, bearer, { ...input, MemberArn, Type }, alone);
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
        if (!alone && Members.length > 0) {
          await call.emit<ChannelEvent>({
            type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP',
            ...named(channel),
            memberships: BatchChannelMemberships,
          });
        }
        return { BatchChannelMemberships, Errors };
      },
    },

    /** @throws NotFoundException no such channel, or no such member in it · ForbiddenException his role does not permit it */
    DescribeChannelMembership: {
      access: onChannel('DescribeChannelMembership'),
      async handle(call, input) {
        const admitted = await admit(call, 'DescribeChannelMembership', withoutSubChannel(input));
        const { channel } = admitted;
        const [membership] = await visibleMembershipsOf(call, admitted, input.MemberArn, input.SubChannelId);
        if (membership === undefined) throw noMember('DescribeChannelMembership', input.MemberArn);
        return { ChannelMembership: await toMembership(call.tx, channel, membership) };
      },
    },

    /**
     * A page of members of one type, in the order of their ids; of an elastic channel those of one sub-channel, or of all.
     *
     * Source: API reference, ListChannelMemberships: without Type the default members; hidden members only if Type is HIDDEN.
     * @throws ForbiddenException  hidden members, and the bearer is neither a moderator nor an app instance admin
     * @throws BadRequestException a token of another question
     */
    ListChannelMemberships: {
      access: onChannel('ListChannelMemberships'),
      async handle(call, input) {
        const { channel, roles } = await admit(call, 'ListChannelMemberships', withoutSubChannel(input));
        const { channelKey } = channel;
        const type = input.Type ?? 'DEFAULT';
        if (type === 'HIDDEN') requireSeesHidden('ListChannelMemberships', roles);
        const { things, rest } = await pageOf(
          JSON.stringify(['memberships', channelKey, input.SubChannelId, type]),
          input,
          (limit, after) => {
            const [subChannelId = '', member = ''] = after?.split(' ') ?? [];
            return call.tx.of(memberships).list(channelKey, input.SubChannelId, type, limit, { subChannelId, member });
          },
          ({ subChannelId, member }) => `${subChannelId} ${member}`,
        );
        const identityOf = await toIdentities(
          call.tx,
          channel,
          things.map(({ member }) => member),
        );
        return {
          ChannelArn: channelArn(channel),
          ChannelMemberships: things.map(({ member }) => ({ Member: identityOf(member) })),
          ...rest,
        };
      },
    },

    /**
     * Removes a member; of an elastic channel a moderator from one sub-channel, or from all.
     *
     * @throws ForbiddenException  his role does not permit it; no such channel, no such member
     * @throws BadRequestException a sub-channel is named for who is no moderator
     *
     * Emits: DELETE_CHANNEL_MEMBERSHIP.
     */
    DeleteChannelMembership: {
      access: onChannel('DeleteChannelMembership'),
      async handle(call, input) {
        const self = input.MemberArn === input.ChimeBearer;
        const admitted = await admit(call, 'DeleteChannelMembership', withoutSubChannel(input), { self });
        const { channel } = admitted;
        const those = await visibleMembershipsOf(call, admitted, input.MemberArn, input.SubChannelId);
        const [first] = those;
        if (first === undefined) throw noMember('DeleteChannelMembership', input.MemberArn);
        if (input.SubChannelId !== undefined) await requireModerator(call, channel, first.member);
        await removeMemberships(call, channel, those);
        return {};
      },
    },
  };
}

/** Whoever may do something with members may do it in every sub-channel: which one is meant is not who one is. */
function withoutSubChannel<Input extends { readonly ChannelArn: string; readonly ChimeBearer: string }>({
  ChannelArn,
  ChimeBearer,
}: Input) {
  return { ChannelArn, ChimeBearer };
}

/** The memberships of a member whom an input names, of one sub-channel or of all; none where there is no such member. */
export async function membershipsOf(
  { tx }: Call,
  channel: ChannelRecord,
  memberArn: string,
  subChannelId?: string,
): Promise<readonly MembershipRecord[]> {
  const prefix = channelArn(channel).replace(/channel\/[^/]*$/, '');
  if (!memberArn.startsWith(prefix)) return [];
  const found = await tx.of(memberships).ofMember(channel, memberArn.slice(prefix.length));
  return subChannelId === undefined ? found : found.filter((each) => each.subChannelId === subChannelId);
}

/** The memberships of a member that the bearer may see: hidden ones only as a moderator, as an app instance admin or of their own. */
async function visibleMembershipsOf(
  call: Call,
  { bearer, channel, roles }: Admitted,
  memberArn: string,
  subChannelId?: string,
): Promise<readonly MembershipRecord[]> {
  const found = await membershipsOf(call, channel, memberArn, subChannelId);
  return seesHidden(roles) ? found : found.filter(({ type, member }) => type !== 'HIDDEN' || member === bearer.key);
}

/** Assumed: the text. */
export function noMember(operation: keyof ChimeSdkMessagingApi, memberArn: string): AwsError {
  return missing(operation, `${memberArn} is not a member of the channel.`);
}

/** What makes a member. */
export interface NewMember {
  readonly MemberArn: string;
  readonly Type: ChannelMembershipType;
  readonly SubChannelId?: string;
}

/**
 * Adds a member to a channel that was found.
 *
 * Source: API reference, CreateChannelBan: who is banned cannot be added; Chime SDK Developer Guide, "Managing elastic channel members".
 * @throws as CreateChannelMembership
 *
 * Emits: CREATE_CHANNEL_MEMBERSHIP, unless `alone` is false: then the caller tells of several together.
 */
export async function addMember(
  call: Call,
  deps: MessagingDeps,
  channel: ChannelRecord,
  inviter: Bearer,
  { MemberArn, Type, SubChannelId }: NewMember,
  alone = true,
): Promise<MembershipRecord> {
  const { tx, now } = call;
  const { channelKey, appInstanceId } = channel;
  const { key } = await memberOrForbidden(call, appInstanceId, MemberArn);
  if ((await tx.of(standings).get(channelKey, 'banned', key)) !== undefined) {
    throw new AwsError('ForbiddenException', `${MemberArn} is banned from the channel.`);
  }
  const { limits } = deps;
  const most = channel.document.elastic === undefined ? limits.membershipsOfChannel : limits.membershipsOfElasticChannel;
  if ((await tx.of(memberships).count(channelKey, most)) >= most) {
    throw new AwsError('ResourceLimitExceededException', `The channel has ${most} memberships, and may not have more.`);
  }
  const membership: MembershipRecord = {
    channelKey,
    subChannelId: await placeFor(call, channel, key, { MemberArn, Type, ...(SubChannelId !== undefined && { SubChannelId }) }),
    member: key,
    appInstanceId,
    type: Type,
    invitedBy: inviter.key,
    createdAt: now,
    updatedAt: now,
  };
  if ((await tx.of(memberships).add(membership)) === 'exists') throw alreadyMember(MemberArn);
  if (alone) await call.emit<ChannelEvent>(await membershipEvent(tx, 'CREATE_CHANNEL_MEMBERSHIP', channel, membership));
  return membership;
}

/** The sub-channel of a new membership; `''` where the channel has none. */
async function placeFor(call: Call, channel: ChannelRecord, member: string, added: NewMember): Promise<string> {
  const { MemberArn, Type, SubChannelId } = added;
  if (channel.document.elastic === undefined) return SubChannelId === undefined ? '' : subChannelOf(call, channel, SubChannelId);
  if (Type === 'HIDDEN') throw new AwsError('BadRequestException', 'An elastic channel has no hidden memberships.');
  if ((await call.tx.of(standings).get(channel.channelKey, 'moderator', member)) !== undefined) {
    return subChannelOf(call, channel, SubChannelId);
  }
  if (SubChannelId !== undefined) throw subChannelOfModeratorsOnly();
  if ((await call.tx.of(memberships).ofMember(channel, member)).length > 0) throw alreadyMember(MemberArn);
  return subChannelForNew(call, channel);
}

async function requireModerator({ tx }: Call, { channelKey }: ChannelRecord, member: string): Promise<void> {
  if ((await tx.of(standings).get(channelKey, 'moderator', member)) === undefined) throw subChannelOfModeratorsOnly();
}

function subChannelOfModeratorsOnly(): AwsError {
  return new AwsError('BadRequestException', 'SubChannelId is only for memberships of moderators.');
}

function alreadyMember(memberArn: string): AwsError {
  return new AwsError('ConflictException', `${memberArn} is already a member of the channel.`);
}

/**
 * Ends memberships in one channel.
 *
 * Emits: DELETE_CHANNEL_MEMBERSHIP of each, and what an elastic channel emits that becomes smaller.
 */
export async function removeMemberships(call: Call, channel: ChannelRecord, those: readonly MembershipRecord[]): Promise<void> {
  const { tx } = call;
  for (const membership of those) {
    await tx.of(memberships).remove(channel.channelKey, membership.subChannelId, membership.member);
    await call.emit<ChannelEvent>(await membershipEvent(tx, 'DELETE_CHANNEL_MEMBERSHIP', channel, membership));
    if (membership.subChannelId !== '') await scaleIn(call, channel, membership.subChannelId);
  }
}
