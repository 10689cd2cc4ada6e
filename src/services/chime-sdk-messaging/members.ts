/** Memberships of channels: finding, adding and deleting them. The operations are in `memberships.ts`. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMembershipType } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { type Admitted, memberOrForbidden, seesHidden } from './admit.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { membershipEvent } from './membership-events.ts';
import { memberKeyIn, missing } from './stored-channels.ts';
import { scaleIn, subChannelForNew, subChannelOf } from './sub-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

/** Returns the memberships of a user or bot, in one sub-channel or in all sub-channels. */
export async function membershipsOf(
  { tx }: Call,
  channel: ChannelRecord,
  memberArn: string,
  subChannelId?: string,
): Promise<readonly MembershipRecord[]> {
  const key = memberKeyIn(channel, memberArn);
  const found = key === undefined ? [] : await tx.of(memberships).ofMember(channel, key);
  return subChannelId === undefined ? found : found.filter((each) => each.subChannelId === subChannelId);
}

/**
 * Returns those memberships of a user or bot that the bearer may see. A moderator or app instance admin sees all hidden
 * memberships. Other bearers see only their own hidden membership.
 */
export async function visibleMembershipsOf(
  call: Call,
  { bearer, channel, roles }: Admitted,
  memberArn: string,
  subChannelId?: string,
): Promise<readonly MembershipRecord[]> {
  const found = await membershipsOf(call, channel, memberArn, subChannelId);
  return seesHidden(roles) ? found : found.filter(({ type, member }) => type !== 'HIDDEN' || member === bearer.key);
}

/** Returns the error for a user or bot that is not a member. Assumed: the wording of the error message. */
export function notMember({ operation }: Pick<Admitted, 'operation'>, memberArn: string): AwsError {
  return missing(operation, `'${memberArn}' is not a member of the channel.`);
}

/** Bearer that adds members to a channel, with the bearer's roles in this channel. */
type Inviter = Pick<Admitted, 'bearer' | 'channel' | 'roles'>;

/** Fields of an input that describe a new membership. */
export interface NewMember {
  readonly MemberArn: string;
  readonly Type: ChannelMembershipType;
  readonly SubChannelId?: string;
}

/**
 * Adds a member to a channel.
 *
 * Source: API reference, CreateChannelBan: a banned user cannot be added. Chime SDK Developer Guide, "Managing elastic
 * channel members".
 * @throws AwsError in the same cases as CreateChannelMembership
 *
 * Emits: CREATE_CHANNEL_MEMBERSHIP, unless `emits` is false because the caller emits one event for several members.
 */
export async function addMember(
  call: Call,
  deps: MessagingDeps,
  inviter: Inviter,
  { MemberArn, Type, SubChannelId }: NewMember,
  emits = true,
): Promise<MembershipRecord> {
  const { tx, now } = call;
  const { bearer, channel } = inviter;
  const { channelKey, appInstanceId } = channel;
  const { key } = await memberOrForbidden(call, appInstanceId, MemberArn);
  await requireNotExcluded(call, inviter, key, MemberArn);
  const { limits } = deps;
  const most = channel.document.elastic === undefined ? limits.membershipsOfChannel : limits.membershipsOfElasticChannel;
  if ((await tx.of(memberships).count(channelKey, most)) >= most) {
    throw new AwsError('ResourceLimitExceededException', `The channel has the maximum of ${most} memberships.`);
  }
  const membership: MembershipRecord = {
    channelKey,
    subChannelId: await placeFor(call, channel, key, omitUndefined({ MemberArn, Type, SubChannelId })),
    member: key,
    appInstanceId,
    type: Type,
    invitedBy: bearer.key,
    createdAt: now,
    updatedAt: now,
  };
  if ((await tx.of(memberships).add(membership)) === 'exists') throw alreadyMember(MemberArn);
  if (emits) await call.emit<ChannelEvent>(await membershipEvent(tx, 'CREATE_CHANNEL_MEMBERSHIP', channel, membership));
  return membership;
}

/**
 * Checks that a user or bot is not banned. A bearer that does not see hidden members gets the same error for a banned
 * user and for a hidden member.
 *
 * Assumed: (1) The wording of the error messages. (2) The error for a hidden member. AWS documents ConflictException
 * for a user that is already a member, but this error would reveal a hidden member.
 * @throws ForbiddenException
 */
async function requireNotExcluded(call: Call, { bearer, channel, roles }: Inviter, key: string, memberArn: string): Promise<void> {
  const { tx } = call;
  const banned = (await tx.of(standings).get(channel.channelKey, 'banned', key)) !== undefined;
  if (seesHidden(roles) || key === bearer.key) {
    if (banned) throw new AwsError('ForbiddenException', `'${memberArn}' is banned from the channel.`);
  } else if (banned || (await tx.of(memberships).ofMember(channel, key)).some(({ type }) => type === 'HIDDEN')) {
    throw new AwsError('ForbiddenException', `'${memberArn}' cannot be added to the channel.`);
  }
}

/** Returns the sub-channel of a new membership; `''` if the channel is not elastic. */
async function placeFor(call: Call, channel: ChannelRecord, member: string, added: NewMember): Promise<string> {
  const { MemberArn, Type, SubChannelId } = added;
  if (channel.document.elastic === undefined) return SubChannelId === undefined ? '' : subChannelOf(call, channel, SubChannelId);
  if (Type === 'HIDDEN') throw new AwsError('BadRequestException', 'An elastic channel cannot have hidden members.');
  if ((await call.tx.of(standings).get(channel.channelKey, 'moderator', member)) !== undefined) {
    return subChannelOf(call, channel, SubChannelId);
  }
  if (SubChannelId !== undefined) throw subChannelOfModeratorsOnly();
  if ((await call.tx.of(memberships).ofMember(channel, member)).length > 0) throw alreadyMember(MemberArn);
  return subChannelForNew(call, channel);
}

/**
 * Checks that a member of an elastic channel is a moderator of the channel. Only a request about a moderator may name a
 * sub-channel.
 *
 * @throws BadRequestException the member is not a moderator
 */
export async function requireModerator({ tx }: Call, { channelKey }: ChannelRecord, member: string): Promise<void> {
  if ((await tx.of(standings).get(channelKey, 'moderator', member)) === undefined) throw subChannelOfModeratorsOnly();
}

function subChannelOfModeratorsOnly(): AwsError {
  return new AwsError('BadRequestException', 'SubChannelId is valid only for memberships of moderators.');
}

function alreadyMember(memberArn: string): AwsError {
  return new AwsError('ConflictException', `'${memberArn}' is already a member of the channel.`);
}

/**
 * Deletes memberships of one channel.
 *
 * Emits: DELETE_CHANNEL_MEMBERSHIP for each deleted membership. In an elastic channel also emits the events of
 * `scaleIn`.
 */
export async function removeMemberships(call: Call, channel: ChannelRecord, removed: readonly MembershipRecord[]): Promise<void> {
  const { tx } = call;
  for (const membership of removed) {
    await tx.of(memberships).remove(channel.channelKey, membership.subChannelId, membership.member);
    await call.emit<ChannelEvent>(await membershipEvent(tx, 'DELETE_CHANNEL_MEMBERSHIP', channel, membership));
    if (membership.subChannelId !== '') await scaleIn(call, channel, membership.subChannelId);
  }
}
