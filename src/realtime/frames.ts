import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMessage } from '#model/generated/chime-sdk-messaging.ts';
import { payloadText } from '#services/chime-kit/event-payload.ts';
import type { ChannelEvent } from '#services/chime-kit/events.ts';

/** Recipients of an event, among the connected users. */
export type Recipients =
  /**
   * Members of the channel, or of one sub-channel of an elastic channel. `also` is the ARN of a user that receives the
   * event even if the user is not a member.
   */
  | { readonly kind: 'members'; readonly subChannelId?: string; readonly also?: string }
  /** Users with these ARNs, if they are members of the channel. */
  | { readonly kind: 'members named'; readonly arns: readonly string[] }
  /** Users with these ARNs, even if they are not members of the channel. */
  | { readonly kind: 'users'; readonly arns: readonly string[] };

type MessageKind = 'STANDARD' | 'CONTROL' | 'SYSTEM';

/**
 * Serializes a frame. `reason` says why the session receives the event, if this is not clear from the event type.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", message structures.
 */
export function serializeFrame(eventType: string, messageType: MessageKind, payload?: unknown, reason?: string): string {
  return JSON.stringify({
    Headers: omitUndefined({
      'x-amz-chime-event-type': eventType,
      'x-amz-chime-message-type': messageType,
      'x-amz-chime-event-reason': reason,
    }),
    ...(payload !== undefined && { Payload: payloadText(payload) }),
  });
}

/** First frame of every session. */
export const SESSION_ESTABLISHED = serializeFrame('SESSION_ESTABLISHED', 'SYSTEM');

/**
 * Returns the recipients of a channel event. `undefined`: messaging sessions do not receive events of this type.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", event types; "Understanding WebSocket system messages in
 * elastic channels": only the member receives UPDATE_CHANNEL_MEMBERSHIP, and only members of a sub-channel receive its events.
 * Source: "Using WebSockets to receive messages", message structures: only the moderator receives a
 * DELETE_CHANNEL_MEMBERSHIP with a reason.
 * Source: API reference, SendChannelMessage: only the Target members and the sender see a message.
 * Source: "Sending messages": only the sender receives events of a message that is pending, failed or denied.
 * Assumed: a removed member also receives DELETE_CHANNEL_MEMBERSHIP, because AWS's own chat demo requires this event.
 * Assumed: only the member itself receives the events of a HIDDEN membership.
 */
export function recipientsOf(event: ChannelEvent): Recipients | undefined {
  switch (event.type) {
    case 'CREATE_CHANNEL_MESSAGE':
    case 'UPDATE_CHANNEL_MESSAGE':
    case 'REDACT_CHANNEL_MESSAGE':
    case 'DELETE_CHANNEL_MESSAGE':
      return visibleTo(event.message);
    case 'PENDING_CREATE_CHANNEL_MESSAGE':
    case 'PENDING_UPDATE_CHANNEL_MESSAGE':
    case 'FAILED_CREATE_CHANNEL_MESSAGE':
    case 'FAILED_UPDATE_CHANNEL_MESSAGE':
    case 'DENIED_CREATE_CHANNEL_MESSAGE':
    case 'DENIED_UPDATE_CHANNEL_MESSAGE':
      return users(event.message.Sender?.Arn);
    case 'UPDATE_CHANNEL':
    case 'DELETE_CHANNEL':
      return { kind: 'members' };
    case 'CREATE_CHANNEL_MEMBERSHIP':
    case 'DELETE_CHANNEL_MEMBERSHIP': {
      const { Member, Type, SubChannelId } = event.membership;
      // A reason means that the sub-channel was deleted. Only its moderator receives this event. The other members were
      // moved to other sub-channels, and receive UPDATE_CHANNEL_MEMBERSHIP.
      return Type === 'HIDDEN' || event.reason !== undefined ? users(Member?.Arn) : membersOf(SubChannelId, Member?.Arn);
    }
    case 'UPDATE_CHANNEL_MEMBERSHIP':
      return users(event.membership.Member?.Arn);
    case 'BATCH_CREATE_CHANNEL_MEMBERSHIP': {
      const { Members = [], Type, SubChannelId } = event.memberships;
      return Type === 'HIDDEN' ? users(...Members.map(({ Arn }) => Arn)) : membersOf(SubChannelId);
    }
    case 'CREATE_CHANNEL':
    case 'UPDATE_CHANNEL_EXPIRATION_SETTINGS':
    case 'CREATE_CHANNEL_MODERATOR':
    case 'DELETE_CHANNEL_MODERATOR':
    case 'CREATE_CHANNEL_BAN':
    case 'DELETE_CHANNEL_BAN':
    case 'CREATE_SUB_CHANNEL':
    case 'DELETE_SUB_CHANNEL':
    case 'ExpireChannel':
    case 'ProcessorInvocationFailure':
      return undefined;
  }
}

/** Serializes the frame of a channel event, which is the same for all recipients. */
export function eventFrame(event: ChannelEvent): string {
  if ('message' in event) return serializeFrame(event.type, event.message.Type === 'CONTROL' ? 'CONTROL' : 'STANDARD', event.message);
  if ('membership' in event) return serializeFrame(event.type, 'SYSTEM', event.membership, event.reason);
  if ('memberships' in event) return serializeFrame(event.type, 'SYSTEM', event.memberships);
  return serializeFrame(event.type, 'SYSTEM', 'channel' in event ? event.channel : undefined);
}

/** Returns the recipients of an event about a message. */
function visibleTo({ Target, Sender, SubChannelId, Status }: ChannelMessage): Recipients {
  if (Status?.Value === 'FAILED' || Status?.Value === 'PENDING') return users(Sender?.Arn);
  if (Target === undefined || Target.length === 0) return membersOf(SubChannelId);
  return { kind: 'members named', arns: distinct([Sender?.Arn, ...Target.map(({ MemberArn }) => MemberArn)]) };
}

function membersOf(subChannelId: string | undefined, also?: string): Recipients {
  return omitUndefined({ kind: 'members', subChannelId, also } as const);
}

function users(...arns: readonly (string | undefined)[]): Recipients {
  return { kind: 'users', arns: distinct(arns) };
}

function distinct(arns: readonly (string | undefined)[]): string[] {
  return [...new Set(arns)].filter((arn) => arn !== undefined);
}
