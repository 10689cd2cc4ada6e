/** Buckets and keys that requests name, and the permissions that they require. */
import { createHash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Tx } from '#store/store.ts';
import type { Access, Call, DeclaredAccess } from '../kit/operation.ts';
import { AwsError, accessDenied, invalidArgument, notImplemented } from './errors.ts';
import { type BucketRecord, buckets } from './tables/buckets.ts';

/** Members that every request about a bucket has. */
export interface OnBucket {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string;
}

/** Members that every request about an object has. */
export interface OnObject extends OnBucket {
  readonly Key: string;
}

/** Maximum length of a key in bytes. Source: S3 User Guide, "Naming Amazon S3 objects". */
const KEY_MAX_BYTES = 1_024;

/** Values of condition keys. Undefined values are omitted. */
export type ContextValues = Readonly<Record<string, string | number | undefined>>;

/** Returns the ARN of a bucket. */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/** Returns the ARN of an object. */
export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}

/** Returns the permission for an operation on a bucket. */
export function onBucket({ Bucket }: Pick<OnBucket, 'Bucket'>, context: ContextValues = {}): DeclaredAccess {
  return required(Bucket, bucketArn(Bucket), context);
}

/**
 * Returns the permission for an operation on an object.
 *
 * @throws InvalidURI       the key climbs out of the bucket
 * @throws InvalidArgument  the key contains a NUL character
 * @throws KeyTooLongError  the key has more than 1,024 bytes
 */
export function onObject({ Bucket, Key }: Pick<OnObject, 'Bucket' | 'Key'>, context: ContextValues = {}): DeclaredAccess {
  requireKey(Key);
  return required(Bucket, objectArn(Bucket, Key), context);
}

function required(bucket: string, resource: string, context: ContextValues): DeclaredAccess {
  return { resources: [resource], context: contextOf(context), ...decidedBy(bucket) };
}

/**
 * Returns the owner and the policy of a bucket, for permissions on it and on its objects.
 *
 * Throws `NoSuchBucket` for an unknown bucket. So the caller learns that the bucket does not exist, also without a permission, as in AWS.
 */
export function decidedBy(bucket: string): Required<Pick<Access, 'resourceOwner' | 'resourcePolicy'>> {
  const found = async (tx: Tx) => {
    const row = await tx.of(buckets).get(bucket);
    if (row === undefined) throw noSuchBucket(bucket);
    return row;
  };
  return {
    resourceOwner: async (tx) => (await found(tx)).accountId,
    resourcePolicy: async (tx) => (await found(tx)).policy?.policy,
  };
}

function contextOf(values: ContextValues): ConditionContext {
  const context = new Map<string, string>();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) context.set(key, `${value}`);
  return context;
}

/**
 * Returns the bucket of a request.
 *
 * @throws InvalidBucketOwnerAWSAccountID  the expected owner is not an account ID
 * @throws NoSuchBucket
 * @throws AccessDenied  the bucket belongs to another account than expected
 */
export async function bucketOf(call: Call, { Bucket, ExpectedBucketOwner: expected }: OnBucket): Promise<BucketRecord> {
  if (expected !== undefined && !/^\d{12}$/.test(expected)) {
    const message = `The value of the expected bucket owner parameter must be an AWS Account ID... [${expected}]`;
    throw new AwsError('InvalidBucketOwnerAWSAccountID', message);
  }
  const bucket = await call.tx.of(buckets).get(Bucket);
  if (bucket === undefined) throw noSuchBucket(Bucket);
  if (expected !== undefined && expected !== bucket.accountId) throw accessDenied();
  return bucket;
}

/** Returns the error for an unknown bucket. */
export function noSuchBucket(BucketName: string): AwsError {
  return new AwsError('NoSuchBucket', 'The specified bucket does not exist', { BucketName });
}

/** Checks a key. `onObject` lists the errors. Assumed: the code and text for a key that climbs out of the bucket. */
export function requireKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > KEY_MAX_BYTES) throw new AwsError('KeyTooLongError', 'Your key is too long', { Size: bytes, MaxSizeAllowed: KEY_MAX_BYTES });
  if (key.includes('\0')) throw invalidArgument('Object key contains a NUL character', 'Key', '');
  let depth = 0;
  for (const segment of key.split('/')) {
    depth += segment === '..' ? -1 : segment === '' || segment === '.' ? 0 : 1;
    if (depth < 0) throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", { URI: `/${key}` });
  }
}

/**
 * Refuses parameters whose function this server does not have, so that no client relies on it. `headers` maps members to the names of
 * their headers.
 *
 * @throws NotImplemented
 */
export function refuseMembers(input: object, headers: Readonly<Record<string, string>>): void {
  const given = input as Readonly<Record<string, unknown>>;
  for (const [member, header] of Object.entries(headers))
    if (given[member] !== undefined && given[member] !== false) throw notImplemented(header);
}

/** Returns the canonical user ID of an account: 64 hex characters that stay the same. Assumed: AWS does not publish how it derives them. */
export function canonicalId(accountId: AccountId | string): string {
  return createHash('sha256').update(`canonical user ${accountId}`).digest('hex');
}
