/** Operations that read one object. */
import type { StoredRange } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { GetObjectRequest, HeadObjectRequest } from '#model/generated/s3.ts';
import type { Call } from '../kit/operation.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { bucketArn, bucketOf, decidedBy, onObject } from './bucket-access.ts';
import { checksumMember } from './checksum-members.ts';
import { noSuchKey, requireReadConditions } from './conditions.ts';
import { AwsError, accessDenied } from './errors.ts';
import { expirationHeader } from './expiry.ts';
import { type ByteRange, byteRange } from './ranges.ts';
import type { BucketRecord } from './tables/buckets.ts';
import { type ObjectRecord, objects } from './tables/objects.ts';
import { uploads } from './tables/uploads.ts';
import { requireNoVersion } from './versions.ts';

type ReadRequest = GetObjectRequest | HeadObjectRequest;

/** Type of an object whose client sent none. Source: S3 API Reference, PutObject, `Content-Type`. */
const DEFAULT_TYPE = 'binary/octet-stream';

/** Operations that read one object. */
export const READ_OPERATIONS: Pick<DeclaredOperations<'s3'>, 'GetObject' | 'HeadObject'> = {
  GetObject: {
    access: (input) => onObject(input),
    /**
     * Sends an object, or a part of it.
     *
     * @throws NoSuchBucket, AccessDenied · InvalidArgument the version
     * @throws NoSuchKey   the object does not exist; AccessDenied if the caller may not list the bucket
     * @throws PreconditionFailed, NotModified · InvalidRange · InvalidPartNumber
     */
    async handle(call, input) {
      const { bucket, object, range, output } = await readObject(call, input);
      call.sendFile(await piecesOf(call, object, range ?? { start: 0, end: object.size }));
      return { ...output, ...omitUndefined({ Expiration: expirationHeader(bucket, object) }) };
    },
  },
  HeadObject: {
    access: (input) => onObject(input),
    /** @throws the errors of GetObject */
    async handle(call, input) {
      const { bucket, object, output } = await readObject(call, input);
      return { ...output, ...omitUndefined({ Expiration: expirationHeader(bucket, object) }) };
    },
  },
};

async function readObject(call: Call, input: ReadRequest) {
  const bucket = await bucketOf(call, input);
  requireNoVersion(input.VersionId);
  const object = await objectOrNotFound(call, bucket, input.Key);
  requireReadConditions(object, input);
  const part = input.PartNumber === undefined ? undefined : await partRange(call, object, input.PartNumber);
  const range = part ?? byteRange(input.Range, object.size);
  const { start, end } = range ?? { start: 0, end: object.size };
  return {
    bucket,
    object,
    range,
    output: {
      ...headersOf(object, input),
      ContentLength: end - start,
      ...(range !== undefined && { ContentRange: `bytes ${start}-${end - 1}/${object.size}` }),
      ...(part !== undefined && object.parts > 0 && { PartsCount: object.parts }),
      // The checksum is that of the whole object, so a range has none.
      ...(input.ChecksumMode === 'ENABLED' && range === undefined && checksumOf(object)),
    },
  };
}

/**
 * Returns an object.
 *
 * @throws NoSuchKey     the object does not exist
 * @throws AccessDenied  the object does not exist, and the caller may not list the bucket
 * Source: S3 API Reference, GetObject, "Permissions".
 */
async function objectOrNotFound(call: Call, bucket: BucketRecord, key: string): Promise<ObjectRecord> {
  const object = await call.tx.of(objects).get(bucket.name, key);
  if (object !== undefined) return object;
  const lists = await call.allows({ action: 's3:ListBucket', resources: [bucketArn(bucket.name)], ...decidedBy(bucket.name) }, true);
  throw lists ? noSuchKey(key) : accessDenied();
}

function checksumOf({ checksumAlgorithm, checksum, checksumType }: ObjectRecord) {
  return { ...checksumMember(checksumAlgorithm, checksum), ChecksumType: checksumType };
}

/** Returns the headers of an object. The `response-*` parameters of the request replace some of them. */
function headersOf({ document, etag, modifiedAt }: ObjectRecord, input: ReadRequest) {
  return {
    AcceptRanges: 'bytes',
    ETag: `"${etag}"`,
    LastModified: modifiedAt,
    ContentType: input.ResponseContentType ?? document.contentType ?? DEFAULT_TYPE,
    Metadata: document.metadata ?? {},
    ...omitUndefined({
      CacheControl: input.ResponseCacheControl ?? document.cacheControl,
      ContentDisposition: input.ResponseContentDisposition ?? document.contentDisposition,
      ContentEncoding: input.ResponseContentEncoding ?? document.contentEncoding,
      ContentLanguage: input.ResponseContentLanguage ?? document.contentLanguage,
      Expires: input.ResponseExpires === undefined ? document.expires : httpDate(input.ResponseExpires),
      WebsiteRedirectLocation: document.websiteRedirectLocation,
    }),
  };
}

/** Returns the bytes of one part of an object that was uploaded in parts. Any other object is its own first part. */
async function partRange(call: Call, object: ObjectRecord, partNumber: number): Promise<ByteRange | undefined> {
  if (object.parts === 0 && partNumber === 1) return object.size === 0 ? undefined : { start: 0, end: object.size };
  const pieces = object.parts === 0 ? [] : await call.tx.of(uploads).pieces(object.bodyId, 0, object.size);
  const piece = pieces[partNumber - 1];
  if (piece === undefined)
    throw new AwsError('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
      ActualPartCount: Math.max(1, object.parts),
      PartNumberRequested: partNumber,
    });
  return { start: piece.startsAt, end: piece.startsAt + piece.size };
}

/** Returns the files, and the bytes in them, that contain a range of an object. */
async function piecesOf(call: Call, { bodyId, parts }: ObjectRecord, { start, end }: ByteRange): Promise<StoredRange> {
  if (parts === 0) return { pieces: [{ id: bodyId, start, length: end - start }] };
  const pieces = await call.tx.of(uploads).pieces(bodyId, start, end);
  return {
    pieces: pieces.map(({ fileId, size, startsAt }) => {
      const from = Math.max(start - startsAt, 0);
      return { id: fileId, start: from, length: Math.min(end - startsAt, size) - from };
    }),
  };
}

/** Formats a time as HTTP headers do: `Fri, 21 Dec 2012 00:00:00 GMT`. */
function httpDate(at: Instant): string {
  return new Date(at).toUTCString();
}
