import type { Sql } from '#store/sql.ts';
import { type Row, table, text } from '#store/table.ts';

/** Deleted channels, and deleted sub-channels, whose rows in other tables still exist. */
export const REMOVED_CHANNEL = table('removed_channel', {
  columns: {
    channelKey: text,
    /** `''` if the whole channel was deleted. */
    subChannelId: text,
  },
  key: ['channelKey', 'subChannelId'],
});

export interface RemovedChannels {
  /**
   * Records a deleted channel or sub-channel, whose rows in other tables still exist. Operations do not return these
   * rows, because they first look up the channel or sub-channel.
   */
  add(channelKey: string, subChannelId?: string): Promise<void>;
  /** Deletes about `limit` rows of deleted channels. Resolves to 'more' if the caller must call `purge` again. */
  purge(limit: number): Promise<'more' | 'done'>;
}

const SELECT_FIRST = 'SELECT channel_key, sub_channel_id FROM removed_channel ORDER BY channel_key, sub_channel_id LIMIT 1';

/** SQL statements, one for each table. Each statement deletes at most `$2` rows of a channel from its table. */
const PURGE_CHANNEL = [
  `DELETE FROM channel_message WHERE (channel_key, sub_channel_id, message_id) IN (
    SELECT channel_key, sub_channel_id, message_id FROM channel_message WHERE channel_key = $1 LIMIT $2)`,
  `DELETE FROM channel_membership WHERE (channel_key, sub_channel_id, member) IN (
    SELECT channel_key, sub_channel_id, member FROM channel_membership WHERE channel_key = $1 LIMIT $2)`,
  `DELETE FROM channel_standing WHERE (channel_key, standing, member) IN (
    SELECT channel_key, standing, member FROM channel_standing WHERE channel_key = $1 LIMIT $2)`,
  `DELETE FROM sub_channel WHERE (channel_key, sub_channel_id) IN (
    SELECT channel_key, sub_channel_id FROM sub_channel WHERE channel_key = $1 LIMIT $2)`,
];
const PURGE_MESSAGES_OF_SUB_CHANNEL = `
  DELETE FROM channel_message WHERE (channel_key, sub_channel_id, message_id) IN (
    SELECT channel_key, sub_channel_id, message_id FROM channel_message
    WHERE channel_key = $1 AND sub_channel_id = $2 LIMIT $3)`;

export function removedChannels(sql: Sql): RemovedChannels {
  return {
    async add(channelKey, subChannelId = '') {
      await REMOVED_CHANNEL.add(sql, { channelKey, subChannelId });
    },
    async purge(limit) {
      const removed: Row<typeof REMOVED_CHANNEL> | undefined = await REMOVED_CHANNEL.row(sql, SELECT_FIRST);
      if (removed === undefined) return 'done';
      const { channelKey, subChannelId } = removed;
      let left = limit;
      if (subChannelId !== '') left -= await sql.run(PURGE_MESSAGES_OF_SUB_CHANNEL, [channelKey, subChannelId, left]);
      else for (const statement of PURGE_CHANNEL) if (left > 0) left -= await sql.run(statement, [channelKey, left]);
      if (left > 0) await REMOVED_CHANNEL.remove(sql, channelKey, subChannelId);
      return 'more';
    },
  };
}
