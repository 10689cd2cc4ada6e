import type { ChimeApi } from '#model/generated/chime.ts';
import type { ChimeMessageEvent } from '../chime-kit/room-events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { emitRoom } from './room-channels.ts';
import { enterpriseAccount, roomOrNotFound } from './rooms.ts';
import { users } from './tables/users.ts';

/**
 * Redaction of messages. Users see the message without its content. Source: chime 2018-05-01; chime.md §5.
 *
 * Assumed: the errors; a repeated redaction succeeds.
 */
export const redactionOperations = {
  /**
   * Redacts a message in a room.
   *
   * @throws NotFoundException    the account, the room or the message does not exist
   * @throws BadRequestException  the account is a Team account
   * Emits: ChimeRoomMessageRedacted.
   */
  RedactRoomMessage: {
    async handle(call, { MessageId, ...input }) {
      const room = await roomOrNotFound(call, input);
      await emitRoom(call, room);
      const { accountId } = call;
      await call.emit<ChimeMessageEvent>({ type: 'ChimeRoomMessageRedacted', accountId, roomId: room.roomId, messageId: MessageId });
      return {};
    },
  },

  /**
   * Redacts a message in a conversation: a channel in the app instance of Amazon Chime that is not the channel of a room.
   *
   * Assumed: a conversation belongs to each account that has one of its members.
   * @throws NotFoundException    the account does not exist · the conversation or the message does not exist, or no member is a user of the account
   * @throws BadRequestException  the account is a Team account
   * Emits: ChimeConversationMessageRedacted.
   */
  RedactConversationMessage: {
    async handle(call, { AccountId, ConversationId, MessageId }) {
      const { chimeAccountId, accountId } = await enterpriseAccount(call, AccountId);
      await call.emit<ChimeMessageEvent>({
        type: 'ChimeConversationMessageRedacted',
        accountId,
        conversationId: ConversationId,
        messageId: MessageId,
        hasUser: async (userIds) => (await call.tx.of(users).getSome(chimeAccountId, userIds)).some(({ isMember }) => isMember),
      });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;
