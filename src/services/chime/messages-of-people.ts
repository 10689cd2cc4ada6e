/** Messages that people of Amazon Chime write: they are counted, and those that mention a bot are events of the bot. */
import type { AccountId } from '#core/arn.ts';
import { chimeUserArn, isChimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { botsOf, CHIME_BOT, receivesEvents } from '../chime-kit/chime-bots.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { QUOTAS_MAX } from '../chime-kit/quotas.ts';
import { subscription, type Work } from '../kit/events.ts';
import { sendBotEvents } from './bot-events.ts';
import { mentionedBots } from './mentions.ts';
import { accounts } from './tables/accounts.ts';
import { messageCounts } from './tables/message-counts.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { users } from './tables/users.ts';

/**
 * Counts the messages of people, and sends those that mention bots to these.
 *
 * Source: Administration Guide, "Viewing usage reports", chat messages sent; "Chat bot events sent to chat bots", Mention. Assumed: (1) control
 * messages and messages that are not stored, as those of a person who is typing, do not count. A redacted message counts. (2) A message that only
 * one member sees is not an event of a bot. (3) Bots do not mention bots.
 * Writes: the count · an outgoing event for each mentioned bot.
 */
export const messagesOfPeople = subscription<ChannelEvent>()(['CREATE_CHANNEL_MESSAGE'], async (work, event) => {
  if (!('message' in event) || event.message.Type !== 'STANDARD' || !isChimeAppInstance(event, event.appInstanceId)) return;
  const { accountId, channelId, message } = event;
  const prefix = chimeUserArn(accountId, '');
  const senderArn = message.Sender?.Arn ?? '';
  if (!senderArn.startsWith(prefix)) return;
  const userId = senderArn.slice(prefix.length);
  if (message.Persistence === 'PERSISTENT') await work.tx.of(messageCounts).count(accountId, userId, message.CreatedTimestamp ?? work.now);
  if (message.Target !== undefined || message.Content === undefined) return;
  await sendMentions(work, { accountId, roomId: channelId, userId, senderArn, content: message.Content });
});

interface RoomMessage {
  readonly accountId: AccountId;
  readonly roomId: string;
  readonly userId: string;
  readonly senderArn: string;
  readonly content: string;
}

async function sendMentions(work: Work, { accountId, roomId, userId, senderArn, content }: RoomMessage): Promise<void> {
  if (!content.includes('@')) return;
  const { tx } = work;
  const members = await tx.of(roomMemberships).bots(roomId, QUOTAS_MAX.bots);
  const [first] = members;
  if (first === undefined || first.accountId !== accountId) return;
  const { chimeAccountId } = first;
  const account = await tx.of(accounts).get(accountId, chimeAccountId);
  if (account === undefined || account.disabledAt !== undefined) return;
  const ids = new Set(members.map(({ memberId }) => memberId));
  const bots = (await tx.resources.list(CHIME_BOT, botsOf(account), QUOTAS_MAX.bots)).filter(
    ({ id, document }) => ids.has(id) && receivesEvents(document),
  );
  const mentioned = mentionedBots(content, bots);
  if (mentioned.length === 0) return;
  const profiles = await tx.of(users).profilesById(accountId, [userId]);
  const email = (profiles.find(({ isMember }) => isMember) ?? profiles[0])?.document.PrimaryEmail;
  await sendBotEvents(work, { accountId, chimeAccountId, roomId }, mentioned, {
    type: 'Mention',
    sender: email === undefined ? { SenderId: senderArn, SenderIdType: 'Arn' } : { SenderId: email, SenderIdType: 'EmailId' },
    message: content,
  });
}
