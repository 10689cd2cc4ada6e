import type { Instant } from '#core/instant.ts';
import { instant as toInstant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, type Row, table, text } from '#store/table.ts';

/** Audience of messages that all members of the channel see. */
export const ALL_MEMBERS = '*';

/** Messages of channels. Those of one audience are stored in the order of time, so that the rows of a page are adjacent. */
export const CHANNEL_MESSAGE = table('channel_message', {
  columns: {
    channelKey: text,
    /** `''`: the channel has no sub-channels. */
    subChannelId: text,
    /** `*`: all members see the message. `''`: only the sender sees it. Else a member key: only the sender and this member see it. */
    audience: text,
    createdAt: instant,
    /** Unique in a channel or sub-channel. */
    messageId: text,
    /** Member key, such as `user/ada`. */
    sender: text,
    /** Properties of the message, as a JSON string. */
    document: text,
  },
  key: ['channelKey', 'subChannelId', 'audience', 'createdAt', 'messageId'],
  indexes: [
    { columns: ['channelKey', 'subChannelId', 'messageId'], unique: true },
    { columns: ['channelKey', 'subChannelId', 'createdAt'], where: "audience <> '*'" },
    { columns: ['channelKey', 'subChannelId', 'sender', 'createdAt', 'messageId'], where: "audience <> '*'" },
  ],
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

const SELECT_LAST = `
  SELECT MAX(newest) AS last FROM (
    SELECT MAX(created_at_ms) AS newest FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND audience = '*'
    UNION ALL
    SELECT MAX(created_at_ms) AS newest FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND audience <> '*') AS latest`;
const SELECT = 'SELECT * FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
const SELECT_IN_SUB_CHANNELS = `
  SELECT m.* FROM sub_channel AS s
  JOIN channel_message AS m ON m.channel_key = s.channel_key AND m.sub_channel_id = s.sub_channel_id AND m.message_id = $2
  WHERE s.channel_key = $1 LIMIT 1`;
const UPDATE = 'UPDATE channel_message SET document = $4 WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
const REVEAL = `
  UPDATE channel_message SET document = $4, audience = $5 WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3`;
const DELETE = 'DELETE FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
// A page has the first rows of three lists: messages for all members, those for the reader, and those that the reader sent to one member or
// none. Each list is a range of an index. UNION removes a message that the reader sent to themselves.
const SELECT_ASCENDING = `
  SELECT * FROM (
    SELECT * FROM (
      SELECT * FROM channel_message
      WHERE channel_key = $1 AND sub_channel_id = $2 AND audience = '*' AND created_at_ms >= $3 AND created_at_ms <= $4
        AND (created_at_ms, message_id) > ($6, $7)
      ORDER BY created_at_ms, message_id LIMIT $8) AS for_all
    UNION SELECT * FROM (
      SELECT * FROM channel_message
      WHERE channel_key = $1 AND sub_channel_id = $2 AND audience = $5 AND created_at_ms >= $3 AND created_at_ms <= $4
        AND (created_at_ms, message_id) > ($6, $7)
      ORDER BY created_at_ms, message_id LIMIT $8) AS for_reader
    UNION SELECT * FROM (
      SELECT * FROM channel_message
      WHERE channel_key = $1 AND sub_channel_id = $2 AND audience <> '*' AND sender = $5 AND created_at_ms >= $3 AND created_at_ms <= $4
        AND (created_at_ms, message_id) > ($6, $7)
      ORDER BY created_at_ms, message_id LIMIT $8) AS by_reader) AS visible
  ORDER BY created_at_ms, message_id LIMIT $8`;
const SELECT_DESCENDING = `
  SELECT * FROM (
    SELECT * FROM (
      SELECT * FROM channel_message
      WHERE channel_key = $1 AND sub_channel_id = $2 AND audience = '*' AND created_at_ms >= $3 AND created_at_ms <= $4
        AND (created_at_ms, message_id) < ($6, $7)
      ORDER BY created_at_ms DESC, message_id DESC LIMIT $8) AS for_all
    UNION SELECT * FROM (
      SELECT * FROM channel_message
      WHERE channel_key = $1 AND sub_channel_id = $2 AND audience = $5 AND created_at_ms >= $3 AND created_at_ms <= $4
        AND (created_at_ms, message_id) < ($6, $7)
      ORDER BY created_at_ms DESC, message_id DESC LIMIT $8) AS for_reader
    UNION SELECT * FROM (
      SELECT * FROM channel_message
      WHERE channel_key = $1 AND sub_channel_id = $2 AND audience <> '*' AND sender = $5 AND created_at_ms >= $3 AND created_at_ms <= $4
        AND (created_at_ms, message_id) < ($6, $7)
      ORDER BY created_at_ms DESC, message_id DESC LIMIT $8) AS by_reader) AS visible
  ORDER BY created_at_ms DESC, message_id DESC LIMIT $8`;
const DELETE_BEFORE = `
  DELETE FROM channel_message WHERE (channel_key, sub_channel_id, audience, created_at_ms, message_id) IN (
    SELECT channel_key, sub_channel_id, audience, created_at_ms, message_id FROM channel_message
    WHERE channel_key = $1 AND sub_channel_id = $2 AND audience = '*' AND created_at_ms < $3 LIMIT $4)`;
const DELETE_PRIVATE_BEFORE = `
  DELETE FROM channel_message WHERE (channel_key, sub_channel_id, audience, created_at_ms, message_id) IN (
    SELECT channel_key, sub_channel_id, audience, created_at_ms, message_id FROM channel_message
    WHERE channel_key = $1 AND sub_channel_id = $2 AND audience <> '*' AND created_at_ms < $3 LIMIT $4)`;

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
    async reveal({ channelKey, subChannelId, messageId, document, audience }) {
      await sql.run(REVEAL, [channelKey, subChannelId, messageId, document, audience]);
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
    async removeBefore(channelKey, subChannelId, before, limit) {
      const removed = await sql.run(DELETE_BEFORE, [channelKey, subChannelId, before, limit]);
      return removed + (await sql.run(DELETE_PRIVATE_BEFORE, [channelKey, subChannelId, before, limit - removed]));
    },
  };
}
