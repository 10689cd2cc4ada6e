/**
 * The second layer of authorization in messaging: after IAM, the bearer's role must also allow the operation. Requirements CHM-5, CHM-6.
 */
import { type AppInstanceMember, findMember, isAppInstanceAdmin, parseAppInstanceArn } from '../chime-kit/app-instances.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { type BearerOperation, type Facts, permitted, type Role } from './roles.ts';
import { isReservedForChime } from './room-rights.ts';
import { findChannel, missing } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

/** User or bot in `x-amz-chime-bearer`, on whose behalf the caller acts. */
export interface Bearer extends AppInstanceMember {
  /** Member key: `user/ada`. */
  readonly key: string;
  /** True if the user or bot is an administrator of its app instance. */
  readonly admin: boolean;
}

/** Bearer whose role allows an operation. */
export interface AdmittedBearer {
  readonly operation: BearerOperation;
  readonly bearer: Bearer;
}

/** Bearer whose role allows an operation in a channel. */
export interface Admitted extends AdmittedBearer {
  readonly channel: ChannelRecord;
  readonly roles: ReadonlySet<Role>;
}

/** Returns the member key of a user or bot: `user/ada`. */
export function memberKey({ type, id }: Pick<AppInstanceMember, 'type' | 'id'>): string {
  return `${type}/${id}`;
}

/**
 * Message for an invalid bearer. Source: security.md CHM-5, for a bearer that the service does not know. Assumed: an
 * absent bearer has the same message.
 */
const NO_BEARER = 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.';

/** @throws UnauthorizedClientException the bearer is absent, or does not exist in the caller's account and region */
export async function bearerOf(call: Call, chimeBearer: string | undefined): Promise<Bearer> {
  const member = chimeBearer === undefined ? undefined : await findMember(call.tx, call, chimeBearer);
  if (member === undefined) throw new AwsError('UnauthorizedClientException', NO_BEARER);
  return { ...member, key: memberKey(member), admin: await isAppInstanceAdmin(call.tx, call, member) };
}

/**
 * Returns the bearer of an operation on the bearer's app instance.
 *
 * @throws UnauthorizedClientException the bearer is absent or does not exist
 * @throws ForbiddenException          the input names another app instance, or the bearer's role does not allow the
 *   operation
 */
export async function admitToAppInstance(
  call: Call,
  operation: BearerOperation,
  input: { readonly ChimeBearer?: string; readonly AppInstanceArn?: string },
  about: (bearer: Bearer) => Partial<Facts> = () => ({}),
): Promise<AdmittedBearer> {
  const bearer = await bearerOf(call, input.ChimeBearer);
  const named = input.AppInstanceArn === undefined ? bearer.appInstanceId : appInstanceIdOf(input.AppInstanceArn);
  if (named !== bearer.appInstanceId) throw refused(operation);
  const roles = new Set<Role>(bearer.admin ? ['AppInstanceAdmin', 'NonMember'] : ['NonMember']);
  if (!permitted(operation, roles, { ...NO_FACTS, ...about(bearer) })) throw refused(operation);
  return { operation, bearer };
}

/** Returns the ID in the ARN of an app instance; undefined for every other ARN. */
function appInstanceIdOf(arn: string): string | undefined {
  const parts = parseAppInstanceArn(arn);
  return parts?.rest.length === 0 ? parts.appInstanceId : undefined;
}

/** Facts about an input that the bearer's rights depend on, except the facts about the channel. */
export type About = Partial<Pick<Facts, 'self' | 'own'>>;

/**
 * Finds the bearer and the channel, and checks that a role of the bearer allows the operation. Every operation of a
 * bearer in a channel starts with this check. `about` returns facts about the input and may read stored data. The error
 * for a refused operation does not reveal the stored data.
 *
 * If the input names a sub-channel of an elastic channel, only a bearer in this sub-channel counts as a member.
 *
 * Assumed: a ban removes all roles except AppInstanceAdmin. So a banned bearer may not use a PUBLIC channel either.
 * @throws UnauthorizedClientException the bearer is absent or does not exist
 * @throws ForbiddenException          no role allows the operation, the channel belongs to another app instance, or only Amazon Chime changes
 *   the channel
 * @throws AwsError                    the error that `missing` returns: the channel does not exist
 */
export async function admit(
  call: Call,
  operation: BearerOperation,
  input: { readonly ChimeBearer?: string | undefined; readonly ChannelArn: string; readonly SubChannelId?: string },
  about: (channel: ChannelRecord, bearer: Bearer) => About | Promise<About> = () => ({}),
): Promise<Admitted> {
  const { tx } = call;
  const bearer = await bearerOf(call, input.ChimeBearer);
  const channel = await findChannel(tx, call, input.ChannelArn);
  if (channel === undefined) throw missing(operation, `Channel '${input.ChannelArn}' does not exist.`);
  if (channel.appInstanceId !== bearer.appInstanceId) throw refused(operation);
  if (isReservedForChime(channel, operation)) throw refused(operation);
  const own = (await tx.of(memberships).ofMember(channel, bearer.key)).filter((each) => isHere(each, channel, input.SubChannelId));
  const roles = await rolesOf(call, channel, bearer, own.length > 0);
  const facts = {
    ...NO_FACTS,
    public: channel.privacy === 'PUBLIC',
    open: channel.document.mode === 'UNRESTRICTED',
    elastic: channel.document.elastic !== undefined,
    member: own.length > 0,
    ...(await about(channel, bearer)),
  };
  if (!permitted(operation, roles, facts)) throw refused(operation);
  return { operation, bearer, channel, roles };
}

const NO_FACTS: Facts = { public: false, open: false, elastic: false, self: false, own: false, member: false };

function isHere(membership: MembershipRecord, { document }: ChannelRecord, subChannelId: string | undefined): boolean {
  return document.elastic === undefined || subChannelId === undefined || membership.subChannelId === subChannelId;
}

async function rolesOf({ tx }: Call, { channelKey }: ChannelRecord, bearer: Bearer, isMember: boolean): Promise<ReadonlySet<Role>> {
  const roles = new Set<Role>();
  if (bearer.admin) roles.add('AppInstanceAdmin');
  if ((await tx.of(standings).get(channelKey, 'banned', bearer.key)) !== undefined) return roles;
  if ((await tx.of(standings).get(channelKey, 'moderator', bearer.key)) !== undefined) roles.add('ChannelModerator');
  if (isMember) roles.add('Member');
  return roles.add('NonMember');
}

/**
 * Returns the error for a bearer whose roles do not allow an operation. Source: security.md CHM-6: ForbiddenException.
 * Assumed: the wording of the error message.
 */
function refused(operation: BearerOperation): AwsError {
  return new AwsError('ForbiddenException', `The x-amz-chime-bearer is not permitted to perform ${operation} on this resource.`);
}

/**
 * Reports whether one of `roles` lets a bearer see hidden members. A bearer without such a role sees no hidden member
 * except itself.
 *
 * Source: API reference, CreateChannelMembership, Type: hidden members are "only supported by moderators".
 * Assumed: app instance admins also see hidden members. For other bearers, operations treat a hidden member as a user
 * that is not a member.
 */
export function seesHidden(roles: ReadonlySet<Role>): boolean {
  return roles.has('AppInstanceAdmin') || roles.has('ChannelModerator');
}

/** @throws ForbiddenException the bearer is neither a moderator nor an app instance admin */
export function requireSeesHidden({ operation, roles }: Admitted): void {
  if (!seesHidden(roles)) throw refused(operation);
}

/**
 * Returns the user or bot that an input names, which must be in the channel's app instance.
 *
 * Source: security.md CHM-5: an unknown user ARN in the input is 403. aws/amazon-chime-sdk-js issue 1148 has the error
 * message.
 * @throws ForbiddenException the user or bot does not exist
 */
export async function memberOrForbidden(
  call: Call,
  appInstanceId: string,
  memberArn: string,
): Promise<AppInstanceMember & { readonly key: string }> {
  const member = await findMember(call.tx, call, memberArn);
  if (member === undefined || member.appInstanceId !== appInstanceId) {
    throw new AwsError('ForbiddenException', 'An invalid app instance user ARN was supplied for the input parameter.');
  }
  return { ...member, key: memberKey(member) };
}
