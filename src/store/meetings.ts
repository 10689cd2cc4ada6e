import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';

/** A meeting as kept: what clients may ask for stands in `document` (JSON of the model's Meeting). */
export interface MeetingRecord {
  readonly accountId: AccountId;
  readonly region: string;
  readonly meetingId: string;
}

/** Filled in by the meetings service; the shape is its own. */
export interface Meetings {
  readonly placeholder?: Instant;
}
