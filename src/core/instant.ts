import type { Brand } from './brand.ts';

/** Point in time: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = Brand<number, 'Instant'>;

/** Converts milliseconds since the epoch to an instant. Drops fractions. */
export function instant(milliseconds: number): Instant {
  return Math.trunc(milliseconds) as Instant;
}

/** Formats an instant as `2026-11-22T02:25:00Z`: ISO 8601 without fractions of a second, as in CloudTrail and IAM. */
export function isoSeconds(moment: Instant): string {
  return `${new Date(moment).toISOString().slice(0, 19)}Z`;
}
