import type { BucketLocationConstraint } from '#model/generated/s3.ts';
import { readBucketPolicy } from '../iam/bucket-policy.ts';
import type { OwnedBuckets } from '../kit/owned-buckets.ts';
import { emitBucketChanged } from './analyzed-buckets.ts';
import { bucketOperations, type S3Deps } from './buckets.ts';
import { AwsError } from './errors.ts';
import { buckets } from './tables/buckets.ts';

/** Returns the buckets of accounts, for other services. */
export function ownedBuckets(deps: S3Deps): OwnedBuckets {
  const { CreateBucket, DeleteBucket } = bucketOperations(deps);
  return {
    owns: async (tx, accountId, bucket) => (await tx.of(buckets).get(bucket))?.accountId === accountId,
    get: (tx, bucket) => tx.of(buckets).get(bucket),
    list: (tx, accountId, after, limit) => tx.of(buckets).list(accountId, { prefix: '', after, region: undefined, limit }),
    async create(call, Bucket, policy) {
      // CreateBucket succeeds for an existing bucket of the account, whose policy must not change.
      if ((await call.tx.of(buckets).get(Bucket))?.accountId === call.accountId)
        throw new AwsError('BucketAlreadyOwnedByYou', 'You already own this bucket.', { BucketName: Bucket });
      const CreateBucketConfiguration = { LocationConstraint: call.region as BucketLocationConstraint };
      await CreateBucket.handle(call, { Bucket, ...(call.region !== 'us-east-1' && { CreateBucketConfiguration }) });
      await call.tx.of(buckets).setPolicy({ name: Bucket, policy: await readBucketPolicy(call.tx, policy, Bucket) });
      await emitBucketChanged(call, call.accountId, Bucket);
    },
    async remove(call, Bucket) {
      await DeleteBucket.handle(call, { Bucket });
    },
  };
}
