import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  ChannelMessage,
  ChannelMessageType,
  MessageAttributeValue,
  SendChannelMessageRequest,
} from '#model/generated/chime-sdk-messaging.ts';
import { once } from '../kit/once.ts';
import type { Call } from '../kit/operation.ts';
import { type Admitted, memberOrForbidden, seesHidden } from './admit.ts';
import { inChannel } from './bearer-operations.ts';
import { AwsError } from './errors.ts';
import { expiryOf } from './expiration.ts';
import { passThroughFlow } from './flow-processing.ts';
import { type MessageDocument, toMessageResponse, toStatus } from './message-documents.ts';
import { emitMessage, isOwnMessage, visibleMessage } from './message-events.ts';
import { subChannelOf } from './sub-channels.ts';
import { channelMessages } from './tables/channel-messages.ts';
import { channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';

/** Source: API reference, SendChannelMessage, Type: up to 4 KB, and 30 bytes without metadata in a CONTROL message. */
const CONTENT_MAX_BYTES = { STANDARD: 4096, CONTROL: 30 } as const;

/** Source: Chime SDK Developer Guide, "Using filter rules to filter messages", limits. */
const ATTRIBUTES_MAX_BYTES = 1024;

/** Sending and changing messages. Source: chime-sdk-messaging 2021-05-15. */
export const messageSendOperations = inChannel({
  /**
   * Sends a message, or returns the one that the token sent. NON_PERSISTENT messages are delivered to connected members and not stored.
   *
   * @throws ForbiddenException  the channel does not exist, or the target is not a member
   * @throws BadRequestException an invalid sub-channel, content or attributes that are too long, or metadata of a CONTROL message
   * @throws ConflictException   the token sent a different message
   *
   * Emits: CREATE_CHANNEL_MESSAGE, or FAILED_CREATE_CHANNEL_MESSAGE if the channel flow prevents it.
   */
  SendChannelMessage: {
    async handle(call, input, admitted) {
      const { operation, bearer, channel } = admitted;
      const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
      requireContent(input.Type, input.Content, input.Metadata);
      requireAttributes(input.MessageAttributes);
      const sent = await once(
        call,
        `chime:${operation}`,
        { ...input, ClientRequestToken: `${bearer.arn} ${input.ClientRequestToken}` },
        async () => true,
        async () => JSON.stringify(await sendMessage(call, admitted, subChannelId, input)),
      );
      const { MessageId, Status } = JSON.parse(sent) as Required<Pick<ChannelMessage, 'MessageId' | 'Status'>>;
      return { ...toMessageResponse(channel, { messageId: MessageId, subChannelId }), Status };
    },
  },

  /**
   * Changes a message that the bearer sent.
   *
   * Assumed: a message that was redacted or not sent cannot be changed; absent metadata remains.
   * @throws ForbiddenException  the channel or the message does not exist, or another user sent it
   * @throws BadRequestException as SendChannelMessage
   * @throws ConflictException   the message was redacted, or not sent
   *
   * Emits: UPDATE_CHANNEL_MESSAGE, or FAILED_UPDATE_CHANNEL_MESSAGE if the channel flow prevents it.
   */
  UpdateChannelMessage: {
    about: isOwnMessage,
    async handle(call, input, admitted) {
      const { tx, now } = call;
      const { channel } = admitted;
      const { record, document } = await visibleMessage(call, admitted, input);
      requireContent(document.type, input.Content, input.Metadata);
      if (document.redacted === true || document.failure !== undefined) {
        throw new AwsError('ConflictException', `Message '${record.messageId}' cannot be changed, because it was redacted or not sent.`);
      }
      const changes = omitUndefined({ metadata: input.Metadata, contentType: input.ContentType });
      const changed: MessageDocument = { ...document, content: input.Content, ...changes, updatedAt: now, editedAt: now };
      const failure = await passThroughFlow(call, channel, document.type, record.messageId);
      const response = toMessageResponse(channel, record);
      if (failure !== undefined) {
        const failed = { ...changed, failure };
        await emitMessage(call, 'FAILED_UPDATE_CHANNEL_MESSAGE', channel, { record, document: failed });
        return { ...response, Status: toStatus(failed) };
      }
      await tx.of(channelMessages).put({ ...record, document: JSON.stringify(changed) });
      await emitMessage(call, 'UPDATE_CHANNEL_MESSAGE', channel, { record, document: changed });
      return { ...response, Status: toStatus(changed) };
    },
  },
});

async function sendMessage(
  call: Call,
  admitted: Admitted,
  subChannelId: string,
  input: SendChannelMessageRequest,
): Promise<Pick<ChannelMessage, 'MessageId' | 'Status'>> {
  const { tx, now } = call;
  const { bearer, channel } = admitted;
  const target = await targetOf(call, admitted, subChannelId, input);
  const messageId = call.newId();
  const failure = await passThroughFlow(call, channel, input.Type, messageId);
  const document: MessageDocument = omitUndefined({
    content: input.Content,
    metadata: input.Metadata,
    type: input.Type,
    persistence: input.Persistence,
    contentType: input.ContentType,
    attributes: input.MessageAttributes,
    updatedAt: now,
    failure,
  });
  const sent = omitUndefined({
    channelKey: channel.channelKey,
    subChannelId,
    messageId,
    createdAt: now,
    sender: bearer.key,
    onlyFor: failure === undefined ? target : '',
    document: JSON.stringify(document),
  });
  const record = input.Persistence === 'PERSISTENT' ? await tx.of(channelMessages).add(sent) : sent;
  const message = { record, document };
  if (failure === undefined) {
    await tx.of(channels).touch(channel.channelKey, record.createdAt, expiryOf({ ...channel, lastMessageAt: record.createdAt }));
    await emitMessage(call, 'CREATE_CHANNEL_MESSAGE', channel, message, input.PushNotification);
  } else await emitMessage(call, 'FAILED_CREATE_CHANNEL_MESSAGE', channel, message);
  return { MessageId: messageId, Status: toStatus(document) };
}

/**
 * Returns the member key of the only recipient; undefined if all members receive the message.
 *
 * Source: API reference, SendChannelMessage, Target: a member of the channel. Assumed: the message.
 * @throws ForbiddenException the target is not in the app instance, or not a member that the bearer may see
 */
async function targetOf(
  call: Call,
  { bearer, channel, roles }: Admitted,
  subChannelId: string,
  { Target: [target] = [] }: SendChannelMessageRequest,
): Promise<string | undefined> {
  if (target?.MemberArn === undefined) return undefined;
  const { key } = await memberOrForbidden(call, channel.appInstanceId, target.MemberArn);
  const membership = await call.tx.of(memberships).get(channel.channelKey, subChannelId, key);
  const seen = membership?.type !== 'HIDDEN' || key === bearer.key || seesHidden(roles);
  if (membership === undefined || !seen) {
    throw new AwsError('ForbiddenException', `'${target.MemberArn}' is not a member of the channel.`);
  }
  return key;
}

/** Recorded: the message about the size, aws-samples/amazon-chime-sdk issue 247. Assumed: the other message. */
function requireContent(type: ChannelMessageType, content: string, metadata: string | undefined): void {
  if (Buffer.byteLength(content) > CONTENT_MAX_BYTES[type]) {
    throw new AwsError('BadRequestException', 'Channel Messages size limit exceeded');
  }
  if (type === 'CONTROL' && metadata !== undefined && metadata !== '') {
    throw new AwsError('BadRequestException', 'A CONTROL message cannot have Metadata.');
  }
}

/** Assumed: the size is that of the names and the strings; the message. */
function requireAttributes(attributes: Readonly<Record<string, MessageAttributeValue>> = {}): void {
  const texts = Object.entries(attributes).flatMap(([name, { StringValues = [] }]) => [name, ...StringValues]);
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size > ATTRIBUTES_MAX_BYTES)
    throw new AwsError('BadRequestException', `Message attributes can have at most ${ATTRIBUTES_MAX_BYTES} bytes.`);
}
