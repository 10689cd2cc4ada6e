import { inList, inListFrom } from '#store/in-list.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, type Row, table, text, textOf } from '#store/table.ts';

/** Status of a user or bot in a channel, other than membership. */
export type Standing = 'moderator' | 'banned';

/** Moderators and bans of channels. */
export const STANDING = table('channel_standing', {
  columns: {
    channelKey: text,
    standing: textOf<Standing>(),
    /** Member key, such as `user/ada`. */
    member: text,
    appInstanceId: text,
    /** Member key, such as `user/ada`. */
    createdBy: text,
    createdAt: instant,
  },
  key: ['channelKey', 'standing', 'member'],
  indexes: [['appInstanceId', 'member', 'standing', 'channelKey']],
});
export type StandingRecord = Row<typeof STANDING>;

export interface Standings {
  /** Adds a status. Returns 'exists', and changes nothing, if the member has this status already. */
  add(standing: StandingRecord): Promise<'added' | 'exists'>;
  get(channelKey: string, standing: Standing, member: string): Promise<StandingRecord | undefined>;
  /** Returns which of some members have a status in a channel, at most `IN_LIST_MAX`, in no order. */
  getSome(channelKey: string, standing: Standing, members: readonly string[]): Promise<readonly StandingRecord[]>;
  remove(channelKey: string, standing: Standing, member: string): Promise<'removed' | 'absent'>;
  /** Counts the members with a status in a channel, up to `most`. */
  count(channelKey: string, standing: Standing, most: number): Promise<number>;
  /** Returns the members with a status in a channel, in the order of member keys, starting after `after`. */
  list(channelKey: string, standing: Standing, limit: number, after?: string): Promise<readonly StandingRecord[]>;
  /** Returns the existing channels in which a member has a status, in the order of channel keys, starting after `after`. */
  listOfMember(
    appInstanceId: string,
    standing: Standing,
    member: string,
    limit: number,
    after?: string,
  ): Promise<readonly StandingRecord[]>;
  /** Deletes every status of one member in an app instance. */
  removeMember(appInstanceId: string, member: string): Promise<void>;
}

const SELECT_SOME = `SELECT * FROM channel_standing WHERE channel_key = $1 AND standing = $2 AND member IN (${inListFrom(3)})`;
const COUNT = `
  SELECT COUNT(*) AS count FROM (SELECT 1 FROM channel_standing WHERE channel_key = $1 AND standing = $2 LIMIT $3) AS counted`;
const SELECT_OF_MEMBER = `
  SELECT s.* FROM channel_standing AS s JOIN channel AS c ON c.channel_key = s.channel_key
  WHERE s.app_instance_id = $1 AND s.member = $2 AND s.standing = $3 AND s.channel_key > $4 ORDER BY s.channel_key LIMIT $5`;
const DELETE_OF_MEMBER = 'DELETE FROM channel_standing WHERE app_instance_id = $1 AND member = $2';

export function standings(sql: Sql): Standings {
  return {
    add: (standing) => STANDING.add(sql, standing),
    getSome: (channelKey, standing, members) => STANDING.rows(sql, SELECT_SOME, [channelKey, standing, ...inList(members)]),
    get: (channelKey, standing, member) => STANDING.get(sql, channelKey, standing, member),
    remove: (channelKey, standing, member) => STANDING.remove(sql, channelKey, standing, member),
    count: (channelKey, standing, most) => countOf(sql, COUNT, [channelKey, standing, most]),
    list: (channelKey, standing, limit, after = '') => STANDING.page(sql, [channelKey, standing], [after], limit),
    listOfMember: (appInstanceId, standing, member, limit, after = '') =>
      STANDING.rows(sql, SELECT_OF_MEMBER, [appInstanceId, member, standing, after, limit]),
    async removeMember(appInstanceId, member) {
      await sql.run(DELETE_OF_MEMBER, [appInstanceId, member]);
    },
  };
}
