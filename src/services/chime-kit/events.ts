/** Domain events of the Chime services. Other parts of the server subscribe to these events. */
import type { AccountId } from '#core/arn.ts';
import type { AttendeeCapabilities, NotificationsConfiguration } from '#model/generated/chime-sdk-meetings.ts';
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
 * Events of app instances. Other parts of the server store data that belongs to an app instance or its users, such as
 * channels and memberships. These parts subscribe to the events and delete the data.
 *
 * Before the event, the server has already deleted the user, bot or app instance. The server has also deleted the
 * records of its administrators and endpoints. The deletion of an app instance emits one event, and no events for its
 * users.
 */
export type IdentityEvent = Where & { readonly appInstanceId: string; readonly arn: string } & (
    | { readonly type: 'AppInstanceDeleted' }
    | { readonly type: 'AppInstanceUserDeleted' | 'AppInstanceUserExpired' | 'AppInstanceBotDeleted'; readonly id: string }
  );

/** IDs of the meeting that an event is about. */
export interface MeetingNames {
  readonly accountId: AccountId;
  readonly region: string;
  readonly meetingId: string;
  /** Absent only for a meeting of the older service `chime`, in which it is optional. */
  readonly externalMeetingId?: string;
  readonly mediaRegion: string;
  /** Targets that receive the events of this meeting, besides the event bus of the account. */
  readonly notifications?: NotificationsConfiguration;
}

/**
 * Events of meetings. Chime sends some of these events to EventBridge. For such an event, `type` is the name in
 * EventBridge without the prefix `chime:` (LOG-21).
 */
export type MeetingEvent =
  | (MeetingNames & { readonly type: 'MeetingStarted' | 'MeetingEnded' | 'TranscriptionStarted' | 'TranscriptionStopped' })
  | (MeetingNames & {
      readonly type: 'AttendeeAdded' | 'AttendeeDeleted';
      readonly attendeeId: string;
      readonly externalUserId: string;
    })
  | (MeetingNames & {
      readonly type: 'AttendeeCapabilitiesUpdated';
      readonly attendeeId: string;
      readonly externalUserId: string;
      readonly capabilities: AttendeeCapabilities;
    });

/** IDs of the channel that an event is about. */
export interface ChannelNames {
  readonly accountId: AccountId;
  readonly region: string;
  readonly appInstanceId: string;
  readonly channelId: string;
}

/**
 * Types of the events about a message. Every user that can see the message receives events of the first four types.
 * Only the sender of the message receives events of the other types.
 */
export type MessageEventType =
  | 'CREATE_CHANNEL_MESSAGE'
  | 'UPDATE_CHANNEL_MESSAGE'
  | 'REDACT_CHANNEL_MESSAGE'
  | 'DELETE_CHANNEL_MESSAGE'
  | `${'PENDING' | 'FAILED' | 'DENIED'}_${'CREATE' | 'UPDATE'}_CHANNEL_MESSAGE`;

/**
 * Events of channels. The fields of an event, such as `channel`, have the types of the model of Chime SDK Messaging.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages" and "Streaming messaging data", the event types.
 * Assumed: the names of the types for events about moderators, bans and sub-channels.
 */
export type ChannelEvent = ChannelNames &
  (
    | {
        readonly type: 'CREATE_CHANNEL' | 'UPDATE_CHANNEL' | 'DELETE_CHANNEL' | 'UPDATE_CHANNEL_EXPIRATION_SETTINGS';
        readonly channel: Channel;
      }
    | {
        /** UPDATE is emitted after a member moved to another sub-channel of an elastic channel. Only that member receives it. */
        readonly type: 'CREATE_CHANNEL_MEMBERSHIP' | 'UPDATE_CHANNEL_MEMBERSHIP' | 'DELETE_CHANNEL_MEMBERSHIP';
        readonly membership: ChannelMembership;
        /** Set if a moderator lost the membership because the sub-channel was deleted. */
        readonly reason?: 'subchannel_DELETED';
      }
    | { readonly type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP'; readonly memberships: BatchChannelMemberships }
    | { readonly type: 'CREATE_CHANNEL_MODERATOR' | 'DELETE_CHANNEL_MODERATOR'; readonly moderator: ChannelModerator }
    | { readonly type: 'CREATE_CHANNEL_BAN' | 'DELETE_CHANNEL_BAN'; readonly ban: ChannelBan }
    | { readonly type: 'CREATE_SUB_CHANNEL' | 'DELETE_SUB_CHANNEL'; readonly subChannelId: string }
    | {
        readonly type: MessageEventType;
        readonly message: ChannelMessage;
        /** Push notification for the devices of the members. */
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
