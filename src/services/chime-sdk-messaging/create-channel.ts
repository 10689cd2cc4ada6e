/** Creation of channels with their first members and moderators. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CreateChannelRequest, ElasticChannelConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import { isChimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { requireTags, withTags } from '../chime-kit/tags.ts';
import { once } from '../kit/once.ts';
import type { Call, Caller, DeclaredAccess } from '../kit/operation.ts';
import { onArns, onNewIn } from './access.ts';
import { type Bearer, memberKey, memberOrForbidden } from './admit.ts';
import { inOwnAppInstance } from './bearer-operations.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { toExpiration, withExpiry } from './expiration.ts';
import { addMember } from './members.ts';
import { addModerator } from './moderators.ts';
import type { Role } from './roles.ts';
import { channelArn, named, toChannel } from './stored-channels.ts';
import { type ChannelDocument, channels } from './tables/channels.ts';

export function createChannelOperation(deps: MessagingDeps) {
  return inOwnAppInstance({
    /**
     * Creates a channel. The bearer becomes a moderator of the channel. Unless the channel is elastic, the bearer also
     * becomes a member.
     *
     * Source: Chime SDK Developer Guide, "Creating elastic channels"; chime-sdk-messaging 2021-05-15.
     * Assumed: by default a channel is RESTRICTED and PRIVATE.
     * @throws ForbiddenException             a member or moderator is not in the app instance
     * @throws ConflictException              the token was used for a different channel, or the channel ID is in use
     * @throws BadRequestException            a channel ID in the app instance of Amazon Chime, whose rooms have theirs · an invalid tag, or a member that an elastic channel cannot have
     * @throws ResourceLimitExceededException more members or moderators than a channel can have
     *
     * Emits: CREATE_CHANNEL, and CREATE_CHANNEL_MODERATOR or CREATE_CHANNEL_MEMBERSHIP for each moderator or member.
     */
    CreateChannel: {
      access: onNewChannel,
      async handle(call, input, { operation, bearer }) {
        const { tx, accountId, region } = call;
        if (input.ChannelId !== undefined && isChimeAppInstance(call, bearer.appInstanceId))
          throw new AwsError('BadRequestException', 'A channel in the app instance of Amazon Chime cannot be created with ChannelId.');
        const channelId = await once(
          call,
          `chime:${operation}`,
          { ...input, ClientRequestToken: `${input.ChimeBearer} ${input.ClientRequestToken}` },
          async (id) => (await tx.of(channels).get(accountId, region, bearer.appInstanceId, id)) !== undefined,
          () => createChannel(call, deps, bearer, input),
        );
        return { ChannelArn: `${input.AppInstanceArn}/channel/${channelId}` };
      },
    },
  });
}

/**
 * Returns the permissions that a request requires. Source: security.md EVAL-9: a request with expiration settings also
 * requires chime:PutChannelExpirationSettings.
 */
function onNewChannel(input: CreateChannelRequest, caller: Caller): readonly DeclaredAccess[] {
  const pattern = `${input.AppInstanceArn}/channel/${input.ChannelId ?? '*'}`;
  const create = onNewIn(caller, input.ChimeBearer, pattern, input.Tags);
  if (input.ExpirationSettings === undefined) return create;
  return [...create, { action: 'chime:PutChannelExpirationSettings', ...onArns(caller, input.ChimeBearer, pattern) }];
}

/** Creates a channel with its first moderators and members. Returns the ID of the channel. */
async function createChannel(call: Call, deps: MessagingDeps, bearer: Bearer, input: CreateChannelRequest): Promise<string> {
  const { tx, now, accountId, region } = call;
  const { ElasticChannelConfiguration: elastic, MemberArns = [], ModeratorArns = [] } = input;
  requireTags(input.Tags ?? []);
  if (elastic !== undefined) requireElastic(deps, elastic, input);

  const channel = withExpiry({
    accountId,
    region,
    appInstanceId: bearer.appInstanceId,
    channelId: input.ChannelId ?? call.newId(),
    channelKey: call.newId(),
    privacy: input.Privacy ?? 'PRIVATE',
    createdAt: now,
    updatedAt: now,
    tags: withTags([], input.Tags ?? []),
    document: toDocument(input, bearer),
  });
  if ((await tx.of(channels).add(channel)) === 'exists') {
    throw new AwsError('ConflictException', `Channel '${channelArn(channel)}' already exists.`);
  }
  await call.emit<ChannelEvent>({ type: 'CREATE_CHANNEL', ...named(channel), channel: await toChannel(tx, channel) });

  const moderators = await distinct(call, bearer, ModeratorArns);
  for (const arn of moderators) await addModerator(call, deps, channel, bearer, arn);
  if (elastic !== undefined) return channel.channelId;
  const members = await distinct(call, bearer, MemberArns);
  const inviter = { bearer, channel, roles: new Set<Role>(['ChannelModerator']) };
  for (const MemberArn of members) await addMember(call, deps, inviter, { MemberArn, Type: 'DEFAULT' });
  return channel.channelId;
}

function toDocument(input: CreateChannelRequest, bearer: Bearer): ChannelDocument {
  const { ElasticChannelConfiguration: elastic, ExpirationSettings } = input;
  return omitUndefined({
    name: input.Name,
    mode: input.Mode ?? 'RESTRICTED',
    metadata: input.Metadata,
    createdBy: bearer.key,
    elastic: elastic && {
      maximumSubChannels: elastic.MaximumSubChannels,
      targetMemberships: elastic.TargetMembershipsPerSubChannel,
      minimumPercentage: elastic.MinimumMembershipPercentage,
    },
    expiration: ExpirationSettings && toExpiration(ExpirationSettings),
  });
}

/**
 * Returns the ARN of the bearer and the ARNs in `arns`, without duplicates.
 *
 * @throws ForbiddenException a user or bot in `arns` does not exist in the app instance
 */
async function distinct(call: Call, bearer: Bearer, arns: readonly string[]): Promise<readonly string[]> {
  const byKey = new Map([[bearer.key, bearer.arn]]);
  for (const arn of arns) byKey.set(memberKey(await memberOrForbidden(call, bearer.appInstanceId, arn)), arn);
  return [...byKey.values()];
}

/**
 * Checks the request for an elastic channel.
 *
 * Source: Chime SDK Developer Guide, "Creating elastic channels": the request has no members, and the channel is never
 * UNRESTRICTED.
 * Assumed: (1) The wording of the error messages. (2) The limits of the account apply to the number and size of
 * sub-channels.
 */
function requireElastic({ limits }: MessagingDeps, elastic: ElasticChannelConfiguration, { Mode, MemberArns }: CreateChannelRequest): void {
  if (Mode === 'UNRESTRICTED') throw elasticUnrestricted();
  if (MemberArns !== undefined) throw new AwsError('BadRequestException', 'An elastic channel cannot be created with MemberArns.');
  if (elastic.MaximumSubChannels > limits.subChannels) {
    throw new AwsError('BadRequestException', `MaximumSubChannels must be at most ${limits.subChannels}.`);
  }
  if (elastic.TargetMembershipsPerSubChannel > limits.membershipsOfSubChannel) {
    throw new AwsError('BadRequestException', `TargetMembershipsPerSubChannel must be at most ${limits.membershipsOfSubChannel}.`);
  }
}

/** Returns the error for an elastic channel that would be UNRESTRICTED. */
export function elasticUnrestricted(): AwsError {
  return new AwsError('BadRequestException', 'An elastic channel cannot be UNRESTRICTED.');
}
