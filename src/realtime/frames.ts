import type { ChannelMessage } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '#services/chime/events.ts';

/** Whom something is told to, among who is connected. */
export type Addressees =
  /** The members of the channel; of an elastic one, those of the sub-channel where one is named. */
  | { readonly kind: 'members'; readonly subChannelId?: string; readonly besides?: string }
  /** Those of them whose ARN is named. */
  | { readonly kind: 'members named'; readonly arns: readonly string[] }
  /** Those whose ARN is named, members or not: it is about themselves. */
  | { readonly kind: 'themselves'; readonly arns: readonly string[] };

type MessageKind = 'STANDARD' | 'CONTROL' | 'SYSTEM';

/** The text of a frame. Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", message structures. */
export function frameText(eventType: string, messageType: MessageKind, payload?: unknown): string {
  return JSON.stringify({
    Headers: { 'x-amz-chime-event-type': eventType, 'x-amz-chime-message-type': messageType },
    ...(payload !== undefined && { Payload: JSON.stringify(payload, timestampAsText) }),
  });
}

/**
 * Only members called so are moments: names that people choose stand in texts, and in maps whose values are no numbers.
 * Assumed: ISO 8601 with milliseconds, since clients give what they find to `new Date`; the guide only says "Timestamp".
 */
function timestampAsText(name: string, value: unknown): unknown {
  return typeof value === 'number' && name.endsWith('Timestamp') ? new Date(value).toISOString() : value;
}

/** The first frame of every session. */
export const SESSION_ESTABLISHED = frameText('SESSION_ESTABLISHED', 'SYSTEM');

/**
 * Whom a channel event is told to; undefined where messaging sessions hear nothing of its kind.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", event types; "Understanding WebSocket system messages in
 * elastic channels": UPDATE_CHANNEL_MEMBERSHIP goes to the member alone, what happens in a sub-channel to its members.
 * Source: API reference, SendChannelMessage: Target members alone see a message, and its sender.
 * Assumed: what becomes of a message that was not sent, its sender alone hears: nobody else ever saw it.
 * Assumed: who is removed hears of it with the others, as AWS's own chat demo needs it; of a hidden member's coming and going nobody hears
 * but himself.
 */
export function addresseesOf(event: ChannelEvent): Addressees | undefined {
  switch (event.type) {
    case 'CREATE_CHANNEL_MESSAGE':
    case 'UPDATE_CHANNEL_MESSAGE':
    case 'REDACT_CHANNEL_MESSAGE':
    case 'DELETE_CHANNEL_MESSAGE':
      return seersOf(event.message);
    case 'FAILED_CREATE_CHANNEL_MESSAGE':
    case 'FAILED_UPDATE_CHANNEL_MESSAGE':
      return themselves(event.message.Sender?.Arn);
    case 'UPDATE_CHANNEL':
    case 'DELETE_CHANNEL':
      return { kind: 'members' };
    case 'CREATE_CHANNEL_MEMBERSHIP':
    case 'DELETE_CHANNEL_MEMBERSHIP': {
      const { Member, Type, SubChannelId } = event.membership;
      return Type === 'HIDDEN' ? themselves(Member?.Arn) : inSubChannel(SubChannelId, Member?.Arn);
    }
    case 'UPDATE_CHANNEL_MEMBERSHIP':
      return themselves(event.membership.Member?.Arn);
    case 'BATCH_CREATE_CHANNEL_MEMBERSHIP': {
      const { Members = [], Type, SubChannelId } = event.memberships;
      return Type === 'HIDDEN' ? themselves(...Members.map(({ Arn }) => Arn)) : inSubChannel(SubChannelId);
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

/** The frame that tells of a channel event, the same for all who hear it. */
export function eventText(event: ChannelEvent): string {
  if ('message' in event) return frameText(event.type, event.message.Type === 'CONTROL' ? 'CONTROL' : 'STANDARD', event.message);
  if ('membership' in event) return frameText(event.type, 'SYSTEM', event.membership);
  if ('memberships' in event) return frameText(event.type, 'SYSTEM', event.memberships);
  return frameText(event.type, 'SYSTEM', 'channel' in event ? event.channel : undefined);
}

/** Who sees a message. */
function seersOf({ Target, Sender, SubChannelId, Status }: ChannelMessage): Addressees {
  if (Status?.Value === 'FAILED') return themselves(Sender?.Arn);
  if (Target === undefined || Target.length === 0) return inSubChannel(SubChannelId);
  return { kind: 'members named', arns: named([Sender?.Arn, ...Target.map(({ MemberArn }) => MemberArn)]) };
}

function inSubChannel(subChannelId: string | undefined, besides?: string): Addressees {
  return { kind: 'members', ...(subChannelId !== undefined && { subChannelId }), ...(besides !== undefined && { besides }) };
}

function themselves(...arns: readonly (string | undefined)[]): Addressees {
  return { kind: 'themselves', arns: named(arns) };
}

function named(arns: readonly (string | undefined)[]): string[] {
  return [...new Set(arns)].filter((arn) => arn !== undefined);
}
