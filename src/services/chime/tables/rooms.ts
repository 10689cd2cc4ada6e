import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, flag, instant, type Row, table, text, textOf } from '#store/table.ts';

/** Chat rooms of Chime accounts. */
export const CHIME_ROOM = table('chime_room', {
  columns: {
    chimeAccountId: text,
    /** UUID in lower case. */
    roomId: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    name: text,
    /** ARN of the caller that created the room. */
    createdBy: text,
    createdAt: instant,
    updatedAt: instant,
    /** Whether the room has a channel. False for a room of an earlier version of Belfry, until its first change or the sweep. */
    hasChannel: flag,
  },
  key: ['chimeAccountId', 'roomId'],
  indexes: [['chimeAccountId', 'createdAt', 'roomId'], { columns: ['chimeAccountId', 'roomId'], where: 'has_channel = 0' }],
});
export type RoomRecord = Row<typeof CHIME_ROOM>;

/** Position in a list of rooms. */
export type RoomPlace = Pick<RoomRecord, 'createdAt' | 'roomId'>;

type RoomKey = Pick<RoomRecord, 'chimeAccountId' | 'roomId'>;

/**
 * Rooms of Chime accounts. Pass only the ID of a Chime account that was found in the AWS account of the caller.
 *
 *     stored in account a: (r1, created at 2), (r2, created at 1)
 *     list('a', 9) → r2, r1
 */
export interface Rooms {
  add(room: RoomRecord): Promise<void>;
  get(chimeAccountId: string, roomId: string): Promise<RoomRecord | undefined>;
  /** Replaces the name and the time of the update. */
  put(room: RoomRecord): Promise<'changed' | 'absent'>;
  /** Stores that a room has a channel. */
  markChannel(room: RoomKey): Promise<void>;
  /** Lists rooms of all accounts that have no channel. */
  withoutChannel(limit: number): Promise<readonly RoomRecord[]>;
  /** Deletes a room. Its memberships remain: see `RoomMemberships.removeRoom`. */
  remove(chimeAccountId: string, roomId: string): Promise<'removed' | 'absent'>;
  /** Lists rooms, oldest first, starting after the position `after`. */
  list(chimeAccountId: string, limit: number, after?: RoomPlace): Promise<readonly RoomRecord[]>;
  /** Lists the rooms of an account that a member is in, as `list`. */
  withMember(
    room: Pick<RoomRecord, 'accountId' | 'chimeAccountId'>,
    memberId: string,
    limit: number,
    after?: RoomPlace,
  ): Promise<readonly RoomRecord[]>;
  /** Returns the rooms of an account with a name, at most `limit`, in no order. */
  withName(chimeAccountId: string, name: string, limit: number): Promise<readonly RoomRecord[]>;
  /** Returns the number of rooms of an account. Stops counting at `most`. */
  count(chimeAccountId: string, most: number): Promise<number>;
}

const { names } = CHIME_ROOM;
const LIST = `
  SELECT ${names} FROM chime_room WHERE chime_account_id = $1 AND (created_at_ms, room_id) > ($2, $3)
  ORDER BY created_at_ms, room_id LIMIT $4`;
const LIST_WITH_MEMBER = `
  SELECT ${names
    .split(', ')
    .map((name) => `r.${name}`)
    .join(', ')}
  FROM room_membership m JOIN chime_room r ON r.chime_account_id = m.chime_account_id AND r.room_id = m.room_id
  WHERE m.account_id = $1 AND m.member_id = $2 AND m.chime_account_id = $3 AND (m.room_created_at_ms, m.room_id) > ($4, $5)
  ORDER BY m.room_created_at_ms, m.room_id LIMIT $6`;
const WITH_NAME = `SELECT ${names} FROM chime_room WHERE chime_account_id = $1 AND name = $2 LIMIT $3`;
const COUNT = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM chime_room WHERE chime_account_id = $1 LIMIT $2) AS counted';
const LIST_WITHOUT_CHANNEL = `
  SELECT ${names} FROM chime_room WHERE has_channel = 0 ORDER BY chime_account_id, room_id LIMIT $1`;
const MARK_CHANNEL = 'UPDATE chime_room SET has_channel = 1 WHERE chime_account_id = $1 AND room_id = $2';
const put = CHIME_ROOM.update('name', 'updatedAt');

/** Creates the repository of one transaction. */
export function rooms(sql: Sql): Rooms {
  const place = (after?: RoomPlace) => [after?.createdAt ?? -1, after?.roomId ?? ''];
  return {
    add: (room) => CHIME_ROOM.insert(sql, room),
    get: (chimeAccountId, roomId) => CHIME_ROOM.get(sql, chimeAccountId, roomId),
    put: (room) => put(sql, room),
    async markChannel({ chimeAccountId, roomId }) {
      await sql.run(MARK_CHANNEL, [chimeAccountId, roomId]);
    },
    withoutChannel: (limit) => CHIME_ROOM.rows(sql, LIST_WITHOUT_CHANNEL, [limit]),
    remove: (chimeAccountId, roomId) => CHIME_ROOM.remove(sql, chimeAccountId, roomId),
    list: (chimeAccountId, limit, after) => CHIME_ROOM.rows(sql, LIST, [chimeAccountId, ...place(after), limit]),
    withMember: ({ accountId, chimeAccountId }, memberId, limit, after) =>
      CHIME_ROOM.rows(sql, LIST_WITH_MEMBER, [accountId, memberId, chimeAccountId, ...place(after), limit]),
    withName: (chimeAccountId, name, limit) => CHIME_ROOM.rows(sql, WITH_NAME, [chimeAccountId, name, limit]),
    count: (chimeAccountId, most) => countOf(sql, COUNT, [chimeAccountId, most]),
  };
}
