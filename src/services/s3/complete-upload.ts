import { createHash } from 'node:crypto';
import type { ChecksumAlgorithmName } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CompletedPart, CompleteMultipartUploadOutput, CompleteMultipartUploadRequest } from '#model/generated/s3.ts';
import { combineChecksums, isCombinable, newChecksum } from '#wire/checksums.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import { bucketOf, onObject } from './bucket-access.ts';
import type { S3Deps } from './buckets.ts';
import { checksumIn, checksumMember } from './checksum-members.ts';
import { plainEtag, requireWriteConditions } from './conditions.ts';
import { discardContent } from './discard.ts';
import { AwsError, malformedXml } from './errors.ts';
import { expirationHeader } from './expiry.ts';
import { PARTS_MAX, uploadOf } from './multipart.ts';
import type { BucketRecord } from './tables/buckets.ts';
import { garbage } from './tables/garbage.ts';
import { type ObjectRecord, objects } from './tables/objects.ts';
import { type PartRecord, type UploadDocument, uploads } from './tables/uploads.ts';

/** Minimum size of each part but the last, in bytes. Source: S3 User Guide, "Amazon S3 multipart upload limits". */
const PART_MIN_BYTES = 5 * 2 ** 20;

const NO_PART =
  "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";

/**
 * CompleteMultipartUpload: the listed parts become the content of the object. Their files stay where they are, and the object refers to
 * them, so completion copies nothing.
 */
export function completeMultipartUpload({
  publicUrl,
}: Pick<S3Deps, 'publicUrl'>): DeclaredOperation<CompleteMultipartUploadRequest, CompleteMultipartUploadOutput> {
  return {
    access: (input) => onObject(input, { 's3:if-match': input.IfMatch, 's3:if-none-match': input.IfNoneMatch }),
    /**
     * Completes an upload. A repeated request returns the same response while the object exists.
     *
     * @throws NoSuchBucket, AccessDenied · NoSuchUpload
     * @throws MalformedXML, InvalidRequest  no parts, or too many
     * @throws InvalidPartOrder · InvalidPart · EntityTooSmall
     * @throws BadDigest, InvalidRequest     the checksum or the size of the object
     * @throws NotImplemented, PreconditionFailed, NoSuchKey  the conditions of the request
     */
    async handle(call, input) {
      const bucket = await bucketOf(call, input);
      const { Bucket, Key, UploadId } = input;
      const existing = await call.tx.of(objects).get(Bucket, Key);
      const respond = (object: ObjectRecord) => responseOf(publicUrl(), bucket, object);
      if (existing?.bodyId === UploadId) return respond(existing);
      const upload = await uploadOf(call, input);
      const parts = await listedParts(call, input);
      requireWriteConditions(existing, input);
      const object = { bucket: Bucket, key: Key, ...contentOf(UploadId, upload.document, parts), modifiedAt: call.now };
      requireExpected(input, object);
      await discardOthers(call, UploadId, parts);
      if (existing !== undefined) await discardContent(call, existing);
      await call.tx.of(uploads).remove(upload);
      await call.tx.of(objects).put(object);
      return respond(object);
    },
  };
}

function responseOf(url: string, bucket: BucketRecord, object: ObjectRecord): CompleteMultipartUploadOutput {
  return {
    Location: `${url}/${object.bucket}/${object.key.split('/').map(encodeURIComponent).join('/')}`,
    Bucket: object.bucket,
    Key: object.key,
    ETag: `"${object.etag}"`,
    ...checksumMember(object.checksumAlgorithm, object.checksum),
    ChecksumType: object.checksumType,
    ...omitUndefined({ Expiration: expirationHeader(bucket, object) }),
  };
}

/** Returns the stored parts that the request lists. */
async function listedParts(call: Call, { MultipartUpload, UploadId }: CompleteMultipartUploadRequest): Promise<readonly PartRecord[]> {
  const listed = MultipartUpload?.Parts ?? [];
  if (listed.length === 0) throw new AwsError('InvalidRequest', 'You must specify at least one part');
  if (listed.length > PARTS_MAX) throw malformedXml();
  const isOrdered = listed.every(({ PartNumber = 0 }, i) => i === 0 || PartNumber > (listed[i - 1]?.PartNumber ?? 0));
  if (!isOrdered)
    throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.', {
      UploadId,
    });
  const stored = new Map((await call.tx.of(uploads).parts(UploadId, 0, PARTS_MAX)).map((part) => [part.partNumber, part]));
  return listed.map((each, i) => {
    const part = stored.get(each.PartNumber ?? 0);
    if (part === undefined || !isSame(each, part))
      throw new AwsError('InvalidPart', NO_PART, { UploadId, PartNumber: each.PartNumber ?? 0, ETag: plainEtag(each.ETag ?? '') });
    if (i < listed.length - 1 && part.size < PART_MIN_BYTES)
      throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        ETag: part.etag,
        PartNumber: part.partNumber,
        ProposedSize: part.size,
        MinSizeAllowed: PART_MIN_BYTES,
      });
    return part;
  });
}

function isSame(listed: CompletedPart, { etag, checksum }: PartRecord): boolean {
  const expected = checksumIn(listed);
  return plainEtag(listed.ETag ?? '') === etag && (expected === undefined || expected.value === checksum);
}

/** Returns the columns of the object that consists of parts. Source: S3 User Guide, "Checking object integrity", composite checksums. */
function contentOf(uploadId: string, { object, checksum }: UploadDocument, parts: readonly PartRecord[]) {
  const { algorithm, type } = checksum ?? { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' };
  const md5s = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex')));
  return {
    bodyId: uploadId,
    parts: parts.length,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    etag: `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`,
    checksumAlgorithm: algorithm,
    checksumType: type,
    checksum: type === 'FULL_OBJECT' && isCombinable(algorithm) ? combineChecksums(algorithm, parts) : compositeChecksum(algorithm, parts),
    document: object,
  } as const;
}

function compositeChecksum(algorithm: ChecksumAlgorithmName, parts: readonly PartRecord[]): string {
  const all = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum, 'base64')));
  const hash = newChecksum(algorithm);
  hash.update(all);
  return `${hash.digest()}-${parts.length}`;
}

/** Compares the object with the checksum and the size that the client expects. */
function requireExpected(input: CompleteMultipartUploadRequest, { checksum, checksumAlgorithm, size }: ObjectRecord): void {
  const expected = checksumIn(input);
  if (expected !== undefined && (expected.algorithm !== checksumAlgorithm || expected.value.split('-')[0] !== checksum.split('-')[0]))
    throw new AwsError('BadDigest', `The ${expected.algorithm} you specified did not match the calculated checksum.`);
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== size)
    throw new AwsError(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${size}`,
    );
}

/** Moves the files of parts that the request does not list to the garbage. */
async function discardOthers({ tx, now }: Call, uploadId: string, listed: readonly PartRecord[]): Promise<void> {
  const kept = new Set(listed.map(({ partNumber }) => partNumber));
  for (const { partNumber, fileId } of await tx.of(uploads).parts(uploadId, 0, PARTS_MAX)) {
    if (kept.has(partNumber)) continue;
    await tx.of(uploads).removePart(uploadId, partNumber);
    await tx.of(garbage).add(fileId, now);
  }
}
