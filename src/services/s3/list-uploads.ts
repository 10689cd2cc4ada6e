/** Operations that list multipart uploads and their parts. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Call } from '../kit/operation.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { bucketOf, canonicalId, onBucket, onObject } from './bucket-access.ts';
import { checksumMember } from './checksum-members.ts';
import { afterPrefix, groupOf, laterKey, nextLimit, pageSize, ROWS_AT_ONCE, requireEncoding } from './key-order.ts';
import { uploadOf } from './multipart.ts';
import { type UploadRecord, uploads } from './tables/uploads.ts';

/** Operations that list multipart uploads and their parts. */
export const UPLOAD_LIST_OPERATIONS: Pick<DeclaredOperations<'s3'>, 'ListMultipartUploads' | 'ListParts'> = {
  ListMultipartUploads: {
    access: (input) => onBucket(input),
    /** @throws NoSuchBucket, AccessDenied · InvalidArgument the encoding or the number of uploads */
    async handle(call, input) {
      const { KeyMarker = '', UploadIdMarker = '', Prefix = '', Delimiter = '' } = input;
      requireEncoding(input.EncodingType);
      const max = pageSize(input.MaxUploads, 'max-uploads');
      const { accountId, name } = await bucketOf(call, input);
      const page = await uploadsPage(call, {
        bucket: name,
        prefix: Prefix,
        delimiter: Delimiter,
        key: KeyMarker,
        uploadId: UploadIdMarker,
        max,
      });
      return {
        Bucket: name,
        KeyMarker: KeyMarker,
        UploadIdMarker,
        MaxUploads: max,
        IsTruncated: page.isTruncated,
        Uploads: page.uploads.map(({ key, uploadId, initiatedAt, document: { initiatorId, initiatorName, checksum } }) => ({
          Key: key,
          UploadId: uploadId,
          Initiated: initiatedAt,
          StorageClass: 'STANDARD' as const,
          Owner: { ID: canonicalId(accountId) },
          Initiator: { ID: initiatorId, DisplayName: initiatorName },
          ...omitUndefined({ ChecksumAlgorithm: checksum?.algorithm, ChecksumType: checksum?.type }),
        })),
        CommonPrefixes: page.groups.map((group) => ({ Prefix: group })),
        ...omitUndefined({
          Prefix: Prefix === '' ? undefined : Prefix,
          Delimiter: Delimiter === '' ? undefined : Delimiter,
          EncodingType: input.EncodingType,
          NextKeyMarker: page.isTruncated ? page.lastKey : undefined,
          NextUploadIdMarker: page.isTruncated ? page.lastUploadId : undefined,
        }),
      };
    },
  },
  ListParts: {
    access: (input) => onObject(input),
    /** @throws NoSuchBucket, AccessDenied · NoSuchUpload · InvalidArgument the number of parts */
    async handle(call, input) {
      const max = pageSize(input.MaxParts, 'max-parts');
      const { accountId } = await bucketOf(call, input);
      const { Bucket, Key, PartNumberMarker = 0 } = input;
      const { uploadId, document } = await uploadOf(call, input);
      const found = await call.tx.of(uploads).parts(uploadId, PartNumberMarker, max + 1);
      const page = found.slice(0, max);
      const algorithm = document.checksum?.algorithm;
      return {
        Bucket,
        Key,
        UploadId: uploadId,
        PartNumberMarker,
        NextPartNumberMarker: page.at(-1)?.partNumber ?? 0,
        MaxParts: max,
        IsTruncated: found.length > max && max > 0,
        Parts: page.map(({ partNumber, modifiedAt, etag, size, checksum }) => ({
          PartNumber: partNumber,
          LastModified: modifiedAt,
          ETag: `"${etag}"`,
          Size: size,
          ...(algorithm !== undefined && checksumMember(algorithm, checksum)),
        })),
        Initiator: { ID: document.initiatorId, DisplayName: document.initiatorName },
        Owner: { ID: canonicalId(accountId) },
        StorageClass: 'STANDARD',
        ...omitUndefined({ ChecksumAlgorithm: algorithm, ChecksumType: document.checksum?.type }),
      };
    },
  },
};

interface UploadsRequest {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Position before the page. Without an upload ID, the page begins after all uploads of the key. */
  readonly key: string;
  readonly uploadId: string;
  readonly max: number;
}

/** Upload ID that is greater than every other, which are hexadecimal. */
const LAST_UPLOAD_ID = 'g';

async function uploadsPage({ tx }: Call, { bucket, prefix, delimiter, key, uploadId, max }: UploadsRequest) {
  const found: UploadRecord[] = [];
  const groups: string[] = [];
  let lastKey = '';
  let lastUploadId = '';
  const page = (isTruncated: boolean) => ({ uploads: found, groups, isTruncated: isTruncated && max > 0, lastKey, lastUploadId });
  const isMarkerLater = laterKey(prefix, key) === key && key !== '';
  let from = isMarkerLater ? key : prefix;
  let after = isMarkerLater ? (uploadId === '' ? LAST_UPLOAD_ID : uploadId) : '';
  let limit = ROWS_AT_ONCE;
  for (;;) {
    const rows = await tx.of(uploads).list(bucket, from, after, limit);
    let skippedRows = 0;
    for (const row of rows) {
      if (!row.key.startsWith(prefix)) return page(false);
      const group = groupOf(row.key, prefix, delimiter);
      if (group !== undefined && (groups.at(-1) === group || group === key)) {
        skippedRows++;
        continue;
      }
      if (found.length + groups.length >= max) return page(true);
      if (group === undefined) found.push(row);
      else groups.push(group);
      lastKey = group ?? row.key;
      lastUploadId = group === undefined ? row.uploadId : '';
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return page(false);
    const group = groupOf(last.key, prefix, delimiter);
    const next = group === undefined ? undefined : afterPrefix(group);
    from = next ?? last.key;
    after = next === undefined ? last.uploadId : '';
    limit = nextLimit(limit, skippedRows);
  }
}
