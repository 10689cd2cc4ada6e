import type { Outcome } from './calls.ts';

/**
 * History of one user's permission: the grant, the withdrawal, and the calls that need the permission. All times are
 * milliseconds of one clock.
 */
export interface UserHistory {
  readonly userName: string;
  /** Time of the response that granted the permission. */
  granted: number;
  /** Start of the first attempt to withdraw the permission. */
  withdrawBegun: number;
  /** Time at which the withdrawal returned. Infinity if it has not returned. */
  withdrawn: number;
  readonly checks: Check[];
}

/** One call that needs the permission. */
export interface Check {
  readonly server: number;
  readonly begun: number;
  readonly ended: number;
  readonly outcome: Outcome;
}

/** Result of `judge`. */
export interface Findings {
  /** Checks that were allowed although they began after the withdrawal returned. Each such check is a violation. */
  readonly forbidden: readonly (Check & { readonly userName: string; readonly lateMilliseconds: number })[];
  /** Number of checks between grant and withdrawal that were denied, because a server did not know the grant. */
  readonly forgotten: number;
  readonly checks: number;
  readonly unavailable: number;
  readonly withdrawals: number;
}

/** Finds the violations in histories. A check that overlaps a withdrawal may be allowed or denied. */
export function judge(histories: readonly UserHistory[]): Findings {
  const forbidden: (Check & { userName: string; lateMilliseconds: number })[] = [];
  let forgotten = 0;
  let checks = 0;
  let unavailable = 0;
  for (const { userName, granted, withdrawBegun, withdrawn, checks: all } of histories) {
    for (const check of all) {
      checks++;
      if (check.outcome === 'unavailable' || check.outcome === 'no answer') unavailable++;
      if (check.outcome === 'allowed' && check.begun > withdrawn) {
        forbidden.push({ ...check, userName, lateMilliseconds: check.begun - withdrawn });
      }
      if (check.outcome === 'denied' && check.begun > granted && check.ended < withdrawBegun) forgotten++;
    }
  }
  return { forbidden, forgotten, checks, unavailable, withdrawals: histories.filter(({ withdrawn }) => Number.isFinite(withdrawn)).length };
}
