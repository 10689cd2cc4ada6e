import type { Work } from '../kit/events.ts';
import type { FoundMessage, MessageDocument } from './message-documents.ts';
import { emitMessage } from './message-events.ts';
import { channelMessages } from './tables/channel-messages.ts';
import type { ChannelRecord } from './tables/channels.ts';

/**
 * Deletes content, metadata and attributes of a message. A redacted message does not change.
 *
 * Emits: REDACT_CHANNEL_MESSAGE.
 */
export async function redactMessage(work: Work, channel: ChannelRecord, { record, document }: FoundMessage): Promise<void> {
  if (document.redacted === true) return;
  const { metadata: _, attributes: __, ...kept } = document;
  const redacted: MessageDocument = { ...kept, content: '', updatedAt: work.now, redacted: true };
  await work.tx.of(channelMessages).put({ ...record, document: JSON.stringify(redacted) });
  await emitMessage(work, 'REDACT_CHANNEL_MESSAGE', channel, { record, document: redacted });
}
