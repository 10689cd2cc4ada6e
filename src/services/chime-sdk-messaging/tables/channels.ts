import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';
import { removedChannels } from './removed-channels.ts';

/** Properties of a channel that no query searches. */
export interface ChannelDocument {
  readonly name: string;
  /** `UNRESTRICTED` or `RESTRICTED`. */
  readonly mode: string;
  readonly metadata?: string;
  /** Member key, such as `user/ada`. */
  readonly createdBy: string;
  readonly elastic?: { readonly maximumSubChannels: number; readonly targetMemberships: number; readonly minimumPercentage: number };
  readonly expiration?: { readonly days: number; readonly criterion: string };
  /** Room of Amazon Chime whose channel this is. Only the operations of Amazon Chime change the channel and its members. */
  readonly room?: { readonly chimeAccountId: string };
}

/**
 * Channels. All tables identify a member by the *member key*, `user/ada` or `bot/helper`, which is unique in the
 * channel's app instance.
 */
export const CHANNEL = table('channel', {
  columns: {
    /** UUID. */
    appInstanceId: text,
    /** Unique in an app instance. */
    channelId: text,
    /**
     * Key of the channel's rows in the other tables. A new channel with the ID of a deleted channel has another key, so
     * that it does not get the rows of the deleted channel.
     */
    channelKey: text,
    accountId: textOf<AccountId>(),
    /** Region of the control plane that created the channel. */
    region: text,
    /** `PUBLIC` or `PRIVATE`. */
    privacy: text,
    createdAt: instant,
    updatedAt: instant,
    lastMessageAt: optional(instant),
    /** Time from which the sweep deletes the channel. Reads return the channel until the sweep has deleted it. */
    expiresAt: optional(instant),
    /** Channel flow that processes the messages of the channel. */
    flowId: optional(text),
    tags: json<readonly TagRecord[]>(),
    document: json<ChannelDocument>(),
  },
  key: ['appInstanceId', 'channelId'],
  indexes: [
    { columns: ['channelKey'], unique: true },
    ['appInstanceId', 'privacy', 'channelId'],
    { columns: ['appInstanceId', 'flowId', 'channelId'], where: 'flow_id IS NOT NULL' },
    { columns: ['expiresAt'], where: 'expires_at_ms IS NOT NULL' },
  ],
});
export type ChannelRecord = Row<typeof CHANNEL>;

export interface Channels {
  /** Adds a channel. Returns 'exists', and changes nothing, if the app instance has a channel with this ID. */
  add(channel: ChannelRecord): Promise<'added' | 'exists'>;
  get(accountId: AccountId, region: string, appInstanceId: string, channelId: string): Promise<ChannelRecord | undefined>;
  getByKey(channelKey: string): Promise<ChannelRecord | undefined>;
  /** Replaces `updatedAt`, `expiresAt`, `flowId` and the document. */
  put(channel: ChannelRecord): Promise<void>;
  setTags(channelKey: string, tags: readonly TagRecord[]): Promise<void>;
  /** Stores the time of the last message and the new expiry. */
  touch(channelKey: string, lastMessageAt: Instant, expiresAt: Instant | undefined): Promise<void>;
  /** Deletes the channel. `removedChannels(sql).purge` deletes its rows in other tables later. */
  remove(channel: Pick<ChannelRecord, 'channelKey'>): Promise<void>;
  /** Returns channels in the order of IDs, starting after the ID `after`. */
  list(appInstanceId: string, privacy: string | undefined, limit: number, after?: string): Promise<readonly ChannelRecord[]>;
  listOfFlow(appInstanceId: string, flowId: string, limit: number, after?: string): Promise<readonly ChannelRecord[]>;
  /** Returns channels of all accounts in the order of app instances and IDs. */
  listAll(limit: number, after: Pick<ChannelRecord, 'appInstanceId' | 'channelId'>): Promise<readonly ChannelRecord[]>;
  /** Returns channels of all accounts that have expired at `now`, with the earliest expiry first. */
  listExpired(now: Instant, limit: number): Promise<readonly ChannelRecord[]>;
}

const SELECT = 'SELECT * FROM channel WHERE app_instance_id = $1 AND channel_id = $2 AND account_id = $3 AND region = $4';
const SELECT_BY_KEY = 'SELECT * FROM channel WHERE channel_key = $1';
const UPDATE = 'UPDATE channel SET updated_at_ms = $2, expires_at_ms = $3, flow_id = $4, document = $5 WHERE channel_key = $1';
const UPDATE_TAGS = 'UPDATE channel SET tags = $2 WHERE channel_key = $1';
const UPDATE_LAST_MESSAGE = 'UPDATE channel SET last_message_at_ms = $2, expires_at_ms = $3 WHERE channel_key = $1';
const DELETE = 'DELETE FROM channel WHERE channel_key = $1';
// The inner queries read only columns of an index. Otherwise SQLite would use the primary key and read channels that the filter omits.
const SELECT_OF_PRIVACY = `
  SELECT * FROM channel WHERE app_instance_id = $1 AND channel_id IN (
    SELECT channel_id FROM channel WHERE app_instance_id = $1 AND privacy = $2 AND channel_id > $3 ORDER BY channel_id LIMIT $4)
  ORDER BY channel_id`;
const SELECT_OF_FLOW = `
  SELECT * FROM channel WHERE app_instance_id = $1 AND channel_id IN (
    SELECT channel_id FROM channel WHERE app_instance_id = $1 AND flow_id = $2 AND channel_id > $3 ORDER BY channel_id LIMIT $4)
  ORDER BY channel_id`;
const SELECT_EXPIRED = 'SELECT * FROM channel WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2';

export function channels(sql: Sql): Channels {
  return {
    add: (channel) => CHANNEL.add(sql, channel),
    get: (accountId, region, appInstanceId, channelId) => CHANNEL.row(sql, SELECT, [appInstanceId, channelId, accountId, region]),
    getByKey: (channelKey) => CHANNEL.row(sql, SELECT_BY_KEY, [channelKey]),
    async put({ channelKey, updatedAt, expiresAt, flowId, document }) {
      await sql.run(UPDATE, [channelKey, updatedAt, expiresAt ?? null, flowId ?? null, JSON.stringify(document)]);
    },
    async setTags(channelKey, tags) {
      await sql.run(UPDATE_TAGS, [channelKey, JSON.stringify(tags)]);
    },
    async touch(channelKey, lastMessageAt, expiresAt) {
      await sql.run(UPDATE_LAST_MESSAGE, [channelKey, lastMessageAt, expiresAt ?? null]);
    },
    async remove({ channelKey }) {
      await sql.run(DELETE, [channelKey]);
      await removedChannels(sql).add(channelKey);
    },
    list: (appInstanceId, privacy, limit, after = '') =>
      privacy === undefined
        ? CHANNEL.page(sql, [appInstanceId], [after], limit)
        : CHANNEL.rows(sql, SELECT_OF_PRIVACY, [appInstanceId, privacy, after, limit]),
    listOfFlow: (appInstanceId, flowId, limit, after = '') => CHANNEL.rows(sql, SELECT_OF_FLOW, [appInstanceId, flowId, after, limit]),
    listAll: (limit, { appInstanceId, channelId }) => CHANNEL.page(sql, [], [appInstanceId, channelId], limit),
    listExpired: (now, limit) => CHANNEL.rows(sql, SELECT_EXPIRED, [now, limit]),
  };
}
