import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';

/** Bucket in which a trail will write, and what it will write there. */
export interface BucketRequest {
  readonly bucket: string;
  /** Object keys that the trail will write: one for each kind of file and each prefix with an account or organization. */
  readonly keys: readonly string[];
  readonly trailArn: string;
  /** Account of the trail. */
  readonly accountId: AccountId;
}

/** Buckets that can receive the log files of trails. */
export interface LogBuckets {
  /**
   * Returns 'ok', or why a trail cannot deliver to a bucket. Decides with the policy of the bucket, as the service
   * `cloudtrail.amazonaws.com`: it needs `s3:GetBucketAcl` on the bucket and `s3:PutObject` on each key.
   */
  check(tx: Tx, request: BucketRequest): Promise<'ok' | 'missing' | 'denied'>;
}

/** Buckets of a server that has no buckets. */
export const NO_LOG_BUCKETS: LogBuckets = { check: async () => 'missing' };
