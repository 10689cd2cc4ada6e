import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { TrailSource } from '../kit/policy-generation-parts.ts';
import { trailsSeenBy } from './lookup.ts';
import { organizationOf } from './organization.ts';
import { trailArn } from './trail-names.ts';

/**
 * Returns a trail that an account sees, as a source of records about it. `bucketOf` returns a bucket of this server.
 *
 * Source: CloudTrail User Guide, "Finding your CloudTrail log files": the key has the ID of the organization, if the trail is one of an
 * organization, and the ID of the account.
 */
export async function trailSource(
  tx: Tx,
  accountId: AccountId,
  arn: string,
  bucketOf: (tx: Tx, name: string) => Promise<TrailSource['bucket']>,
): Promise<TrailSource | undefined> {
  const trail = (await trailsSeenBy(tx, accountId)).find((each) => trailArn(each) === arn);
  if (trail === undefined) return undefined;
  const { homeRegion, createdAt, logging, stoppedAt, configuration } = trail;
  const { S3BucketName, S3KeyPrefix, IsMultiRegionTrail, IsOrganizationTrail } = configuration;
  const organization = IsOrganizationTrail ? (await organizationOf(tx, accountId))?.organizationId : undefined;
  const path = [S3KeyPrefix, 'AWSLogs', organization, accountId].filter((part) => part !== undefined && part !== '').join('/');
  const bucketArn = `arn:aws:s3:::${S3BucketName}`;
  return {
    ...{ homeRegion, createdAt, logging, stoppedAt, isMultiRegion: IsMultiRegionTrail },
    ...{ bucketArn, filesArn: `${bucketArn}/${path}/*`, bucket: await bucketOf(tx, S3BucketName) },
  };
}
