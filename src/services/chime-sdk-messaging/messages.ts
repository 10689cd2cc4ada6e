import { type Instant, instant } from '#core/instant.ts';
import { pageOf } from '../chime-kit/page.ts';
import { inChannel } from './bearer-operations.ts';
import { chimeRetentionOf } from './chime-retention.ts';
import { inSubChannel } from './membership-events.ts';
import { found, messageOrMissing, toMessage, toMessageResponse, toMessageSummary, toStatus } from './message-documents.ts';
import { emitMessage, isOwnMessage, visibleMessage } from './message-events.ts';
import { redactMessage } from './redact-message.ts';
import { channelArn } from './stored-channels.ts';
import { subChannelOf } from './sub-channels.ts';
import { ALL_TIMES, channelMessages } from './tables/channel-messages.ts';

/** Reading messages. Source: chime-sdk-messaging 2021-05-15. */
export const messageReadOperations = inChannel({
  /** @throws NotFoundException the channel or the message does not exist, or the bearer does not see the message */
  GetChannelMessage: {
    async handle(call, input, admitted) {
      const message = await visibleMessage(call, admitted, input);
      return { ChannelMessage: await toMessage(call.tx, admitted.channel, message) };
    },
  },

  /**
   * Returns a page of the messages that the bearer sees, in the order of time, newest first by default.
   *
   * Source: API reference, ListChannelMessages: redacted messages are listed without content.
   * @throws BadRequestException an invalid sub-channel, or the token belongs to another list
   */
  ListChannelMessages: {
    async handle(call, input, { bearer, channel }) {
      const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
      const { SortOrder: order = 'DESCENDING', NotBefore = ALL_TIMES.notBefore, NotAfter: notAfter = ALL_TIMES.notAfter } = input;
      const { hiddenBefore = NotBefore } = (await chimeRetentionOf(call.tx, channel, call.now)) ?? {};
      const notBefore = instant(Math.max(NotBefore, hiddenBefore));
      const range = { channelKey: channel.channelKey, subChannelId, reader: bearer.key, notBefore, notAfter, order };
      const { items, rest } = await pageOf(
        JSON.stringify(['messages', ...Object.values({ ...range, notBefore: NotBefore })]),
        input,
        (limit, after) => call.tx.of(channelMessages).list(range, limit, placeOf(after)),
        ({ createdAt, messageId }) => `${createdAt} ${messageId}`,
      );
      const ChannelMessages = [];
      for (const record of items) ChannelMessages.push(await toMessageSummary(call.tx, channel, found(record)));
      return { ChannelArn: channelArn(channel), ChannelMessages, ...inSubChannel(subChannelId), ...rest };
    },
  },

  /** Returns the status of a message that the bearer sent. @throws ForbiddenException the message does not exist, or another user sent it */
  GetChannelMessageStatus: {
    about: isOwnMessage,
    async handle(call, input, admitted) {
      const message = await visibleMessage(call, admitted, input);
      return { Status: toStatus(message.document) };
    },
  },
});

/** Redacting and deleting messages. Source: chime-sdk-messaging 2021-05-15. */
export const messageRemovalOperations = inChannel({
  /**
   * Deletes content, metadata and attributes of a message. The message remains.
   *
   * Source: API reference, RedactChannelMessage. Assumed: a repeated redaction succeeds and changes nothing.
   * @throws ForbiddenException the channel or the message does not exist, or the bearer's role does not allow it
   *
   * Emits: REDACT_CHANNEL_MESSAGE.
   */
  RedactChannelMessage: {
    about: isOwnMessage,
    async handle(call, input, admitted) {
      const { channel } = admitted;
      const message = await visibleMessage(call, admitted, input);
      await redactMessage(call, channel, message);
      return toMessageResponse(channel, message.record);
    },
  },

  /**
   * Deletes a message for an administrator. The administrator can also delete a message with a `Target`, which only the
   * sender and the target see.
   *
   * Source: API reference, DeleteChannelMessage, and SendChannelMessage, Target.
   * @throws ForbiddenException the channel or the message does not exist, or the bearer is not an administrator
   *
   * Emits: DELETE_CHANNEL_MESSAGE.
   */
  DeleteChannelMessage: {
    inAnySubChannel: true,
    async handle(call, input, admitted) {
      const { channel } = admitted;
      const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
      const message = await messageOrMissing(call, admitted, subChannelId, input.MessageId);
      await call.tx.of(channelMessages).remove(message.record);
      await emitMessage(call, 'DELETE_CHANNEL_MESSAGE', channel, message);
      return {};
    },
  },
});

function placeOf(after: string | undefined): { readonly createdAt: Instant; readonly messageId: string } | undefined {
  if (after === undefined) return undefined;
  const [at, messageId = ''] = after.split(' ');
  return { createdAt: instant(Number(at)), messageId };
}
