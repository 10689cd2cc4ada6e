import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMessage, SendChannelMessageRequest } from '#model/generated/chime-sdk-messaging.ts';
import { once } from '../kit/once.ts';
import type { Call } from '../kit/operation.ts';
import { type Admitted, memberOrForbidden, seesHidden } from './admit.ts';
import { inChannel } from './bearer-operations.ts';
import { AwsError } from './errors.ts';
import { enterFlow, processorsFor } from './flow-processing.ts';
import { requireAttributes, requireContent } from './message-content.ts';
import { type MessageDocument, toMessageResponse, toStatus } from './message-documents.ts';
import { emitMessage, isOwnMessage, visibleMessage } from './message-events.ts';
import { postMessage } from './post-message.ts';
import { subChannelOf } from './sub-channels.ts';
import { ALL_MEMBERS, channelMessages } from './tables/channel-messages.ts';
import { flowMessages } from './tables/flow-messages.ts';
import { memberships } from './tables/memberships.ts';

/** Sending and changing messages. Source: chime-sdk-messaging 2021-05-15. */
export const messageSendOperations = inChannel({
  /**
   * Sends a message, or returns the message that was sent with the same client request token. NON_PERSISTENT messages
   * are delivered to connected members and not stored.
   *
   * @throws ForbiddenException  the channel does not exist, or the target is not a member
   * @throws BadRequestException an invalid sub-channel · content or attributes that are too long · metadata of a
   *   CONTROL message
   * @throws ConflictException   the token was used for a different message
   *
   * Emits: CREATE_CHANNEL_MESSAGE. If the channel has a flow, emits PENDING_CREATE_CHANNEL_MESSAGE instead.
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
   * Assumed: (1) A message that was redacted, was not sent, or waits for a processor cannot be changed. (2) If the request has no metadata, the
   * message keeps its metadata.
   * @throws ForbiddenException  the channel or the message does not exist, or another user sent it
   * @throws BadRequestException an invalid sub-channel · content that is too long · metadata of a CONTROL message
   * @throws ConflictException   the message was redacted, was not sent, or waits for a processor
   *
   * Emits: UPDATE_CHANNEL_MESSAGE. If the channel has a flow, emits PENDING_UPDATE_CHANNEL_MESSAGE instead.
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
      if (await tx.of(flowMessages).isWaiting(channel.channelKey, record.messageId)) {
        throw new AwsError('ConflictException', `Message '${record.messageId}' cannot be changed, because it waits for a processor.`);
      }
      const changes = omitUndefined({ metadata: input.Metadata, contentType: input.ContentType });
      const changed: MessageDocument = { ...document, content: input.Content, ...changes, updatedAt: now, editedAt: now };
      const [processor] = await processorsFor(tx, channel, document.type);
      const response = toMessageResponse(channel, record);
      if (processor !== undefined) {
        const waiting: MessageDocument = { ...changed, pending: true };
        const onlyFor = record.audience === ALL_MEMBERS ? undefined : record.audience;
        await enterFlow(call, channel, processor, omitUndefined({ message: { record, document: waiting }, isUpdate: true, onlyFor }));
        return { ...response, Status: toStatus(waiting) };
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
  const { bearer, channel } = admitted;
  const target = await targetOf(call, admitted, subChannelId, input);
  const document = omitUndefined({
    content: input.Content,
    metadata: input.Metadata,
    type: input.Type,
    persistence: input.Persistence,
    contentType: input.ContentType,
    attributes: input.MessageAttributes,
  });
  const { PushNotification: pushNotification } = input;
  const { messageId, status } = await postMessage(
    call,
    channel,
    omitUndefined({ sender: bearer.key, subChannelId, onlyFor: target, document, pushNotification }),
  );
  return { MessageId: messageId, Status: status };
}

/**
 * Returns the member key (`user/ada`) of the message's only recipient; undefined if all members receive the message.
 *
 * Source: API reference, SendChannelMessage, Target: the target is a member of the channel. Assumed: the wording of the
 * error message.
 * @throws ForbiddenException the target is not in the app instance, or is not a member that the bearer may see
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
