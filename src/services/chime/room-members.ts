import type { MemberType } from '#model/generated/chime.ts';
import { botsOf, CHIME_BOT, type ChimeBotRecord, receivesEvents } from '../chime-kit/chime-bots.ts';
import { QUOTAS_MAX } from '../chime-kit/quotas.ts';
import type { Finder } from './stored-accounts.ts';
import type { RoomRecord } from './tables/rooms.ts';
import { USERS_MAX, type UserRecord, users } from './tables/users.ts';

/** User or bot that is in a room or can join one. */
export interface FoundMember {
  readonly memberType: MemberType;
  readonly email: string;
  readonly fullName: string | undefined;
  readonly chimeAccountId: string;
  /** Whether the member can be added to a room now. */
  readonly canJoin: boolean;
}

/**
 * Returns the possible members of a room with the given IDs: users in any Chime account of the AWS account, and bots of the room's account.
 * Unknown IDs are absent.
 */
export async function findMembers(
  { tx, accountId }: Finder,
  room: Pick<RoomRecord, 'accountId' | 'chimeAccountId'>,
  memberIds: readonly string[],
): Promise<ReadonlyMap<string, FoundMember>> {
  const found = new Map<string, UserRecord>();
  for (let at = 0; at < memberIds.length; at += USERS_MAX) {
    for (const user of await tx.of(users).profilesById(accountId, memberIds.slice(at, at + USERS_MAX))) {
      // A person can be in several lists, and is a member of one account at most.
      if (found.get(user.userId)?.isMember !== true) found.set(user.userId, user);
    }
  }
  const members = new Map(Array.from(found, ([userId, user]) => [userId, toMember(user)]));
  if (memberIds.every((id) => members.has(id))) return members;
  for (const bot of await tx.resources.list(CHIME_BOT, botsOf(room), QUOTAS_MAX.bots)) members.set(bot.id, toBotMember(bot));
  return members;
}

/** Assumed: a bot that is disabled, or that has no endpoint, cannot join a room. */
function toBotMember({ parent, document }: ChimeBotRecord): FoundMember {
  return {
    memberType: 'Bot',
    email: document.BotEmail,
    fullName: document.DisplayName,
    chimeAccountId: parent,
    canJoin: receivesEvents(document),
  };
}

function toMember({ chimeAccountId, registrationStatus, isMember, document }: UserRecord): FoundMember {
  return {
    memberType: 'User',
    email: document.PrimaryEmail,
    fullName: document.DisplayName,
    chimeAccountId,
    canJoin: isMember && registrationStatus === 'Registered',
  };
}
