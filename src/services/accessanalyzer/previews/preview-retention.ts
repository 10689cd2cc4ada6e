/** Times for which clients can list and read access previews, and the sweep that deletes them afterwards. */
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Sweep } from '../../kit/service.ts';
import { previews } from '../tables/previews.ts';

/**
 * Times for which clients can list previews, and read previews.
 *
 * Source: IAM User Guide, "Preview access with IAM Access Analyzer APIs": about one hour, and about 24 hours.
 */
export const LISTED_MS = HOUR_MS;
export const READ_MS = 24 * LISTED_MS;

/** Previews that one transaction deletes. */
const DELETED_AT_ONCE = 100;

/** Returns the time that is `milliseconds` before the present. */
export function since({ now }: { readonly now: Instant }, milliseconds: number): Instant {
  return instant(now - milliseconds);
}

/** Deletes access previews that clients can no longer read. */
export const deletePreviews: Sweep = () => async (work) => await work.tx.of(previews).removeBefore(since(work, READ_MS), DELETED_AT_ONCE);
