/** Conditional requests: `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since`. */
import type { Instant } from '#core/instant.ts';
import { AwsError, notImplemented } from './errors.ts';
import type { ObjectRecord } from './tables/objects.ts';

/** Conditions of a request that reads an object. */
export interface ReadConditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
  readonly IfModifiedSince?: Instant;
  readonly IfUnmodifiedSince?: Instant;
}

/**
 * Checks the conditions of a request that reads an object. Times are compared in seconds.
 *
 * @throws PreconditionFailed  `If-Match` or `If-Unmodified-Since` does not hold. `If-Match` overrides the latter
 * @throws NotModified         the client has this object. `If-None-Match` overrides `If-Modified-Since`
 * Source: S3 API Reference, GetObject, "Additional considerations about request headers"; RFC 9110 §13.2.2.
 */
export function requireReadConditions(object: ObjectRecord, conditions: ReadConditions): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = Math.floor(object.modifiedAt / 1000) * 1000;
  if (IfMatch !== undefined) {
    if (!matches(IfMatch, object.etag)) throw preconditionFailed('If-Match');
  } else if (IfUnmodifiedSince !== undefined && modified > IfUnmodifiedSince) throw preconditionFailed('If-Unmodified-Since');
  const isKnown =
    IfNoneMatch !== undefined ? matches(IfNoneMatch, object.etag) : IfModifiedSince !== undefined && modified <= IfModifiedSince;
  if (isKnown) throw new AwsError('NotModified', 'Not Modified', { ETag: `"${object.etag}"`, LastModified: object.modifiedAt });
}

/** Conditions of a request that writes an object. */
export interface WriteConditions {
  readonly Key: string;
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/**
 * Checks the conditions of a request that writes an object. `existing` is the object that the key has now.
 *
 * @throws NotImplemented      `If-None-Match` has another value than `*`
 * @throws PreconditionFailed  the object exists, or its ETag differs
 * @throws NoSuchKey           `If-Match`, and the object does not exist
 * Recorded: LocalStack's snapshots of AWS, `test_put_object_if_none_match`. Source: S3 User Guide, "Conditional requests".
 */
export function requireWriteConditions(existing: ObjectRecord | undefined, { Key, IfMatch, IfNoneMatch }: WriteConditions): void {
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*') throw notImplemented('If-None-Match');
    if (existing !== undefined) throw preconditionFailed('If-None-Match');
  }
  if (IfMatch === undefined) return;
  if (existing === undefined) throw noSuchKey(Key);
  if (!matches(IfMatch, existing.etag)) throw preconditionFailed('If-Match');
}

/** Returns the error for an unknown key. */
export function noSuchKey(Key: string): AwsError {
  return new AwsError('NoSuchKey', 'The specified key does not exist.', { Key });
}

function preconditionFailed(Condition: string): AwsError {
  return new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { Condition });
}

/** Reports whether a list of ETags, with or without quotes, contains an ETag or `*`. */
function matches(list: string, etag: string): boolean {
  return list.split(',').some((each) => {
    const one = each.trim();
    return one === '*' || plainEtag(one) === etag;
  });
}

/** Returns an ETag without its quotes, which clients also send as XML entities. */
export function plainEtag(etag: string): string {
  return etag.replaceAll('&quot;', '').replaceAll('&#34;', '').replaceAll('"', '');
}
