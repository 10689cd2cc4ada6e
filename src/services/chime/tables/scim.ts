import type { AccountId } from '#core/arn.ts';
import type { License } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, flag, instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import { inDomain, padded, placeholders, USERS_MAX } from './users.ts';

/** Attributes of a provisioned user that no query needs. They have the names of SCIM. */
export interface ScimUserDocument {
  /** Address as the provider wrote it. */
  readonly userName: string;
  readonly displayName?: string;
  readonly name?: Readonly<Record<string, string>>;
  readonly emails?: readonly ScimEmail[];
}

export interface ScimEmail {
  readonly value: string;
  readonly type?: string;
  readonly primary?: boolean;
}

/** Users that an OpenID provider has provisioned by SCIM. */
export const CHIME_SCIM_USER = table('chime_scim_user', {
  columns: {
    chimeAccountId: text,
    /** UUID in lower case. It is not the ID of the user of the account. */
    scimId: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    /** Address in the form of `normalizedEmail`. */
    email: text,
    externalId: optional(text),
    isActive: flag,
    /** Whether the user of the account may differ from what the provider has reported. */
    isDue: flag,
    createdAt: instant,
    updatedAt: instant,
    document: json<ScimUserDocument>(),
  },
  key: ['chimeAccountId', 'scimId'],
  indexes: [
    { columns: ['chimeAccountId', 'email'], unique: true },
    { columns: ['chimeAccountId', 'externalId'], where: 'external_id IS NOT NULL' },
    { columns: ['chimeAccountId', 'scimId'], where: 'is_due = 1' },
  ],
});
export type ScimUserRecord = Row<typeof CHIME_SCIM_USER>;

/** Number of provisioned users of an account. The functions of `scimUsers` update it. An account that never had one can have no row. */
export const CHIME_SCIM_TOTAL = table('chime_scim_total', { columns: { chimeAccountId: text, users: int }, key: ['chimeAccountId'] });

/**
 * Number of provisioned users whose IDs begin with the same two characters, at most 256 rows of an account. A list skips whole buckets, because IDs
 * are random. The functions of `scimUsers` update it. A row can have no users.
 */
export const CHIME_SCIM_BUCKET = table('chime_scim_bucket', {
  columns: { chimeAccountId: text, bucket: text, users: int },
  key: ['chimeAccountId', 'bucket'],
});

/** Groups that an OpenID provider has provisioned by SCIM. */
export const CHIME_SCIM_GROUP = table('chime_scim_group', {
  columns: {
    chimeAccountId: text,
    /** UUID in lower case. */
    scimId: text,
    displayName: text,
    externalId: optional(text),
    createdAt: instant,
    updatedAt: instant,
  },
  key: ['chimeAccountId', 'scimId'],
  indexes: [
    { columns: ['chimeAccountId', 'displayName'], unique: true },
    { columns: ['chimeAccountId', 'externalId'], where: 'external_id IS NOT NULL' },
  ],
});
export type ScimGroupRecord = Row<typeof CHIME_SCIM_GROUP>;

/** Members of provisioned groups. */
export const CHIME_SCIM_MEMBER = table('chime_scim_member', {
  columns: { chimeAccountId: text, groupId: text, memberId: text },
  key: ['chimeAccountId', 'groupId', 'memberId'],
  indexes: [['chimeAccountId', 'memberId', 'groupId']],
});

/** Attributes by which lists can be filtered, with the value that they must have. */
export type ScimUserFilter = { readonly email: string } | { readonly externalId: string };
export type ScimGroupFilter = { readonly displayName: string } | { readonly externalId: string };

/** Part of a list: rows to skip, and maximum number of rows. */
export interface Slice {
  readonly offset: number;
  readonly limit: number;
}

/** Most users or members that statements for several of them accept. */
export const SCIM_AT_ONCE = USERS_MAX;

/**
 * Provisioned users of Chime accounts.
 *
 *     stored in account a: u1 (in the group Sales), u2. Sales has the license Pro.
 *     licensesOf('a', ['u1', 'u2']) → u1: Pro
 */
export interface ScimUsers {
  /** Adds a user. Returns 'exists' if the account has a user with this address. */
  add(user: ScimUserRecord): Promise<'added' | 'exists'>;
  get(chimeAccountId: string, scimId: string): Promise<ScimUserRecord | undefined>;
  withEmail(chimeAccountId: string, email: string): Promise<ScimUserRecord | undefined>;
  /** Replaces all members except the IDs. The caller checks that no other user has the address. */
  put(user: ScimUserRecord): Promise<void>;
  /** Deletes a user with its memberships. */
  remove(chimeAccountId: string, scimId: string): Promise<void>;
  /** Deletes the users whose address is in a domain, with their memberships. */
  removeOfDomain(chimeAccountId: string, domain: string): Promise<void>;
  /** Returns those of the given IDs that exist, at most `SCIM_AT_ONCE`, in no order. */
  known(chimeAccountId: string, scimIds: readonly string[]): Promise<readonly string[]>;
  count(chimeAccountId: string): Promise<number>;
  /** Lists users by ID. A late page reads the counts of the users before it, and the users of one bucket at most. */
  list(chimeAccountId: string, slice: Slice): Promise<readonly ScimUserRecord[]>;
  /** Returns users that match a filter, at most `SCIM_AT_ONCE`. */
  matching(chimeAccountId: string, filter: ScimUserFilter): Promise<readonly ScimUserRecord[]>;
  /** Returns the licenses that groups give to users, at most `SCIM_AT_ONCE`. A user without a licensed group is absent. */
  licensesOf(chimeAccountId: string, scimIds: readonly string[]): Promise<ReadonlyMap<string, readonly License[]>>;
  /** Marks users as due, at most `SCIM_AT_ONCE`. */
  setDue(chimeAccountId: string, scimIds: readonly string[]): Promise<void>;
  /** Marks the members of the groups with a name as due. */
  setDueOfGroup(chimeAccountId: string, displayName: string): Promise<void>;
  /** Ends the mark of users, at most `SCIM_AT_ONCE`. */
  setDone(chimeAccountId: string, scimIds: readonly string[]): Promise<void>;
  /** Returns users that are due in an account, at most `SCIM_AT_ONCE`. */
  due(chimeAccountId: string): Promise<readonly ScimUserRecord[]>;
  /** Returns a user that is due in any account. */
  firstDue(): Promise<ScimUserRecord | undefined>;
}

/** Provisioned groups of Chime accounts, and their members. */
export interface ScimGroups {
  /** Adds a group. Returns 'exists' if the account has a group with this name. */
  add(group: ScimGroupRecord): Promise<'added' | 'exists'>;
  get(chimeAccountId: string, scimId: string): Promise<ScimGroupRecord | undefined>;
  named(chimeAccountId: string, displayName: string): Promise<ScimGroupRecord | undefined>;
  /** Replaces the name, the external ID and the time of the update. The caller checks that no other group has the name. */
  put(group: ScimGroupRecord): Promise<void>;
  /** Deletes a group with its members. */
  remove(chimeAccountId: string, scimId: string): Promise<void>;
  count(chimeAccountId: string): Promise<number>;
  /** Lists groups by ID. */
  list(chimeAccountId: string, slice: Slice): Promise<readonly ScimGroupRecord[]>;
  /** Returns groups that match a filter, at most `SCIM_AT_ONCE`. */
  matching(chimeAccountId: string, filter: ScimGroupFilter): Promise<readonly ScimGroupRecord[]>;
  /** Returns the groups of a user by name, at most `limit`. */
  ofUser(chimeAccountId: string, memberId: string, limit: number): Promise<readonly ScimGroupRecord[]>;
  /** Returns the IDs of at most `limit` members of a group, in their order. */
  members(chimeAccountId: string, groupId: string, limit: number): Promise<readonly string[]>;
  countMembers(chimeAccountId: string, groupId: string): Promise<number>;
  /** Adds members. Those that are members already do not change. */
  addMembers(chimeAccountId: string, groupId: string, memberIds: readonly string[]): Promise<void>;
  /** Deletes members, at most `SCIM_AT_ONCE`. */
  removeMembers(chimeAccountId: string, groupId: string, memberIds: readonly string[]): Promise<void>;
  /** Deletes all members of a group. */
  clearMembers(chimeAccountId: string, groupId: string): Promise<void>;
}

/** Characters of an ID that name its bucket. They are hexadecimal, so an account has at most 256 buckets. */
const BUCKET_CHARACTERS = 2;
const BUCKETS_MAX = 256;
const { names } = CHIME_SCIM_USER;
const IDS = placeholders(2, SCIM_AT_ONCE);
const WITH_EMAIL = `SELECT ${names} FROM chime_scim_user WHERE chime_account_id = $1 AND email = $2`;
// The inner queries read only columns of an index. Otherwise SQLite would use the primary key and read all users or groups of the account.
const WITH_EXTERNAL_ID = `
  SELECT ${names} FROM chime_scim_user WHERE chime_account_id = $1 AND scim_id IN (
    SELECT scim_id FROM chime_scim_user WHERE chime_account_id = $1 AND external_id = $2 ORDER BY scim_id LIMIT $3)
  ORDER BY scim_id`;
const KNOWN = `SELECT scim_id FROM chime_scim_user WHERE chime_account_id = $1 AND scim_id IN (${IDS})`;
const ADD_TO_TOTAL = `
  INSERT INTO chime_scim_total (chime_account_id, users) VALUES ($1, $2)
  ON CONFLICT (chime_account_id) DO UPDATE SET users = chime_scim_total.users + excluded.users`;
const ADD_TO_BUCKET = `
  INSERT INTO chime_scim_bucket (chime_account_id, bucket, users) VALUES ($1, $2, $3)
  ON CONFLICT (chime_account_id, bucket) DO UPDATE SET users = chime_scim_bucket.users + excluded.users`;
const COUNT_BUCKETS = `
  INSERT INTO chime_scim_bucket (chime_account_id, bucket, users)
  SELECT chime_account_id, SUBSTR(scim_id, 1, ${BUCKET_CHARACTERS}), COUNT(*) FROM chime_scim_user WHERE chime_account_id = $1
  GROUP BY chime_account_id, SUBSTR(scim_id, 1, ${BUCKET_CHARACTERS})`;
const REMOVE_BUCKETS = 'DELETE FROM chime_scim_bucket WHERE chime_account_id = $1';
// The offset is less than the users of a bucket.
const LIST_USERS = `
  SELECT ${names} FROM chime_scim_user WHERE chime_account_id = $1 AND scim_id >= $2 ORDER BY scim_id LIMIT $3 OFFSET $4`;
const LICENSES = `
  SELECT DISTINCT m.member_id, l.license FROM chime_scim_member m
  JOIN chime_scim_group g ON g.chime_account_id = m.chime_account_id AND g.scim_id = m.group_id
  JOIN chime_licensed_group l ON l.chime_account_id = g.chime_account_id AND l.group_name = g.display_name
  WHERE m.chime_account_id = $1 AND m.member_id IN (${IDS})`;
const SET_DUE = `UPDATE chime_scim_user SET is_due = 1 WHERE chime_account_id = $1 AND scim_id IN (${IDS})`;
const SET_DUE_OF_GROUP = `
  UPDATE chime_scim_user SET is_due = 1 WHERE chime_account_id = $1 AND scim_id IN (
    SELECT m.member_id FROM chime_scim_group g
    JOIN chime_scim_member m ON m.chime_account_id = g.chime_account_id AND m.group_id = g.scim_id
    WHERE g.chime_account_id = $1 AND g.display_name = $2)`;
const SET_DONE = `UPDATE chime_scim_user SET is_due = 0 WHERE chime_account_id = $1 AND scim_id IN (${IDS})`;
const DUE = `
  SELECT ${names} FROM chime_scim_user WHERE chime_account_id = $1 AND scim_id IN (
    SELECT scim_id FROM chime_scim_user WHERE chime_account_id = $1 AND is_due = 1 ORDER BY scim_id LIMIT $2)
  ORDER BY scim_id`;
const FIRST_DUE = `
  SELECT ${names} FROM chime_scim_user WHERE (chime_account_id, scim_id) IN (
    SELECT chime_account_id, scim_id FROM chime_scim_user WHERE is_due = 1 ORDER BY chime_account_id, scim_id LIMIT 1)`;
const REMOVE_MEMBER = 'DELETE FROM chime_scim_member WHERE chime_account_id = $1 AND member_id = $2';
const REMOVE_MEMBERS_OF_DOMAIN = `
  DELETE FROM chime_scim_member WHERE chime_account_id = $1 AND member_id IN (
    SELECT scim_id FROM chime_scim_user WHERE chime_account_id = $1 AND email LIKE $2 ESCAPE '!')`;
const REMOVE_OF_DOMAIN = "DELETE FROM chime_scim_user WHERE chime_account_id = $1 AND email LIKE $2 ESCAPE '!'";
const putUser = CHIME_SCIM_USER.update('email', 'externalId', 'isActive', 'isDue', 'updatedAt', 'document');

/** Creates the repository of one transaction. */
export function scimUsers(sql: Sql): ScimUsers {
  const addToTotal = (chimeAccountId: string, by: number) => sql.run(ADD_TO_TOTAL, [chimeAccountId, by]);

  async function addToCounts({ chimeAccountId, scimId }: Pick<ScimUserRecord, 'chimeAccountId' | 'scimId'>, by: 1 | -1): Promise<void> {
    await addToTotal(chimeAccountId, by);
    await sql.run(ADD_TO_BUCKET, [chimeAccountId, scimId.slice(0, BUCKET_CHARACTERS), by]);
  }

  /** Returns the first bucket with users of a page, and the number of its users that the page skips. Undefined if there are none. */
  async function startOf(
    chimeAccountId: string,
    offset: number,
  ): Promise<{ readonly bucket: string; readonly skipped: number } | undefined> {
    if (offset === 0) return { bucket: '', skipped: 0 };
    let skipped = offset;
    for (const { bucket, users } of await CHIME_SCIM_BUCKET.page(sql, [chimeAccountId], [''], BUCKETS_MAX)) {
      if (skipped < users) return { bucket, skipped };
      skipped -= users;
    }
    return undefined;
  }

  return {
    async add(user) {
      if ((await CHIME_SCIM_USER.add(sql, user)) === 'exists') return 'exists';
      await addToCounts(user, 1);
      return 'added';
    },
    get: (chimeAccountId, scimId) => CHIME_SCIM_USER.get(sql, chimeAccountId, scimId),
    withEmail: (chimeAccountId, email) => CHIME_SCIM_USER.row(sql, WITH_EMAIL, [chimeAccountId, email]),
    async put(user) {
      await putUser(sql, user);
    },
    async remove(chimeAccountId, scimId) {
      await sql.run(REMOVE_MEMBER, [chimeAccountId, scimId]);
      if ((await CHIME_SCIM_USER.remove(sql, chimeAccountId, scimId)) === 'removed') await addToCounts({ chimeAccountId, scimId }, -1);
    },
    async removeOfDomain(chimeAccountId, domain) {
      await sql.run(REMOVE_MEMBERS_OF_DOMAIN, [chimeAccountId, inDomain(domain)]);
      await addToTotal(chimeAccountId, -(await sql.run(REMOVE_OF_DOMAIN, [chimeAccountId, inDomain(domain)])));
      await sql.run(REMOVE_BUCKETS, [chimeAccountId]);
      await sql.run(COUNT_BUCKETS, [chimeAccountId]);
    },
    async known(chimeAccountId, scimIds) {
      if (scimIds.length === 0) return [];
      const found = await sql.rows<{ readonly scim_id: string }>(KNOWN, [chimeAccountId, ...padded(scimIds)]);
      return found.map(({ scim_id: scimId }) => scimId);
    },
    count: async (chimeAccountId) => (await CHIME_SCIM_TOTAL.get(sql, chimeAccountId))?.users ?? 0,
    async list(chimeAccountId, { limit, offset }) {
      const start = await startOf(chimeAccountId, offset);
      if (start === undefined) return [];
      return await CHIME_SCIM_USER.rows(sql, LIST_USERS, [chimeAccountId, start.bucket, limit, start.skipped]);
    },
    matching: (chimeAccountId, filter) =>
      'email' in filter
        ? CHIME_SCIM_USER.rows(sql, WITH_EMAIL, [chimeAccountId, filter.email])
        : CHIME_SCIM_USER.rows(sql, WITH_EXTERNAL_ID, [chimeAccountId, filter.externalId, SCIM_AT_ONCE]),
    async licensesOf(chimeAccountId, scimIds) {
      if (scimIds.length === 0) return new Map();
      type Licensed = { readonly member_id: string; readonly license: License };
      const found = await sql.rows<Licensed>(LICENSES, [chimeAccountId, ...padded(scimIds)]);
      const licenses = new Map<string, License[]>();
      for (const { member_id: memberId, license } of found) licenses.set(memberId, [...(licenses.get(memberId) ?? []), license]);
      return licenses;
    },
    async setDue(chimeAccountId, scimIds) {
      if (scimIds.length > 0) await sql.run(SET_DUE, [chimeAccountId, ...padded(scimIds)]);
    },
    async setDueOfGroup(chimeAccountId, displayName) {
      await sql.run(SET_DUE_OF_GROUP, [chimeAccountId, displayName]);
    },
    async setDone(chimeAccountId, scimIds) {
      if (scimIds.length > 0) await sql.run(SET_DONE, [chimeAccountId, ...padded(scimIds)]);
    },
    due: (chimeAccountId) => CHIME_SCIM_USER.rows(sql, DUE, [chimeAccountId, SCIM_AT_ONCE]),
    firstDue: () => CHIME_SCIM_USER.row(sql, FIRST_DUE, []),
  };
}

const groupNames = CHIME_SCIM_GROUP.names;
const NAMED = `SELECT ${groupNames} FROM chime_scim_group WHERE chime_account_id = $1 AND display_name = $2`;
const GROUPS_WITH_EXTERNAL_ID = `
  SELECT ${groupNames} FROM chime_scim_group WHERE chime_account_id = $1 AND scim_id IN (
    SELECT scim_id FROM chime_scim_group WHERE chime_account_id = $1 AND external_id = $2 ORDER BY scim_id LIMIT $3)
  ORDER BY scim_id`;
const COUNT_GROUPS = 'SELECT COUNT(*) AS count FROM chime_scim_group WHERE chime_account_id = $1';
const LIST_GROUPS = `SELECT ${groupNames} FROM chime_scim_group WHERE chime_account_id = $1 ORDER BY scim_id LIMIT $2 OFFSET $3`;
const OF_USER = `
  SELECT ${groupNames} FROM chime_scim_group WHERE chime_account_id = $1 AND scim_id IN (
    SELECT group_id FROM chime_scim_member WHERE chime_account_id = $1 AND member_id = $2)
  ORDER BY display_name LIMIT $3`;
const COUNT_MEMBERS = 'SELECT COUNT(*) AS count FROM chime_scim_member WHERE chime_account_id = $1 AND group_id = $2';
const REMOVE_MEMBERS = `
  DELETE FROM chime_scim_member WHERE chime_account_id = $1 AND group_id = $2 AND member_id IN (${placeholders(3, SCIM_AT_ONCE)})`;
const CLEAR_MEMBERS = 'DELETE FROM chime_scim_member WHERE chime_account_id = $1 AND group_id = $2';
const putGroup = CHIME_SCIM_GROUP.update('displayName', 'externalId', 'updatedAt');

/** Creates the repository of one transaction. */
export function scimGroups(sql: Sql): ScimGroups {
  return {
    add: async (group) => ((await CHIME_SCIM_GROUP.addAll(sql, [group])) === 1 ? 'added' : 'exists'),
    get: (chimeAccountId, scimId) => CHIME_SCIM_GROUP.get(sql, chimeAccountId, scimId),
    named: (chimeAccountId, displayName) => CHIME_SCIM_GROUP.row(sql, NAMED, [chimeAccountId, displayName]),
    async put(group) {
      await putGroup(sql, group);
    },
    async remove(chimeAccountId, scimId) {
      await sql.run(CLEAR_MEMBERS, [chimeAccountId, scimId]);
      await CHIME_SCIM_GROUP.remove(sql, chimeAccountId, scimId);
    },
    count: (chimeAccountId) => countOf(sql, COUNT_GROUPS, [chimeAccountId]),
    list: (chimeAccountId, { limit, offset }) => CHIME_SCIM_GROUP.rows(sql, LIST_GROUPS, [chimeAccountId, limit, offset]),
    matching: (chimeAccountId, filter) =>
      'displayName' in filter
        ? CHIME_SCIM_GROUP.rows(sql, NAMED, [chimeAccountId, filter.displayName])
        : CHIME_SCIM_GROUP.rows(sql, GROUPS_WITH_EXTERNAL_ID, [chimeAccountId, filter.externalId, SCIM_AT_ONCE]),
    ofUser: (chimeAccountId, memberId, limit) => CHIME_SCIM_GROUP.rows(sql, OF_USER, [chimeAccountId, memberId, limit]),
    async members(chimeAccountId, groupId, limit) {
      return (await CHIME_SCIM_MEMBER.page(sql, [chimeAccountId, groupId], [''], limit)).map(({ memberId }) => memberId);
    },
    countMembers: (chimeAccountId, groupId) => countOf(sql, COUNT_MEMBERS, [chimeAccountId, groupId]),
    async addMembers(chimeAccountId, groupId, memberIds) {
      await CHIME_SCIM_MEMBER.addAll(
        sql,
        memberIds.map((memberId) => ({ chimeAccountId, groupId, memberId })),
      );
    },
    async removeMembers(chimeAccountId, groupId, memberIds) {
      if (memberIds.length > 0) await sql.run(REMOVE_MEMBERS, [chimeAccountId, groupId, ...padded(memberIds)]);
    },
    async clearMembers(chimeAccountId, groupId) {
      await sql.run(CLEAR_MEMBERS, [chimeAccountId, groupId]);
    },
  };
}

/** Deletes all provisioned users and groups of an account. */
export async function removeProvisioned(sql: Sql, chimeAccountId: string): Promise<void> {
  await sql.run('DELETE FROM chime_scim_member WHERE chime_account_id = $1', [chimeAccountId]);
  await sql.run('DELETE FROM chime_scim_group WHERE chime_account_id = $1', [chimeAccountId]);
  await sql.run('DELETE FROM chime_scim_user WHERE chime_account_id = $1', [chimeAccountId]);
  await CHIME_SCIM_TOTAL.remove(sql, chimeAccountId);
  await sql.run(REMOVE_BUCKETS, [chimeAccountId]);
}
