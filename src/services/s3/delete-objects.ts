import type { DeletedObject, DeleteObjectsRequest, S3Error } from '#model/generated/s3.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import { bucketOf, decidedBy, objectArn, requireKey } from './bucket-access.ts';
import { plainEtag } from './conditions.ts';
import { discardObject } from './discard.ts';
import { AwsError, malformedXml } from './errors.ts';
import { objects } from './tables/objects.ts';

/** Maximum number of keys. Source: S3 API Reference, DeleteObjects. */
const KEYS_MAX = 1_000;

/**
 * DeleteObjects: deletes up to 1,000 objects. Each key has its own decision, so a denied key is an error in the result and does not affect
 * the other keys.
 */
export const deleteObjects: DeclaredOperation<DeleteObjectsRequest, { Deleted?: readonly DeletedObject[]; Errors?: readonly S3Error[] }> = {
  // The operation itself requires no permission. `handle` decides `s3:DeleteObject` for each key.
  // Source: S3 API Reference, DeleteObjects, "Permissions".
  access: () => ({ resources: [], always: true }),
  /** @throws NoSuchBucket, AccessDenied · MalformedXML no keys, or more than 1,000 */
  async handle(call, input) {
    await bucketOf(call, { Bucket: input.Bucket });
    const { Objects: keys = [], Quiet = false } = input.Delete ?? {};
    if (keys.length === 0 || keys.length > KEYS_MAX) throw malformedXml();
    const Deleted: DeletedObject[] = [];
    const Errors: S3Error[] = [];
    // One decision about all keys is cheaper than one about each key. If it is a denial, it says nothing about most of the keys.
    const names = keys.map(({ Key }) => Key);
    const allowsAll = await mayDelete(call, input.Bucket, names, false);
    const allowed = new Set<string>();
    for (const Key of new Set(names)) if (allowsAll || (await mayDelete(call, input.Bucket, [Key], true))) allowed.add(Key);
    // Otherwise a caller without any permission could find the account that owns a bucket.
    if (allowed.size > 0) await bucketOf(call, input);
    for (const each of keys) {
      try {
        requireKey(each.Key);
        if (!allowed.has(each.Key)) throw new AwsError('AccessDenied', 'Access Denied');
        await deleteOne(call, input.Bucket, each);
        if (!Quiet) Deleted.push({ Key: each.Key, ...(each.VersionId !== undefined && { VersionId: each.VersionId }) });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const { code, message } = error as InstanceType<typeof AwsError>;
        Errors.push({ Key: each.Key, Code: code, Message: message, ...(each.VersionId !== undefined && { VersionId: each.VersionId }) });
      }
    }
    return { Deleted, Errors };
  },
};

function mayDelete(call: Call, bucket: string, keys: readonly string[], notesDenial: boolean): Promise<boolean> {
  return call.allows({ action: 's3:DeleteObject', resources: keys.map((key) => objectArn(bucket, key)), ...decidedBy(bucket) }, notesDenial);
}

type Identified = NonNullable<DeleteObjectsRequest['Delete']>['Objects'][number];

async function deleteOne(call: Call, bucket: string, { Key, VersionId, ETag }: Identified): Promise<void> {
  if (VersionId !== undefined && VersionId !== 'null') throw new AwsError('InvalidArgument', 'Invalid version id specified');
  const object = await call.tx.of(objects).get(bucket, Key);
  if (object === undefined) return;
  if (ETag !== undefined && plainEtag(ETag) !== object.etag)
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  await discardObject(call, object);
}
