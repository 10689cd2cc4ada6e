/** Messages in the app instance of Amazon Chime that its administrators redact or its bots write. */
import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import { chimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import type { ChimeBotMessage, ChimeMessageEvent } from '../chime-kit/room-events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { chimeRetentionOf } from './chime-retention.ts';
import { peopleOf } from './conversation-members.ts';
import { AwsError } from './errors.ts';
import { found } from './message-documents.ts';
import { postMessage } from './post-message.ts';
import { redactMessage } from './redact-message.ts';
import { type ChannelMessageRecord, channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/** Redacts a message of a room. */
export const redactRoomMessage = subscription<ChimeMessageEvent>()(
  ['ChimeRoomMessageRedacted'],
  async (work, { accountId, roomId, messageId }) => await redact(work, await channelOf(work.tx, accountId, roomId), messageId),
);

/** Posts the message of a bot in a room. The bot is in the room, and not in its channel (Decision 0037). */
export const postRoomBotMessage = subscription<ChimeBotMessage>()(
  ['ChimeBotMessageSent'],
  async (work, { accountId, roomId, botId, content }) => {
    const channel = await channelOf(work.tx, accountId, roomId);
    if (channel === undefined) throw notFound('Room', roomId);
    const document = { content, type: 'STANDARD', persistence: 'PERSISTENT' } as const;
    await postMessage(work, channel, { sender: `bot/${botId}`, subChannelId: '', document });
  },
);

/** Redacts a message of a conversation. */
export const redactConversationMessage = subscription<ChimeMessageEvent>()(
  ['ChimeConversationMessageRedacted'],
  async (work, { accountId, conversationId, messageId, hasUser }) => {
    const channel = await channelOf(work.tx, accountId, conversationId);
    if (channel === undefined || channel.document.room !== undefined || !(await someMember(work.tx, channel, hasUser)))
      throw notFound('Conversation', conversationId);
    await redact(work, channel, messageId);
  },
);

async function channelOf(tx: Tx, accountId: AccountId, channelId: string): Promise<ChannelRecord | undefined> {
  const { region, appInstanceId } = chimeAppInstance(accountId);
  return await tx.of(channels).get(accountId, region, appInstanceId, channelId);
}

/** Reports whether `holds` is true for a page of the first 1,000 members of a channel. */
async function someMember(tx: Tx, channel: ChannelRecord, holds: (userIds: readonly string[]) => Promise<boolean>): Promise<boolean> {
  for await (const userIds of peopleOf(tx, channel)) if (await holds(userIds)) return true;
  return false;
}

/** Returns a message of a channel. Messages of an elastic channel are in its sub-channels. */
async function messageOf(tx: Tx, { channelKey, document }: ChannelRecord, messageId: string): Promise<ChannelMessageRecord | undefined> {
  const messages = tx.of(channelMessages);
  return document.elastic === undefined
    ? await messages.get(channelKey, '', messageId)
    : await messages.inSubChannels(channelKey, messageId);
}

/** @throws NotFoundException  the message does not exist, or the retention hides it */
async function redact(work: Work, channel: ChannelRecord | undefined, messageId: string): Promise<void> {
  const { tx, now } = work;
  const record = channel && (await messageOf(tx, channel, messageId));
  if (channel === undefined || record === undefined) throw notFound('Message', messageId);
  const { hiddenBefore } = (await chimeRetentionOf(tx, channel, now)) ?? {};
  if (hiddenBefore !== undefined && record.createdAt < hiddenBefore) throw notFound('Message', messageId);
  await redactMessage(work, channel, found(record));
}

/** Returns the error of Amazon Chime for a resource that does not exist. Assumed: the titles. */
function notFound(title: string, id: string): AwsError {
  return new AwsError('NotFoundException', `Could not find ${title} with Id '${id}'`);
}
