import type { Instant } from '#core/instant.ts';
import type { License } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, optional, type Row, table, text, textOf } from '#store/table.ts';
import { padded, placeholders, USERS_MAX } from './users.ts';

/** Groups of a directory or an OpenID provider whose members have a license in a Chime account. */
export const CHIME_LICENSED_GROUP = table('chime_licensed_group', {
  columns: {
    chimeAccountId: text,
    groupName: text,
    /** UUID in lower case. */
    groupId: text,
    license: textOf<License>(),
    /** Time at which the directory or the provider first reported the group. */
    reportedAt: optional(instant),
  },
  key: ['chimeAccountId', 'groupName'],
  indexes: [{ columns: ['chimeAccountId', 'groupId'], unique: true }],
});
export type LicensedGroupRecord = Row<typeof CHIME_LICENSED_GROUP>;

/** Most groups that statements for several groups accept. */
export const GROUPS_AT_ONCE = USERS_MAX;
/** Most licensed groups of an account. Assumed. */
export const LICENSED_GROUPS_MAX = 500;

/** Licensed groups of Chime accounts. */
export interface LicensedGroups {
  get(chimeAccountId: string, groupName: string): Promise<LicensedGroupRecord | undefined>;
  /** Returns the groups with the given names, at most `GROUPS_AT_ONCE`, in no order. */
  named(chimeAccountId: string, groupNames: readonly string[]): Promise<readonly LicensedGroupRecord[]>;
  /** Returns the groups with the given IDs, at most `GROUPS_AT_ONCE`, in no order. */
  withIds(chimeAccountId: string, groupIds: readonly string[]): Promise<readonly LicensedGroupRecord[]>;
  /** Adds a group, or replaces the group with its name. */
  put(group: LicensedGroupRecord): Promise<void>;
  /** Sets the time of the first report of groups, at most `GROUPS_AT_ONCE`. Unknown names are ignored. */
  report(chimeAccountId: string, groupNames: readonly string[], now: Instant): Promise<void>;
  remove(chimeAccountId: string, groupName: string): Promise<void>;
  /** Deletes the groups of an account. */
  removeOf(chimeAccountId: string): Promise<void>;
  count(chimeAccountId: string): Promise<number>;
  /** Lists the groups of an account by name, starting after the name `after`. */
  list(chimeAccountId: string, limit: number, after?: string): Promise<readonly LicensedGroupRecord[]>;
}

const { names } = CHIME_LICENSED_GROUP;
const NAMED = `
  SELECT ${names} FROM chime_licensed_group WHERE chime_account_id = $1 AND group_name IN (${placeholders(2, GROUPS_AT_ONCE)})`;
const WITH_IDS = `
  SELECT ${names} FROM chime_licensed_group WHERE chime_account_id = $1 AND group_id IN (${placeholders(2, GROUPS_AT_ONCE)})`;
const REPORT = `
  UPDATE chime_licensed_group SET reported_at_ms = $2
  WHERE chime_account_id = $1 AND reported_at_ms IS NULL AND group_name IN (${placeholders(3, GROUPS_AT_ONCE)})`;
const COUNT = 'SELECT COUNT(*) AS count FROM chime_licensed_group WHERE chime_account_id = $1';
const LIST = `SELECT ${names} FROM chime_licensed_group WHERE chime_account_id = $1 AND group_name > $2 ORDER BY group_name LIMIT $3`;

/** Creates the repository of one transaction. */
export function licensedGroups(sql: Sql): LicensedGroups {
  return {
    get: (chimeAccountId, groupName) => CHIME_LICENSED_GROUP.get(sql, chimeAccountId, groupName),
    async named(chimeAccountId, groupNames) {
      return groupNames.length === 0 ? [] : await CHIME_LICENSED_GROUP.rows(sql, NAMED, [chimeAccountId, ...padded(groupNames)]);
    },
    async withIds(chimeAccountId, groupIds) {
      return groupIds.length === 0 ? [] : await CHIME_LICENSED_GROUP.rows(sql, WITH_IDS, [chimeAccountId, ...padded(groupIds)]);
    },
    put: (group) => CHIME_LICENSED_GROUP.put(sql, group),
    async report(chimeAccountId, groupNames, now) {
      if (groupNames.length > 0) await sql.run(REPORT, [chimeAccountId, now, ...padded(groupNames)]);
    },
    async remove(chimeAccountId, groupName) {
      await CHIME_LICENSED_GROUP.remove(sql, chimeAccountId, groupName);
    },
    async removeOf(chimeAccountId) {
      await sql.run('DELETE FROM chime_licensed_group WHERE chime_account_id = $1', [chimeAccountId]);
    },
    count: (chimeAccountId) => countOf(sql, COUNT, [chimeAccountId]),
    list: (chimeAccountId, limit, after = '') => CHIME_LICENSED_GROUP.rows(sql, LIST, [chimeAccountId, after, limit]),
  };
}
