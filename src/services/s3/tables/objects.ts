import type { ChecksumAlgorithmName } from '#core/exchange.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, json, type Row, table, text, textOf } from '#store/table.ts';

/** Headers and user metadata that a client stored with an object. Absent members were not sent. */
export interface ObjectDocument {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  /** Value of the header `Expires`, as the client sent it. */
  readonly expires?: string;
  readonly websiteRedirectLocation?: string;
  /** User metadata, without the prefix `x-amz-meta-`. Names are in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Objects of buckets. The database orders the keys by their UTF-8 bytes, as S3 does. */
export const OBJECT = table('s3_object', {
  columns: {
    bucket: text,
    key: text,
    /** ID of the file with the content. If `parts` is not 0, ID of the multipart upload whose parts are the content. */
    bodyId: text,
    /** Number of parts of a multipart upload, or 0. */
    parts: int,
    size: int,
    /** ETag without quotes. */
    etag: text,
    checksumAlgorithm: textOf<ChecksumAlgorithmName>(),
    checksumType: textOf<'FULL_OBJECT' | 'COMPOSITE'>(),
    /** Checksum in base64. A composite checksum ends with `-` and the number of parts. */
    checksum: text,
    modifiedAt: instant,
    document: json<ObjectDocument>(),
  },
  key: ['bucket', 'key'],
  indexes: [['bodyId']],
});
export type ObjectRecord = Row<typeof OBJECT>;

export interface Objects {
  get(bucket: string, key: string): Promise<ObjectRecord | undefined>;
  /** Adds or replaces an object. It does not delete the file of the replaced object. */
  put(object: ObjectRecord): Promise<void>;
  remove(bucket: string, key: string): Promise<'removed' | 'absent'>;
  hasAny(bucket: string): Promise<boolean>;
  /**
   * Returns objects in the order of keys. The keys are at least `from`, and greater than `from` if `exclusive` is true. They are less than
   * `before`, if it is not undefined.
   */
  list(bucket: string, range: KeyRange, limit: number): Promise<readonly ObjectRecord[]>;
  /** Returns those of the file IDs that an object uses as its only file. */
  usedFiles(fileIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Range of keys. Both limits are compared by UTF-8 bytes. */
export interface KeyRange {
  readonly from: string;
  readonly exclusive?: boolean;
  readonly before: string | undefined;
}

const PAGE = {
  after: `SELECT ${OBJECT.names} FROM s3_object WHERE bucket = $1 AND key > $2 ORDER BY key LIMIT $3`,
  from: `SELECT ${OBJECT.names} FROM s3_object WHERE bucket = $1 AND key >= $2 ORDER BY key LIMIT $3`,
  afterBefore: `SELECT ${OBJECT.names} FROM s3_object WHERE bucket = $1 AND key > $2 AND key < $4 ORDER BY key LIMIT $3`,
  fromBefore: `SELECT ${OBJECT.names} FROM s3_object WHERE bucket = $1 AND key >= $2 AND key < $4 ORDER BY key LIMIT $3`,
} as const;
const ANY = 'SELECT 1 AS found FROM s3_object WHERE bucket = $1 LIMIT 1';
const USES_FILE = 'SELECT 1 AS found FROM s3_object WHERE body_id = $1 AND parts = 0 LIMIT 1';

export function objects(sql: Sql): Objects {
  return {
    get: (bucket, key) => OBJECT.get(sql, bucket, key),
    put: (object) => OBJECT.put(sql, object),
    remove: (bucket, key) => OBJECT.remove(sql, bucket, key),
    hasAny: async (bucket) => (await sql.row(ANY, [bucket])) !== undefined,
    list(bucket, { from, exclusive = false, before }, limit) {
      const start = exclusive ? 'after' : 'from';
      return before === undefined
        ? OBJECT.rows(sql, PAGE[start], [bucket, from, limit])
        : OBJECT.rows(sql, PAGE[`${start}Before`], [bucket, from, limit, before]);
    },
    async usedFiles(fileIds) {
      const used = new Set<string>();
      for (const fileId of fileIds) if ((await sql.row(USES_FILE, [fileId])) !== undefined) used.add(fileId);
      return used;
    },
  };
}
