/** Limits and intervals of messaging sessions. */
export interface SessionLimits {
  /** Maximum number of sessions of one user on one server. */
  readonly sessionsOfUser: number;
  /** Maximum number of sessions of all users of one account on one server. */
  readonly sessionsOfAccount: number;
  /** Time from a change of identity to the next authorization of all sessions. A session with events is authorized again before them. */
  readonly reauthorizeWithinMs: number;
  /** Interval between authorizations of all sessions, because policies can depend on times and tags. */
  readonly reauthorizeEveryMs: number;
  /** Poll interval for events whose notification was lost. */
  readonly pollEveryMs: number;
}

/** Default limits. Assumed: the numbers of sessions. AWS documents no limit. */
export const SESSION_LIMITS: SessionLimits = {
  sessionsOfUser: 50,
  sessionsOfAccount: 5_000,
  reauthorizeWithinMs: 250,
  reauthorizeEveryMs: 60_000,
  pollEveryMs: 1_000,
};
