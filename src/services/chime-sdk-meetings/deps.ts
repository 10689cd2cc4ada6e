import type { JoinTokens } from './join-token.ts';
import type { MediaEndpoints } from './media-placement.ts';

/** Dependencies of the meetings operations, in addition to a call. */
export interface MeetingsDeps {
  /** Endpoints of the media plane, for all callers that `localMediaEndpoints` does not cover. */
  readonly mediaEndpoints: MediaEndpoints;
  /** Endpoints without TLS, for callers on the server's machine that connect without TLS. Absent: such callers get `mediaEndpoints`. */
  readonly localMediaEndpoints?: MediaEndpoints;
  readonly joinTokens: Pick<JoinTokens, 'issue'>;
  readonly limits: MeetingLimits;
}

/** Limits on the number of resources. */
export interface MeetingLimits {
  /** Meetings in one account and region that have not ended. */
  readonly activeMeetings: number;
  /** Attendees of one meeting. A meeting can set a lower limit. */
  readonly attendees: number;
}

/** Default limits. Source: AWS General Reference, "Amazon Chime SDK endpoints and quotas": active meetings 250, attendees of a meeting 250. */
export const DEFAULT_LIMITS: MeetingLimits = { activeMeetings: 250, attendees: 250 };
