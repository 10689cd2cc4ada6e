/** Attempts of one server that run, and the limits of attempts at the same time. */
import type { AccountId } from '#core/arn.ts';
import { LANE_RUNNING_MAX, type Running, type Selected } from './queue.ts';

/**
 * Most attempts at the same time: in total, of one account, and in all failing lanes together. So slow or failing targets, or one account,
 * never use all attempts.
 */
export const RUNNING_MAX = { total: 128, account: 64, failing: 24 } as const;

/** Attempts that run. */
export interface RunningAttempts extends Running {
  count(): number;
  begin(selected: Selected): void;
  end(selected: Selected): void;
}

export function runningAttempts(): RunningAttempts {
  const numbers = new Set<number>();
  const byLane = new Map<string, number>();
  const byAccount = new Map<AccountId, number>();
  let failing = 0;

  function change(selected: Selected, by: 1 | -1): void {
    const { accountId, lane } = selected.message;
    add(byLane, `${accountId} ${lane}`, by);
    add(byAccount, accountId, by);
    if (selected.failing) failing += by;
  }

  return {
    count: () => numbers.size,
    has: (number) => numbers.has(number),
    free: () => RUNNING_MAX.total - numbers.size,
    freeOfFailing: () => RUNNING_MAX.failing - failing,
    freeOfAccount: (accountId) => RUNNING_MAX.account - (byAccount.get(accountId) ?? 0),
    freeOfLane({ accountId, lane, ordered, failing: isFailing }) {
      // A failing lane tries one message at a time.
      return (ordered || isFailing ? 1 : LANE_RUNNING_MAX) - (byLane.get(`${accountId} ${lane}`) ?? 0);
    },
    fullAccounts: () => [...byAccount].filter(([, count]) => count >= RUNNING_MAX.account).map(([accountId]) => accountId),
    begin(selected) {
      numbers.add(selected.message.number);
      change(selected, 1);
    },
    end(selected) {
      numbers.delete(selected.message.number);
      change(selected, -1);
    },
  };
}

function add<Key>(counts: Map<Key, number>, key: Key, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
