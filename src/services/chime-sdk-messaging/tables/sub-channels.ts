import type { Sql } from '#store/sql.ts';
import { int, type Row, table, text } from '#store/table.ts';
import { removedChannels } from './removed-channels.ts';

/** Sub-channels of elastic channels. The functions of `memberships.ts` update `membershipCount`. */
export const SUB_CHANNEL = table('sub_channel', {
  columns: { channelKey: text, subChannelId: text, membershipCount: int },
  key: ['channelKey', 'subChannelId'],
});
export type SubChannelRecord = Row<typeof SUB_CHANNEL>;

export interface SubChannels {
  /** Adds a sub-channel without members. */
  add(channelKey: string, subChannelId: string): Promise<void>;
  get(channelKey: string, subChannelId: string): Promise<SubChannelRecord | undefined>;
  /** Returns sub-channels in the order of IDs, starting after the ID `after`. */
  list(channelKey: string, limit: number, after?: string): Promise<readonly SubChannelRecord[]>;
  /** Returns the sub-channels with the fewest members first. */
  smallest(channelKey: string, limit: number): Promise<readonly SubChannelRecord[]>;
  /** Adds `by` to the `membershipCount` of a sub-channel. Does nothing if `subChannelId` is `''`. */
  addToCount(channelKey: string, subChannelId: string, by: number): Promise<void>;
  /** Deletes a sub-channel and its memberships. `removedChannels(sql).purge` deletes its messages later. */
  remove(channelKey: string, subChannelId: string): Promise<void>;
}

const SELECT_SMALLEST = 'SELECT * FROM sub_channel WHERE channel_key = $1 ORDER BY membership_count, sub_channel_id LIMIT $2';
const ADD_TO_COUNT = 'UPDATE sub_channel SET membership_count = membership_count + $3 WHERE channel_key = $1 AND sub_channel_id = $2';
const DELETE_MEMBERSHIPS = 'DELETE FROM channel_membership WHERE channel_key = $1 AND sub_channel_id = $2';

export function subChannels(sql: Sql): SubChannels {
  return {
    add: (channelKey, subChannelId) => SUB_CHANNEL.insert(sql, { channelKey, subChannelId, membershipCount: 0 }),
    get: (channelKey, subChannelId) => SUB_CHANNEL.get(sql, channelKey, subChannelId),
    list: (channelKey, limit, after = '') => SUB_CHANNEL.page(sql, [channelKey], [after], limit),
    smallest: (channelKey, limit) => SUB_CHANNEL.rows(sql, SELECT_SMALLEST, [channelKey, limit]),
    async addToCount(channelKey, subChannelId, by) {
      if (subChannelId !== '') await sql.run(ADD_TO_COUNT, [channelKey, subChannelId, by]);
    },
    async remove(channelKey, subChannelId) {
      await SUB_CHANNEL.remove(sql, channelKey, subChannelId);
      await sql.run(DELETE_MEMBERSHIPS, [channelKey, subChannelId]);
      await removedChannels(sql).add(channelKey, subChannelId);
    },
  };
}
