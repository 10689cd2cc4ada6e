/** Operations on the policy of a bucket. */
import { readBucketPolicy, shownBucketPolicy } from '../iam/bucket-policy.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { emitBucketChanged } from './analyzed-buckets.ts';
import { bucketOf, onBucket } from './bucket-access.ts';
import { AwsError } from './errors.ts';
import { buckets } from './tables/buckets.ts';

type Policies = Pick<DeclaredOperations<'s3'>, 'GetBucketPolicy' | 'PutBucketPolicy' | 'DeleteBucketPolicy'>;

/** Operations on the policy of a bucket. The server stores unique IDs in place of users and roles. */
export const POLICY_OPERATIONS: Policies = {
  GetBucketPolicy: {
    access: (input) => onBucket(input),
    /** @throws NoSuchBucket, AccessDenied · NoSuchBucketPolicy */
    async handle(call, input) {
      const { name, policy } = await bucketOf(call, input);
      if (policy === undefined) throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist', { BucketName: name });
      return { Policy: await shownBucketPolicy(call.tx, policy) };
    },
  },
  PutBucketPolicy: {
    access: (input) => onBucket(input),
    /** @throws NoSuchBucket, AccessDenied · MalformedPolicy */
    async handle(call, input) {
      const { name, accountId } = await bucketOf(call, input);
      await call.tx.of(buckets).setPolicy({ name, policy: await readBucketPolicy(call.tx, input.Policy, name) });
      await emitBucketChanged(call, accountId, name);
      return {};
    },
  },
  DeleteBucketPolicy: {
    access: (input) => onBucket(input),
    async handle(call, input) {
      const { name, accountId } = await bucketOf(call, input);
      await call.tx.of(buckets).setPolicy({ name });
      await emitBucketChanged(call, accountId, name);
      return {};
    },
  },
};
