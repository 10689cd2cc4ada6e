import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMessageStatusStructure, PushNotificationConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import type { Work } from '../kit/events.ts';
import { expiryOf } from './expiration.ts';
import { enterFlow, processorsFor } from './flow-processing.ts';
import { type MessageDocument, toStatus } from './message-documents.ts';
import { emitMessage } from './message-events.ts';
import { ALL_MEMBERS, channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/** A message that a member sends. */
export interface NewMessage {
  /** Member key of the sender. */
  readonly sender: string;
  readonly subChannelId: string;
  /** Member key of the only recipient. Absent: all members. */
  readonly onlyFor?: string;
  readonly document: Omit<MessageDocument, 'updatedAt'>;
  readonly pushNotification?: PushNotificationConfiguration;
}

/**
 * Sends a message to a channel, or lets it wait for the channel's flow.
 *
 * Writes: the message, if it is persistent.
 * Emits: CREATE_CHANNEL_MESSAGE. If the channel has a flow, emits PENDING_CREATE_CHANNEL_MESSAGE instead.
 */
export async function postMessage(
  work: Work,
  channel: ChannelRecord,
  { sender, subChannelId, onlyFor, document: facts, pushNotification }: NewMessage,
): Promise<{ readonly messageId: string; readonly status: ChannelMessageStatusStructure }> {
  const { tx, now } = work;
  const { channelKey } = channel;
  const messageId = work.newId();
  const [processor] = await processorsFor(tx, channel, facts.type);
  const pending = processor === undefined ? undefined : (true as const);
  const document: MessageDocument = omitUndefined({ ...facts, updatedAt: now, pending });
  const audience = processor === undefined ? (onlyFor ?? ALL_MEMBERS) : '';
  const sent = { channelKey, subChannelId, audience, messageId, createdAt: now, sender, document: JSON.stringify(document) };
  const record = document.persistence === 'PERSISTENT' ? await tx.of(channelMessages).add(sent) : sent;
  const message = { record, document };
  if (processor === undefined) {
    await tx.of(channels).touch(channelKey, record.createdAt, expiryOf({ ...channel, lastMessageAt: record.createdAt }));
    await emitMessage(work, 'CREATE_CHANNEL_MESSAGE', channel, message, pushNotification);
  } else {
    await enterFlow(work, channel, processor, omitUndefined({ message, isUpdate: false, onlyFor, pushNotification }));
  }
  return { messageId, status: toStatus(document) };
}
