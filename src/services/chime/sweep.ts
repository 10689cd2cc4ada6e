import { instant } from '#core/instant.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { botsOf, CHIME_BOT } from '../chime-kit/chime-bots.ts';
import { storeRetention } from '../chime-kit/chime-retention.ts';
import type { Work } from '../kit/events.ts';
import { removeEntries } from './directory-people.ts';
import { DISABLED_MS } from './disabled-accounts.ts';
import { endCredentials } from './end-credentials.ts';
import { withoutProvider } from './providers.ts';
import { removeRoom } from './room-channels.ts';
import { accounts } from './tables/accounts.ts';
import { dataExports } from './tables/data-exports.ts';
import { delegates } from './tables/delegates.ts';
import { domains } from './tables/domains.ts';
import { messageCounts } from './tables/message-counts.ts';
import { personSessions } from './tables/people.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { rooms } from './tables/rooms.ts';
import { usageReports } from './tables/usage-reports.ts';
import { users } from './tables/users.ts';
import { releaseNumbers } from './user-numbers.ts';

/** Maximum users, memberships or sessions that one transaction of the sweep deletes. Other requests wait for this transaction. */
const SWEPT_AT_ONCE = 200;

/**
 * Deletes accounts that were disabled 90 days ago, with their rooms, users and bots. Each step deletes one room, or a limited number of users and
 * of their memberships in rooms of other accounts. The last step deletes the bots and the account.
 * The phone numbers of the users stay in the AWS account, and are Unassigned.
 *
 * Emits: ChimeUsersForgotten, ChimeAccountRemoved.
 */
export async function sweepDisabledAccounts(work: Work): Promise<'more' | 'done'> {
  const { tx, now, emit } = work;
  const account = await tx.of(accounts).firstDisabled(instant(now - DISABLED_MS));
  if (account === undefined) return 'done';
  const { accountId, chimeAccountId } = account;
  const [room] = await tx.of(rooms).list(chimeAccountId, 1);
  if (room !== undefined) {
    await removeRoom(work, room);
    return 'more';
  }
  if ((await tx.of(roomMemberships).removeUsers(chimeAccountId, SWEPT_AT_ONCE, SWEPT_AT_ONCE)) === SWEPT_AT_ONCE) return 'more';
  if ((await releaseNumbers({ tx, now }, accountId, chimeAccountId, SWEPT_AT_ONCE)) === SWEPT_AT_ONCE) return 'more';
  const userIds = await tx.of(users).inNoOtherList(chimeAccountId, SWEPT_AT_ONCE);
  if (userIds.length > 0) await emit<ChimeAccountEvent>({ type: 'ChimeUsersForgotten', accountId, chimeAccountId, userIds });
  if ((await tx.of(users).removeSome(chimeAccountId, SWEPT_AT_ONCE)) === SWEPT_AT_ONCE) return 'more';
  if ((await tx.of(messageCounts).removeSome(chimeAccountId, SWEPT_AT_ONCE)) === SWEPT_AT_ONCE) return 'more';
  if ((await removeEntries({ tx }, account, SWEPT_AT_ONCE)) === SWEPT_AT_ONCE) return 'more';
  await tx.resources.removeAll(CHIME_BOT, botsOf(account));
  // An account without domains has no provider. This deletes what a provider left, such as API keys.
  await withoutProvider(work, account);
  await tx.of(domains).removeOf(chimeAccountId);
  await tx.of(delegates).removeOf(chimeAccountId);
  await tx.of(dataExports).removeBefore(chimeAccountId, now);
  await storeRetention(work, account, {});
  await tx.of(usageReports).remove(chimeAccountId);
  await tx.of(accounts).remove(accountId, chimeAccountId);
  await emit<ChimeAccountEvent>({ type: 'ChimeAccountRemoved', accountId, chimeAccountId });
  return 'more';
}

/** Deletes sessions of people that have expired, and ends their credentials. */
export async function sweepSessions({ tx, now }: Work): Promise<'more' | 'done'> {
  const ended = await tx.of(personSessions).removeExpired(now, SWEPT_AT_ONCE);
  await endCredentials(tx, ended);
  return ended.length === SWEPT_AT_ONCE ? 'more' : 'done';
}
