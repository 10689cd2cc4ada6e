import type { AccountId } from '#core/arn.ts';
import type {
  BatchChannelMemberships,
  Channel,
  ChannelBan,
  ChannelMembership,
  ChannelMessage,
  ChannelModerator,
  PushNotificationConfiguration,
} from '#model/generated/chime-sdk-messaging.ts';
import type { Tx } from '#store/store.ts';
import type { LinkedServicePrincipal } from '../iam/service-linked-roles.ts';
import type { Call } from '../kit/operation.ts';

/** What the messaging operations are told once, where the server is put together. */
export interface MessagingDeps {
  readonly limits: MessagingLimits;
  /** Where messaging sessions are opened: `chat.example.org:7443`. */
  readonly sessionEndpoint: string;
  /** Default: nobody hears. */
  readonly tell?: Tell;
  /** Hears that the role of messaging was made for who called. */
  readonly linkedRoleMade?: (call: Call, service: LinkedServicePrincipal) => Promise<void>;
}

/** The most of each there may be; how many channels an app instance has is not limited. */
export interface MessagingLimits {
  readonly membershipsOfChannel: number;
  readonly membershipsOfElasticChannel: number;
  readonly subChannels: number;
  readonly membershipsOfSubChannel: number;
  readonly moderatorsOfChannel: number;
  readonly bansOfChannel: number;
  readonly flowsOfAppInstance: number;
}

/**
 * Source: Chime SDK Developer Guide, "Using elastic channels to host live events": up to a million members.
 * Assumed: the other numbers, as AWS grants and raises them account by account ("Amazon Chime SDK endpoints and quotas").
 */
export const DEFAULT_LIMITS: MessagingLimits = {
  membershipsOfChannel: 10_000,
  membershipsOfElasticChannel: 1_000_000,
  subChannels: 1_000,
  membershipsOfSubChannel: 10_000,
  moderatorsOfChannel: 1_000,
  bansOfChannel: 10_000,
  flowsOfAppInstance: 100,
};

/** Hears of what happened, in the operation's own transaction: it writes to `tx` or asks `tx.afterCommit`. */
export type Tell = (tx: Tx, event: ChannelEvent) => Promise<void>;

/** Where a channel event happened. */
export interface ChannelNames {
  readonly accountId: AccountId;
  readonly region: string;
  readonly appInstanceId: string;
  readonly channelId: string;
}

/** What becomes of a message: the first four all see who see the message, the others its sender alone. */
export type MessageEventType =
  | 'CREATE_CHANNEL_MESSAGE'
  | 'UPDATE_CHANNEL_MESSAGE'
  | 'REDACT_CHANNEL_MESSAGE'
  | 'DELETE_CHANNEL_MESSAGE'
  | 'FAILED_CREATE_CHANNEL_MESSAGE'
  | 'FAILED_UPDATE_CHANNEL_MESSAGE';

/**
 * What others may want to hear: messaging sessions, who streams to others, who records and tells that something failed. What is in
 * it is as the model has it.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages" and "Streaming messaging data", the event types.
 * Assumed: the types of those about moderators, bans and sub-channels.
 */
export type ChannelEvent = ChannelNames &
  (
    | { readonly type: 'CREATE_CHANNEL' | 'UPDATE_CHANNEL' | 'DELETE_CHANNEL'; readonly channel: Channel }
    | {
        /** UPDATE goes to the member alone: to another sub-channel, or with another read marker or preferences. */
        readonly type: 'CREATE_CHANNEL_MEMBERSHIP' | 'UPDATE_CHANNEL_MEMBERSHIP' | 'DELETE_CHANNEL_MEMBERSHIP';
        readonly membership: ChannelMembership;
      }
    | { readonly type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP'; readonly memberships: BatchChannelMemberships }
    | { readonly type: 'CREATE_CHANNEL_MODERATOR' | 'DELETE_CHANNEL_MODERATOR'; readonly moderator: ChannelModerator }
    | { readonly type: 'CREATE_CHANNEL_BAN' | 'DELETE_CHANNEL_BAN'; readonly ban: ChannelBan }
    | { readonly type: 'CREATE_SUB_CHANNEL' | 'DELETE_SUB_CHANNEL'; readonly subChannelId: string }
    | {
        readonly type: MessageEventType;
        readonly message: ChannelMessage;
        /** What is pushed to those who are not there. */
        readonly pushNotification?: PushNotificationConfiguration;
      }
    /** A channel reached its expiration; DELETE_CHANNEL comes with it. */
    | { readonly type: 'ExpireChannel' }
    | {
        readonly type: 'ProcessorInvocationFailure';
        readonly messageId: string;
        readonly processorResourceArn: string;
        readonly failureReason: string;
      }
  );
