/** Buckets of this server as targets of log files. The policy of the bucket decides about each write, as for the service CloudTrail. */
import { authorizeService } from '#access/service-authorization.ts';
import type { StoredBody } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { BucketRequest, LogBuckets } from '#services/cloudtrail/log-buckets.ts';
import { putOwnObject } from '#services/s3/own-objects.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import type { Store, Tx } from '#store/store.ts';
import { type LogObject, type LogTarget, OBJECT_ACL, TargetError } from './log-target.ts';

/** Service principal of the delivery, as bucket policies name it. Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail". */
const CLOUDTRAIL_PRINCIPAL = 'cloudtrail.amazonaws.com';

/** Contents of objects of this server. */
export interface OwnContents {
  /** Stores a content durably. */
  readonly put: (bytes: Uint8Array) => Promise<StoredBody>;
  readonly remove: (ids: readonly string[]) => Promise<void>;
}

/**
 * Decides whether CloudTrail may write objects: `s3:GetBucketAcl` on the bucket, and `s3:PutObject` on each object with the ACL
 * `bucket-owner-full-control`. Requirements CD-1, CD-3. Amazon Chime needs only the second.
 *
 * Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
 */
async function decide(
  tx: Tx,
  { bucket, keys, trailArn, accountId }: BucketRequest,
  now: Instant,
  { service = CLOUDTRAIL_PRINCIPAL, bucketOwner }: Pick<LogObject, 'service' | 'bucketOwner'> = {},
): Promise<'ok' | 'missing' | 'denied'> {
  const found = await tx.of(buckets).get(bucket);
  if (found === undefined) return 'missing';
  if (bucketOwner !== undefined && found.accountId !== bucketOwner) return 'denied';
  const arn = `arn:aws:s3:::${bucket}`;
  const requests = [
    ...(service === CLOUDTRAIL_PRINCIPAL ? [{ action: 's3:GetBucketAcl' as const, resource: arn }] : []),
    ...keys.map((key) => ({
      action: 's3:PutObject' as const,
      resource: `${arn}/${key}`,
      context: new Map([['s3:x-amz-acl', OBJECT_ACL]]),
    })),
  ];
  const isAllowed = requests.every(
    (request) =>
      authorizeService({
        ...request,
        service,
        policy: found.policy?.policy,
        owner: found.accountId,
        sourceArn: trailArn,
        sourceAccount: accountId,
        region: found.region,
        now,
      }).allowed,
  );
  return isAllowed ? 'ok' : 'denied';
}

/** Returns the check of buckets of this server, for new and changed trails. */
export function ownLogBuckets(now: () => Instant): LogBuckets {
  return { check: (tx, request) => decide(tx, request, now()) };
}

/**
 * Creates the target. The policy decides before the content is stored, and again in the transaction that makes it an object. So a changed
 * policy applies at once.
 */
export function ownBucketTarget(store: Pick<Store, 'transaction'>, contents: OwnContents, now: () => Instant): LogTarget {
  async function requireAllowed(tx: Tx, object: LogObject): Promise<void> {
    const { bucket, key, trailArn, trailAccountId } = object;
    const outcome = await decide(tx, { bucket, keys: [key], trailArn, accountId: trailAccountId }, now(), object);
    if (outcome === 'missing') throw new TargetError('NoSuchBucket', 'the bucket does not exist');
    if (outcome === 'denied')
      throw new TargetError('AccessDenied', 'the bucket has another owner, or its policy does not allow the delivery');
  }

  return {
    async put(object) {
      const { bucket, key, body, contentType, contentEncoding, metadata } = object;
      await store.transaction((tx) => requireAllowed(tx, object));
      const stored = await contents.put(body);
      try {
        await store.transaction(async (tx) => {
          await requireAllowed(tx, object);
          const document = {
            contentType,
            ...(contentEncoding !== undefined && { contentEncoding }),
            ...(metadata !== undefined && { metadata }),
          };
          await putOwnObject({ tx, now: now() }, { bucket, key, stored, document });
        });
      } catch (error) {
        // If the result of the commit is unknown, the store stops the server. So the content belongs to no object here.
        await contents.remove([stored.id]).catch(() => undefined);
        throw error;
      }
    },
  };
}
