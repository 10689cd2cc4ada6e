/** Checks of the configuration of a trail that CreateTrail and UpdateTrail share, in the order of the checks. */
import { isBucketName } from '#core/bucket-name.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CreateTrailRequest, UpdateTrailRequest } from '#model/generated/cloudtrail.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import { AwsError } from './errors.ts';
import type { LogBuckets } from './log-buckets.ts';
import type { TrailConfiguration } from './tables/logging-periods.ts';
import type { TrailName } from './tables/trails.ts';
import { trailArn } from './trail-names.ts';

/** Members of CreateTrail and UpdateTrail that configure a trail. */
export type ConfigurationInput = Omit<UpdateTrailRequest, 'Name'> & Pick<Partial<CreateTrailRequest>, 'TagsList'>;

/** Maximum length. Source: cloudtrail 2013-11-01, CreateTrail, S3KeyPrefix. */
const PREFIX_MAX = 200;

/**
 * Returns a configuration with the changes of a request. An empty string removes the prefix, the topic, the log group or the role. The ARN of
 * the topic is not set (`withTopicArn`).
 * Source: cloudtrail 2013-11-01, CreateTrail: global service events are included by default, the other flags are false.
 */
export function configured(before: Partial<TrailConfiguration>, input: ConfigurationInput): TrailConfiguration {
  const optionalName = (member: 'S3KeyPrefix' | 'SnsTopicName' | 'CloudWatchLogsLogGroupArn' | 'CloudWatchLogsRoleArn') =>
    (input[member] ?? before[member]) || undefined;
  const RecursiveLogging = input.RecursiveLogging ?? before.RecursiveLogging;
  return {
    S3BucketName: input.S3BucketName ?? before.S3BucketName ?? '',
    IncludeGlobalServiceEvents: input.IncludeGlobalServiceEvents ?? before.IncludeGlobalServiceEvents ?? true,
    IsMultiRegionTrail: input.IsMultiRegionTrail ?? before.IsMultiRegionTrail ?? false,
    LogFileValidationEnabled: input.EnableLogFileValidation ?? before.LogFileValidationEnabled ?? false,
    IsOrganizationTrail: input.IsOrganizationTrail ?? before.IsOrganizationTrail ?? false,
    ...omitUndefined({
      S3KeyPrefix: optionalName('S3KeyPrefix'),
      SnsTopicName: optionalName('SnsTopicName'),
      CloudWatchLogsLogGroupArn: optionalName('CloudWatchLogsLogGroupArn'),
      CloudWatchLogsRoleArn: optionalName('CloudWatchLogsRoleArn'),
      RecursiveLogging,
    }),
  };
}

/**
 * Checks everything that needs no stored data.
 *
 * @throws InvalidParameterCombinationException  the trail has all regions, but no global service events
 * @throws InvalidS3BucketNameException          the name is not the name of a bucket
 * @throws InvalidS3PrefixException              the prefix has more than 200 characters, or a segment `..`, so that S3 could not return the
 *   log files
 *
 * Source: the codes: cloudtrail 2013-11-01; the first message: moto's tests; names: Amazon S3 User Guide, "Bucket naming
 * rules". Assumed: the other messages.
 */
export function requireConfiguration(configuration: TrailConfiguration): void {
  const { IsMultiRegionTrail, IncludeGlobalServiceEvents, S3BucketName, S3KeyPrefix = '' } = configuration;
  if (IsMultiRegionTrail && !IncludeGlobalServiceEvents) {
    throw new AwsError('InvalidParameterCombinationException', 'Multi-Region trail must include global service events.');
  }
  if (!isBucketName(S3BucketName)) {
    throw new AwsError('InvalidS3BucketNameException', `The S3 bucket name '${S3BucketName}' is invalid.`);
  }
  if (S3KeyPrefix.length > PREFIX_MAX) {
    throw new AwsError('InvalidS3PrefixException', `S3 prefix is longer than maximum length: ${PREFIX_MAX} characters.`);
  }
  if (S3KeyPrefix.split('/').includes('..')) {
    throw new AwsError('InvalidS3PrefixException', `The S3 prefix '${S3KeyPrefix}' must not contain the path segment '..'.`);
  }
}

/**
 * Checks that the trail can deliver to its bucket.
 *
 * @throws S3BucketDoesNotExistException        the bucket does not exist
 * @throws InsufficientS3BucketPolicyException  its policy does not allow CloudTrail to write the log files
 * Source: messages: moto's tests; issues on GitHub about the bucket policy.
 */
export async function requireBucket(
  tx: Tx,
  buckets: LogBuckets,
  name: TrailName,
  configuration: TrailConfiguration,
  organization: OrganizationRecord | undefined,
): Promise<void> {
  const { S3BucketName: bucket } = configuration;
  const keys = writtenKeys(name, configuration, organization);
  const outcome = await buckets.check(tx, { bucket, keys, trailArn: trailArn(name), accountId: name.accountId });
  if (outcome === 'missing') throw new AwsError('S3BucketDoesNotExistException', `S3 bucket ${bucket} does not exist!`);
  if (outcome === 'denied') {
    throw new AwsError('InsufficientS3BucketPolicyException', `Incorrect S3 bucket policy is detected for bucket: ${bucket}`);
  }
}

/**
 * Returns the keys of the folders that a trail writes: log files and digests, of its account and of its organization.
 * Source: requirement LOG-9 and LOG-11; CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
 */
function writtenKeys(
  { accountId }: TrailName,
  { S3KeyPrefix, LogFileValidationEnabled }: TrailConfiguration,
  organization: OrganizationRecord | undefined,
): readonly string[] {
  const start = `${S3KeyPrefix === undefined ? '' : `${S3KeyPrefix}/`}AWSLogs/`;
  const owners = organization === undefined ? [accountId] : [accountId, `${organization.organizationId}/${accountId}`];
  const kinds = LogFileValidationEnabled ? ['CloudTrail', 'CloudTrail-Digest'] : ['CloudTrail'];
  return owners.flatMap((owner) => kinds.map((kind) => `${start}${owner}/${kind}/`));
}
