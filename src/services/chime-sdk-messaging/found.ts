import type { Channel, ChannelSummary, ChimeSdkMessagingApi, Identity } from '#model/generated/chime-sdk-messaging.ts';
import { loadModel } from '#model/load.ts';
import type { Tx } from '#store/store.ts';
import { appInstanceArn, findMember, type Where } from '../chime/app-instances.ts';
import type { ChannelNames } from '../chime/events.ts';
import { inAppInstanceArn, namedBy } from './access.ts';
import { AwsError } from './errors.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/**
 * That something an operation is about is not there.
 *
 * Assumed: where the model has no NotFoundException for the operation it is a ForbiddenException; the texts.
 */
export function missing(operation: keyof ChimeSdkMessagingApi, text: string): AwsError {
  const modelled = loadModel('chime-sdk-messaging').operations[operation]?.errors.includes('NotFoundException') ?? false;
  return new AwsError(modelled ? 'NotFoundException' : 'ForbiddenException', text);
}

/** The channel of an ARN, in the caller's account and region; undefined where there is none, whatever the ARN is. */
export async function findChannel(tx: Tx, caller: Where, text: string): Promise<ChannelRecord | undefined> {
  const named = namedBy(caller, 'channel', text);
  return named && (await tx.of(channels).get(caller.accountId as ChannelRecord['accountId'], caller.region, named.appInstanceId, named.id));
}

/** @throws what `missing` says: no such channel */
export async function channelOrMissing(
  tx: Tx,
  caller: Where,
  operation: keyof ChimeSdkMessagingApi,
  channelArn: string,
): Promise<ChannelRecord> {
  const channel = await findChannel(tx, caller, channelArn);
  if (channel === undefined) throw missing(operation, `Channel ${channelArn} does not exist.`);
  return channel;
}

/** What every channel event says of its channel. */
export function named({ accountId, region, appInstanceId, channelId }: ChannelRecord): ChannelNames {
  return { accountId, region, appInstanceId, channelId };
}

export function channelArn(channel: ChannelRecord): string {
  return inAppInstanceArn(channel, 'channel', channel.channelId);
}

/** Who is meant by a member key: `user/ada`, in the app instance of something. */
export async function toIdentity(tx: Tx, place: Where & { readonly appInstanceId: string }, memberKey: string): Promise<Identity> {
  const Arn = `${appInstanceArn(place, place.appInstanceId)}/${memberKey}`;
  const member = await findMember(tx, place, Arn);
  return { Arn, ...(member?.name !== undefined && { Name: member.name }) };
}

/** The same for several, each looked up once. Who is gone has no name. */
export async function toIdentities(
  tx: Tx,
  place: Where & { readonly appInstanceId: string },
  memberKeys: Iterable<string>,
): Promise<(memberKey: string) => Identity> {
  const found = new Map<string, Identity>();
  for (const key of new Set(memberKeys)) found.set(key, await toIdentity(tx, place, key));
  return (key) => found.get(key) as Identity;
}

/** A channel as the model has it. */
export async function toChannel(tx: Tx, channel: ChannelRecord): Promise<Channel> {
  const { elastic, expiration, createdBy } = channel.document;
  return {
    ...toChannelSummary(channel),
    CreatedBy: await toIdentity(tx, channel, createdBy),
    CreatedTimestamp: channel.createdAt,
    LastUpdatedTimestamp: channel.updatedAt,
    ...(channel.flowId !== undefined && { ChannelFlowArn: inAppInstanceArn(channel, 'channel-flow', channel.flowId) }),
    ...(elastic && {
      ElasticChannelConfiguration: {
        MaximumSubChannels: elastic.maximumSubChannels,
        TargetMembershipsPerSubChannel: elastic.targetMemberships,
        MinimumMembershipPercentage: elastic.minimumPercentage,
      },
    }),
    ...(expiration && { ExpirationSettings: toExpirationSettings(expiration) }),
  };
}

export function toExpirationSettings({ days, criterion }: NonNullable<ChannelRecord['document']['expiration']>) {
  return { ExpirationDays: days, ExpirationCriterion: criterion as 'CREATED_TIMESTAMP' | 'LAST_MESSAGE_TIMESTAMP' };
}

export function toChannelSummary(channel: ChannelRecord): ChannelSummary {
  return {
    ...toAssociatedChannel(channel),
    ...(channel.lastMessageAt !== undefined && { LastMessageTimestamp: channel.lastMessageAt }),
  };
}

/** A channel as the lists of flows have it. */
export function toAssociatedChannel(channel: ChannelRecord): Omit<ChannelSummary, 'LastMessageTimestamp'> {
  const { name, mode, metadata } = channel.document;
  return {
    Name: name,
    ChannelArn: channelArn(channel),
    Mode: mode as NonNullable<ChannelSummary['Mode']>,
    Privacy: channel.privacy as NonNullable<ChannelSummary['Privacy']>,
    ...(metadata !== undefined && { Metadata: metadata }),
  };
}
