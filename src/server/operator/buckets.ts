/** The operator's commands for buckets. Each change is recorded in the trail of the bucket's account. */
import { shownBucketPolicy } from '#services/iam/bucket-policy.ts';
import type { Store } from '#store/store.ts';
import { buckets } from '../core/services.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the commands for buckets. */
export interface BucketCommandParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
}

/**
 * Removes the policy of a bucket, regardless of what the policy denies. In AWS, the root user of the account can do so, and here this user has
 * no credentials. The record has the removed policy. Returns the reason if the command is refused.
 */
export async function removeBucketPolicy(parts: BucketCommandParts, name: string): Promise<string | undefined> {
  return await parts.store.transaction(async (tx) => {
    const bucket = await tx.of(buckets).get(name);
    const shown = `bucket '${name.slice(0, 63)}'`;
    if (bucket === undefined) return `${shown} does not exist`;
    if (bucket.policy === undefined) return `${shown} has no policy`;
    const bucketPolicy: unknown = JSON.parse(await shownBucketPolicy(tx, bucket.policy));
    await tx.of(buckets).setPolicy({ name });
    await tx.trail.append(operatorEvent(parts, bucket.accountId, 'RemoveBucketPolicy', { bucketName: name, bucketPolicy }));
    return undefined;
  });
}
