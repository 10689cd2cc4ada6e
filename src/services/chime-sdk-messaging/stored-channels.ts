/** Stored channels: how operations find them, and the shapes of the model. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Channel, ChannelSummary, ChimeSdkMessagingApi, Identity } from '#model/generated/chime-sdk-messaging.ts';
import { loadModel } from '#model/load.ts';
import type { Tx } from '#store/store.ts';
import { appInstanceArn, findMember, type Where } from '../chime/app-instances.ts';
import type { ChannelNames } from '../chime/events.ts';
import { AwsError } from './errors.ts';
import { inAppInstanceArn, namedBy } from './kinds.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/**
 * Returns the error for a resource that does not exist.
 *
 * Assumed: ForbiddenException for operations without NotFoundException in the model; the messages.
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

/** Returns the members of a channel event that identify its channel. */
export function named({ accountId, region, appInstanceId, channelId }: ChannelRecord): ChannelNames {
  return { accountId, region, appInstanceId, channelId };
}

/** Returns the ARN of a stored channel. */
export function channelArn(channel: ChannelRecord): string {
  return inAppInstanceArn(channel, 'channel', channel.channelId);
}

/** Returns the member key in the ARN of a user or bot of the channel's app instance, which may not exist; undefined for other ARNs. */
export function memberKeyIn(channel: ChannelRecord, memberArn: string): string | undefined {
  const prefix = `${appInstanceArn(channel, channel.appInstanceId)}/`;
  return memberArn.startsWith(prefix) ? memberArn.slice(prefix.length) : undefined;
}

/** Returns the user or bot of a member key, in the app instance of `place`. A deleted one has no name. */
export async function toIdentity(tx: Tx, place: Where & { readonly appInstanceId: string }, memberKey: string): Promise<Identity> {
  const Arn = `${appInstanceArn(place, place.appInstanceId)}/${memberKey}`;
  return omitUndefined({ Arn, Name: (await findMember(tx, place, Arn))?.name });
}

/** Returns a function that works as `toIdentity` for the passed member keys. It reads each user or bot once. */
export async function toIdentities(
  tx: Tx,
  place: Where & { readonly appInstanceId: string },
  memberKeys: Iterable<string>,
): Promise<(memberKey: string) => Identity> {
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

/** Returns a channel in the shape of most lists. */
export function toChannelSummary(channel: ChannelRecord): ChannelSummary {
  return omitUndefined({ ...toAssociatedChannel(channel), LastMessageTimestamp: channel.lastMessageAt });
}

/** Returns a channel in the shape of the list of a flow's channels. */
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
