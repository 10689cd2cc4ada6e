/** People in conversations of Amazon Chime. */
import type { Tx } from '#store/store.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type MembershipPlace, memberships } from './tables/memberships.ts';

/** People of a conversation that are read at a time, and pages that are read. */
const MEMBERS_AT_ONCE = 50;
const MEMBER_PAGES_MAX = 20;

const PREFIX = 'user/';

/**
 * Yields the user IDs of the first 1,000 members of a conversation, in pages of at most 50. A conversation without members has the user that
 * created it. Hidden members of an elastic channel are omitted.
 */
export async function* peopleOf(
  tx: Tx,
  { channelKey, document }: Pick<ChannelRecord, 'channelKey' | 'document'>,
): AsyncGenerator<readonly string[]> {
  let after: MembershipPlace = { subChannelId: '', member: '' };
  for (let page = 0; page < MEMBER_PAGES_MAX; page++) {
    const members =
      document.elastic === undefined
        ? await tx.of(memberships).page(channelKey, '', MEMBERS_AT_ONCE, after.member)
        : await tx.of(memberships).list(channelKey, undefined, 'DEFAULT', MEMBERS_AT_ONCE, after);
    const userIds = usersOf(page === 0 && members.length === 0 ? [document.createdBy] : members.map(({ member }) => member));
    if (userIds.length > 0) yield userIds;
    if (members.length < MEMBERS_AT_ONCE) return;
    after = members.at(-1) as MembershipPlace;
  }
}

function usersOf(members: readonly string[]): readonly string[] {
  return members.flatMap((member) => (member.startsWith(PREFIX) ? [member.slice(PREFIX.length)] : []));
}
