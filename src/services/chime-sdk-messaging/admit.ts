/**
 * The second layer of authorization in messaging: after IAM, the bearer's role must also allow the operation. Requirements CHM-5, CHM-6.
 */
import { type AppInstanceMember, findMember, isAppInstanceAdmin, parseAppInstanceArn } from '../chime/app-instances.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { type BearerOperation, type Facts, permitted, type Role } from './roles.ts';
import { findChannel, missing } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

/** User or bot in `x-amz-chime-bearer`, on whose behalf the caller acts. */
export interface Bearer extends AppInstanceMember {
  /** Member key: `user/ada`. */
  readonly key: string;
  /** True if it administers its app instance. */
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

/** Source: security.md CHM-5, for a bearer that the service does not know. Assumed: the same message for an absent bearer. */
const NO_BEARER = 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.';

/** @throws UnauthorizedClientException the bearer is absent, or does not exist in the caller's account and region */
export async function bearerOf(call: Call, chimeBearer: string | undefined): Promise<Bearer> {
  const member = chimeBearer === undefined ? undefined : await findMember(call.tx, call, chimeBearer);
  if (member === undefined) throw new AwsError('UnauthorizedClientException', NO_BEARER);
  return { ...member, key: memberKey(member), admin: await isAppInstanceAdmin(call.tx, call, member) };
}

/**
 * Returns the bearer of an operation on its app instance.
 *
 * @throws UnauthorizedClientException as `bearerOf`
 * @throws ForbiddenException          the input names another app instance, or the bearer's role does not allow the operation
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

/** Facts about an input, other than the channel, that rights depend on. */
export type About = Partial<Pick<Facts, 'self' | 'own'>>;

/**
 * Finds the bearer and the channel, and checks that a role of the bearer allows the operation. Every operation of a bearer in a channel
 * starts with it. `about` may read the store. If the operation is refused, the response does not depend on the values that `about` read.
 *
 * In an elastic channel a bearer is a member of its own sub-channel only. It is not a member if the input names another sub-channel.
 *
 * Assumed: a banned bearer has no role, so a PUBLIC channel refuses it too.
 * @throws UnauthorizedClientException as `bearerOf` · as `missing`: the channel does not exist · ForbiddenException: no role allows it, or
 *   the channel belongs to another app instance
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

/** Source: security.md CHM-6: ForbiddenException. Assumed: the message. */
function refused(operation: BearerOperation): AwsError {
  return new AwsError('ForbiddenException', `The x-amz-chime-bearer is not permitted to perform ${operation} on this resource.`);
}

/**
 * Reports whether a bearer in these roles sees hidden members. Hidden members also see themselves.
 *
 * Source: API reference, CreateChannelMembership, Type: hidden members are "only supported by moderators".
 * Assumed: app instance admins see them too. To other bearers a hidden member is not a member.
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
 * Source: security.md CHM-5: an unknown user ARN in the input is 403. aws/amazon-chime-sdk-js issue 1148: the message.
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
