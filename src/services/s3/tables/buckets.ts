import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { StoredBucketPolicy } from '../../iam/bucket-policy.ts';
import type { LifecycleRecord } from './lifecycle-record.ts';

/** Buckets of S3. A name is unique among all accounts and regions. */
export const BUCKET = table('s3_bucket', {
  columns: {
    name: text,
    accountId: textOf<AccountId>(),
    region: text,
    createdAt: instant,
    policy: optional(json<StoredBucketPolicy>()),
    lifecycle: optional(json<LifecycleRecord>()),
  },
  key: ['name'],
  indexes: [['accountId', 'name']],
});
export type BucketRecord = Row<typeof BUCKET>;

export interface Buckets {
  /** Adds a bucket. Returns 'exists', and changes nothing, if any account has a bucket with this name. */
  add(bucket: BucketRecord): Promise<'added' | 'exists'>;
  get(name: string): Promise<BucketRecord | undefined>;
  /** Deletes a bucket. Delete its objects and uploads before. */
  remove(name: string): Promise<'removed' | 'absent'>;
  setPolicy(bucket: Pick<BucketRecord, 'name' | 'policy'>): Promise<void>;
  setLifecycle(bucket: Pick<BucketRecord, 'name' | 'lifecycle'>): Promise<void>;
  /**
   * Returns buckets of an account in the order of names, which start with `prefix` and follow `after`. An undefined `region` means all
   * regions.
   */
  list(
    accountId: AccountId,
    page: { readonly prefix: string; readonly after: string; readonly region: string | undefined; readonly limit: number },
  ): Promise<readonly BucketRecord[]>;
  /** Returns the number of buckets of an account, up to `most`. */
  count(accountId: AccountId, most: number): Promise<number>;
  /** Returns the first bucket after the name `after` that has a lifecycle configuration. */
  nextWithLifecycle(after: string): Promise<BucketRecord | undefined>;
}

const SELECT_PAGE = `SELECT ${BUCKET.names} FROM s3_bucket
  WHERE account_id = $1 AND name > $2 AND substr(name, 1, $3) = $4 AND ($5 = '' OR region = $5) ORDER BY name LIMIT $6`;
const COUNT = 'SELECT COUNT(*) AS count FROM (SELECT name FROM s3_bucket WHERE account_id = $1 LIMIT $2) AS bucket';
const NEXT_WITH_LIFECYCLE = `SELECT ${BUCKET.names} FROM s3_bucket WHERE lifecycle IS NOT NULL AND name > $1 ORDER BY name LIMIT 1`;
const setPolicy = BUCKET.update('policy');
const setLifecycle = BUCKET.update('lifecycle');

export function buckets(sql: Sql): Buckets {
  return {
    add: (bucket) => BUCKET.add(sql, bucket),
    get: (name) => BUCKET.get(sql, name),
    remove: (name) => BUCKET.remove(sql, name),
    setPolicy: async (bucket) => void (await setPolicy(sql, bucket)),
    setLifecycle: async (bucket) => void (await setLifecycle(sql, bucket)),
    list: (accountId, { prefix, after, region = '', limit }) =>
      BUCKET.rows(sql, SELECT_PAGE, [accountId, after, prefix.length, prefix, region, limit]),
    count: async (accountId, most) => Number((await sql.row<{ readonly count: number }>(COUNT, [accountId, most]))?.count ?? 0),
    nextWithLifecycle: (after) => BUCKET.row(sql, NEXT_WITH_LIFECYCLE, [after]),
  };
}
