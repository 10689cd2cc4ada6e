/** Headers and metadata that clients store with objects. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CreateMultipartUploadRequest, PutObjectRequest } from '#model/generated/s3.ts';
import { refuseMembers } from './bucket-access.ts';
import { AwsError } from './errors.ts';
import type { ObjectDocument } from './tables/objects.ts';

/** Members of PutObject and CreateMultipartUpload that are stored or refused. */
export type ObjectMembers = Pick<
  PutObjectRequest & CreateMultipartUploadRequest,
  | 'ACL'
  | 'CacheControl'
  | 'ContentDisposition'
  | 'ContentEncoding'
  | 'ContentLanguage'
  | 'ContentType'
  | 'Expires'
  | 'Metadata'
  | 'StorageClass'
  | 'WebsiteRedirectLocation'
>;

/** Maximum size of the user metadata, in bytes: names and values. Source: S3 User Guide, "Working with object metadata". */
const METADATA_MAX_BYTES = 2_048;
/** ACLs that change nothing in a bucket whose owner owns all objects. */
const ACLS: ReadonlySet<string> = new Set(['private', 'bucket-owner-full-control']);

/** Features that this server lacks, with their headers. */
const REFUSED = {
  GrantFullControl: 'x-amz-grant-full-control',
  GrantRead: 'x-amz-grant-read',
  GrantReadACP: 'x-amz-grant-read-acp',
  GrantWriteACP: 'x-amz-grant-write-acp',
  ServerSideEncryption: 'x-amz-server-side-encryption',
  SSECustomerAlgorithm: 'x-amz-server-side-encryption-customer-algorithm',
  SSECustomerKey: 'x-amz-server-side-encryption-customer-key',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  SSEKMSEncryptionContext: 'x-amz-server-side-encryption-context',
  BucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  Tagging: 'x-amz-tagging',
  ObjectLockMode: 'x-amz-object-lock-mode',
  ObjectLockRetainUntilDate: 'x-amz-object-lock-retain-until-date',
  ObjectLockLegalHoldStatus: 'x-amz-object-lock-legal-hold',
  WriteOffsetBytes: 'x-amz-write-offset-bytes',
} as const;

/**
 * Returns the headers and metadata of a new object.
 *
 * @throws AccessControlListNotSupported  an ACL that gives access to others
 * @throws InvalidStorageClass            a storage class other than STANDARD
 * @throws NotImplemented                 encryption, tags, locks or grants
 * @throws MetadataTooLarge
 */
export function objectDocument(input: ObjectMembers): ObjectDocument {
  if (input.ACL !== undefined && !ACLS.has(input.ACL))
    throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs');
  if (input.StorageClass !== undefined && input.StorageClass !== 'STANDARD')
    throw new AwsError('InvalidStorageClass', 'The storage class you specified is not valid', {
      StorageClassRequested: input.StorageClass,
    });
  refuseMembers(input, REFUSED);
  const { Metadata: metadata = {} } = input;
  const size = Object.entries(metadata).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size > METADATA_MAX_BYTES)
    throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: size,
      MaxSizeAllowed: METADATA_MAX_BYTES,
    });
  return omitUndefined({
    contentType: input.ContentType,
    contentEncoding: storedEncoding(input.ContentEncoding),
    contentDisposition: input.ContentDisposition,
    contentLanguage: input.ContentLanguage,
    cacheControl: input.CacheControl,
    expires: input.Expires,
    websiteRedirectLocation: input.WebsiteRedirectLocation,
    metadata: size === 0 ? undefined : metadata,
  });
}

/** Removes `aws-chunked`, which is only the framing of the request. Source: S3 API Reference, "Signature Calculations: Transferring Payload in Multiple Chunks". */
function storedEncoding(header: string | undefined): string | undefined {
  const codings = (header ?? '').split(',').map((each) => each.trim());
  const stored = codings.filter((each) => each !== '' && each.toLowerCase() !== 'aws-chunked').join(',');
  return stored === '' ? undefined : stored;
}
