/** Turns of accounts in the evaluation of alarms. An account whose alarms read many points waits longer for its next turn. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Tx } from '#store/store.ts';
import { alarms } from './tables/alarms.ts';

/** Accounts that one choice compares. */
const COMPARED_MAX = 64;
/** Accounts whose debts are remembered. */
const DEBTORS_MAX = 10_000;

export interface AccountTurns {
  /** Returns the account with the next turn among those with due alarms. Runs in a transaction, which can run again. */
  next(tx: Tx, now: Instant): Promise<AccountId | undefined>;
  /** Counts the stored points that the alarms of an account read in its turn. */
  used(accountId: AccountId, points: number): void;
}

/**
 * Creates the turns of one server. Accounts have turns in the order of their IDs. `share` is the number of points of one turn. One alarm can
 * read more. Then its account owes the rest, and others have a share for each of its turns that it misses. Without others, it misses none.
 */
export function accountTurns(share: number): AccountTurns {
  const owed = lruMap<AccountId, number>(DEBTORS_MAX);
  let last = '';

  async function dueAccounts(tx: Tx, now: Instant): Promise<readonly AccountId[]> {
    const found: AccountId[] = [];
    for (let after = last, isAgain = last === ''; found.length < COMPARED_MAX; ) {
      const account = await tx.of(alarms).nextDueAccount(after, now);
      if (account === undefined && !isAgain) {
        isAgain = true;
        after = '';
      } else if (account === undefined || account === found[0]) break;
      else {
        found.push(account);
        // The first account without debts has the turn.
        if ((owed.get(account) ?? 0) <= 0) break;
        after = account;
      }
    }
    return found;
  }

  return {
    async next(tx, now) {
      const found = await dueAccounts(tx, now);
      const debts = found.map((account) => Math.max(owed.get(account) ?? 0, 0));
      const least = Math.min(...debts);
      const chosen = found[debts.indexOf(least)];
      // If all are in debt, the one with the smallest debt has the turn, and the others owe less by as much.
      const reduced = least > 0 ? least : share;
      for (const [i, account] of found.entries()) owed.set(account, Math.max((debts[i] as number) - reduced, 0));
      last = found.at(-1) ?? '';
      return chosen;
    },
    used(accountId, points) {
      owed.set(accountId, (owed.get(accountId) ?? 0) + Math.max(points - share, 0));
    },
  };
}
