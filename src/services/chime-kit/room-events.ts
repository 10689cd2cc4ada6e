/** Domain events of rooms of Amazon Chime. Chime SDK messaging subscribes to them, and keeps a channel for each room. */
import type { AccountId } from '#core/arn.ts';
import type { RoomMembershipRole } from '#model/generated/chime.ts';

/** Room that an event is about. */
export interface ChimeRoom {
  /** AWS account that owns the Chime account. */
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly roomId: string;
  readonly name: string;
}

/** User in a room. */
export interface ChimeRoomMember {
  readonly userId: string;
  readonly name: string;
  readonly role: RoomMembershipRole;
}

/**
 * Events of rooms. The server emits an event in the transaction of the change.
 *
 * A subscriber of `ChimeRoomStored` compares its state with the event, so that the event can be repeated.
 */
export type ChimeRoomEvent = { readonly room: ChimeRoom } & (
  | {
      /** A room was created or renamed, or `members` joined it or have another role. The other members of the room did not change. */
      readonly type: 'ChimeRoomStored';
      /** At most 50 members. */
      readonly members: readonly ChimeRoomMember[];
    }
  | { readonly type: 'ChimeRoomMemberRemoved'; readonly userId: string }
  | { readonly type: 'ChimeRoomRemoved' }
);

/** Messages that bots write in rooms. A subscriber posts the message. */
export interface ChimeBotMessage {
  readonly type: 'ChimeBotMessageSent';
  readonly accountId: AccountId;
  readonly roomId: string;
  readonly botId: string;
  /** At most 4,096 bytes. */
  readonly content: string;
}

/**
 * Redactions of messages. A subscriber redacts the message, in the transaction of the operation.
 *
 * @throws NotFoundException  the subscriber does not find the message
 */
export type ChimeMessageEvent = { readonly accountId: AccountId; readonly messageId: string } & (
  | { readonly type: 'ChimeRoomMessageRedacted'; readonly roomId: string }
  | {
      readonly type: 'ChimeConversationMessageRedacted';
      readonly conversationId: string;
      /** Reports whether one of at most 50 people is a user of the Chime account that redacts. */
      readonly hasUser: (userIds: readonly string[]) => Promise<boolean>;
    }
);
