/** Messages of the rooms of Amazon Chime, for exports of its data. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import { chimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { chimeRetentionOf } from './chime-retention.ts';
import { found } from './message-documents.ts';
import { ALL_TIMES, type ChannelMessageRecord, channelMessages, type MessagePlace } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/** Key that no member has, so that the list has only messages that all members see. An empty key is that of messages that only the sender sees. */
const NO_MEMBER = 'no member';

/** Room whose messages are exported. */
export interface ExportedRoom {
  readonly accountId: AccountId;
  readonly roomId: string;
}

/** Page of messages as objects for JSON, and the position of the last one, if more may follow. */
export interface ExportedMessages {
  readonly lines: readonly { readonly SenderId: string }[];
  readonly last: MessagePlace | undefined;
}

/**
 * Returns messages of a room in the order of time. Omits messages that the retention hides, and those that only some members see.
 *
 *     { RoomId: 'r', MessageId: 'm', SenderId: 'u', Content: 'Hello', Type: 'STANDARD', CreatedTimestamp: '2026-11-30T12:00:00.000Z', Redacted: false }
 */
export async function exportedMessages(
  { tx, now }: { readonly tx: Tx; readonly now: Instant },
  { accountId, roomId }: ExportedRoom,
  limit: number,
  after: MessagePlace | undefined,
): Promise<ExportedMessages> {
  const { region, appInstanceId } = chimeAppInstance(accountId);
  const channel = await tx.of(channels).get(accountId, region, appInstanceId, roomId);
  if (channel === undefined) return { lines: [], last: undefined };
  const { records, last } = await visibleMessages({ tx, now }, channel, '', limit, after);
  return { lines: records.map((record) => ({ RoomId: roomId, ...messageLine(record) })), last };
}

/** Returns messages of a channel or sub-channel in the order of time. Omits messages that the retention hides, and those that only some members see. */
export async function visibleMessages(
  { tx, now }: { readonly tx: Tx; readonly now: Instant },
  channel: ChannelRecord,
  subChannelId: string,
  limit: number,
  after: MessagePlace | undefined,
): Promise<{ readonly records: readonly ChannelMessageRecord[]; readonly last: MessagePlace | undefined }> {
  const hidden = await chimeRetentionOf(tx, channel, now);
  const times = hidden === undefined ? ALL_TIMES : { ...ALL_TIMES, notBefore: hidden.hiddenBefore };
  const range = { ...times, channelKey: channel.channelKey, subChannelId, reader: NO_MEMBER, order: 'ASCENDING' } as const;
  const records = await tx.of(channelMessages).list(range, limit, after);
  const end = records.at(-1);
  const last = end === undefined || records.length < limit ? undefined : { createdAt: end.createdAt, messageId: end.messageId };
  return { records, last };
}

/** Returns a message as an object for JSON, without its channel. */
export function messageLine(record: ChannelMessageRecord): { readonly SenderId: string } {
  const { document } = found(record);
  return omitUndefined({
    MessageId: record.messageId,
    SenderId: idOf(record.sender),
    Content: document.content,
    Metadata: document.metadata,
    ContentType: document.contentType,
    Type: document.type,
    CreatedTimestamp: isoOf(record.createdAt),
    LastEditedTimestamp: document.editedAt === undefined ? undefined : isoOf(document.editedAt),
    Redacted: document.redacted === true,
  });
}

/** Returns the ID in a member key: that of a user or a bot. */
export function idOf(memberKey: string): string {
  return memberKey.slice(memberKey.indexOf('/') + 1);
}

/** Returns a time in ISO 8601. */
export function isoOf(at: Instant): string {
  return new Date(at).toISOString();
}
