import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';
import type { TagRecord } from './tag-record.ts';

/** What is kept of a channel besides what is looked for by. */
export interface ChannelDocument {
  readonly name: string;
  /** `UNRESTRICTED` or `RESTRICTED`. */
  readonly mode: string;
  readonly metadata?: string;
  /** A member key. */
  readonly createdBy: string;
  readonly elastic?: { readonly maximumSubChannels: number; readonly targetMemberships: number; readonly minimumPercentage: number };
  readonly expiration?: { readonly days: number; readonly criterion: string };
}

/**
 * A channel as kept. Members of it are named by their *member key*, `user/ada` or `bot/helper`, within the app instance of the channel.
 */
export interface ChannelRecord {
  readonly accountId: AccountId;
  /** The region of the control plane it was made in. */
  readonly region: string;
  /** A UUID. */
  readonly appInstanceId: string;
  /** One channel of an app instance has it. */
  readonly channelId: string;
  /** What everything in the channel is kept under. A channel made again under the same id has another, so it inherits nothing. */
  readonly channelKey: string;
  /** `PUBLIC` or `PRIVATE`. */
  readonly privacy: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly lastMessageAt?: Instant;
  /** When it goes by itself; reads find it until it was removed. */
  readonly expiresAt?: Instant;
  /** The channel flow that its messages go through. */
  readonly flowId?: string;
  readonly tags: readonly TagRecord[];
  readonly document: ChannelDocument;
}

/** That somebody is in a channel, or in one sub-channel of an elastic one. */
export interface MembershipRecord {
  readonly channelKey: string;
  /** `''` where the channel has no sub-channels. */
  readonly subChannelId: string;
  /** A member key. */
  readonly member: string;
  readonly appInstanceId: string;
  /** `DEFAULT` or `HIDDEN`. */
  readonly type: string;
  /** A member key. */
  readonly invitedBy: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** JSON text, the messaging service's own. */
  readonly preferences?: string;
  readonly readMarkerAt?: Instant;
}

/** What somebody is to a channel besides a member. */
export type Standing = 'moderator' | 'banned';

export interface StandingRecord {
  readonly channelKey: string;
  readonly standing: Standing;
  /** A member key. */
  readonly member: string;
  readonly appInstanceId: string;
  /** A member key. */
  readonly createdBy: string;
  readonly createdAt: Instant;
}

export interface SubChannelRecord {
  readonly subChannelId: string;
  readonly membershipCount: number;
}

/** Where somebody is a member; `subChannelId` is `''` where the channel has no sub-channels. */
export interface JoinedChannel {
  readonly channelId: string;
  readonly subChannelId: string;
}

/** Where a page of memberships goes on: after this one. */
export type MembershipPlace = Pick<MembershipRecord, 'subChannelId' | 'member'>;

/** Channels with those who belong to them. What is in a channel is reached by the key of one that was found in the caller's account before. */
export interface Channels {
  /** 'exists' changes nothing: the id is taken in this app instance. */
  add(channel: ChannelRecord): Promise<'added' | 'exists'>;
  get(accountId: AccountId, region: string, appInstanceId: string, channelId: string): Promise<ChannelRecord | undefined>;
  getByKey(channelKey: string): Promise<ChannelRecord | undefined>;
  /** Replaces `updatedAt`, `expiresAt`, `flowId` and the document. */
  put(channel: ChannelRecord): Promise<void>;
  setTags(channelKey: string, tags: readonly TagRecord[]): Promise<void>;
  /** Notes its last message, and when it is to go. */
  touch(channelKey: string, lastMessageAt: Instant, expiresAt: Instant | undefined): Promise<void>;
  /** From now on nothing finds it nor what is in it, which is given back bit by bit by `purge`. */
  remove(channel: ChannelRecord): Promise<void>;
  /** In the order of ids, only those after `after`. */
  list(appInstanceId: string, privacy: string | undefined, limit: number, after?: string): Promise<readonly ChannelRecord[]>;
  listOfFlow(appInstanceId: string, flowId: string, limit: number, after?: string): Promise<readonly ChannelRecord[]>;
  /** Of whatever account, in the order of app instances and ids, only those after `after`. */
  listAll(limit: number, after: Pick<ChannelRecord, 'appInstanceId' | 'channelId'>): Promise<readonly ChannelRecord[]>;
  /** Those that were to go before `now`, in whatever account, the earliest first. */
  listExpired(now: Instant, limit: number): Promise<readonly ChannelRecord[]>;
  /**
   * Channels without sub-channels that all of `members` are in, in the order of keys; with `exactly`, no other member is.
   * `members` has no member twice, and at least one. With `seenBy`, hidden members other than this one do not count.
   */
  search(
    appInstanceId: string,
    members: readonly string[],
    exactly: boolean,
    limit: number,
    after?: string,
    seenBy?: string,
  ): Promise<readonly ChannelRecord[]>;

  /** 'exists' changes nothing, whatever else the two records differ in. */
  addMembership(membership: MembershipRecord): Promise<'added' | 'exists'>;
  getMembership(channelKey: string, subChannelId: string, member: string): Promise<MembershipRecord | undefined>;
  /** All of one member in a channel: several where a moderator is in several sub-channels. */
  membershipsOf(channel: Pick<ChannelRecord, 'appInstanceId' | 'channelKey'>, member: string): Promise<readonly MembershipRecord[]>;
  /** Replaces `updatedAt`, the preferences and the read marker. */
  putMembership(membership: MembershipRecord): Promise<void>;
  removeMembership(channelKey: string, subChannelId: string, member: string): Promise<'removed' | 'absent'>;
  /** How many there are; counts no further than `most`. */
  countMemberships(channelKey: string, most: number): Promise<number>;
  /** Of one type, of one sub-channel or of all, in the order of sub-channels and members. */
  listMemberships(
    channelKey: string,
    subChannelId: string | undefined,
    type: string,
    limit: number,
    after?: MembershipPlace,
  ): Promise<readonly MembershipRecord[]>;
  /** Memberships of one member in channels there are, in the order of channel keys and sub-channels, only those after `after`. */
  listMembershipsOf(
    appInstanceId: string,
    member: string,
    limit: number,
    after?: Pick<MembershipRecord, 'channelKey' | 'subChannelId'>,
  ): Promise<readonly MembershipRecord[]>;
  /** Every channel, and sub-channel, that one is in, in no order. */
  joinedBy(appInstanceId: string, member: string): Promise<readonly JoinedChannel[]>;

  addStanding(standing: StandingRecord): Promise<'added' | 'exists'>;
  getStanding(channelKey: string, standing: Standing, member: string): Promise<StandingRecord | undefined>;
  removeStanding(channelKey: string, standing: Standing, member: string): Promise<'removed' | 'absent'>;
  countStandings(channelKey: string, standing: Standing, most: number): Promise<number>;
  /** In the order of members, only those after `after`. */
  listStandings(channelKey: string, standing: Standing, limit: number, after?: string): Promise<readonly StandingRecord[]>;
  /** Those of one member in channels there are, in the order of channel keys, only those after `after`. */
  listStandingsOf(
    appInstanceId: string,
    standing: Standing,
    member: string,
    limit: number,
    after?: string,
  ): Promise<readonly StandingRecord[]>;

  addSubChannel(channelKey: string, subChannelId: string): Promise<void>;
  /** Those with the fewest members first. */
  smallestSubChannels(channelKey: string, limit: number): Promise<readonly SubChannelRecord[]>;
  getSubChannel(channelKey: string, subChannelId: string): Promise<SubChannelRecord | undefined>;
  /** In the order of ids, only those after `after`. */
  listSubChannels(channelKey: string, limit: number, after?: string): Promise<readonly SubChannelRecord[]>;
  /** Moves at most `limit` members who are no moderators from one sub-channel to another; resolves to who they are. */
  moveMembers(channelKey: string, from: string, to: string, limit: number, now: Instant): Promise<readonly string[]>;
  /** Removes a sub-channel with its memberships; its messages are given back by `purge`. */
  removeSubChannel(channelKey: string, subChannelId: string): Promise<void>;

  /** Removes whatever one has in any channel of an app instance: memberships, moderators and bans. Messages stay. */
  forgetMember(appInstanceId: string, member: string): Promise<void>;
  /** Gives back at most some `limit` rows of what was removed. 'more' while there is any left. */
  purge(limit: number): Promise<'more' | 'done'>;
}

interface ChannelRow {
  readonly app_instance_id: string;
  readonly channel_id: string;
  readonly channel_key: string;
  readonly account_id: AccountId;
  readonly region: string;
  readonly privacy: string;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
  readonly last_message_at_ms: number | null;
  readonly expires_at_ms: number | null;
  readonly flow_id: string | null;
  readonly tags: string;
  readonly document: string;
}

interface MembershipRow {
  readonly channel_key: string;
  readonly sub_channel_id: string;
  readonly member: string;
  readonly app_instance_id: string;
  readonly type: string;
  readonly invited_by: string;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
  readonly preferences: string | null;
  readonly read_marker_at_ms: number | null;
}

interface StandingRow {
  readonly channel_key: string;
  readonly standing: Standing;
  readonly member: string;
  readonly app_instance_id: string;
  readonly created_by: string;
  readonly created_at_ms: number;
}

interface SubChannelRow {
  readonly sub_channel_id: string;
  readonly membership_count: number;
}

const INSERT_CHANNEL = `
  INSERT INTO channel (app_instance_id, channel_id, channel_key, account_id, region, privacy, created_at_ms, updated_at_ms,
    last_message_at_ms, expires_at_ms, flow_id, tags, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (app_instance_id, channel_id) DO NOTHING`;
const SELECT_CHANNEL = 'SELECT * FROM channel WHERE app_instance_id = $1 AND channel_id = $2 AND account_id = $3 AND region = $4';
const SELECT_BY_KEY = 'SELECT * FROM channel WHERE channel_key = $1';
const UPDATE_CHANNEL = 'UPDATE channel SET updated_at_ms = $2, expires_at_ms = $3, flow_id = $4, document = $5 WHERE channel_key = $1';
const UPDATE_TAGS = 'UPDATE channel SET tags = $2 WHERE channel_key = $1';
const UPDATE_LAST_MESSAGE = 'UPDATE channel SET last_message_at_ms = $2, expires_at_ms = $3 WHERE channel_key = $1';
const DELETE_CHANNEL = 'DELETE FROM channel WHERE channel_key = $1';
const SELECT_CHANNELS = 'SELECT * FROM channel WHERE app_instance_id = $1 AND channel_id > $2 ORDER BY channel_id LIMIT $3';
const SELECT_OF_PRIVACY = `
  SELECT * FROM channel WHERE app_instance_id = $1 AND privacy = $2 AND channel_id > $3 ORDER BY channel_id LIMIT $4`;
const SELECT_OF_FLOW = `
  SELECT * FROM channel WHERE app_instance_id = $1 AND flow_id = $2 AND channel_id > $3 ORDER BY channel_id LIMIT $4`;
const SELECT_ALL = `
  SELECT * FROM channel WHERE (app_instance_id, channel_id) > ($1, $2) ORDER BY app_instance_id, channel_id LIMIT $3`;
const SELECT_EXPIRED = 'SELECT * FROM channel WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2';
const INSERT_MEMBERSHIP = `
  INSERT INTO channel_membership (channel_key, sub_channel_id, member, app_instance_id, type, invited_by, created_at_ms, updated_at_ms,
    preferences, read_marker_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (channel_key, sub_channel_id, member) DO NOTHING`;
const SELECT_MEMBERSHIP = 'SELECT * FROM channel_membership WHERE channel_key = $1 AND sub_channel_id = $2 AND member = $3';
const SELECT_MEMBERSHIPS_IN = `
  SELECT * FROM channel_membership WHERE app_instance_id = $1 AND member = $2 AND channel_key = $3 ORDER BY sub_channel_id`;
const UPDATE_MEMBERSHIP = `
  UPDATE channel_membership SET updated_at_ms = $4, preferences = $5, read_marker_at_ms = $6
  WHERE channel_key = $1 AND sub_channel_id = $2 AND member = $3`;
const DELETE_MEMBERSHIP = 'DELETE FROM channel_membership WHERE channel_key = $1 AND sub_channel_id = $2 AND member = $3';
const COUNT_MEMBERSHIPS = `
  SELECT COUNT(*) AS count FROM (SELECT 1 FROM channel_membership WHERE channel_key = $1 LIMIT $2) AS counted`;
const SELECT_MEMBERSHIPS = `
  SELECT * FROM channel_membership WHERE channel_key = $1 AND (sub_channel_id, member) > ($2, $3) AND type = $4
  ORDER BY sub_channel_id, member LIMIT $5`;
const SELECT_MEMBERSHIPS_OF_SUB_CHANNEL = `
  SELECT * FROM channel_membership WHERE channel_key = $1 AND sub_channel_id = $2 AND member > $3 AND type = $4
  ORDER BY member LIMIT $5`;
const SELECT_MEMBERSHIPS_OF = `
  SELECT m.* FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
  WHERE m.app_instance_id = $1 AND m.member = $2 AND (m.channel_key, m.sub_channel_id) > ($3, $4)
  ORDER BY m.channel_key, m.sub_channel_id LIMIT $5`;
const SELECT_JOINED = `
  SELECT c.channel_id, m.sub_channel_id FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
  WHERE m.app_instance_id = $1 AND m.member = $2`;
const INSERT_STANDING = `
  INSERT INTO channel_standing (channel_key, standing, member, app_instance_id, created_by, created_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (channel_key, standing, member) DO NOTHING`;
const SELECT_STANDING = 'SELECT * FROM channel_standing WHERE channel_key = $1 AND standing = $2 AND member = $3';
const DELETE_STANDING = 'DELETE FROM channel_standing WHERE channel_key = $1 AND standing = $2 AND member = $3';
const COUNT_STANDINGS = `
  SELECT COUNT(*) AS count FROM (SELECT 1 FROM channel_standing WHERE channel_key = $1 AND standing = $2 LIMIT $3) AS counted`;
const SELECT_STANDINGS = `
  SELECT * FROM channel_standing WHERE channel_key = $1 AND standing = $2 AND member > $3 ORDER BY member LIMIT $4`;
const SELECT_STANDINGS_OF = `
  SELECT s.* FROM channel_standing AS s JOIN channel AS c ON c.channel_key = s.channel_key
  WHERE s.app_instance_id = $1 AND s.member = $2 AND s.standing = $3 AND s.channel_key > $4 ORDER BY s.channel_key LIMIT $5`;
const INSERT_SUB_CHANNEL = 'INSERT INTO sub_channel (channel_key, sub_channel_id, membership_count) VALUES ($1, $2, 0)';
const SELECT_SMALLEST = `
  SELECT sub_channel_id, membership_count FROM sub_channel WHERE channel_key = $1 ORDER BY membership_count, sub_channel_id LIMIT $2`;
const SELECT_SUB_CHANNEL = 'SELECT sub_channel_id, membership_count FROM sub_channel WHERE channel_key = $1 AND sub_channel_id = $2';
const SELECT_SUB_CHANNELS = `
  SELECT sub_channel_id, membership_count FROM sub_channel WHERE channel_key = $1 AND sub_channel_id > $2
  ORDER BY sub_channel_id LIMIT $3`;
const ADD_TO_COUNT = 'UPDATE sub_channel SET membership_count = membership_count + $3 WHERE channel_key = $1 AND sub_channel_id = $2';
const SELECT_MOVABLE = `
  SELECT m.member FROM channel_membership AS m WHERE m.channel_key = $1 AND m.sub_channel_id = $2 AND NOT EXISTS (
    SELECT 1 FROM channel_standing AS s WHERE s.channel_key = $1 AND s.standing = 'moderator' AND s.member = m.member)
  ORDER BY m.member LIMIT $3`;
const MOVE_MEMBER = `
  UPDATE channel_membership SET sub_channel_id = $4, updated_at_ms = $5
  WHERE channel_key = $1 AND sub_channel_id = $2 AND member = $3`;
const DELETE_SUB_CHANNEL = 'DELETE FROM sub_channel WHERE channel_key = $1 AND sub_channel_id = $2';
const DELETE_MEMBERSHIPS_OF_SUB_CHANNEL = 'DELETE FROM channel_membership WHERE channel_key = $1 AND sub_channel_id = $2';
const INSERT_REMOVED = 'INSERT INTO removed_channel (channel_key, sub_channel_id) VALUES ($1, $2) ON CONFLICT DO NOTHING';
const SELECT_REMOVED = 'SELECT channel_key, sub_channel_id FROM removed_channel ORDER BY channel_key, sub_channel_id LIMIT 1';
const DELETE_REMOVED = 'DELETE FROM removed_channel WHERE channel_key = $1 AND sub_channel_id = $2';
const SUBTRACT_FORGOTTEN = `
  UPDATE sub_channel SET membership_count = membership_count - 1 WHERE (channel_key, sub_channel_id) IN (
    SELECT channel_key, sub_channel_id FROM channel_membership WHERE app_instance_id = $1 AND member = $2)`;
const FORGET_MEMBERSHIPS = 'DELETE FROM channel_membership WHERE app_instance_id = $1 AND member = $2';
const FORGET_STANDINGS = 'DELETE FROM channel_standing WHERE app_instance_id = $1 AND member = $2';

/** What a removed channel leaves behind, table by table. */
const PURGED = [
  `DELETE FROM channel_message WHERE (channel_key, sub_channel_id, created_at_ms, message_id) IN (
    SELECT channel_key, sub_channel_id, created_at_ms, message_id FROM channel_message WHERE channel_key = $1 LIMIT $2)`,
  `DELETE FROM channel_membership WHERE (channel_key, sub_channel_id, member) IN (
    SELECT channel_key, sub_channel_id, member FROM channel_membership WHERE channel_key = $1 LIMIT $2)`,
  `DELETE FROM channel_standing WHERE (channel_key, standing, member) IN (
    SELECT channel_key, standing, member FROM channel_standing WHERE channel_key = $1 LIMIT $2)`,
  `DELETE FROM sub_channel WHERE (channel_key, sub_channel_id) IN (
    SELECT channel_key, sub_channel_id FROM sub_channel WHERE channel_key = $1 LIMIT $2)`,
];
const PURGED_MESSAGES_OF_SUB_CHANNEL = `
  DELETE FROM channel_message WHERE (channel_key, sub_channel_id, created_at_ms, message_id) IN (
    SELECT channel_key, sub_channel_id, created_at_ms, message_id FROM channel_message
    WHERE channel_key = $1 AND sub_channel_id = $2 LIMIT $3)`;

export function channels(sql: Sql): Channels {
  const channelRows = async (text: string, values: readonly (string | number)[]) =>
    (await sql.rows<ChannelRow>(text, values)).map(toChannel);
  const membershipRows = async (text: string, values: readonly (string | number)[]) =>
    (await sql.rows<MembershipRow>(text, values)).map(toMembership);
  const counted = async (text: string, values: readonly (string | number)[]) =>
    Number((await sql.row<{ readonly count: number }>(text, values))?.count ?? 0);
  const addToCount = async (channelKey: string, subChannelId: string, by: number) => {
    if (subChannelId !== '') await sql.run(ADD_TO_COUNT, [channelKey, subChannelId, by]);
  };

  return {
    async add({ appInstanceId, channelId, channelKey, accountId, region, privacy, createdAt, updatedAt, ...rest }) {
      const { lastMessageAt = null, expiresAt = null, flowId = null, tags, document } = rest;
      const values = [lastMessageAt, expiresAt, flowId, JSON.stringify(tags), JSON.stringify(document)];
      const added = await sql.run(INSERT_CHANNEL, [
        appInstanceId,
        channelId,
        channelKey,
        accountId,
        region,
        privacy,
        createdAt,
        updatedAt,
        ...values,
      ]);
      return added === 1 ? 'added' : 'exists';
    },
    async get(accountId, region, appInstanceId, channelId) {
      const row = await sql.row<ChannelRow>(SELECT_CHANNEL, [appInstanceId, channelId, accountId, region]);
      return row && toChannel(row);
    },
    async getByKey(channelKey) {
      const row = await sql.row<ChannelRow>(SELECT_BY_KEY, [channelKey]);
      return row && toChannel(row);
    },
    async put({ channelKey, updatedAt, expiresAt, flowId, document }) {
      await sql.run(UPDATE_CHANNEL, [channelKey, updatedAt, expiresAt ?? null, flowId ?? null, JSON.stringify(document)]);
    },
    async setTags(channelKey, tags) {
      await sql.run(UPDATE_TAGS, [channelKey, JSON.stringify(tags)]);
    },
    async touch(channelKey, lastMessageAt, expiresAt) {
      await sql.run(UPDATE_LAST_MESSAGE, [channelKey, lastMessageAt, expiresAt ?? null]);
    },
    async remove({ channelKey }) {
      await sql.run(DELETE_CHANNEL, [channelKey]);
      await sql.run(INSERT_REMOVED, [channelKey, '']);
    },
    list: (appInstanceId, privacy, limit, after = '') =>
      privacy === undefined
        ? channelRows(SELECT_CHANNELS, [appInstanceId, after, limit])
        : channelRows(SELECT_OF_PRIVACY, [appInstanceId, privacy, after, limit]),
    listOfFlow: (appInstanceId, flowId, limit, after = '') => channelRows(SELECT_OF_FLOW, [appInstanceId, flowId, after, limit]),
    listAll: (limit, { appInstanceId, channelId }) => channelRows(SELECT_ALL, [appInstanceId, channelId, limit]),
    listExpired: (now, limit) => channelRows(SELECT_EXPIRED, [now, limit]),
    search(appInstanceId, members, exactly, limit, after = '', seenBy) {
      const [first = ''] = members;
      const places = members.map((_, i) => `$${i + 6}`).join(', ');
      const seen = (table: string): string =>
        seenBy === undefined ? '' : `AND (${table}.type <> 'HIDDEN' OR ${table}.member = $${members.length + 6})`;
      const noOther = `AND $5 = (SELECT COUNT(*) FROM channel_membership AS t WHERE t.channel_key = m.channel_key ${seen('t')})`;
      return channelRows(
        `SELECT c.* FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
         WHERE m.app_instance_id = $1 AND m.member = $2 AND m.channel_key > $3 AND m.sub_channel_id = ''
           AND $5 = (SELECT COUNT(*) FROM channel_membership AS o
             WHERE o.channel_key = m.channel_key AND o.sub_channel_id = '' AND o.member IN (${places}) ${seen('o')})
           ${exactly ? noOther : ''}
         ORDER BY m.channel_key LIMIT $4`,
        [appInstanceId, first, after, limit, members.length, ...members, ...(seenBy === undefined ? [] : [seenBy])],
      );
    },

    async addMembership({ channelKey, subChannelId, member, appInstanceId, type, invitedBy, createdAt, updatedAt, ...rest }) {
      const values = [type, invitedBy, createdAt, updatedAt, rest.preferences ?? null, rest.readMarkerAt ?? null];
      if ((await sql.run(INSERT_MEMBERSHIP, [channelKey, subChannelId, member, appInstanceId, ...values])) === 0) return 'exists';
      await addToCount(channelKey, subChannelId, 1);
      return 'added';
    },
    async getMembership(channelKey, subChannelId, member) {
      const row = await sql.row<MembershipRow>(SELECT_MEMBERSHIP, [channelKey, subChannelId, member]);
      return row && toMembership(row);
    },
    membershipsOf: ({ appInstanceId, channelKey }, member) => membershipRows(SELECT_MEMBERSHIPS_IN, [appInstanceId, member, channelKey]),
    async putMembership({ channelKey, subChannelId, member, updatedAt, preferences, readMarkerAt }) {
      await sql.run(UPDATE_MEMBERSHIP, [channelKey, subChannelId, member, updatedAt, preferences ?? null, readMarkerAt ?? null]);
    },
    async removeMembership(channelKey, subChannelId, member) {
      if ((await sql.run(DELETE_MEMBERSHIP, [channelKey, subChannelId, member])) === 0) return 'absent';
      await addToCount(channelKey, subChannelId, -1);
      return 'removed';
    },
    countMemberships: (channelKey, most) => counted(COUNT_MEMBERSHIPS, [channelKey, most]),
    listMemberships: (channelKey, subChannelId, type, limit, after = { subChannelId: '', member: '' }) =>
      subChannelId === undefined
        ? membershipRows(SELECT_MEMBERSHIPS, [channelKey, after.subChannelId, after.member, type, limit])
        : membershipRows(SELECT_MEMBERSHIPS_OF_SUB_CHANNEL, [channelKey, subChannelId, after.member, type, limit]),
    listMembershipsOf: (appInstanceId, member, limit, after = { channelKey: '', subChannelId: '' }) =>
      membershipRows(SELECT_MEMBERSHIPS_OF, [appInstanceId, member, after.channelKey, after.subChannelId, limit]),
    async joinedBy(appInstanceId, member) {
      const rows = await sql.rows<{ readonly channel_id: string; readonly sub_channel_id: string }>(SELECT_JOINED, [appInstanceId, member]);
      return rows.map((row) => ({ channelId: row.channel_id, subChannelId: row.sub_channel_id }));
    },

    async addStanding({ channelKey, standing, member, appInstanceId, createdBy, createdAt }) {
      const added = await sql.run(INSERT_STANDING, [channelKey, standing, member, appInstanceId, createdBy, createdAt]);
      return added === 1 ? 'added' : 'exists';
    },
    async getStanding(channelKey, standing, member) {
      const row = await sql.row<StandingRow>(SELECT_STANDING, [channelKey, standing, member]);
      return row && toStanding(row);
    },
    async removeStanding(channelKey, standing, member) {
      return (await sql.run(DELETE_STANDING, [channelKey, standing, member])) === 1 ? 'removed' : 'absent';
    },
    countStandings: (channelKey, standing, most) => counted(COUNT_STANDINGS, [channelKey, standing, most]),
    async listStandings(channelKey, standing, limit, after = '') {
      return (await sql.rows<StandingRow>(SELECT_STANDINGS, [channelKey, standing, after, limit])).map(toStanding);
    },
    async listStandingsOf(appInstanceId, standing, member, limit, after = '') {
      return (await sql.rows<StandingRow>(SELECT_STANDINGS_OF, [appInstanceId, member, standing, after, limit])).map(toStanding);
    },

    async addSubChannel(channelKey, subChannelId) {
      await sql.run(INSERT_SUB_CHANNEL, [channelKey, subChannelId]);
    },
    async smallestSubChannels(channelKey, limit) {
      return (await sql.rows<SubChannelRow>(SELECT_SMALLEST, [channelKey, limit])).map(toSubChannel);
    },
    async getSubChannel(channelKey, subChannelId) {
      const row = await sql.row<SubChannelRow>(SELECT_SUB_CHANNEL, [channelKey, subChannelId]);
      return row && toSubChannel(row);
    },
    async listSubChannels(channelKey, limit, after = '') {
      return (await sql.rows<SubChannelRow>(SELECT_SUB_CHANNELS, [channelKey, after, limit])).map(toSubChannel);
    },
    async moveMembers(channelKey, from, to, limit, now) {
      const moved = (await sql.rows<{ readonly member: string }>(SELECT_MOVABLE, [channelKey, from, limit])).map(({ member }) => member);
      for (const member of moved) await sql.run(MOVE_MEMBER, [channelKey, from, member, to, now]);
      await addToCount(channelKey, from, -moved.length);
      await addToCount(channelKey, to, moved.length);
      return moved;
    },
    async removeSubChannel(channelKey, subChannelId) {
      await sql.run(DELETE_SUB_CHANNEL, [channelKey, subChannelId]);
      await sql.run(DELETE_MEMBERSHIPS_OF_SUB_CHANNEL, [channelKey, subChannelId]);
      await sql.run(INSERT_REMOVED, [channelKey, subChannelId]);
    },

    async forgetMember(appInstanceId, member) {
      for (const statement of [SUBTRACT_FORGOTTEN, FORGET_MEMBERSHIPS, FORGET_STANDINGS]) await sql.run(statement, [appInstanceId, member]);
    },
    async purge(limit) {
      const removed = await sql.row<{ readonly channel_key: string; readonly sub_channel_id: string }>(SELECT_REMOVED);
      if (removed === undefined) return 'done';
      const { channel_key: channelKey, sub_channel_id: subChannelId } = removed;
      let left = limit;
      if (subChannelId !== '') left -= await sql.run(PURGED_MESSAGES_OF_SUB_CHANNEL, [channelKey, subChannelId, left]);
      else for (const statement of PURGED) if (left > 0) left -= await sql.run(statement, [channelKey, left]);
      if (left > 0) await sql.run(DELETE_REMOVED, [channelKey, subChannelId]);
      return 'more';
    },
  };
}

function toChannel(row: ChannelRow): ChannelRecord {
  return {
    accountId: row.account_id,
    region: row.region,
    appInstanceId: row.app_instance_id,
    channelId: row.channel_id,
    channelKey: row.channel_key,
    privacy: row.privacy,
    createdAt: row.created_at_ms as Instant,
    updatedAt: row.updated_at_ms as Instant,
    ...(row.last_message_at_ms !== null && { lastMessageAt: row.last_message_at_ms as Instant }),
    ...(row.expires_at_ms !== null && { expiresAt: row.expires_at_ms as Instant }),
    ...(row.flow_id !== null && { flowId: row.flow_id }),
    tags: JSON.parse(row.tags) as readonly TagRecord[],
    document: JSON.parse(row.document) as ChannelDocument,
  };
}

function toMembership(row: MembershipRow): MembershipRecord {
  return {
    channelKey: row.channel_key,
    subChannelId: row.sub_channel_id,
    member: row.member,
    appInstanceId: row.app_instance_id,
    type: row.type,
    invitedBy: row.invited_by,
    createdAt: row.created_at_ms as Instant,
    updatedAt: row.updated_at_ms as Instant,
    ...(row.preferences !== null && { preferences: row.preferences }),
    ...(row.read_marker_at_ms !== null && { readMarkerAt: row.read_marker_at_ms as Instant }),
  };
}

function toStanding(row: StandingRow): StandingRecord {
  return {
    channelKey: row.channel_key,
    standing: row.standing,
    member: row.member,
    appInstanceId: row.app_instance_id,
    createdBy: row.created_by,
    createdAt: row.created_at_ms as Instant,
  };
}

function toSubChannel(row: SubChannelRow): SubChannelRecord {
  return { subChannelId: row.sub_channel_id, membershipCount: Number(row.membership_count) };
}
