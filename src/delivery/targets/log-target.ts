import type { AccountId } from '#core/arn.ts';

/** An object that the delivery writes to a target: a log file, a digest or a report. */
export interface LogObject {
  readonly bucket: string;
  /** Key of the object: `AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/29/….json.gz`. */
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly contentEncoding?: string;
  /** User metadata, without the prefix `x-amz-meta-`. Names are in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** ARN and account of the trail, or of the resource that the object is about. A bucket policy can test them as `aws:SourceArn` and `aws:SourceAccount`. */
  readonly trailArn: string;
  readonly trailAccountId: AccountId;
  /** Account that must own a bucket of this server. Another account may have created a deleted bucket again. Absent: the policy of the bucket alone decides. */
  readonly bucketOwner?: AccountId;
  /** Service principal that writes the object. Default: `cloudtrail.amazonaws.com`. */
  readonly service?: string;
}

/** ACL of each object. Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail". */
export const OBJECT_ACL = 'bucket-owner-full-control';

/** A place for log files. */
export interface LogTarget {
  /**
   * Writes an object. Resolves when the object is durable. An object with the same key is replaced.
   *
   * @throws TargetError  the target refused the object, or cannot be reached
   */
  put(object: LogObject): Promise<void>;
}

/**
 * Failed write. `code` is the error code of S3 if the target responded with one, and appears in GetTrailStatus. It is absent after a timeout.
 * The message is for the operator's log. It never contains a secret or the response of the target.
 *
 * Source: CloudTrail API reference, GetTrailStatus, LatestDeliveryError.
 */
export class TargetError extends Error {
  readonly code: string | undefined;

  constructor(code: string | undefined, message: string) {
    super(message);
    this.code = code;
  }
}
