/** Configurations of access previews: the policy that a resource would have. */
import { isAccountId, parseArn } from '#core/arn.ts';
import type { AwsError as AnyError } from '#core/aws-error.ts';
import { isBucketName } from '#core/bucket-name.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Configuration, IamRoleConfiguration, S3BucketConfiguration } from '#model/generated/accessanalyzer.ts';
import { malformedBucketPolicy } from '#policy/validate/malformed-bucket-policy.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { POLICY_QUOTAS, policySize } from '#policy/validate/policy-size.ts';
import { type AnalyzedKind, type AnalyzedType, isInRegion, type ResourcePolicy } from '../../kit/analyzed-resources.ts';
import { authorizationReference } from '../../kit/authorization-reference.ts';
import type { Call } from '../../kit/operation.ts';
import { invalidField } from '../kit/errors.ts';

/**
 * Maximum length of the configuration of a preview as JSON, in characters. It is stored for a day. The longest policy is that of a bucket, with 20 KiB
 * without white space. Assumed: AWS documents no limit.
 */
const CONFIGURATION_MAX = 2 ** 16;

/** Configuration that a preview can analyze, as it is in a request. */
export type Proposed =
  | { readonly resourceType: 'AWS::IAM::Role'; readonly arn: string; readonly role: IamRoleConfiguration }
  | { readonly resourceType: 'AWS::S3::Bucket'; readonly arn: string; readonly bucket: S3BucketConfiguration };

/**
 * Returns the configuration in a request.
 *
 * @throws ValidationException  not exactly one configuration; another resource than a role or a bucket; the ARN is invalid or of
 *   another type or account; the configuration is too long, or has an access control list or access points
 * Source: accessanalyzer 2019-11-01, CreateAccessPreview: "The configuration must contain exactly one element."
 * Assumed: the messages. AWS also previews access control lists, access points and other types of resources, which this server
 * does not have.
 */
export function proposedIn(configurations: Readonly<Record<string, Configuration>>, accountId: string): Proposed {
  const [entry, ...more] = Object.entries(configurations);
  if (entry === undefined || more.length > 0) throw invalid('The configuration must contain exactly one element.');
  if (JSON.stringify(entry).length > CONFIGURATION_MAX)
    throw invalid(`The configuration can have at most ${CONFIGURATION_MAX} characters.`);
  const [arn, { iamRole: role, s3Bucket: bucket }] = entry;
  if (role !== undefined) {
    if (!isRoleOf(arn, accountId)) throw invalid('The key of the configuration must be the ARN of a role in the account of the analyzer.');
    return { resourceType: 'AWS::IAM::Role', arn, role };
  }
  if (bucket === undefined) throw invalid('This server has no resources of this type. Specify iamRole or s3Bucket.');
  if (nameOfBucket(arn) === undefined) throw invalid('The key of the configuration must be the ARN of a bucket.');
  if ((bucket.bucketAclGrants ?? []).length > 0) throw invalid('Buckets of this server have no access control lists.');
  if (Object.keys(bucket.accessPoints ?? {}).length > 0) throw invalid('Buckets of this server have no access points.');
  return { resourceType: 'AWS::S3::Bucket', arn, bucket };
}

function invalid(message: string): AnyError {
  return invalidField('configurations', message);
}

function isRoleOf(arn: string, accountId: string): boolean {
  const parts = parseArn(arn);
  const isRole =
    parts?.service === 'iam' && parts.partition === 'aws' && parts.region === '' && /^role\/[!-~]{1,575}$/.test(parts.resource);
  return isRole && isAccountId(parts.accountId) && parts.accountId === accountId;
}

const BUCKET_PREFIX = 'arn:aws:s3:::';

/** Returns the name in the ARN of a bucket; undefined for other ARNs. */
function nameOfBucket(arn: string): string | undefined {
  const name = arn.startsWith(BUCKET_PREFIX) ? arn.slice(BUCKET_PREFIX.length) : '';
  return isBucketName(name) ? name : undefined;
}

/**
 * Returns the policy that the resource would have, or 'invalid' if AWS would reject it.
 *
 * An absent policy is the present one. An empty bucket policy is its deletion.
 *
 * Source: IAM User Guide, "Preview access with IAM Access Analyzer APIs".
 * Assumed: a bucket in another region than the analyzer is an invalid configuration.
 */
export async function proposedPolicy(call: Call, kinds: readonly AnalyzedKind[], proposed: Proposed): Promise<ResourcePolicy | 'invalid'> {
  const { resourceType, arn } = proposed;
  const present = await presentResource(call, kinds, resourceType, arn);
  if (present !== undefined && !isInRegion(present, call)) return 'invalid';
  if (proposed.resourceType === 'AWS::IAM::Role') {
    const policy = proposed.role.trustPolicy ?? present?.policy;
    if (policy === undefined || policySize(policy) > POLICY_QUOTAS.trust.characters) return 'invalid';
    if (malformedPolicyText(policy, 'trust') !== undefined) return 'invalid';
    return { resourceType, arn, policy };
  }
  const { bucketPolicy, bucketPublicAccessBlock: publicAccessBlock } = proposed.bucket;
  const policy = bucketPolicy === undefined ? present?.policy : bucketPolicy === '' ? undefined : bucketPolicy;
  const isMalformed =
    bucketPolicy !== undefined &&
    policy !== undefined &&
    malformedBucketPolicy(policy, nameOfBucket(arn) ?? '', authorizationReference()) !== undefined;
  return isMalformed ? 'invalid' : { resourceType, arn, ...omitUndefined({ policy, publicAccessBlock }) };
}

async function presentResource(call: Call, kinds: readonly AnalyzedKind[], resourceType: AnalyzedType, arn: string) {
  return await kinds.find(({ type }) => type === resourceType)?.find(call, call.accountId, arn);
}
