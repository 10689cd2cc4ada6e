/** Operations that write and delete one object. */
import type { StoredBody } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Call } from '../kit/operation.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { bucketOf, type ContextValues, onObject, refuseMembers } from './bucket-access.ts';
import { checksumMember } from './checksum-members.ts';
import { noSuchKey, requireWriteConditions } from './conditions.ts';
import { discardContent, discardObject } from './discard.ts';
import { expirationHeader } from './expiry.ts';
import { type ObjectMembers, objectDocument } from './object-document.ts';
import { type ObjectRecord, objects } from './tables/objects.ts';
import { requireNoVersion } from './versions.ts';

/** Operations that write and delete one object. */
export const OBJECT_OPERATIONS: Pick<DeclaredOperations<'s3'>, 'PutObject' | 'DeleteObject'> = {
  PutObject: {
    access: (input) => onObject(input, writeContext(input)),
    /** @throws the errors of `handle`, before the body is read */
    async admit(call, input) {
      objectDocument(input);
      await bucketOf(call, input);
      requireWriteConditions(await call.tx.of(objects).get(input.Bucket, input.Key), input);
    },
    /**
     * Stores an object.
     *
     * @throws AccessControlListNotSupported, InvalidStorageClass, NotImplemented, MetadataTooLarge
     * @throws NoSuchBucket, AccessDenied
     * @throws NotImplemented, PreconditionFailed, NoSuchKey  the conditions of the request
     */
    async handle(call, input) {
      const document = objectDocument(input);
      const bucket = await bucketOf(call, input);
      const { Bucket, Key: key } = input;
      const existing = await call.tx.of(objects).get(Bucket, key);
      requireWriteConditions(existing, input);
      if (existing !== undefined) await discardContent(call, existing);
      const object = objectOf({ bucket: Bucket, key }, storedOf(call), { document, modifiedAt: call.now });
      await call.tx.of(objects).put(object);
      return {
        ETag: `"${object.etag}"`,
        ...checksumMember(object.checksumAlgorithm, object.checksum),
        ChecksumType: object.checksumType,
        ...omitUndefined({ Expiration: expirationHeader(bucket, object) }),
      };
    },
  },
  DeleteObject: {
    access: (input) => onObject(input, { 's3:if-match': input.IfMatch }),
    /**
     * Deletes an object. A missing object is a success.
     *
     * @throws NotImplemented  conditions of directory buckets
     * @throws NoSuchBucket, AccessDenied · InvalidArgument the version · PreconditionFailed · NoSuchKey `If-Match`, and there is no object
     */
    async handle(call, input) {
      refuseMembers(input, { IfMatchLastModifiedTime: 'x-amz-if-match-last-modified-time', IfMatchSize: 'x-amz-if-match-size' });
      await bucketOf(call, input);
      requireNoVersion(input.VersionId);
      const object = await call.tx.of(objects).get(input.Bucket, input.Key);
      if (input.IfMatch !== undefined) {
        if (object === undefined) throw noSuchKey(input.Key);
        requireWriteConditions(object, { Key: input.Key, IfMatch: input.IfMatch });
      }
      if (object !== undefined) await discardObject(call, object);
      return {};
    },
  },
};

/** Returns the condition keys of a request that creates an object. Source: Service Authorization Reference, Amazon S3, PutObject. */
export function writeContext(input: ObjectMembers & { readonly IfMatch?: string; readonly IfNoneMatch?: string }): ContextValues {
  return {
    's3:x-amz-acl': input.ACL,
    's3:x-amz-storage-class': input.StorageClass,
    's3:x-amz-website-redirect-location': input.WebsiteRedirectLocation,
    's3:if-match': input.IfMatch,
    's3:if-none-match': input.IfNoneMatch,
  };
}

/** Returns the content that the server stored for this call. */
export function storedOf({ stored }: Call): StoredBody {
  if (stored === undefined) throw new Error('a streamed operation ran without its stored body');
  return stored;
}

/** Returns the row of an object whose content is one file. */
export function objectOf(
  { bucket, key }: Pick<ObjectRecord, 'bucket' | 'key'>,
  { id, length, md5, checksum }: StoredBody,
  rest: Pick<ObjectRecord, 'document' | 'modifiedAt'>,
): ObjectRecord {
  return {
    bucket,
    key,
    bodyId: id,
    parts: 0,
    size: length,
    etag: md5,
    checksumAlgorithm: checksum.algorithm,
    checksumType: 'FULL_OBJECT',
    checksum: checksum.value,
    ...rest,
  };
}
