import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  ChannelMessage,
  ChannelMessageStatusStructure,
  ChannelMessageSummary,
  ChimeSdkMessagingApi,
} from '#model/generated/chime-sdk-messaging.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from '../kit/operation.ts';
import { inAppInstanceArn } from './access.ts';
import { channelArn, missing, toIdentity } from './found.ts';
import { inSubChannel } from './membership-events.ts';
import { type ChannelMessageRecord, channelMessages } from './tables/channel-messages.ts';
import type { ChannelRecord } from './tables/channels.ts';

/** What is kept of a message besides who sent it, when and for whom. */
export interface MessageDocument {
  /** Empty once it was redacted. */
  readonly content: string;
  readonly metadata?: string;
  readonly type: 'STANDARD' | 'CONTROL';
  readonly persistence: 'PERSISTENT' | 'NON_PERSISTENT';
  readonly contentType?: string;
  readonly attributes?: NonNullable<ChannelMessage['MessageAttributes']>;
  readonly updatedAt: Instant;
  /** When its sender changed it. */
  readonly editedAt?: Instant;
  readonly redacted?: true;
  /** Why it was not sent: nobody but its sender sees it then. */
  readonly failure?: string;
}

/** A message as kept, with its document read. */
export interface FoundMessage {
  readonly record: ChannelMessageRecord;
  readonly document: MessageDocument;
}

export function found(record: ChannelMessageRecord): FoundMessage {
  return { record, document: JSON.parse(record.document) as MessageDocument };
}

/** Whether a member sees a message: all do, but of one that has a target only its sender and the target. */
export function isSeenBy({ onlyFor, sender }: ChannelMessageRecord, member: string): boolean {
  return onlyFor === undefined || onlyFor === member || sender === member;
}

/** @throws what `missing` says: no such message, or one that `reader` does not see */
export async function messageOrMissing(
  { tx }: Pick<Call, 'tx'>,
  operation: keyof ChimeSdkMessagingApi,
  { channelKey }: ChannelRecord,
  subChannelId: string,
  messageId: string,
  reader?: string,
): Promise<FoundMessage> {
  const record = await tx.of(channelMessages).get(channelKey, subChannelId, messageId);
  if (record === undefined || (reader !== undefined && !isSeenBy(record, reader))) {
    throw missing(operation, `Message ${messageId} does not exist.`);
  }
  return found(record);
}

/** Source: API reference, ChannelMessageStatusStructure: SENT or FAILED; PENDING and DENIED come of functions, of which there are none. */
export function toStatus({ failure }: MessageDocument): ChannelMessageStatusStructure {
  return failure === undefined ? { Value: 'SENT' } : { Value: 'FAILED', Detail: failure };
}

/** A message as lists have it. */
export async function toMessageSummary(tx: Tx, channel: ChannelRecord, message: FoundMessage): Promise<ChannelMessageSummary> {
  const { record, document } = message;
  const { content, metadata, type, contentType, attributes, updatedAt, editedAt, redacted } = document;
  const target = record.onlyFor === undefined || record.onlyFor === '' ? undefined : record.onlyFor.split('/');
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

/** A message as it is answered alone and told to messaging sessions. */
export async function toMessage(tx: Tx, channel: ChannelRecord, message: FoundMessage): Promise<ChannelMessage> {
  return {
    ...(await toMessageSummary(tx, channel, message)),
    ChannelArn: channelArn(channel),
    Persistence: message.document.persistence,
    ...inSubChannel(message.record.subChannelId),
  };
}
