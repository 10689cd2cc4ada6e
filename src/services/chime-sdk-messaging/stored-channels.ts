/** Functions that find stored channels, and convert them to the shapes of the model. */
import type { AccountId } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Channel, ChannelSummary, ChimeSdkMessagingApi, Identity } from '#model/generated/chime-sdk-messaging.ts';
import { loadModel } from '#model/load.ts';
import type { Tx } from '#store/store.ts';
import { appInstanceArn, findMember, type Where } from '../chime-kit/app-instances.ts';
import { botsOf, CHIME_BOT } from '../chime-kit/chime-bots.ts';
import type { ChannelNames } from '../chime-kit/events.ts';
import { AwsError } from './errors.ts';
import { inAppInstanceArn, namedBy } from './kinds.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/**
 * Returns the error for a resource that does not exist: NotFoundException if the operation has it in the model,
 * otherwise ForbiddenException.
 *
 * Assumed: (1) Operations without NotFoundException in the model return ForbiddenException. (2) The wording of the
 * error messages.
 */
export function missing(operation: keyof ChimeSdkMessagingApi, message: string): AwsError {
  const modeled = loadModel('chime-sdk-messaging').operations[operation]?.errors.includes('NotFoundException') ?? false;
  return new AwsError(modeled ? 'NotFoundException' : 'ForbiddenException', message);
}

/** Returns the channel of an ARN in the caller's account and region; undefined for every other ARN. */
export async function findChannel(tx: Tx, caller: Where, arn: string): Promise<ChannelRecord | undefined> {
  const parts = namedBy(caller, 'channel', arn);
  return parts && (await tx.of(channels).get(caller.accountId as ChannelRecord['accountId'], caller.region, parts.appInstanceId, parts.id));
}

/** Returns the fields of a channel event that identify the channel. */
export function named({ accountId, region, appInstanceId, channelId }: ChannelRecord): ChannelNames {
  return { accountId, region, appInstanceId, channelId };
}

/** Returns the ARN of a stored channel. */
export function channelArn(channel: ChannelRecord): string {
  return inAppInstanceArn(channel, 'channel', channel.channelId);
}

/**
 * Returns the member key in an ARN, if it is the ARN of a user or bot in the channel's app instance; otherwise
 * undefined. The user or bot need not exist.
 */
export function memberKeyIn(channel: ChannelRecord, memberArn: string): string | undefined {
  const prefix = `${appInstanceArn(channel, channel.appInstanceId)}/`;
  return memberArn.startsWith(prefix) ? memberArn.slice(prefix.length) : undefined;
}

/** Returns the identity of the user or bot with a member key like `user/ada`. A deleted user or bot has no `Name`. */
export async function toIdentity(tx: Tx, place: IdentityPlace, memberKey: string): Promise<Identity> {
  const Arn = `${appInstanceArn(place, place.appInstanceId)}/${memberKey}`;
  return omitUndefined({ Arn, Name: (await findMember(tx, place, Arn))?.name ?? (await roomBotName(tx, place, memberKey)) });
}

/** App instance of users and bots, or a channel in it. */
type IdentityPlace = Where & { readonly appInstanceId: string } & Partial<Pick<ChannelRecord, 'document'>>;

/** Returns the name of a bot that is in the room of a channel. It is a bot of Amazon Chime, and not of the app instance. */
async function roomBotName(tx: Tx, { accountId, document }: IdentityPlace, memberKey: string): Promise<string | undefined> {
  if (document?.room === undefined || !memberKey.startsWith('bot/')) return undefined;
  const owner = { accountId: accountId as AccountId, ...document.room };
  return (await tx.resources.get(CHIME_BOT, { ...botsOf(owner), id: memberKey.slice('bot/'.length) }))?.document.DisplayName;
}

/**
 * Reads the identity of each user or bot in `memberKeys` once. Returns a function that returns the identity for a
 * member key.
 */
export async function toIdentities(tx: Tx, place: IdentityPlace, memberKeys: Iterable<string>): Promise<(memberKey: string) => Identity> {
  const found = new Map<string, Identity>();
  for (const key of new Set(memberKeys)) found.set(key, await toIdentity(tx, place, key));
  return (key) => found.get(key) as Identity;
}

/** Returns a channel in the shape of the model. */
export async function toChannel(tx: Tx, channel: ChannelRecord): Promise<Channel> {
  const { elastic, expiration, createdBy } = channel.document;
  return omitUndefined({
    ...toChannelSummary(channel),
    CreatedBy: await toIdentity(tx, channel, createdBy),
    CreatedTimestamp: channel.createdAt,
    LastUpdatedTimestamp: channel.updatedAt,
    ChannelFlowArn: channel.flowId && inAppInstanceArn(channel, 'channel-flow', channel.flowId),
    ElasticChannelConfiguration: elastic && {
      MaximumSubChannels: elastic.maximumSubChannels,
      TargetMembershipsPerSubChannel: elastic.targetMemberships,
      MinimumMembershipPercentage: elastic.minimumPercentage,
    },
    ExpirationSettings: expiration && toExpirationSettings(expiration),
  });
}

/** Returns stored expiration settings in the shape of the model. */
export function toExpirationSettings({ days, criterion }: NonNullable<ChannelRecord['document']['expiration']>) {
  return { ExpirationDays: days, ExpirationCriterion: criterion as 'CREATED_TIMESTAMP' | 'LAST_MESSAGE_TIMESTAMP' };
}

/** Returns a channel in the shape of an item of most list responses. */
export function toChannelSummary(channel: ChannelRecord): ChannelSummary {
  return omitUndefined({ ...toAssociatedChannel(channel), LastMessageTimestamp: channel.lastMessageAt });
}

/** Returns a channel in the shape of an item of ListChannelsAssociatedWithChannelFlow. */
export function toAssociatedChannel(channel: ChannelRecord): Omit<ChannelSummary, 'LastMessageTimestamp'> {
  const { name, mode, metadata } = channel.document;
  return omitUndefined({
    Name: name,
    ChannelArn: channelArn(channel),
    Mode: mode as NonNullable<ChannelSummary['Mode']>,
    Privacy: channel.privacy as NonNullable<ChannelSummary['Privacy']>,
    Metadata: metadata,
  });
}
