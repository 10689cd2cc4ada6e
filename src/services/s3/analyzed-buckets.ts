/** Buckets as analyzers for external access read them. */
import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import { shownBucketPolicy } from '../iam/bucket-policy.ts';
import type { AnalyzedResource, AnalyzedResourceChanged } from '../kit/analyzed-resources.ts';
import type { Work } from '../kit/events.ts';
import { bucketArn } from './bucket-access.ts';
import { type BucketRecord, buckets } from './tables/buckets.ts';

/** Returns the bucket with an ARN; undefined if the account has none. */
export async function findBucket(tx: Tx, accountId: AccountId, arn: string): Promise<AnalyzedResource | undefined> {
  const bucket = await tx.of(buckets).get(nameIn(arn));
  return bucket?.accountId === accountId ? await toAnalyzed(tx, bucket) : undefined;
}

/** Returns at most `limit` buckets in the order of their names, after the bucket with the ARN `after`. */
export async function listBuckets(
  tx: Tx,
  accountId: AccountId,
  after: string | undefined,
  limit: number,
): Promise<readonly AnalyzedResource[]> {
  const page = { prefix: '', after: after === undefined ? '' : nameIn(after), region: undefined, limit };
  const found: AnalyzedResource[] = [];
  for (const bucket of await tx.of(buckets).list(accountId, page)) found.push(await toAnalyzed(tx, bucket));
  return found;
}

function nameIn(arn: string): string {
  return arn.slice(bucketArn('').length);
}

async function toAnalyzed(tx: Tx, { name, region, policy }: BucketRecord): Promise<AnalyzedResource> {
  return { arn: bucketArn(name), region, ...(policy !== undefined && { policy: await shownBucketPolicy(tx, policy) }) };
}

/** Emits the event of a bucket that was created or deleted, or whose policy changed. */
export async function emitBucketChanged({ emit }: Pick<Work, 'emit'>, accountId: AccountId, name: string): Promise<void> {
  await emit<AnalyzedResourceChanged>({
    type: 'AnalyzedResourceChanged',
    accountId,
    resourceType: 'AWS::S3::Bucket',
    arn: bucketArn(name),
  });
}
