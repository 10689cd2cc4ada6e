import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { Call } from './operation.ts';

/** Bucket of this server. */
export interface OwnedBucket {
  readonly name: string;
  /** AWS account that owns the bucket. */
  readonly accountId: AccountId;
  readonly region: string;
  /** Policy of the bucket in its stored form, with unique IDs as principals. */
  readonly policy?: { readonly policy: string };
}

/** Buckets of AWS accounts, for other services than S3. The functions check no permission: the operations of these services require it. */
export interface OwnedBuckets {
  /** Reports whether an account owns a bucket of this server. */
  owns(tx: Tx, accountId: AccountId, bucket: string): Promise<boolean>;
  get(tx: Tx, bucket: string): Promise<OwnedBucket | undefined>;
  /** Lists the buckets of an account by name, starting after the name `after`. */
  list(tx: Tx, accountId: AccountId, after: string, limit: number): Promise<readonly OwnedBucket[]>;
  /**
   * Creates a bucket with a policy in the region of the call, as CreateBucket and PutBucketPolicy of S3.
   *
   * @throws AwsError  the errors of these operations · BucketAlreadyOwnedByYou also in us-east-1
   */
  create(call: Call, bucket: string, policy: string): Promise<void>;
  /** Deletes an empty bucket, as DeleteBucket of S3. @throws AwsError  the errors of this operation */
  remove(call: Call, bucket: string): Promise<void>;
}
