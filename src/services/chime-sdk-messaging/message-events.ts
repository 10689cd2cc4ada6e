/** Functions that find the message that an input names, and emit events about it. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { SendChannelMessageRequest } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent, MessageEventType } from '../chime-kit/events.ts';
import type { Work } from '../kit/events.ts';
import type { Call } from '../kit/operation.ts';
import type { About, Admitted, Bearer } from './admit.ts';
import { type FoundMessage, messageOrMissing, toMessage } from './message-documents.ts';
import { named } from './stored-channels.ts';
import { subChannelOf } from './sub-channels.ts';
import { channelMessages } from './tables/channel-messages.ts';
import type { ChannelRecord } from './tables/channels.ts';

/** Fields of an input that identify a message. */
interface OfMessage {
  readonly MessageId: string;
  readonly SubChannelId?: string;
}

/** Reports whether the bearer sent the message that an input names. */
export async function isOwnMessage(
  { tx }: Call,
  { MessageId, SubChannelId = '' }: OfMessage,
  { channelKey }: ChannelRecord,
  bearer: Bearer,
): Promise<About> {
  const message = await tx.of(channelMessages).get(channelKey, SubChannelId, MessageId);
  return { own: message?.sender === bearer.key };
}

/**
 * Returns the message that an input names.
 *
 * @throws BadRequestException an invalid sub-channel
 * @throws AwsError the error that `missing` returns: the message does not exist, or the bearer does not see it
 */
export async function visibleMessage(call: Call, admitted: Admitted, { MessageId, SubChannelId }: OfMessage): Promise<FoundMessage> {
  const subChannelId = await subChannelOf(call, admitted.channel, SubChannelId);
  return messageOrMissing(call, admitted, subChannelId, MessageId, admitted.bearer.key);
}

/** Emits an event about a message. */
export async function emitMessage(
  { tx, emit }: Work,
  type: MessageEventType,
  channel: ChannelRecord,
  message: FoundMessage,
  pushNotification?: SendChannelMessageRequest['PushNotification'],
): Promise<void> {
  const event = { type, ...named(channel), message: await toMessage(tx, channel, message), pushNotification };
  await emit<ChannelEvent>(omitUndefined(event));
}
