import type { AccountId } from '#core/arn.ts';
import { accountsInTurn, type BusEventRecord, nextBusEvents, removeBusEvents } from '#services/events/routing.ts';
import { fullAccounts } from './full-accounts.ts';
import { forEvent, isOver, type Run, STEP } from './run.ts';

/** Events that one statement reads. An event has at most about 1 MiB. */
const EVENTS_AT_ONCE = 10;

/**
 * Returns the function that gives accounts with waiting events a turn, one after another, until the transaction has done enough. So the
 * events of one account do not wait for all events of another. `route` routes one event.
 */
export function accountTurns(route: (run: Run, row: BusEventRecord) => Promise<void>): (run: Run) => Promise<'more' | 'done'> {
  const limits = fullAccounts();
  /** Last account that had a turn. */
  let last = '';

  /** Routes events of one account, at most `share`. Returns 'more' if others may wait. */
  async function turnOf(run: Run, accountId: AccountId, share: number): Promise<'more' | 'done'> {
    const done: number[] = [];
    let rows: readonly BusEventRecord[] = [];
    let hasMore = true;
    while (hasMore && done.length < share && !isOver(run)) {
      const wanted = Math.min(EVENTS_AT_ONCE, share - done.length);
      rows = await nextBusEvents(run.tx, accountId, done.at(-1) ?? 0, wanted);
      hasMore = rows.length === wanted;
      for (const row of rows) {
        if (isOver(run)) hasMore = true;
        else {
          await forEvent(run, () => route(run, row));
          done.push(row.position);
        }
      }
    }
    if (done.length > 0) await removeBusEvents(run.tx, done);
    return hasMore ? 'more' : 'done';
  }

  return async (run) => {
    const accounts = await accountsInTurn(run.tx, last, STEP.accounts);
    const share = Math.ceil(STEP.events / Math.max(accounts.length, 1));
    let result: 'more' | 'done' = accounts.length === STEP.accounts ? 'more' : 'done';
    for (const accountId of accounts) {
      if (isOver(run)) {
        result = 'more';
        break;
      }
      last = accountId;
      if ((await turnOf(run, accountId, share)) === 'done') continue;
      result = 'more';
      run.notes.push(...(await limits.count(run.tx, accountId, run.now)));
    }
    run.notes.push(...(await limits.release(run.tx, run.now)));
    return result;
  };
}
