import type { Outcome } from './calls.ts';

/** What happened to one user, on one clock: given something, withdrawn, and asked for again and again. */
export interface UserHistory {
  readonly userName: string;
  /** When it was answered that the user may. */
  given: number;
  /** When the first attempt to withdraw began. */
  withdrawBegun: number;
  /** When a withdrawal had answered. */
  withdrawn: number;
  readonly checks: Check[];
}

export interface Check {
  readonly server: number;
  readonly begun: number;
  readonly ended: number;
  readonly outcome: Outcome;
}

export interface Findings {
  /** Allowed, and begun after the withdrawal had answered: what must never be. */
  readonly forbidden: readonly (Check & { readonly userName: string; readonly lateMilliseconds: number })[];
  /** Denied, and answered between what was given and the withdrawal: refused for what a server did not know. */
  readonly forgotten: number;
  readonly checks: number;
  readonly unavailable: number;
  readonly withdrawals: number;
}

/** Looks through what happened. What ran while a withdrawal was under way may have come before it or after. */
export function judge(histories: readonly UserHistory[]): Findings {
  const forbidden: (Check & { userName: string; lateMilliseconds: number })[] = [];
  let forgotten = 0;
  let checks = 0;
  let unavailable = 0;
  for (const { userName, given, withdrawBegun, withdrawn, checks: all } of histories) {
    for (const check of all) {
      checks++;
      if (check.outcome === 'unavailable' || check.outcome === 'no answer') unavailable++;
      if (check.outcome === 'allowed' && check.begun > withdrawn) {
        forbidden.push({ ...check, userName, lateMilliseconds: check.begun - withdrawn });
      }
      if (check.outcome === 'denied' && check.begun > given && check.ended < withdrawBegun) forgotten++;
    }
  }
  return { forbidden, forgotten, checks, unavailable, withdrawals: histories.filter(({ withdrawn }) => Number.isFinite(withdrawn)).length };
}
