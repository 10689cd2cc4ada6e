/** Domain events of the Chime services, for all parts that subscribe to them. */
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
import type { Where } from './app-instances.ts';

/**
 * Events of app instances. Other parts store data of their members: memberships, messages, channels.
 *
 * The deleted user, bot or app instance is already gone, with its administrators and endpoints. An app instance emits one event, and its
 * users emit none.
 */
export type IdentityEvent = Where & { readonly appInstanceId: string; readonly arn: string } & (
    | { readonly type: 'AppInstanceDeleted' }
    | { readonly type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired' | 'AppInstanceBotDeleted'; readonly id: string }
  );

/** Meeting of an event. */
export interface MeetingNames {
  readonly accountId: AccountId;
  readonly region: string;
  readonly meetingId: string;
  readonly externalMeetingId: string;
  readonly mediaRegion: string;
}

/** Events of meetings. The names are those of EventBridge (LOG-21) without the prefix, if EventBridge has the event. */
export type MeetingEvent =
  | (MeetingNames & { readonly type: 'MeetingStarted' | 'MeetingEnded' | 'TranscriptionStarted' | 'TranscriptionStopped' })
  | (MeetingNames & {
      readonly type: 'AttendeeAdded' | 'AttendeeDeleted' | 'AttendeeCapabilitiesChanged';
      readonly attendeeId: string;
      readonly externalUserId: string;
    });

/** Channel of an event. */
export interface ChannelNames {
  readonly accountId: AccountId;
  readonly region: string;
  readonly appInstanceId: string;
  readonly channelId: string;
}

/** Events of a message. Every user that sees the message receives the first four. Only its sender receives the others. */
export type MessageEventType =
  | 'CREATE_CHANNEL_MESSAGE'
  | 'UPDATE_CHANNEL_MESSAGE'
  | 'REDACT_CHANNEL_MESSAGE'
  | 'DELETE_CHANNEL_MESSAGE'
  | 'FAILED_CREATE_CHANNEL_MESSAGE'
  | 'FAILED_UPDATE_CHANNEL_MESSAGE';

/**
 * Events of channels. Their members have the shapes of the model.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages" and "Streaming messaging data", the event types.
 * Assumed: the types of events about moderators, bans and sub-channels.
 */
export type ChannelEvent = ChannelNames &
  (
    | { readonly type: 'CREATE_CHANNEL' | 'UPDATE_CHANNEL' | 'DELETE_CHANNEL'; readonly channel: Channel }
    | {
        /** UPDATE is emitted after a member moved to another sub-channel of an elastic channel. Only that member receives it. */
        readonly type: 'CREATE_CHANNEL_MEMBERSHIP' | 'UPDATE_CHANNEL_MEMBERSHIP' | 'DELETE_CHANNEL_MEMBERSHIP';
        readonly membership: ChannelMembership;
        /** Reason of a DELETE that no caller requested: the sub-channel of a moderator was deleted. */
        readonly reason?: 'subchannel_DELETED';
      }
    | { readonly type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP'; readonly memberships: BatchChannelMemberships }
    | { readonly type: 'CREATE_CHANNEL_MODERATOR' | 'DELETE_CHANNEL_MODERATOR'; readonly moderator: ChannelModerator }
    | { readonly type: 'CREATE_CHANNEL_BAN' | 'DELETE_CHANNEL_BAN'; readonly ban: ChannelBan }
    | { readonly type: 'CREATE_SUB_CHANNEL' | 'DELETE_SUB_CHANNEL'; readonly subChannelId: string }
    | {
        readonly type: MessageEventType;
        readonly message: ChannelMessage;
        /** Push notification for members without a session. */
        readonly pushNotification?: PushNotificationConfiguration;
      }
    /** A channel reached its expiration. DELETE_CHANNEL follows. */
    | { readonly type: 'ExpireChannel' }
    | {
        readonly type: 'ProcessorInvocationFailure';
        readonly messageId: string;
        readonly processorResourceArn: string;
        readonly failureReason: string;
      }
  );
