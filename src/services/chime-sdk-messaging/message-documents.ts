/**
 * Stored messages: the type of their documents, and functions that find messages and convert them to the shapes of the
 * model.
 */
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMessage, ChannelMessageStatusStructure, ChannelMessageSummary } from '#model/generated/chime-sdk-messaging.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';
import type { Admitted } from './admit.ts';
import { chimeRetentionOf } from './chime-retention.ts';
import { inAppInstanceArn } from './kinds.ts';
import { inSubChannel } from './membership-events.ts';
import { channelArn, missing, toIdentity } from './stored-channels.ts';
import { ALL_MEMBERS, ALL_TIMES, type ChannelMessageRecord, channelMessages } from './tables/channel-messages.ts';
import type { ChannelRecord } from './tables/channels.ts';

/** Properties of a message, other than its sender, time and recipients. */
export interface MessageDocument {
  /** Empty after a redaction. */
  readonly content: string;
  readonly metadata?: string;
  readonly type: 'STANDARD' | 'CONTROL';
  readonly persistence: 'PERSISTENT' | 'NON_PERSISTENT';
  readonly contentType?: string;
  readonly attributes?: NonNullable<ChannelMessage['MessageAttributes']>;
  readonly updatedAt: Instant;
  /** Time of the sender's last update. */
  readonly editedAt?: Instant;
  readonly redacted?: true;
  /** Set while the message waits for a processor. Only the sender sees the message then. */
  readonly pending?: true;
  /** Set in events about a message that a processor denied. Such a message is not stored. */
  readonly denied?: true;
  /** Reason why the message was not sent. Only the sender sees a message that was not sent. */
  readonly failure?: string;
}

/** A stored message with its parsed document. */
export interface FoundMessage {
  readonly record: ChannelMessageRecord;
  readonly document: MessageDocument;
}

/** Returns a stored message with its document parsed. */
export function found(record: ChannelMessageRecord): FoundMessage {
  return { record, document: JSON.parse(record.document) as MessageDocument };
}

/** Reports whether a member sees a message. Only the sender and the target see a message with a target. */
export function isSeenBy({ audience, sender }: ChannelMessageRecord, member: string): boolean {
  return audience === ALL_MEMBERS || audience === member || sender === member;
}

/**
 * Returns a message.
 *
 * @throws AwsError the error that `missing` returns: the message does not exist, `reader` does not see it, or the retention of Amazon Chime
 *   hides it
 */
export async function messageOrMissing(
  { tx, now }: Pick<Call, 'tx' | 'now'>,
  { operation, channel }: Admitted,
  subChannelId: string,
  messageId: string,
  reader?: string,
): Promise<FoundMessage> {
  const record = await tx.of(channelMessages).get(channel.channelKey, subChannelId, messageId);
  const { hiddenBefore = ALL_TIMES.notBefore } = (await chimeRetentionOf(tx, channel, now)) ?? {};
  if (record === undefined || record.createdAt < hiddenBefore || (reader !== undefined && !isSeenBy(record, reader))) {
    throw missing(operation, `Message '${messageId}' does not exist.`);
  }
  return found(record);
}

/**
 * Returns the status of a message. Source: API reference, ChannelMessageStatusStructure. Only processors cause PENDING and DENIED.
 */
export function toStatus({ failure, pending, denied }: MessageDocument): ChannelMessageStatusStructure {
  if (pending === true) return { Value: 'PENDING' };
  if (denied === true) return { Value: 'DENIED' };
  return failure === undefined ? { Value: 'SENT' } : { Value: 'FAILED', Detail: failure };
}

/** Returns a message in the shape of an item of ListChannelMessages. */
export async function toMessageSummary(tx: Tx, channel: ChannelRecord, message: FoundMessage): Promise<ChannelMessageSummary> {
  const { record, document } = message;
  const { content, metadata, type, contentType, attributes, updatedAt, editedAt, redacted } = document;
  const target = record.audience === ALL_MEMBERS || record.audience === '' ? undefined : record.audience.split('/');
  return omitUndefined({
    MessageId: record.messageId,
    Content: content,
    Metadata: metadata,
    Type: type,
    CreatedTimestamp: record.createdAt,
    LastUpdatedTimestamp: updatedAt,
    LastEditedTimestamp: editedAt,
    Sender: await toIdentity(tx, channel, record.sender),
    Redacted: redacted ?? false,
    Status: toStatus(document),
    MessageAttributes: attributes,
    ContentType: contentType,
    Target: target && [{ MemberArn: inAppInstanceArn(channel, target[0] as string, target[1] as string) }],
  });
}

/** Returns a message in the shape of GetChannelMessage and of channel events. */
export async function toMessage(tx: Tx, channel: ChannelRecord, message: FoundMessage): Promise<ChannelMessage> {
  return {
    ...(await toMessageSummary(tx, channel, message)),
    ChannelArn: channelArn(channel),
    Persistence: message.document.persistence,
    ...inSubChannel(message.record.subChannelId),
  };
}

/** Returns the response of operations that change one message. */
export function toMessageResponse(
  channel: ChannelRecord,
  { messageId, subChannelId }: Pick<ChannelMessageRecord, 'messageId' | 'subChannelId'>,
) {
  return { ChannelArn: channelArn(channel), MessageId: messageId, ...inSubChannel(subChannelId) };
}
