/** Slots for surveys (long reads), for which accounts take turns. */
import { AwsError } from '#core/aws-error.ts';

/** Runs work when a slot is free and the account has its turn. */
export type SurveyGate = <T>(accountId: string, work: () => Promise<T>) => Promise<T>;

/** Limits of the work of one server. */
export interface SurveyLimits {
  /** Maximum number of surveys that run at the same time, and of those of one account. */
  readonly running: number;
  readonly runningOfAccount: number;
  /** Maximum number of waiting surveys, and of those of one account. */
  readonly waiting: number;
  readonly waitingOfAccount: number;
}

/** A survey reads in several short transactions, and other requests run between two of these. */
export const SURVEY_LIMITS: SurveyLimits = { running: 4, runningOfAccount: 2, waiting: 256, waitingOfAccount: 32 };

/**
 * Creates the slots. Accounts take turns, so an account with many surveys delays another by at most one survey per slot.
 *
 * The returned function throws AwsError Throttling if too many surveys of the account, or of all accounts, wait already.
 */
export function newSurveyGate(limits: SurveyLimits = SURVEY_LIMITS): SurveyGate {
  /** Waiting surveys of each account. The account whose turn is next is first. */
  const queues = new Map<string, (() => void)[]>();
  const ofAccounts = new Map<string, number>();
  let running = 0;
  let waiting = 0;

  const hasSlot = (accountId: string): boolean => running < limits.running && (ofAccounts.get(accountId) ?? 0) < limits.runningOfAccount;

  function take(accountId: string): void {
    running++;
    ofAccounts.set(accountId, (ofAccounts.get(accountId) ?? 0) + 1);
  }

  function release(accountId: string): void {
    running--;
    const left = (ofAccounts.get(accountId) ?? 0) - 1;
    if (left > 0) ofAccounts.set(accountId, left);
    else ofAccounts.delete(accountId);
    const next = [...queues.keys()].find(hasSlot);
    if (next === undefined) return;
    const queue = queues.get(next) as (() => void)[];
    const start = queue.shift();
    // The account moves behind all others.
    queues.delete(next);
    if (queue.length > 0) queues.set(next, queue);
    waiting--;
    take(next);
    start?.();
  }

  function turnOf(accountId: string): Promise<void> | undefined {
    if (hasSlot(accountId)) return void take(accountId);
    const queue = queues.get(accountId) ?? [];
    if (queue.length >= limits.waitingOfAccount || waiting >= limits.waiting) throw new AwsError('Throttling', 'Rate exceeded');
    queues.set(accountId, queue);
    waiting++;
    return new Promise((resolve) => queue.push(resolve));
  }

  return async (accountId, work) => {
    await turnOf(accountId);
    try {
      return await work();
    } finally {
      release(accountId);
    }
  };
}
