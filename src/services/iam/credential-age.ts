/** Ages of passwords and access keys, which rules and reports state in the same way. */
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';

/**
 * Age in days above which a password or an access key is old.
 * Source: AWS Config Developer Guide, "access-keys-rotated", maxAccessKeyAge; "iam-user-unused-credentials-check", maxCredentialUsageAge.
 */
export const MAX_AGE_DAYS = 90;

/** Reports whether a time is more than `MAX_AGE_DAYS` ago, to the millisecond. Assumed: exactly 90 days are still compliant. */
export function isOld(at: Instant, now: Instant): boolean {
  return now - at > MAX_AGE_DAYS * DAY_MS;
}

/** Returns the number of whole days since a time, or 0 if the time is in the future. */
export function daysSince(at: Instant, now: Instant): number {
  return Math.max(0, Math.floor((now - at) / DAY_MS));
}
