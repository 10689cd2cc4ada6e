import type { AccountId } from '#core/arn.ts';
import type { MemberType, RoomMembershipRole } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, type Row, table, text, textOf } from '#store/table.ts';
import { padded, placeholders, USERS_MAX } from './users.ts';

/** Members of rooms. A member can belong to another Chime account of the AWS account than the room. */
export const ROOM_MEMBERSHIP = table('room_membership', {
  columns: {
    roomId: text,
    /** ID of a user or of a bot. */
    memberId: text,
    /** AWS account that owns the room and the member. */
    accountId: textOf<AccountId>(),
    /** Chime account of the room. */
    chimeAccountId: text,
    /** Creation of the room, which is the order of the rooms of a member. */
    roomCreatedAt: instant,
    memberType: textOf<MemberType>(),
    role: textOf<RoomMembershipRole>(),
    /** ARN of the caller that added the member. */
    invitedBy: text,
    updatedAt: instant,
  },
  key: ['roomId', 'memberId'],
  indexes: [
    ['accountId', 'memberId', 'chimeAccountId', 'roomCreatedAt', 'roomId'],
    { columns: ['roomId', 'memberId'], where: "member_type = 'Bot'" },
  ],
});
export type RoomMembershipRecord = Row<typeof ROOM_MEMBERSHIP>;

/** Members of rooms. Pass only the ID of a room that was found in the AWS account of the caller. */
export interface RoomMemberships {
  /** Adds memberships. The caller has checked with `getSome` that none of them exists. */
  add(memberships: readonly RoomMembershipRecord[]): Promise<void>;
  get(roomId: string, memberId: string): Promise<RoomMembershipRecord | undefined>;
  /** Returns the memberships of the given members in a room, at most `USERS_MAX`, in no order. */
  getSome(roomId: string, memberIds: readonly string[]): Promise<readonly RoomMembershipRecord[]>;
  /** Replaces the role and the time of the update. */
  put(membership: RoomMembershipRecord): Promise<'changed' | 'absent'>;
  remove(roomId: string, memberId: string): Promise<'removed' | 'absent'>;
  /** Deletes the memberships of a room. */
  removeRoom(roomId: string): Promise<void>;
  /**
   * Deletes at most `limit` memberships of the first `users` users in the list of a Chime account that are in no other list of the AWS
   * account. Returns their number.
   */
  removeUsers(chimeAccountId: string, users: number, limit: number): Promise<number>;
  /** Deletes at most `limit` memberships of a member in rooms of an AWS account. Returns their number. */
  removeMember(accountId: AccountId, memberId: string, limit: number): Promise<number>;
  /** Lists the memberships of a room in the order of member IDs, starting after the ID `after`. */
  list(roomId: string, limit: number, after?: string): Promise<readonly RoomMembershipRecord[]>;
  /** Returns the memberships of the bots in a room, at most `most`, in no order. */
  bots(roomId: string, most: number): Promise<readonly RoomMembershipRecord[]>;
  /** Returns the number of members of a room. Stops counting at `most`. */
  count(roomId: string, most: number): Promise<number>;
  /** Returns the number of rooms of each of the given members, at most `USERS_MAX`. A member without rooms is absent. */
  roomCounts(accountId: AccountId, memberIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

const { names } = ROOM_MEMBERSHIP;
const SELECT_SOME = `SELECT ${names} FROM room_membership WHERE room_id = $1 AND member_id IN (${placeholders(2, USERS_MAX)})`;
// The inner query reads only columns of the index of bots. Otherwise SQLite would use the primary key and read all members of the room.
const SELECT_BOTS = `
  SELECT ${names} FROM room_membership WHERE (room_id, member_id) IN (
    SELECT room_id, member_id FROM room_membership WHERE room_id = $1 AND member_type = 'Bot' LIMIT $2)`;
const DELETE_ROOM = 'DELETE FROM room_membership WHERE room_id = $1';
const DELETE_OF_USERS = `
  DELETE FROM room_membership WHERE (room_id, member_id) IN (
    SELECT m.room_id, m.member_id
    FROM (SELECT account_id, user_id FROM chime_user WHERE chime_account_id = $1 ORDER BY user_id LIMIT $2) AS u
    JOIN room_membership m ON m.account_id = u.account_id AND m.member_id = u.user_id
    WHERE NOT EXISTS (
      SELECT 1 FROM chime_user o WHERE o.account_id = u.account_id AND o.user_id = u.user_id AND o.chime_account_id <> $1)
    LIMIT $3)`;
const DELETE_OF_MEMBER = `
  DELETE FROM room_membership WHERE (room_id, member_id) IN (
    SELECT room_id, member_id FROM room_membership WHERE account_id = $1 AND member_id = $2 LIMIT $3)`;
const COUNT = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM room_membership WHERE room_id = $1 LIMIT $2) AS counted';
const ROOM_COUNTS = `
  SELECT member_id, COUNT(*) AS count FROM room_membership WHERE account_id = $1 AND member_id IN (${placeholders(2, USERS_MAX)})
  GROUP BY member_id`;
const put = ROOM_MEMBERSHIP.update('role', 'updatedAt');

/** Creates the repository of one transaction. */
export function roomMemberships(sql: Sql): RoomMemberships {
  return {
    async add(memberships) {
      await ROOM_MEMBERSHIP.addAll(sql, memberships);
    },
    get: (roomId, memberId) => ROOM_MEMBERSHIP.get(sql, roomId, memberId),
    getSome: (roomId, memberIds) => ROOM_MEMBERSHIP.rows(sql, SELECT_SOME, [roomId, ...padded(memberIds)]),
    put: (membership) => put(sql, membership),
    remove: (roomId, memberId) => ROOM_MEMBERSHIP.remove(sql, roomId, memberId),
    async removeRoom(roomId) {
      await sql.run(DELETE_ROOM, [roomId]);
    },
    removeUsers: (chimeAccountId, users, limit) => sql.run(DELETE_OF_USERS, [chimeAccountId, users, limit]),
    removeMember: (accountId, memberId, limit) => sql.run(DELETE_OF_MEMBER, [accountId, memberId, limit]),
    list: (roomId, limit, after = '') => ROOM_MEMBERSHIP.page(sql, [roomId], [after], limit),
    bots: (roomId, most) => ROOM_MEMBERSHIP.rows(sql, SELECT_BOTS, [roomId, most]),
    count: (roomId, most) => countOf(sql, COUNT, [roomId, most]),
    async roomCounts(accountId, memberIds) {
      type Counted = { readonly member_id: string; readonly count: number };
      const counted = await sql.rows<Counted>(ROOM_COUNTS, [accountId, ...padded(memberIds)]);
      return new Map(counted.map(({ member_id: memberId, count }) => [memberId, Number(count)]));
    },
  };
}
