import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, flag, instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';

/** Log groups. `groupId` is new for each group, so that a group with the name of a deleted one has none of its events. */
export const LOG_GROUP = table('log_group', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    name: text,
    groupId: text,
    createdAt: instant,
    retentionInDays: optional(int),
    deletionProtection: flag,
    /** Sum of the stored events, as of the last sweep. */
    storedBytes: int,
    tags: json<readonly TagRecord[]>(),
  },
  key: ['accountId', 'region', 'name'],
});
export type LogGroupRecord = Row<typeof LOG_GROUP>;
type Key = Pick<LogGroupRecord, 'accountId' | 'region' | 'name'>;

export interface LogGroups {
  add(group: LogGroupRecord): Promise<'added' | 'exists'>;
  get(key: Key): Promise<LogGroupRecord | undefined>;
  remove(key: Key): Promise<void>;
  setRetention(group: Key & Pick<LogGroupRecord, 'retentionInDays'>): Promise<void>;
  setProtection(group: Key & Pick<LogGroupRecord, 'deletionProtection'>): Promise<void>;
  setTags(group: Key & Pick<LogGroupRecord, 'tags'>): Promise<void>;
  setStoredBytes(group: Key & Pick<LogGroupRecord, 'storedBytes'>): Promise<void>;
  /** Returns the groups of an account and region whose names start with `prefix`, in the order of names after `after`. */
  list(place: Pick<Key, 'accountId' | 'region'>, prefix: string, after: string, limit: number): Promise<readonly LogGroupRecord[]>;
  /** Returns the number of groups of an account and region, up to `most`. */
  count(place: Pick<Key, 'accountId' | 'region'>, most: number): Promise<number>;
  /** Returns the next group of all accounts and regions, in the order of the key. */
  next(after: Key): Promise<LogGroupRecord | undefined>;
}

/** Returns the first string after all strings that start with a prefix. */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}

const LIST = `SELECT ${LOG_GROUP.names} FROM log_group
  WHERE account_id = $1 AND region = $2 AND name > $3 AND name >= $4 AND name < $5 ORDER BY name LIMIT $6`;
const COUNT = 'SELECT COUNT(*) AS count FROM (SELECT name FROM log_group WHERE account_id = $1 AND region = $2 LIMIT $3) AS counted';
const setRetention = LOG_GROUP.update('retentionInDays');
const setProtection = LOG_GROUP.update('deletionProtection');
const setTags = LOG_GROUP.update('tags');
const setStoredBytes = LOG_GROUP.update('storedBytes');

export function logGroups(sql: Sql): LogGroups {
  return {
    add: (group) => LOG_GROUP.add(sql, group),
    get: ({ accountId, region, name }) => LOG_GROUP.get(sql, accountId, region, name),
    remove: async ({ accountId, region, name }) => void (await LOG_GROUP.remove(sql, accountId, region, name)),
    setRetention: async (group) => void (await setRetention(sql, group)),
    setProtection: async (group) => void (await setProtection(sql, group)),
    setTags: async (group) => void (await setTags(sql, group)),
    setStoredBytes: async (group) => void (await setStoredBytes(sql, group)),
    list: ({ accountId, region }, prefix, after, limit) =>
      LOG_GROUP.rows(sql, LIST, [accountId, region, after, prefix, afterPrefix(prefix), limit]),
    count: ({ accountId, region }, most) => countOf(sql, COUNT, [accountId, region, most]),
    next: async ({ accountId, region, name }) => (await LOG_GROUP.page(sql, [], [accountId, region, name], 1))[0],
  };
}
