import type { Brand } from './brand.ts';

/** A moment: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = Brand<number, 'Instant'>;

/** Takes milliseconds since the epoch as a moment; fractions are dropped. */
export function instant(milliseconds: number): Instant {
  return Math.trunc(milliseconds) as Instant;
}

/** `2026-11-22T02:25:00Z`: ISO 8601 without fractions of a second, as CloudTrail and IAM print it. */
export function isoSeconds(moment: Instant): string {
  return `${new Date(moment).toISOString().slice(0, 19)}Z`;
}
