import { type Instant, instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';

/** A message of a channel as kept. */
export interface ChannelMessageRecord {
  readonly channelKey: string;
  /** `''` where the channel has no sub-channels. */
  readonly subChannelId: string;
  /** One message of a channel has it. */
  readonly messageId: string;
  readonly createdAt: Instant;
  /** A member key. */
  readonly sender: string;
  /** Absent: all who see the channel see it. Else only its sender does, and this member; `''` is nobody. */
  readonly onlyFor?: string;
  /** JSON text, the messaging service's own. */
  readonly document: string;
}

/** What a page of messages is of. */
export interface MessageRange {
  readonly channelKey: string;
  readonly subChannelId: string;
  /** A member key: what is for others only is left out. */
  readonly reader: string;
  /** Both included. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly order: 'ASCENDING' | 'DESCENDING';
}

export type MessagePlace = Pick<ChannelMessageRecord, 'createdAt' | 'messageId'>;

/** Messages, reached by the key of a channel that was found in the caller's account before. */
export interface ChannelMessages {
  /**
   * Keeps a message, as made at `createdAt`, or a millisecond after the last one kept where that is not earlier: so messages of a
   * channel have different times, and are in the order in which they were kept. Resolves to what was kept.
   */
  add(message: ChannelMessageRecord): Promise<ChannelMessageRecord>;
  get(channelKey: string, subChannelId: string, messageId: string): Promise<ChannelMessageRecord | undefined>;
  /** Replaces the document. */
  put(message: ChannelMessageRecord): Promise<void>;
  remove(message: ChannelMessageRecord): Promise<void>;
  /** In the order of time, only those after `after` in that order. */
  list(range: MessageRange, limit: number, after?: MessagePlace): Promise<readonly ChannelMessageRecord[]>;
  /** Removes at most `limit` messages that were made before a moment; resolves to their number. */
  removeBefore(channelKey: string, subChannelId: string, before: Instant, limit: number): Promise<number>;
}

interface MessageRow {
  readonly channel_key: string;
  readonly sub_channel_id: string;
  readonly created_at_ms: number;
  readonly message_id: string;
  readonly sender: string;
  readonly only_for: string | null;
  readonly document: string;
}

const SELECT_LAST = `
  SELECT MAX(created_at_ms) AS last FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2`;
const INSERT = `
  INSERT INTO channel_message (channel_key, sub_channel_id, created_at_ms, message_id, sender, only_for, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;
const SELECT = 'SELECT * FROM channel_message WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
const UPDATE = 'UPDATE channel_message SET document = $4 WHERE channel_key = $1 AND sub_channel_id = $2 AND message_id = $3';
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
      const { channelKey, subChannelId, messageId, sender, onlyFor, document } = message;
      const last = (await sql.row<{ readonly last: number | null }>(SELECT_LAST, [channelKey, subChannelId]))?.last ?? -1;
      const createdAt = instant(Math.max(message.createdAt, Number(last) + 1));
      await sql.run(INSERT, [channelKey, subChannelId, createdAt, messageId, sender, onlyFor ?? null, document]);
      return { ...message, createdAt };
    },
    async get(channelKey, subChannelId, messageId) {
      const row = await sql.row<MessageRow>(SELECT, [channelKey, subChannelId, messageId]);
      return row && toMessage(row);
    },
    async put({ channelKey, subChannelId, messageId, document }) {
      await sql.run(UPDATE, [channelKey, subChannelId, messageId, document]);
    },
    async remove({ channelKey, subChannelId, messageId }) {
      await sql.run(DELETE, [channelKey, subChannelId, messageId]);
    },
    async list({ channelKey, subChannelId, reader, notBefore, notAfter, order }, limit, after) {
      const ascending = order === 'ASCENDING';
      const { createdAt, messageId } = after ?? { createdAt: ascending ? notBefore - 1 : notAfter + 1, messageId: '' };
      const values = [channelKey, subChannelId, notBefore, notAfter, reader, createdAt, messageId, limit];
      return (await sql.rows<MessageRow>(ascending ? SELECT_ASCENDING : SELECT_DESCENDING, values)).map(toMessage);
    },
    removeBefore: (channelKey, subChannelId, before, limit) => sql.run(DELETE_BEFORE, [channelKey, subChannelId, before, limit]),
  };
}

function toMessage(row: MessageRow): ChannelMessageRecord {
  return {
    channelKey: row.channel_key,
    subChannelId: row.sub_channel_id,
    messageId: row.message_id,
    createdAt: row.created_at_ms as Instant,
    sender: row.sender,
    ...(row.only_for !== null && { onlyFor: row.only_for }),
    document: row.document,
  };
}
