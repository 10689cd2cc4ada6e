/** Limits and intervals of messaging sessions. */
export interface SessionLimits {
  /** Maximum number of sessions of one user on one server. */
  readonly sessionsOfUser: number;
  /** Maximum number of sessions of all users of one account on one server. */
  readonly sessionsOfAccount: number;
  /**
   * Time from a change of a principal or policy to the next authorization of all sessions that the change may affect.
   * A session that has events to receive is authorized earlier, before it receives the events.
   */
  readonly reauthorizeWithinMs: number;
  /** Interval between authorizations of all sessions, because policies can also depend on times and tags. */
  readonly reauthorizeEveryMs: number;
  /** Interval between readings of the stored events without a notification, because a notification can be lost. */
  readonly pollEveryMs: number;
}

/** Default limits. Assumed: the two maximum numbers of sessions, because AWS documents none. */
export const SESSION_LIMITS: SessionLimits = {
  sessionsOfUser: 50,
  sessionsOfAccount: 5_000,
  reauthorizeWithinMs: 250,
  reauthorizeEveryMs: 60_000,
  pollEveryMs: 1_000,
};
