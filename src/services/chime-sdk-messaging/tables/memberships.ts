import type { Instant } from '#core/instant.ts';
import { inList, inListFrom } from '#store/in-list.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, optional, type Row, table, text } from '#store/table.ts';
import type { ChannelRecord } from './channels.ts';
import { subChannels } from './sub-channels.ts';

/** Memberships of users and bots in channels. In an elastic channel a member is in one sub-channel, and a moderator can be in several. */
export const MEMBERSHIP = table('channel_membership', {
  columns: {
    channelKey: text,
    /** `''`: the channel has no sub-channels. */
    subChannelId: text,
    /** Member key, such as `user/ada`. */
    member: text,
    appInstanceId: text,
    /** `DEFAULT` or `HIDDEN`. */
    type: text,
    /** Member key, such as `user/ada`. */
    invitedBy: text,
    createdAt: instant,
    updatedAt: instant,
    /** Preferences for push notifications, as a JSON string. */
    preferences: optional(text),
    readMarkerAt: optional(instant),
  },
  key: ['channelKey', 'subChannelId', 'member'],
  indexes: [
    ['appInstanceId', 'member', 'channelKey', 'subChannelId'],
    ['channelKey', 'type', 'subChannelId', 'member'],
  ],
});
export type MembershipRecord = Row<typeof MEMBERSHIP>;

/** Channel, or sub-channel, of a member. `subChannelId` is `''` if the channel has no sub-channels. */
export interface JoinedChannel {
  readonly channelId: string;
  readonly subChannelId: string;
}

/** Position of the last membership on the previous page. */
export type MembershipPlace = Pick<MembershipRecord, 'subChannelId' | 'member'>;

export interface Memberships {
  /** Adds a membership. Returns 'exists', and changes nothing, if the member is in the channel or sub-channel already. */
  add(membership: MembershipRecord): Promise<'added' | 'exists'>;
  /** Adds memberships in a channel that is not elastic. A membership that exists does not change. */
  addAll(memberships: readonly MembershipRecord[]): Promise<void>;
  get(channelKey: string, subChannelId: string, member: string): Promise<MembershipRecord | undefined>;
  /** Returns the memberships of some members of a channel that is not elastic, at most `IN_LIST_MAX`, in no order. */
  getSome(channelKey: string, members: readonly string[]): Promise<readonly MembershipRecord[]>;
  /** Returns all memberships of one member in a channel: several if a moderator is in several sub-channels. */
  ofMember(channel: Pick<ChannelRecord, 'appInstanceId' | 'channelKey'>, member: string): Promise<readonly MembershipRecord[]>;
  /** Replaces `updatedAt`, the preferences and the read marker. */
  put(membership: MembershipRecord): Promise<void>;
  remove(channelKey: string, subChannelId: string, member: string): Promise<'removed' | 'absent'>;
  /** Counts memberships of a channel, up to `most`. */
  count(channelKey: string, most: number): Promise<number>;
  /**
   * Returns memberships of one type in one sub-channel, or in all sub-channels if `subChannelId` is undefined. The
   * order is by sub-channel and then by member.
   */
  list(
    channelKey: string,
    subChannelId: string | undefined,
    type: string,
    limit: number,
    after?: MembershipPlace,
  ): Promise<readonly MembershipRecord[]>;
  /** Returns memberships of all types in one sub-channel, in the order of members. */
  page(channelKey: string, subChannelId: string, limit: number, after: string): Promise<readonly MembershipRecord[]>;
  /** Returns at most `limit` memberships of bots in one sub-channel of a channel. */
  bots(channel: JoinedChannel & { readonly appInstanceId: string }, limit: number): Promise<readonly MembershipRecord[]>;
  /** Returns memberships of one member in existing channels, in the order of channel keys and sub-channels. */
  listOfMember(
    appInstanceId: string,
    member: string,
    limit: number,
    after?: Pick<MembershipRecord, 'channelKey' | 'subChannelId'>,
  ): Promise<readonly MembershipRecord[]>;
  /**
   * Returns memberships of one member in existing channels. The membership in the channel with the latest message comes
   * first. With `unreadFirst`, all channels with messages after the member's read marker come before the other
   * channels.
   */
  latestOfMember(appInstanceId: string, member: string, unreadFirst: boolean, limit: number): Promise<readonly MembershipRecord[]>;
  /** Returns all channels and sub-channels of a member. Their order is not defined. */
  joinedBy(appInstanceId: string, member: string): Promise<readonly JoinedChannel[]>;
  /** Moves at most `limit` members that are not moderators to another sub-channel. Returns the moved members. */
  move(channelKey: string, from: string, to: string, limit: number, now: Instant): Promise<readonly string[]>;
  /** Deletes all memberships of one member in an app instance. The member's messages remain. */
  removeMember(appInstanceId: string, member: string): Promise<void>;
}

// Compares the channel key with a range that contains only this key. With `=`, SQLite would use the primary key and
// read all members of the channel.
const SELECT_OF_MEMBER_IN_CHANNEL = `
  SELECT * FROM channel_membership
  WHERE app_instance_id = $1 AND member = $2 AND channel_key >= $3 AND channel_key <= $3 ORDER BY sub_channel_id`;
const SELECT_SOME = `
  SELECT * FROM channel_membership WHERE channel_key = $1 AND sub_channel_id = '' AND member IN (${inListFrom(2)})`;
const COUNT = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM channel_membership WHERE channel_key = $1 LIMIT $2) AS counted';
// The inner query reads only columns of the index of types. Otherwise SQLite would use the primary key and read the members of other types.
const SELECT_OF_CHANNEL = `
  SELECT * FROM channel_membership WHERE (channel_key, sub_channel_id, member) IN (
    SELECT channel_key, sub_channel_id, member FROM channel_membership
    WHERE channel_key = $1 AND type = $4 AND (sub_channel_id, member) > ($2, $3) ORDER BY sub_channel_id, member LIMIT $5)
  ORDER BY sub_channel_id, member`;
const SELECT_OF_SUB_CHANNEL = `
  SELECT * FROM channel_membership WHERE (channel_key, sub_channel_id, member) IN (
    SELECT channel_key, sub_channel_id, member FROM channel_membership
    WHERE channel_key = $1 AND type = $4 AND sub_channel_id = $2 AND member > $3 ORDER BY member LIMIT $5)
  ORDER BY member`;
// `bot0` is the first string after all keys of bots.
const SELECT_BOTS = `
  SELECT m.* FROM channel AS c JOIN channel_membership AS m ON m.channel_key = c.channel_key
  WHERE c.app_instance_id = $1 AND c.channel_id = $2 AND m.sub_channel_id = $3 AND m.member > 'bot/' AND m.member < 'bot0'
  ORDER BY m.member LIMIT $4`;
const SELECT_OF_MEMBER = `
  SELECT m.* FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
  WHERE m.app_instance_id = $1 AND m.member = $2 AND (m.channel_key, m.sub_channel_id) > ($3, $4)
  ORDER BY m.channel_key, m.sub_channel_id LIMIT $5`;
const SELECT_LATEST = `
  SELECT m.* FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
  WHERE m.app_instance_id = $1 AND m.member = $2
  ORDER BY CASE WHEN $3 = 1 AND c.last_message_at_ms > COALESCE(m.read_marker_at_ms, -1) THEN 0 ELSE 1 END,
    COALESCE(c.last_message_at_ms, -1) DESC, m.channel_key, m.sub_channel_id
  LIMIT $4`;
const SELECT_JOINED = `
  SELECT c.channel_id, m.sub_channel_id FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
  WHERE m.app_instance_id = $1 AND m.member = $2`;
const SELECT_MOVABLE = `
  SELECT m.member FROM channel_membership AS m WHERE m.channel_key = $1 AND m.sub_channel_id = $2 AND NOT EXISTS (
    SELECT 1 FROM channel_standing AS s WHERE s.channel_key = $1 AND s.standing = 'moderator' AND s.member = m.member)
  ORDER BY m.member LIMIT $3`;
const MOVE = `
  UPDATE channel_membership SET sub_channel_id = $4, updated_at_ms = $5
  WHERE channel_key = $1 AND sub_channel_id = $2 AND member = $3`;
const SUBTRACT_REMOVED = `
  UPDATE sub_channel SET membership_count = membership_count - 1 WHERE (channel_key, sub_channel_id) IN (
    SELECT channel_key, sub_channel_id FROM channel_membership WHERE app_instance_id = $1 AND member = $2)`;
const DELETE_OF_MEMBER = 'DELETE FROM channel_membership WHERE app_instance_id = $1 AND member = $2';
const put = MEMBERSHIP.update('updatedAt', 'preferences', 'readMarkerAt');

export function memberships(sql: Sql): Memberships {
  const { addToCount } = subChannels(sql);
  return {
    async add(membership) {
      if ((await MEMBERSHIP.add(sql, membership)) === 'exists') return 'exists';
      await addToCount(membership.channelKey, membership.subChannelId, 1);
      return 'added';
    },
    async addAll(memberships) {
      await MEMBERSHIP.addAll(sql, memberships);
    },
    getSome: (channelKey, members) => MEMBERSHIP.rows(sql, SELECT_SOME, [channelKey, ...inList(members)]),
    get: (channelKey, subChannelId, member) => MEMBERSHIP.get(sql, channelKey, subChannelId, member),
    ofMember: ({ appInstanceId, channelKey }, member) =>
      MEMBERSHIP.rows(sql, SELECT_OF_MEMBER_IN_CHANNEL, [appInstanceId, member, channelKey]),
    async put(membership) {
      await put(sql, membership);
    },
    async remove(channelKey, subChannelId, member) {
      if ((await MEMBERSHIP.remove(sql, channelKey, subChannelId, member)) === 'absent') return 'absent';
      await addToCount(channelKey, subChannelId, -1);
      return 'removed';
    },
    count: (channelKey, most) => countOf(sql, COUNT, [channelKey, most]),
    list: (channelKey, subChannelId, type, limit, after = { subChannelId: '', member: '' }) =>
      subChannelId === undefined
        ? MEMBERSHIP.rows(sql, SELECT_OF_CHANNEL, [channelKey, after.subChannelId, after.member, type, limit])
        : MEMBERSHIP.rows(sql, SELECT_OF_SUB_CHANNEL, [channelKey, subChannelId, after.member, type, limit]),
    page: (channelKey, subChannelId, limit, after) => MEMBERSHIP.page(sql, [channelKey, subChannelId], [after], limit),
    bots: ({ appInstanceId, channelId, subChannelId }, limit) =>
      MEMBERSHIP.rows(sql, SELECT_BOTS, [appInstanceId, channelId, subChannelId, limit]),
    listOfMember: (appInstanceId, member, limit, after = { channelKey: '', subChannelId: '' }) =>
      MEMBERSHIP.rows(sql, SELECT_OF_MEMBER, [appInstanceId, member, after.channelKey, after.subChannelId, limit]),
    latestOfMember: (appInstanceId, member, unreadFirst, limit) =>
      MEMBERSHIP.rows(sql, SELECT_LATEST, [appInstanceId, member, unreadFirst ? 1 : 0, limit]),
    async joinedBy(appInstanceId, member) {
      const rows = await sql.rows<{ readonly channel_id: string; readonly sub_channel_id: string }>(SELECT_JOINED, [appInstanceId, member]);
      return rows.map((row) => ({ channelId: row.channel_id, subChannelId: row.sub_channel_id }));
    },
    async move(channelKey, from, to, limit, now) {
      const moved = (await sql.rows<{ readonly member: string }>(SELECT_MOVABLE, [channelKey, from, limit])).map(({ member }) => member);
      for (const member of moved) await sql.run(MOVE, [channelKey, from, member, to, now]);
      await addToCount(channelKey, from, -moved.length);
      await addToCount(channelKey, to, moved.length);
      return moved;
    },
    async removeMember(appInstanceId, member) {
      await sql.run(SUBTRACT_REMOVED, [appInstanceId, member]);
      await sql.run(DELETE_OF_MEMBER, [appInstanceId, member]);
    },
  };
}
