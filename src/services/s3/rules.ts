/** Configuration rules about buckets. Buckets have no access control lists, so only their policies can make them public. */
import { shownBucketPolicy } from '../iam/bucket-policy.ts';
import type { ConfigurationRule, Evidence, RuleReading, RuleResult } from '../kit/configuration-rule.ts';
import { publicActions } from '../kit/open-statements.ts';
import { evidence, policyEvidence, ruleResult } from '../kit/rule-results.ts';
import { inParts } from '../kit/survey.ts';
import { type BucketRecord, buckets } from './tables/buckets.ts';

/** Number of buckets that one transaction reads. A policy can have 20,480 characters. */
const BUCKETS = 16;

/**
 * Beginnings of the actions that expose the objects of a bucket, in lower case.
 * Source: S3 API reference, PublicAccessBlockConfiguration, actions that could expose the data inside a bucket.
 */
const READS = ['s3:get', 's3:list'];
const WRITES = ['s3:put', 's3:delete', 's3:abortmultipartupload', 's3:restoreobject'];

/** Source: AWS Config Developer Guide, "s3-bucket-public-read-prohibited" and "s3-bucket-public-write-prohibited". */
export const S3_RULES: readonly ConfigurationRule[] = [
  {
    name: 's3-bucket-public-read-prohibited',
    description: 'No bucket lets everyone read.',
    parameters: {},
    requirements: ['COMP-6'],
    evaluate: (reading) => eachBucket(reading, READS, 'read'),
  },
  {
    name: 's3-bucket-public-write-prohibited',
    description: 'No bucket lets everyone write.',
    parameters: {},
    requirements: ['COMP-6'],
    evaluate: (reading) => eachBucket(reading, WRITES, 'write'),
  },
];

async function eachBucket(reading: RuleReading, beginnings: readonly string[], verb: 'read' | 'write'): Promise<readonly RuleResult[]> {
  const { store, accountId } = reading;
  const results: RuleResult[] = [];
  const parts = inParts(store, '', async (tx, after) => {
    const read = await tx.of(buckets).list(accountId, { prefix: '', after, region: undefined, limit: BUCKETS });
    const items: (readonly [BucketRecord, string | undefined])[] = [];
    for (const bucket of read) items.push([bucket, bucket.policy && (await shownBucketPolicy(tx, bucket.policy))]);
    const next = read[BUCKETS - 1]?.name;
    return { items, ...(next !== undefined && { next }) };
  });
  for await (const part of parts) {
    for (const [{ name, policy }, shown] of part) {
      const isOpen = policy !== undefined && publicActions(policy.policy).some((action) => canMatch(action.toLowerCase(), beginnings));
      const annotation = `The policy of bucket '${name}' ${isOpen ? 'lets' : 'does not let'} everyone ${verb}.`;
      results.push(
        ruleResult({ type: 'AWS::S3::Bucket', id: name }, !isOpen, policy === undefined ? `Bucket '${name}' has no policy.` : annotation, [
          bucketEvidence(reading, name, shown),
        ]),
      );
    }
  }
  return results;
}

function bucketEvidence(reading: RuleReading, Bucket: string, shown: string | undefined): Evidence {
  const call = { action: 's3:GetBucketPolicy', input: { Bucket } };
  if (shown === undefined) return evidence(call.action, call.input, 'Error.Code', 'NoSuchBucketPolicy');
  return policyEvidence(reading, { ...call, member: 'Policy' }, shown);
}

/** Reports whether a pattern of actions matches an action with one of the beginnings. */
function canMatch(pattern: string, beginnings: readonly string[]): boolean {
  const end = pattern.search(/[*?]/);
  const fixed = end < 0 ? pattern : pattern.slice(0, end);
  return beginnings.some((beginning) => fixed.startsWith(beginning) || (end >= 0 && beginning.startsWith(fixed)));
}
