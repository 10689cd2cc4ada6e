/** The channel of a room: each change of a room is emitted, so that its channel changes in the same transaction. */
import { storeRetention } from '../chime-kit/chime-retention.ts';
import type { ChimeRoom, ChimeRoomEvent, ChimeRoomMember } from '../chime-kit/room-events.ts';
import type { Work } from '../kit/events.ts';
import { type FoundMember, findMembers } from './room-members.ts';
import { accounts } from './tables/accounts.ts';
import { type RoomMembershipRecord, roomMemberships } from './tables/room-memberships.ts';
import { type RoomRecord, rooms } from './tables/rooms.ts';
import { USERS_MAX } from './tables/users.ts';
import { webhooks } from './tables/webhooks.ts';

/** Rooms without a channel that one transaction of the sweep handles. A room has at most 1,000 members. */
const SWEPT_AT_ONCE = 1;

/**
 * Emits the current state of a room. `changed` are the memberships that were added or have another role, at most `USERS_MAX`, with their members
 * if the caller has read them. A room that has no channel yet is emitted with all its members, and the
 * retention that an earlier version of Belfry stored applies to it.
 *
 * Bots are not in channels.
 * Emits: ChimeRoomStored.
 */
export async function emitRoom(
  work: Work,
  room: RoomRecord,
  changed: readonly RoomMembershipRecord[] = [],
  found?: ReadonlyMap<string, FoundMember>,
): Promise<void> {
  if (room.hasChannel) return await emitMembers(work, room, changed, found);
  await work.tx.of(rooms).markChannel(room);
  const account = await work.tx.of(accounts).get(room.accountId, room.chimeAccountId);
  if (account !== undefined) await storeRetention(work, account, account.document);
  let after: string | undefined;
  do {
    const page = await work.tx.of(roomMemberships).list(room.roomId, USERS_MAX, after);
    await emitMembers(work, room, page);
    after = page.length < USERS_MAX ? undefined : page.at(-1)?.memberId;
  } while (after !== undefined);
}

async function emitMembers(
  work: Work,
  room: RoomRecord,
  memberships: readonly RoomMembershipRecord[],
  known?: ReadonlyMap<string, FoundMember>,
): Promise<void> {
  const ofUsers = memberships.filter(({ memberType }) => memberType === 'User');
  const ids = ofUsers.map(({ memberId }) => memberId);
  const found = known ?? (ids.length === 0 ? new Map<string, FoundMember>() : await findMembers({ ...work, ...room }, room, ids));
  const members: ChimeRoomMember[] = [];
  for (const { memberId, role } of ofUsers) {
    const member = found.get(memberId);
    if (member !== undefined) members.push({ userId: memberId, name: member.fullName ?? member.email, role });
  }
  await work.emit<ChimeRoomEvent>({ type: 'ChimeRoomStored', room: toEventRoom(room), members });
}

/** Deletes a room and its memberships. Emits: ChimeRoomRemoved. */
export async function removeRoom(work: Work, room: RoomRecord): Promise<void> {
  await work.tx.of(roomMemberships).removeRoom(room.roomId);
  await work.tx.of(webhooks).removeRoom(room.roomId);
  await work.tx.of(rooms).remove(room.chimeAccountId, room.roomId);
  await work.emit<ChimeRoomEvent>({ type: 'ChimeRoomRemoved', room: toEventRoom(room) });
}

/** Deletes a membership of a room. Emits: ChimeRoomMemberRemoved. */
export async function removeMember(work: Work, room: RoomRecord, memberId: string): Promise<'removed' | 'absent'> {
  if ((await work.tx.of(roomMemberships).remove(room.roomId, memberId)) === 'absent') return 'absent';
  await work.tx.of(webhooks).removeBot(memberId, room.roomId);
  await emitRoom(work, room);
  await work.emit<ChimeRoomEvent>({ type: 'ChimeRoomMemberRemoved', room: toEventRoom(room), userId: memberId });
  return 'removed';
}

/** Creates the channels of rooms that an earlier version of Belfry created. */
export async function sweepRoomsWithoutChannel(work: Work): Promise<'more' | 'done'> {
  const found = await work.tx.of(rooms).withoutChannel(SWEPT_AT_ONCE);
  for (const room of found) await emitRoom(work, room);
  return found.length === SWEPT_AT_ONCE ? 'more' : 'done';
}

function toEventRoom({ accountId, chimeAccountId, roomId, name }: RoomRecord): ChimeRoom {
  return { accountId, chimeAccountId, roomId, name };
}
