/** Expiration of objects by the lifecycle rules of their bucket. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { BucketRecord } from './tables/buckets.ts';
import type { LifecycleRule } from './tables/lifecycle-record.ts';
import type { ObjectRecord } from './tables/objects.ts';

/** Expiration of one object. */
export interface Expiration {
  readonly at: Instant;
  readonly ruleId: string;
}

/**
 * Returns the earliest expiration of an object, or undefined if no enabled rule expires it.
 *
 * Source: S3 User Guide, "Lifecycle configuration elements": the time is rounded up to the next midnight in UTC.
 */
export function expirationOf({ lifecycle }: Pick<BucketRecord, 'lifecycle'>, object: ObjectRecord): Expiration | undefined {
  let earliest: Expiration | undefined;
  for (const rule of lifecycle?.rules ?? []) {
    const at = appliesTo(rule, object) ? expiresAt(rule, object.modifiedAt) : undefined;
    if (at !== undefined && (earliest === undefined || at < earliest.at)) earliest = { at, ruleId: rule.id };
  }
  return earliest;
}

/** Returns the value of `x-amz-expiration`: `expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="logs"`. */
export function expirationHeader(bucket: Pick<BucketRecord, 'lifecycle'>, object: ObjectRecord): string | undefined {
  const expiration = expirationOf(bucket, object);
  return expiration && `expiry-date="${new Date(expiration.at).toUTCString()}", rule-id="${encodeURIComponent(expiration.ruleId)}"`;
}

/** Returns the first midnight in UTC at which something is at least `days` old. */
export function midnightAfter(since: Instant, days: number): Instant {
  return instant(Math.ceil((since + days * DAY_MS) / DAY_MS) * DAY_MS);
}

function expiresAt({ days, dateMs }: LifecycleRule, modifiedAt: Instant): Instant | undefined {
  if (days !== undefined) return midnightAfter(modifiedAt, days);
  return dateMs === undefined ? undefined : instant(dateMs);
}

function appliesTo({ enabled, prefix, greaterThan, lessThan }: LifecycleRule, { key, size }: ObjectRecord): boolean {
  return (
    enabled && key.startsWith(prefix) && (greaterThan === undefined || size > greaterThan) && (lessThan === undefined || size < lessThan)
  );
}
