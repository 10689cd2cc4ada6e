import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMessage } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '#services/chime/events.ts';

/** Recipients of an event, among the connected users. */
export type Recipients =
  /**
   * Members of the channel, or of one sub-channel of an elastic channel. `also`: a user that also receives the event, whether member or not.
   */
  | { readonly kind: 'members'; readonly subChannelId?: string; readonly also?: string }
  /** Users with these ARNs, if they are members of the channel. */
  | { readonly kind: 'members named'; readonly arns: readonly string[] }
  /** Users with these ARNs, even if they are not members of the channel. */
  | { readonly kind: 'users'; readonly arns: readonly string[] };

type MessageKind = 'STANDARD' | 'CONTROL' | 'SYSTEM';

/**
 * Serializes a frame. `reason` says why the session receives the event, if the event type does not.
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
    ...(payload !== undefined && { Payload: JSON.stringify(payload, timestampToString) }),
  });
}

/**
 * Converts the timestamps of the model. Members with names that users choose contain strings only, so they stay as they are.
 *
 * Assumed: ISO 8601 with milliseconds, because clients pass the value to `new Date`. The guide says only "Timestamp".
 */
function timestampToString(name: string, value: unknown): unknown {
  return typeof value === 'number' && name.endsWith('Timestamp') ? new Date(value).toISOString() : value;
}

/** First frame of every session. */
export const SESSION_ESTABLISHED = serializeFrame('SESSION_ESTABLISHED', 'SYSTEM');

/**
 * Returns the recipients of a channel event. `undefined`: messaging sessions do not receive events of this type.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", event types; "Understanding WebSocket system messages in
 * elastic channels": only the member receives UPDATE_CHANNEL_MEMBERSHIP, and only members of a sub-channel receive its events.
 * Source: the same, message structures: only the moderator receives a DELETE_CHANNEL_MEMBERSHIP with a reason.
 * Source: API reference, SendChannelMessage: only the Target members and the sender see a message.
 * Assumed: only the sender receives events of a message that was not sent, because no other user has seen it.
 * Assumed: a removed member also receives the event, as AWS's own chat demo requires. Only a hidden member itself receives the events of
 * its membership.
 */
export function recipientsOf(event: ChannelEvent): Recipients | undefined {
  switch (event.type) {
    case 'CREATE_CHANNEL_MESSAGE':
    case 'UPDATE_CHANNEL_MESSAGE':
    case 'REDACT_CHANNEL_MESSAGE':
    case 'DELETE_CHANNEL_MESSAGE':
      return visibleTo(event.message);
    case 'FAILED_CREATE_CHANNEL_MESSAGE':
    case 'FAILED_UPDATE_CHANNEL_MESSAGE':
      return users(event.message.Sender?.Arn);
    case 'UPDATE_CHANNEL':
    case 'DELETE_CHANNEL':
      return { kind: 'members' };
    case 'CREATE_CHANNEL_MEMBERSHIP':
    case 'DELETE_CHANNEL_MEMBERSHIP': {
      const { Member, Type, SubChannelId } = event.membership;
      // The other members were moved to another sub-channel.
      return Type === 'HIDDEN' || event.reason !== undefined ? users(Member?.Arn) : membersOf(SubChannelId, Member?.Arn);
    }
    case 'UPDATE_CHANNEL_MEMBERSHIP':
      return users(event.membership.Member?.Arn);
    case 'BATCH_CREATE_CHANNEL_MEMBERSHIP': {
      const { Members = [], Type, SubChannelId } = event.memberships;
      return Type === 'HIDDEN' ? users(...Members.map(({ Arn }) => Arn)) : membersOf(SubChannelId);
    }
    case 'CREATE_CHANNEL':
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

/** Returns the members that see a message. */
function visibleTo({ Target, Sender, SubChannelId, Status }: ChannelMessage): Recipients {
  if (Status?.Value === 'FAILED') return users(Sender?.Arn);
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
