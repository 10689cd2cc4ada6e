/** The second layer of messaging: whether the bearer's role permits what IAM allowed. Requirements CHM-5, CHM-6. */
import { type AppInstanceMember, findMember, isAppInstanceAdmin } from '../chime/app-instances.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { channelOrMissing } from './found.ts';
import { type BearerOperation, type Facts, permitted, type Role } from './roles.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { standings } from './tables/standings.ts';

/** Who makes the call: the user or bot named in `x-amz-chime-bearer`. */
export interface Bearer extends AppInstanceMember {
  /** The member key, `user/ada`. */
  readonly key: string;
  readonly admin: boolean;
}

/** A bearer who may do what he asks for in a channel. */
export interface Admitted {
  readonly bearer: Bearer;
  readonly channel: ChannelRecord;
  readonly roles: ReadonlySet<Role>;
}

export function memberKey({ type, id }: Pick<AppInstanceMember, 'type' | 'id'>): string {
  return `${type}/${id}`;
}

/** Source: security.md CHM-5, of a bearer that the service does not know; so it is answered of none at all, too. */
const NO_BEARER = 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.';

/** @throws UnauthorizedClientException no bearer, or none in the caller's account and region */
export async function bearerOf(call: Call, chimeBearer: string | undefined): Promise<Bearer> {
  const member = chimeBearer === undefined ? undefined : await findMember(call.tx, call, chimeBearer);
  if (member === undefined) throw new AwsError('UnauthorizedClientException', NO_BEARER);
  return { ...member, key: memberKey(member), admin: await isAppInstanceAdmin(call.tx, call, member) };
}

/**
 * What a bearer may do in a whole app instance, and in no channel of it.
 *
 * @throws ForbiddenException it is another app instance than the bearer's, or his role does not permit it
 */
export async function admitToAppInstance(
  call: Call,
  operation: BearerOperation,
  { ChimeBearer }: { readonly ChimeBearer?: string },
  appInstanceId: (bearer: Bearer) => string | undefined,
  facts: (bearer: Bearer) => Partial<Facts> = () => ({}),
): Promise<Bearer> {
  const bearer = await bearerOf(call, ChimeBearer);
  if (appInstanceId(bearer) !== bearer.appInstanceId) throw refused(operation);
  const roles = new Set<Role>(bearer.admin ? ['AppInstanceAdmin', 'NonMember'] : ['NonMember']);
  if (!permitted(operation, roles, { ...NOTHING, ...facts(bearer) })) throw refused(operation);
  return bearer;
}

/** What an operation is about besides the channel, as far as rights depend on it. */
export type About = Partial<Pick<Facts, 'self' | 'own'>>;

/**
 * Finds the bearer and the channel, and asks whether a role of his permits the operation there. Everything a bearer does in a channel
 * begins with it. `about` may read; where it is refused whatever it says, nothing of what it found is told.
 *
 * In an elastic channel one is a member of one's own sub-channel: of another that the input names, one is none.
 *
 * Assumed: who is banned has no role at all, so that a PUBLIC channel is closed to him too.
 * @throws UnauthorizedClientException as `bearerOf` · what `missing` says: no such channel · ForbiddenException: no role permits it, the
 *   channel is of another app instance
 */
export async function admit(
  call: Call,
  operation: BearerOperation,
  input: { readonly ChimeBearer?: string; readonly ChannelArn: string; readonly SubChannelId?: string },
  about: About | ((channel: ChannelRecord, bearer: Bearer) => Promise<About>) = {},
): Promise<Admitted> {
  const { tx } = call;
  const bearer = await bearerOf(call, input.ChimeBearer);
  const channel = await channelOrMissing(tx, call, operation, input.ChannelArn);
  if (channel.appInstanceId !== bearer.appInstanceId) throw refused(operation);
  const own = (await tx.of(memberships).ofMember(channel, bearer.key)).filter((each) => isHere(each, channel, input.SubChannelId));
  const roles = await rolesOf(call, channel, bearer, own.length > 0);
  const facts = {
    ...NOTHING,
    public: channel.privacy === 'PUBLIC',
    open: channel.document.mode === 'UNRESTRICTED',
    member: own.length > 0,
    ...(typeof about === 'function' ? await about(channel, bearer) : about),
  };
  if (!permitted(operation, roles, facts)) throw refused(operation);
  return { bearer, channel, roles };
}

const NOTHING: Facts = { public: false, open: false, self: false, own: false, member: false };

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

/** Source: security.md CHM-6: ForbiddenException. Assumed: the text. */
function refused(operation: BearerOperation): AwsError {
  return new AwsError('ForbiddenException', `The x-amz-chime-bearer is not permitted to perform ${operation} here.`);
}

/**
 * Whether a bearer in these roles sees hidden members. Hidden members see themselves, too.
 *
 * Source: API reference, CreateChannelMembership, Type: hidden members are "only supported by moderators".
 * Assumed: app instance admins see them as moderators do. To others a hidden member is no member.
 */
export function seesHidden(roles: ReadonlySet<Role>): boolean {
  return roles.has('AppInstanceAdmin') || roles.has('ChannelModerator');
}

/** @throws ForbiddenException the bearer is neither a moderator nor an app instance admin */
export function requireSeesHidden(operation: BearerOperation, roles: ReadonlySet<Role>): void {
  if (!seesHidden(roles)) throw refused(operation);
}

/**
 * A user or a bot that an input names, of the channel's app instance.
 *
 * Source: security.md CHM-5: a user ARN in the input that is none is 403. Assumed: the text.
 * @throws ForbiddenException there is none
 */
export async function memberOrForbidden(
  call: Call,
  appInstanceId: string,
  memberArn: string,
): Promise<AppInstanceMember & { readonly key: string }> {
  const member = await findMember(call.tx, call, memberArn);
  if (member === undefined || member.appInstanceId !== appInstanceId) {
    throw new AwsError('ForbiddenException', `${memberArn} is no user and no bot of the app instance.`);
  }
  return { ...member, key: memberKey(member) };
}
