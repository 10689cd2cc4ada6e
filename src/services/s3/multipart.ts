/** Operations on multipart uploads, other than their completion and their lists. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CreateMultipartUploadRequest } from '#model/generated/s3.ts';
import { isCombinable } from '#wire/checksums.ts';
import type { Call } from '../kit/operation.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { bucketOf, onObject, refuseMembers } from './bucket-access.ts';
import { checksumMember, isComputed, unsupportedAlgorithm } from './checksum-members.ts';
import { discardUpload } from './discard.ts';
import { AwsError, invalidArgument } from './errors.ts';
import { objectDocument } from './object-document.ts';
import { storedOf, writeContext } from './objects.ts';
import { garbage } from './tables/garbage.ts';
import { type UploadDocument, type UploadRecord, uploads } from './tables/uploads.ts';

type Multipart = Pick<DeclaredOperations<'s3'>, 'CreateMultipartUpload' | 'UploadPart' | 'AbortMultipartUpload'>;

/** Maximum number of parts. Source: S3 User Guide, "Amazon S3 multipart upload limits". */
export const PARTS_MAX = 10_000;

/** Operations on multipart uploads, other than their completion and their lists. */
export const MULTIPART_OPERATIONS: Multipart = {
  CreateMultipartUpload: {
    access: (input) => onObject(input, writeContext(input)),
    /**
     * Begins an upload.
     *
     * @throws AccessControlListNotSupported, InvalidStorageClass, NotImplemented, MetadataTooLarge
     * @throws InvalidRequest  the checksum algorithm or its type
     * @throws NoSuchBucket, AccessDenied
     */
    async handle(call, input) {
      const object = objectDocument(input);
      const checksum = checksumOf(input);
      await bucketOf(call, input);
      const { Bucket: bucket, Key: key } = input;
      const { arn } = call.principal;
      const document = { object, ...omitUndefined({ checksum }), initiatorId: arn, initiatorName: arn.slice(arn.lastIndexOf('/') + 1) };
      const uploadId = newUploadId(call);
      await call.tx.of(uploads).add({ bucket, key, uploadId, initiatedAt: call.now, document });
      return {
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        ...omitUndefined({ ChecksumAlgorithm: checksum?.algorithm, ChecksumType: checksum?.type }),
      };
    },
  },
  UploadPart: {
    access: (input) => onObject(input),
    /** @throws the errors of `handle`, before the body is read */
    async admit(call, input) {
      requirePartNumber(input.PartNumber);
      await bucketOf(call, input);
      await uploadOf(call, input);
    },
    /**
     * Stores a part. A part with the same number is replaced.
     *
     * @throws InvalidArgument  the part number
     * @throws NoSuchBucket, AccessDenied · NoSuchUpload
     * @throws InvalidRequest   the upload was created with an algorithm, and the part's checksum has another one or is missing
     * Source: aws/aws-sdk-java-v2, issue 6518: a part may have any checksum if the upload was created without an algorithm.
     */
    async handle(call, input) {
      requirePartNumber(input.PartNumber);
      await bucketOf(call, input);
      const upload = await uploadOf(call, input);
      const { id, length, md5, checksum, crc64nvme } = storedOf(call);
      const { PartNumber: partNumber } = input;
      const wanted = upload.document.checksum?.algorithm;
      // Without a checksum from the client, the server has computed CRC64NVME.
      const actual = checksum.sent || wanted === 'CRC64NVME' ? checksum.algorithm : undefined;
      if (wanted !== undefined && actual !== wanted) throw otherAlgorithm(wanted, actual);
      // The checksum of an upload without an algorithm is the CRC64NVME of the whole object.
      const ofUpload = wanted === undefined ? crc64nvme : checksum.value;
      if (ofUpload === undefined) throw new Error('a part was stored without its CRC64NVME');
      const table = call.tx.of(uploads);
      const replaced = await table.getPart(upload.uploadId, partNumber);
      if (replaced !== undefined) await call.tx.of(garbage).add(replaced.fileId, call.now);
      const { uploadId } = upload;
      await table.putPart({ uploadId, partNumber, fileId: id, size: length, etag: md5, checksum: ofUpload, modifiedAt: call.now });
      return { ETag: `"${md5}"`, ...checksumMember(checksum.algorithm, checksum.value) };
    },
  },
  AbortMultipartUpload: {
    access: (input) => onObject(input),
    /** @throws NotImplemented · NoSuchBucket, AccessDenied · NoSuchUpload */
    async handle(call, input) {
      refuseMembers(input, { IfMatchInitiatedTime: 'x-amz-if-match-initiated-time' });
      await bucketOf(call, input);
      await discardUpload(call, await uploadOf(call, input));
      return {};
    },
  },
};

/**
 * Returns an upload that is neither completed nor aborted.
 *
 * @throws NoSuchUpload
 */
export async function uploadOf(
  { tx }: Pick<Call, 'tx'>,
  { Bucket, Key, UploadId }: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
): Promise<UploadRecord> {
  const upload = UploadId.includes('\0') ? undefined : await tx.of(uploads).get(Bucket, Key, UploadId);
  if (upload === undefined) throw noSuchUpload(UploadId);
  return upload;
}

/** Returns the error for an unknown upload. */
export function noSuchUpload(UploadId: string): AwsError {
  const message = 'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.';
  return new AwsError('NoSuchUpload', message, { UploadId });
}

/** Returns an ID that no client can guess. It starts with the time, so that uploads of a key are in the order of their initiation. */
function newUploadId({ now, random }: Call): string {
  return now.toString(16).padStart(12, '0') + Buffer.from(random(20)).toString('hex');
}

function requirePartNumber(partNumber: number): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > PARTS_MAX)
    throw invalidArgument(`Part number must be an integer between 1 and ${PARTS_MAX}, inclusive`, 'partNumber', partNumber);
}

/** Recorded: LocalStack's snapshots of AWS, `test_multipart_parts_checksum_exceptions_composite` and the following tests. */
function checksumOf({ ChecksumAlgorithm: algorithm, ChecksumType: type }: CreateMultipartUploadRequest): UploadDocument['checksum'] {
  if (algorithm === undefined) {
    if (type === undefined) return undefined;
    throw new AwsError('InvalidRequest', 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
  }
  if (!isComputed(algorithm)) throw unsupportedAlgorithm();
  const chosen = type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (chosen === 'FULL_OBJECT' ? !isCombinable(algorithm) : algorithm === 'CRC64NVME')
    throw new AwsError(
      'InvalidRequest',
      `The ${chosen} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  return { algorithm, type: chosen };
}

/** Recorded: LocalStack's snapshots of AWS, `test_multipart_parts_checksum_exceptions_composite`. */
function otherAlgorithm(expected: string, actual: string | undefined): AwsError {
  const message = `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${actual?.toLowerCase() ?? 'null'}`;
  return new AwsError('InvalidRequest', message);
}
