import { type Instant, instant } from '#core/instant.ts';
import type { ChimeSdkMessagingApi, CreateChannelRequest, ElasticChannelConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import { parseAppInstanceArn } from '../chime/app-instances.ts';
import type { ChannelEvent } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import { requireTags, withTags } from '../chime/tags.ts';
import { once } from '../kit/once.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onBearer, onChannel, onEach, onMaking } from './access.ts';
import { admit, admitToAppInstance, type Bearer, memberKey, memberOrForbidden } from './admit.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { channelArn, named, toChannel, toChannelSummary, toExpirationSettings } from './found.ts';
import { addMember } from './memberships.ts';
import { addModerator } from './moderators.ts';
import { type ChannelDocument, type ChannelRecord, channels } from './tables/channels.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type ChannelOperations = Pick<
  Operations,
  | 'CreateChannel'
  | 'DescribeChannel'
  | 'UpdateChannel'
  | 'DeleteChannel'
  | 'ListChannels'
  | 'SearchChannels'
  | 'PutChannelExpirationSettings'
>;

/** Making, reading, changing, finding and removing channels. Source: chime-sdk-messaging 2021-05-15. */
export function channelOperations(deps: MessagingDeps): ChannelOperations {
  return {
    /**
     * Makes a channel, whose bearer becomes its member and moderator; of an elastic one the moderator alone.
     *
     * Source: Chime SDK Developer Guide, "Creating elastic channels"; security.md EVAL-9, of expiration settings.
     * Assumed: without Mode and Privacy a channel is RESTRICTED and PRIVATE.
     * @throws UnauthorizedClientException    no such bearer
     * @throws ForbiddenException             another app instance than the bearer's; a member or moderator who is not in it
     * @throws ConflictException              the token made another channel; the channel id is taken
     * @throws BadRequestException            a tag that cannot be; what an elastic channel cannot have
     * @throws ResourceLimitExceededException more members or moderators than a channel may have
     *
     * Emits: CREATE_CHANNEL, and what memberships and moderators emit.
     */
    CreateChannel: {
      access(input, caller) {
        const pattern = `${input.AppInstanceArn}/channel/${input.ChannelId ?? '*'}`;
        const making = onMaking(caller, 'CreateChannel', input.ChimeBearer, pattern, input.Tags);
        if (input.ExpirationSettings === undefined) return making;
        return [...making, onEach(caller, 'chime:PutChannelExpirationSettings', [input.ChimeBearer, pattern])];
      },
      async handle(call, input) {
        const bearer = await admitToAppInstance(call, 'CreateChannel', input, () => appInstanceIdOf(input.AppInstanceArn));
        const { tx, accountId, region } = call;
        const channelId = await once(
          call,
          'chime:CreateChannel',
          { ...input, ClientRequestToken: `${input.ChimeBearer} ${input.ClientRequestToken}` },
          async (made) => (await tx.of(channels).get(accountId, region, bearer.appInstanceId, made)) !== undefined,
          () => makeChannel(call, deps, bearer, input),
        );
        return { ChannelArn: `${input.AppInstanceArn}/channel/${channelId}` };
      },
    },

    DescribeChannel: {
      access: onChannel('DescribeChannel'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DescribeChannel', input);
        return { Channel: await toChannel(call.tx, channel) };
      },
    },

    /**
     * Assumed: what the request leaves out stays.
     * @throws BadRequestException an elastic channel is to be UNRESTRICTED
     *
     * Emits: UPDATE_CHANNEL.
     */
    UpdateChannel: {
      access: onChannel('UpdateChannel'),
      async handle(call, input) {
        const { channel } = await admit(call, 'UpdateChannel', input);
        const { document } = channel;
        if (document.elastic !== undefined && input.Mode === 'UNRESTRICTED') throw elasticUnrestricted();
        const changed: ChannelRecord = {
          ...channel,
          updatedAt: call.now,
          document: {
            ...document,
            name: input.Name ?? document.name,
            mode: input.Mode ?? document.mode,
            ...(input.Metadata !== undefined && { metadata: input.Metadata }),
          },
        };
        await call.tx.of(channels).put(changed);
        await call.emit<ChannelEvent>({ type: 'UPDATE_CHANNEL', ...named(changed), channel: await toChannel(call.tx, changed) });
        return { ChannelArn: channelArn(changed) };
      },
    },

    /**
     * Removes a channel with all that is in it: nothing finds it from now on.
     *
     * Emits: DELETE_CHANNEL.
     */
    DeleteChannel: {
      access: onChannel('DeleteChannel'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DeleteChannel', input);
        await call.emit<ChannelEvent>({ type: 'DELETE_CHANNEL', ...named(channel), channel: await toChannel(call.tx, channel) });
        await call.tx.of(channels).remove(channel);
        return {};
      },
    },

    /**
     * A page of the channels of an app instance, in the order of their ids. Who does not administer it sees the public ones.
     *
     * Source: API reference, ListChannels: "Only an AppInstanceAdmin can set privacy = PRIVATE".
     * Assumed: without Privacy an administrator sees all, and everybody else the public ones.
     * @throws ForbiddenException another app instance than the bearer's; private channels, by who is no administrator
     * @throws BadRequestException a token of another question
     */
    ListChannels: {
      access: onBearer('ListChannels'),
      async handle(call, input) {
        const isPublic = { public: input.Privacy !== 'PRIVATE' };
        const bearer = await admitToAppInstance(
          call,
          'ListChannels',
          input,
          () => appInstanceIdOf(input.AppInstanceArn),
          () => isPublic,
        );
        const privacy = input.Privacy ?? (bearer.admin ? undefined : 'PUBLIC');
        const { things, rest } = await pageOf(
          `${input.AppInstanceArn} ${privacy ?? 'ALL'}`,
          input,
          (limit, after) => call.tx.of(channels).list(bearer.appInstanceId, privacy, limit, after),
          ({ channelId }) => channelId,
        );
        return { Channels: things.map(toChannelSummary), ...rest };
      },
    },

    /**
     * A page of the channels that members are in. Who does not administer the app instance searches his own channels.
     *
     * Source: API reference, SearchChannels, SearchField: INCLUDES, all of the values are members; EQUALS, and nobody else is.
     * Assumed: several fields are all to hold, and EQUALS of one counts for all; elastic channels are not searched. Hidden members
     * other than the bearer count for an app instance admin only.
     * @throws ForbiddenException a value is no user and no bot of the bearer's app instance
     * @throws BadRequestException a token of another question
     */
    SearchChannels: {
      access: onBearer('SearchChannels'),
      async handle(call, input) {
        const bearer = await admitToAppInstance(call, 'SearchChannels', input, ({ appInstanceId }) => appInstanceId);
        const members = new Set<string>();
        for (const value of input.Fields.flatMap(({ Values }) => Values)) {
          members.add((await memberOrForbidden(call, bearer.appInstanceId, value)).key);
        }
        const exactly = input.Fields.some(({ Operator }) => Operator === 'EQUALS');
        const { key, admin } = bearer;
        // The bearer learns nothing of other users' channels, not even that they have no other member.
        if (exactly && !admin && !members.has(key)) return { Channels: [] };
        if (!admin) members.add(key);
        const wanted = [...members].sort();
        const { things, rest } = await pageOf(
          JSON.stringify(['SearchChannels', bearer.arn, exactly, wanted]),
          input,
          (limit, after) => call.tx.of(channels).search(bearer.appInstanceId, wanted, exactly, limit, after, admin ? undefined : key),
          ({ channelKey }) => channelKey,
        );
        return { Channels: things.map(toChannelSummary), ...rest };
      },
    },

    /**
     * Says when a channel is to go by itself; without settings, never.
     *
     * Source: API reference, PutChannelExpirationSettings: an expired channel that is still there is as before, and new settings hold.
     */
    PutChannelExpirationSettings: {
      access: onChannel('PutChannelExpirationSettings'),
      async handle(call, input) {
        const { channel } = await admit(call, 'PutChannelExpirationSettings', input);
        const { ExpirationSettings } = input;
        const { expiration: _, ...document } = channel.document;
        const changed = {
          ...channel,
          updatedAt: call.now,
          document: ExpirationSettings === undefined ? document : { ...document, expiration: toExpiration(ExpirationSettings) },
        };
        await call.tx.of(channels).put(withExpiry(changed));
        return { ChannelArn: channelArn(changed), ...(ExpirationSettings !== undefined && { ExpirationSettings }) };
      },
    },
  };
}

/** When a channel goes by itself, after its expiration settings; a channel without any never does. */
export function expiryOf({ createdAt, lastMessageAt, document }: ChannelRecord): Instant | undefined {
  if (document.expiration === undefined) return undefined;
  const { ExpirationDays, ExpirationCriterion } = toExpirationSettings(document.expiration);
  const from = ExpirationCriterion === 'LAST_MESSAGE_TIMESTAMP' ? (lastMessageAt ?? createdAt) : createdAt;
  return instant(from + ExpirationDays * DAY_MS);
}

const DAY_MS = 24 * 60 * 60_000;

function withExpiry({ expiresAt: _, ...channel }: ChannelRecord): ChannelRecord {
  const expiresAt = expiryOf(channel);
  return { ...channel, ...(expiresAt !== undefined && { expiresAt }) };
}

function toExpiration({ ExpirationDays, ExpirationCriterion }: NonNullable<CreateChannelRequest['ExpirationSettings']>) {
  return { days: ExpirationDays, criterion: ExpirationCriterion };
}

/** The app instance of exactly its own ARN. */
function appInstanceIdOf(appInstanceArn: string): string | undefined {
  const parts = parseAppInstanceArn(appInstanceArn);
  return parts?.rest.length === 0 ? parts.appInstanceId : undefined;
}

async function makeChannel(call: Call, deps: MessagingDeps, bearer: Bearer, input: CreateChannelRequest): Promise<string> {
  const { tx, now, accountId, region } = call;
  const { ElasticChannelConfiguration: elastic, MemberArns = [], ModeratorArns = [] } = input;
  requireTags(input.Tags ?? []);
  if (elastic !== undefined) requireElastic(deps, elastic, input);

  const document: ChannelDocument = {
    name: input.Name,
    mode: input.Mode ?? 'RESTRICTED',
    ...(input.Metadata !== undefined && { metadata: input.Metadata }),
    createdBy: bearer.key,
    ...(elastic && {
      elastic: {
        maximumSubChannels: elastic.MaximumSubChannels,
        targetMemberships: elastic.TargetMembershipsPerSubChannel,
        minimumPercentage: elastic.MinimumMembershipPercentage,
      },
    }),
    ...(input.ExpirationSettings && { expiration: toExpiration(input.ExpirationSettings) }),
  };
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
    document,
  });
  if ((await tx.of(channels).add(channel)) === 'exists') {
    throw new AwsError('ConflictException', `Channel ${channelArn(channel)} already exists.`);
  }
  await call.emit<ChannelEvent>({ type: 'CREATE_CHANNEL', ...named(channel), channel: await toChannel(tx, channel) });

  // Who is named twice, or is the bearer, is one.
  const moderators = new Map([[bearer.key, bearer.arn]]);
  for (const arn of ModeratorArns) moderators.set(memberKey(await memberOrForbidden(call, channel.appInstanceId, arn)), arn);
  for (const arn of moderators.values()) await addModerator(call, deps, channel, bearer, arn);
  if (elastic !== undefined) return channel.channelId;
  const members = new Map([[bearer.key, bearer.arn]]);
  for (const arn of MemberArns) members.set(memberKey(await memberOrForbidden(call, channel.appInstanceId, arn)), arn);
  for (const MemberArn of members.values()) await addMember(call, deps, channel, bearer, { MemberArn, Type: 'DEFAULT' });
  return channel.channelId;
}

/**
 * Source: Chime SDK Developer Guide, "Creating elastic channels": no members, and never UNRESTRICTED.
 * Assumed: the texts; that a sub-channel may be no larger and no more numerous than the limits.
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

function elasticUnrestricted(): AwsError {
  return new AwsError('BadRequestException', 'An elastic channel cannot be UNRESTRICTED.');
}
