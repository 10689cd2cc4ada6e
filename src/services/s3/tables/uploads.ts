import type { ChecksumAlgorithmName } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, int, json, type Row, table, text } from '#store/table.ts';
import type { ObjectDocument } from './objects.ts';

/** Facts that CreateMultipartUpload stores until the upload is completed or aborted. */
export interface UploadDocument {
  readonly object: ObjectDocument;
  /** Checksum that the client chose. Absent: CRC64NVME of the whole object. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithmName; readonly type: 'FULL_OBJECT' | 'COMPOSITE' };
  readonly initiatorId: string;
  readonly initiatorName: string;
}

/** Multipart uploads that are neither completed nor aborted. */
export const UPLOAD = table('s3_upload', {
  columns: {
    bucket: text,
    key: text,
    /** ID that starts with the time of the initiation, so that uploads of one key are in the order of their initiation. */
    uploadId: text,
    initiatedAt: instant,
    document: json<UploadDocument>(),
  },
  key: ['bucket', 'key', 'uploadId'],
});
export type UploadRecord = Row<typeof UPLOAD>;

/**
 * Parts of multipart uploads. After the completion, the rows remain as the content of the object, in the order of
 * their numbers.
 */
export const PART = table('s3_part', {
  columns: {
    uploadId: text,
    partNumber: int,
    fileId: text,
    size: int,
    /** MD5 of the content, in lower-case hex. */
    etag: text,
    /** Checksum of the upload's algorithm, in base64. */
    checksum: text,
    modifiedAt: instant,
  },
  key: ['uploadId', 'partNumber'],
  indexes: [['fileId']],
});
export type PartRecord = Row<typeof PART>;

/** Bytes of one file that are a part of an object's content. */
export interface Piece {
  readonly fileId: string;
  readonly size: number;
  /** Position of the first byte in the object. */
  readonly startsAt: number;
}

export interface Uploads {
  add(upload: UploadRecord): Promise<void>;
  get(bucket: string, key: string, uploadId: string): Promise<UploadRecord | undefined>;
  /** Deletes an upload, but not its parts. */
  remove(upload: UploadRecord): Promise<void>;
  /** Returns uploads after a key and an upload ID, in the order of keys and initiations. */
  list(bucket: string, afterKey: string, afterUploadId: string, limit: number): Promise<readonly UploadRecord[]>;
  hasAny(bucket: string): Promise<boolean>;

  putPart(part: PartRecord): Promise<void>;
  getPart(uploadId: string, partNumber: number): Promise<PartRecord | undefined>;
  removePart(uploadId: string, partNumber: number): Promise<void>;
  /** Returns parts with greater numbers than `after`, in the order of numbers. */
  parts(uploadId: string, after: number, limit: number): Promise<readonly PartRecord[]>;
  /** Returns the files that contain the bytes from `start` to `end` of a completed upload. `end` is exclusive. */
  pieces(uploadId: string, start: number, end: number): Promise<readonly Piece[]>;
  /** Moves the files of all parts of an upload to the garbage, and deletes the parts. */
  discardParts(uploadId: string, now: Instant): Promise<void>;
  /** Returns the number of parts of an upload. */
  countParts(uploadId: string): Promise<number>;
  /** Returns those of the file IDs that a part uses. */
  usedFiles(fileIds: readonly string[]): Promise<ReadonlySet<string>>;
}

const SELECT_PAGE = `SELECT ${UPLOAD.names} FROM s3_upload
  WHERE bucket = $1 AND (key, upload_id) > ($2, $3) ORDER BY key, upload_id LIMIT $4`;
const ANY = 'SELECT 1 AS found FROM s3_upload WHERE bucket = $1 LIMIT 1';
const PIECES = `SELECT file_id AS "fileId", size, starts_at AS "startsAt" FROM (
    SELECT part_number, file_id, size, SUM(size) OVER (ORDER BY part_number) - size AS starts_at FROM s3_part WHERE upload_id = $1) AS piece
  WHERE starts_at < $3 AND starts_at + size > $2 ORDER BY part_number`;
// The sum with a column has the type of the column. PostgreSQL would take a parameter alone for text.
const DISCARD_FILES =
  'INSERT INTO s3_garbage (file_id, since_ms) SELECT file_id, $2 + 0 * modified_at_ms FROM s3_part WHERE upload_id = $1';
const DELETE_PARTS = 'DELETE FROM s3_part WHERE upload_id = $1';
const COUNT_PARTS = 'SELECT COUNT(*) AS count FROM s3_part WHERE upload_id = $1';
const USES_FILE = 'SELECT 1 AS found FROM s3_part WHERE file_id = $1 LIMIT 1';

export function uploads(sql: Sql): Uploads {
  return {
    add: (upload) => UPLOAD.insert(sql, upload),
    get: (bucket, key, uploadId) => UPLOAD.get(sql, bucket, key, uploadId),
    remove: async ({ bucket, key, uploadId }) => void (await UPLOAD.remove(sql, bucket, key, uploadId)),
    list: (bucket, afterKey, afterUploadId, limit) => UPLOAD.rows(sql, SELECT_PAGE, [bucket, afterKey, afterUploadId, limit]),
    hasAny: async (bucket) => (await sql.row(ANY, [bucket])) !== undefined,
    putPart: (part) => PART.put(sql, part),
    getPart: (uploadId, partNumber) => PART.get(sql, uploadId, partNumber),
    removePart: async (uploadId, partNumber) => void (await PART.remove(sql, uploadId, partNumber)),
    parts: (uploadId, after, limit) => PART.page(sql, [uploadId], [after], limit),
    async pieces(uploadId, start, end) {
      const rows = await sql.rows<Piece>(PIECES, [uploadId, start, end]);
      // PostgreSQL returns a sum as a decimal string.
      return rows.map(({ fileId, size, startsAt }) => ({ fileId, size: Number(size), startsAt: Number(startsAt) }));
    },
    async discardParts(uploadId, now) {
      await sql.run(DISCARD_FILES, [uploadId, now]);
      await sql.run(DELETE_PARTS, [uploadId]);
    },
    countParts: (uploadId) => countOf(sql, COUNT_PARTS, [uploadId]),
    async usedFiles(fileIds) {
      const used = new Set<string>();
      for (const fileId of fileIds) if ((await sql.row(USES_FILE, [fileId])) !== undefined) used.add(fileId);
      return used;
    },
  };
}
