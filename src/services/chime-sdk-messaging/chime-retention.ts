/** Retention that Amazon Chime applies to rooms and conversations. */
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { isChimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { chimePeople } from '../chime-kit/chime-people.ts';
import { chimeRetentionTimes, mixedRetentionTimes, type RetentionTimes } from '../chime-kit/chime-retention.ts';
import { peopleOf } from './conversation-members.ts';
import type { ChannelRecord } from './tables/channels.ts';

/**
 * Returns what Amazon Chime's retention does to the messages of a channel. Returns undefined if it keeps them, or does not apply.
 *
 * Source: Administration Guide, "Managing chat retention"; chime.md §5. The account of a room decides about the room. A conversation with members of one
 * Enterprise account only has the retention of this account, and one of such members with others has 90 days. Decision 0041.
 */
export async function chimeRetentionOf(tx: Tx, channel: ChannelRecord, now: Instant): Promise<RetentionTimes | undefined> {
  const { accountId, document } = channel;
  if (document.room !== undefined)
    return await chimeRetentionTimes(tx, accountId, document.room.chimeAccountId, 'RoomRetentionSettings', now);
  if (!isConversation(channel)) return undefined;
  const owner = await ownerOf(tx, channel);
  if (owner === 'none') return undefined;
  if (owner === 'mixed') return mixedRetentionTimes(now);
  return await chimeRetentionTimes(tx, accountId, owner.chimeAccountId, 'ConversationRetentionSettings', now);
}

/** Reports whether a channel is a conversation of Amazon Chime: it is in the app instance of Amazon Chime, and is not the channel of a room. */
export function isConversation(channel: ChannelRecord): boolean {
  return channel.document.room === undefined && isChimeAppInstance(channel, channel.appInstanceId);
}

/** Returns the Enterprise account of all members of a conversation, `mixed` if only some are in it, and `none` if none is in an Enterprise account. */
async function ownerOf(tx: Tx, channel: ChannelRecord): Promise<{ readonly chimeAccountId: string } | 'mixed' | 'none'> {
  const owners = new Set<string | undefined>();
  for await (const userIds of peopleOf(tx, channel)) {
    const found = await tx.of(chimePeople).enterpriseAccounts(channel.accountId, userIds);
    for (const userId of userIds) owners.add(found.get(userId));
    if (owners.size > 1) return 'mixed';
  }
  const [chimeAccountId] = owners;
  return chimeAccountId === undefined ? 'none' : { chimeAccountId };
}
