import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { JoinTokens } from './join-token.ts';
import type { MediaEndpoints } from './media-placement.ts';

/** What the meetings operations are told once, where the server is put together. */
export interface MeetingsDeps {
  readonly mediaEndpoints: MediaEndpoints;
  readonly joinTokens: Pick<JoinTokens, 'issue'>;
  readonly limits: MeetingLimits;
  /** Default: nobody hears. */
  readonly tell?: Tell;
}

export interface MeetingLimits {
  /** Meetings of one account in one region that have not ended. */
  readonly activeMeetings: number;
  /** Attendees of one meeting, where the meeting says nothing else; also the most it may say. */
  readonly attendees: number;
}

/** Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas": active meetings 250, attendees of a meeting 250. */
export const DEFAULT_LIMITS: MeetingLimits = { activeMeetings: 250, attendees: 250 };

/** Hears of what happened, in the operation's own transaction: it writes to `tx` or asks `tx.afterCommit`. */
export type Tell = (tx: Tx, event: MeetingEvent) => Promise<void>;

/** What every meeting event says of its meeting. */
export interface MeetingNames {
  readonly accountId: AccountId;
  readonly region: string;
  readonly meetingId: string;
  readonly externalMeetingId: string;
  readonly mediaRegion: string;
}

/**
 * What others may want to hear: who delivers events (LOG-21), and the media plane, which must put out whom the control plane removed.
 * Names are EventBridge's without their prefix, where it has one.
 */
export type MeetingEvent =
  | (MeetingNames & { readonly type: 'MeetingStarted' | 'MeetingEnded' | 'TranscriptionStarted' | 'TranscriptionStopped' })
  | (MeetingNames & {
      readonly type: 'AttendeeAdded' | 'AttendeeDeleted' | 'AttendeeCapabilitiesChanged';
      readonly attendeeId: string;
      readonly externalUserId: string;
    });
