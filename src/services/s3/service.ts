import type { AnalyzedKind } from '../kit/analyzed-resources.ts';
import { service } from '../kit/service.ts';
import type { S3Deps } from './buckets.ts';
import { lifecycleSweep } from './sweep.ts';

/** Parts of the server that S3 needs. */
export type S3Parts = S3Deps;

/**
 * Calls that are data events.
 *
 * Source: S3 User Guide, "Amazon S3 CloudTrail events", the calls on objects.
 * Assumed: HeadBucket is one too, for the empty prefix. An earlier version of the guide said so, and the current one was not available.
 */
const DATA_EVENTS: ReadonlySet<string> = new Set([
  'AbortMultipartUpload',
  'CompleteMultipartUpload',
  'CreateMultipartUpload',
  'DeleteObject',
  'DeleteObjects',
  'GetObject',
  'HeadBucket',
  'HeadObject',
  'ListMultipartUploads',
  'ListObjects',
  'ListObjectsV2',
  'ListParts',
  'PutObject',
  'UploadPart',
]);

/** Buckets and their policies. */
const BUCKETS: AnalyzedKind = {
  type: 'AWS::S3::Bucket',
  find: async ({ tx }, accountId, arn) => (await import('./analyzed-buckets.ts')).findBucket(tx, accountId, arn),
  list: async ({ tx }, accountId, after, limit) => (await import('./analyzed-buckets.ts')).listBuckets(tx, accountId, after, limit),
};

/** Declaration of the service S3: buckets for log files, and the objects in them. */
export const s3 = service<S3Parts>({
  name: 's3',
  operations: async (parts) => (await import('./operations.ts')).s3Operations(parts),
  dataEvents: DATA_EVENTS,
  sweeps: [lifecycleSweep],
  analyzed: [BUCKETS],
  rules: async () => (await import('./rules.ts')).S3_RULES,
});
