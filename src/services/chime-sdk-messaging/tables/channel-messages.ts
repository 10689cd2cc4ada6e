import type { Instant } from '#core/instant.ts';
import { instant as toInstant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, optional, type Row, table, text } from '#store/table.ts';

/** Messages of channels, stored in the order of time, so that the rows of a page are adjacent. */
export const CHANNEL_MESSAGE = table('channel_message', {
  columns: {
    channelKey: text,
    /** `''`: the channel has no sub-channels. */
    subChannelId: text,
    createdAt: instant,
    /** Unique in a channel or sub-channel. */
    messageId: text,
    /** Member key, such as `user/ada`. */
    sender: text,
    /** Only the sender and this member see the message. `''`: only the sender. Absent: all members see it. */
    onlyFor: optional(text),
    /** Properties of the message, as a JSON string. */
    document: text,
  },
  key: ['channelKey', 'subChannelId', 'createdAt', 'messageId'],
  indexes: [{ columns: ['channelKey', 'subChannelId', 'messageId'], unique: true }],
});
export type ChannelMessageRecord = Row<typeof CHANNEL_MESSAGE>;

/** Messages that a list returns. */
export interface MessageRange {
  readonly channelKey: string;
  readonly subChannelId: string;
  /** Member key, such as `user/ada`. The list omits messages that this member does not see. */
  readonly reader: string;
  /** Earliest time of a listed message, inclusive. */
  readonly notBefore: Instant;
  /** Latest time of a listed message, inclusive. */
  readonly notAfter: Instant;
  readonly order: 'ASCENDING' | 'DESCENDING';
}

/** Range of all times from 1970 that a JavaScript `Date` can have. */
export const ALL_TIMES = { notBefore: toInstant(0), notAfter: toInstant(8.64e15) } as const;

export type MessagePlace = Pick<ChannelMessageRecord, 'createdAt' | 'messageId'>;

/**
 * Functions on messages. They do not check the account: pass the key of a channel that was found in the API caller's
 * account.
 */
export interface ChannelMessages {
  /**
   * Stores a message and returns it as stored. If the sub-channel has a message with the same or a later time, the new
   * message gets a time one millisecond after the last message. So all messages have different times, in the order in
   * which they were stored.
   */
  add(message: ChannelMessageRecord): Promise<ChannelMessageRecord>;
  get(channelKey: string, subChannelId: string, messageId: string): Promise<ChannelMessageRecord | undefined>;
  /** Returns a message in any sub-channel of a channel. Reads each of them by its key. */
  inSubChannels(channelKey: string, messageId: string): Promise<ChannelMessageRecord | undefined>;
  /** Replaces the document of a stored message, and who sees it. */
  reveal(message: ChannelMessageRecord): Promise<void>;
  /** Replaces the document of a stored message. */
  put(message: ChannelMessageRecord): Promise<void>;
  remove(message: ChannelMessageRecord): Promise<void>;
  /** Returns messages in the order of time, starting after `after` in that order. */
  list(range: MessageRange, limit: number, after?: MessagePlace): Promise<readonly ChannelMessageRecord[]>;
  /** Deletes at most `limit` messages that are older than `before`. Returns their number. */
  removeBefore(channelKey: string, subChannelId: string, before: Instant, limit: number): Promise<number>;
}

const SELECT_LAST = 'SELECT MAX(created_at_ms) AS last FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2';
const SELECT = 'SELECT * FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
const SELECT_IN_SUB_CHANNELS = `
  SELECT m.* FROM sub_channel AS s
  JOIN channel_message AS m ON m.channel_key = s.channel_key AND m.sub_channel_id = s.sub_channel_id AND m.message_id = $2
  WHERE s.channel_key = $1 LIMIT 1`;
const UPDATE = 'UPDATE channel_message SET document = $4 WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
const REVEAL = `
  UPDATE channel_message SET document = $4, only_for = $5 WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3`;
const DELETE = 'DELETE FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
const SELECT_ASCENDING = `
  SELECT * FROM channel_message
  WHERE channel_key = $1 AND sub_channel_id = $2 AND created_at_ms >= $3 AND created_at_ms <= $4
    AND (only_for IS NULL OR only_for = $5 OR sender = $5) AND (created_at_ms, message_id) > ($6, $7)
  ORDER BY created_at_ms, message_id LIMIT $8`;
const SELECT_DESCENDING = `
  SELECT * FROM channel_message
  WHERE channel_key = $1 AND sub_channel_id = $2 AND created_at_ms >= $3 AND created_at_ms <= $4
    AND (only_for IS NULL OR only_for = $5 OR sender = $5) AND (created_at_ms, message_id) < ($6, $7)
  ORDER BY created_at_ms DESC, message_id DESC LIMIT $8`;
const DELETE_BEFORE = `
  DELETE FROM channel_message WHERE (channel_key, sub_channel_id, created_at_ms, message_id) IN (
    SELECT channel_key, sub_channel_id, created_at_ms, message_id FROM channel_message
    WHERE channel_key = $1 AND sub_channel_id = $2 AND created_at_ms < $3 LIMIT $4)`;

export function channelMessages(sql: Sql): ChannelMessages {
  return {
    async add(message) {
      const last = await sql.row<{ readonly last: number | null }>(SELECT_LAST, [message.channelKey, message.subChannelId]);
      const stored = { ...message, createdAt: toInstant(Math.max(message.createdAt, Number(last?.last ?? -1) + 1)) };
      await CHANNEL_MESSAGE.insert(sql, stored);
      return stored;
    },
    get: (channelKey, subChannelId, messageId) => CHANNEL_MESSAGE.row(sql, SELECT, [channelKey, subChannelId, messageId]),
    inSubChannels: (channelKey, messageId) => CHANNEL_MESSAGE.row(sql, SELECT_IN_SUB_CHANNELS, [channelKey, messageId]),
    async reveal({ channelKey, subChannelId, messageId, document, onlyFor }) {
      await sql.run(REVEAL, [channelKey, subChannelId, messageId, document, onlyFor ?? null]);
    },
    async put({ channelKey, subChannelId, messageId, document }) {
      await sql.run(UPDATE, [channelKey, subChannelId, messageId, document]);
    },
    async remove({ channelKey, subChannelId, messageId }) {
      await sql.run(DELETE, [channelKey, subChannelId, messageId]);
    },
    list({ channelKey, subChannelId, reader, notBefore, notAfter, order }, limit, after) {
      const ascending = order === 'ASCENDING';
      const { createdAt, messageId } = after ?? { createdAt: ascending ? notBefore - 1 : notAfter + 1, messageId: '' };
      // The time range begins at the time of `after`. Without this bound, a database engine would also read all rows
      // before `after`. It does not derive a bound from the comparison of the pair `(created_at_ms, message_id)`.
      const range = ascending ? [Math.max(notBefore, createdAt), notAfter] : [notBefore, Math.min(notAfter, createdAt)];
      const values = [channelKey, subChannelId, ...range, reader, createdAt, messageId, limit] as const;
      return CHANNEL_MESSAGE.rows(sql, ascending ? SELECT_ASCENDING : SELECT_DESCENDING, values);
    },
    removeBefore: (channelKey, subChannelId, before, limit) => sql.run(DELETE_BEFORE, [channelKey, subChannelId, before, limit]),
  };
}
