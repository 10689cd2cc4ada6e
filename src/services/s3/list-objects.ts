/** Operations that list the objects of a bucket. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ListObjectsRequest, ListObjectsV2Request, S3Object } from '#model/generated/s3.ts';
import type { Call } from '../kit/operation.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { bucketOf, type ContextValues, canonicalId, onBucket } from './bucket-access.ts';
import { invalidArgument } from './errors.ts';
import { afterPrefix, groupOf, laterKey, nextLimit, pageSize, ROWS_AT_ONCE, requireEncoding } from './key-order.ts';
import { type ObjectRecord, objects } from './tables/objects.ts';

/** Operations that list the objects of a bucket. */
export const LIST_OPERATIONS: Pick<DeclaredOperations<'s3'>, 'ListObjects' | 'ListObjectsV2'> = {
  ListObjects: {
    access: (input) => onBucket(input, listContext(input)),
    /** @throws NoSuchBucket, AccessDenied · InvalidArgument the encoding or the number of keys */
    async handle(call, input) {
      const { Marker = '', Prefix = '', Delimiter = '' } = input;
      requireEncoding(input.EncodingType);
      const max = pageSize(input.MaxKeys, 'maxKeys');
      const { accountId, name } = await bucketOf(call, input);
      const page = await listPage(call, { bucket: name, prefix: Prefix, delimiter: Delimiter, after: Marker, max });
      return {
        Name: name,
        Prefix: Prefix,
        Marker: Marker,
        MaxKeys: max,
        IsTruncated: page.isTruncated,
        Contents: page.objects.map((each) => ({ ...toContent(each), Owner: { ID: canonicalId(accountId) } })),
        CommonPrefixes: page.groups.map((group) => ({ Prefix: group })),
        ...omitUndefined({
          Delimiter: Delimiter === '' ? undefined : Delimiter,
          EncodingType: input.EncodingType,
          // Without a delimiter, the last key is the marker of the next page.
          NextMarker: page.isTruncated && Delimiter !== '' ? page.last : undefined,
        }),
      };
    },
  },
  ListObjectsV2: {
    access: (input) => onBucket(input, listContext(input)),
    /** @throws NoSuchBucket, AccessDenied · InvalidArgument the encoding, the number of keys or the token */
    async handle(call, input) {
      const { ContinuationToken, StartAfter = '', Prefix = '', Delimiter = '', FetchOwner = false } = input;
      requireEncoding(input.EncodingType);
      const max = pageSize(input.MaxKeys, 'maxKeys');
      const { accountId, name } = await bucketOf(call, input);
      const after = ContinuationToken === undefined ? StartAfter : fromToken(ContinuationToken);
      const page = await listPage(call, { bucket: name, prefix: Prefix, delimiter: Delimiter, after, max });
      const owner = FetchOwner ? { Owner: { ID: canonicalId(accountId) } } : {};
      return {
        Name: name,
        Prefix: Prefix,
        MaxKeys: max,
        KeyCount: page.objects.length + page.groups.length,
        IsTruncated: page.isTruncated,
        Contents: page.objects.map((each) => ({ ...toContent(each), ...owner })),
        CommonPrefixes: page.groups.map((group) => ({ Prefix: group })),
        ...omitUndefined({
          Delimiter: Delimiter === '' ? undefined : Delimiter,
          EncodingType: input.EncodingType,
          ContinuationToken,
          StartAfter: input.StartAfter === undefined ? undefined : input.StartAfter,
          NextContinuationToken: page.isTruncated ? toToken(page.last) : undefined,
        }),
      };
    },
  },
};

/** Returns the condition keys of a list. Source: Service Authorization Reference, Amazon S3, ListBucket. */
function listContext({ Prefix, Delimiter, MaxKeys }: ListObjectsRequest | ListObjectsV2Request): ContextValues {
  return { 's3:prefix': Prefix, 's3:delimiter': Delimiter, 's3:max-keys': MaxKeys };
}

interface ListRequest {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Last key or common prefix before the page. */
  readonly after: string;
  readonly max: number;
}

interface ListedPage {
  readonly objects: readonly ObjectRecord[];
  /** Common prefixes: the keys that have the same beginning up to the delimiter. */
  readonly groups: readonly string[];
  readonly isTruncated: boolean;
  /** Last key or common prefix of the page. */
  readonly last: string;
}

/**
 * Returns a page of a bucket. The time depends on the number of items in the page, and not on the number of keys below a common prefix.
 * With a delimiter, the list skips the rest of a common prefix with a new query.
 *
 * Assumed: a marker inside of a common prefix does not hide the rest of it.
 */
async function listPage({ tx }: Call, { bucket, prefix, delimiter, after, max }: ListRequest): Promise<ListedPage> {
  const found: ObjectRecord[] = [];
  const groups: string[] = [];
  const page = (isTruncated: boolean, last: string) => ({ objects: found, groups, isTruncated, last });
  if (max === 0) return page(false, '');
  const before = afterPrefix(prefix);
  // If the last item before the page is a common prefix, the page begins after all of its keys.
  const skipped =
    delimiter !== '' && after.startsWith(prefix) && groupOf(after, prefix, delimiter) === after ? afterPrefix(after) : undefined;
  let from = laterKey(prefix, skipped ?? after);
  let exclusive = skipped === undefined && from === after && after !== '';
  let last = '';
  let limit = delimiter === '' ? max + 1 : ROWS_AT_ONCE;
  for (;;) {
    const rows = await tx.of(objects).list(bucket, { from, exclusive, before }, limit);
    let group: string | undefined;
    let skippedRows = 0;
    for (const row of rows) {
      if (group !== undefined && row.key.startsWith(group)) {
        skippedRows++;
        continue;
      }
      if (found.length + groups.length === max) return page(true, last);
      group = groupOf(row.key, prefix, delimiter);
      last = group ?? row.key;
      if (group === undefined) found.push(row);
      else groups.push(group);
    }
    const lastRow = rows.at(-1);
    if (lastRow === undefined || rows.length < limit) return page(false, last);
    const next = group !== undefined && lastRow.key.startsWith(group) ? afterPrefix(group) : lastRow.key;
    if (next === undefined) return page(false, last);
    from = next;
    exclusive = next === lastRow.key;
    limit = nextLimit(limit, skippedRows);
  }
}

function toContent(object: ObjectRecord): S3Object {
  return {
    Key: object.key,
    LastModified: object.modifiedAt,
    ETag: `"${object.etag}"`,
    ChecksumAlgorithm: [object.checksumAlgorithm],
    ChecksumType: object.checksumType,
    Size: object.size,
    StorageClass: 'STANDARD',
  };
}

function toToken(last: string): string {
  return Buffer.from(last).toString('base64url');
}

/**
 * Returns the last item of the previous page. The token is a position that the caller may choose, so it is not authenticated. It is text
 * that PostgreSQL can store: UTF-8 without U+0000.
 */
function fromToken(token: string): string {
  const last = Buffer.from(token, 'base64url').toString();
  if (last === '' || last.includes('\0') || toToken(last) !== token)
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
  return last;
}
