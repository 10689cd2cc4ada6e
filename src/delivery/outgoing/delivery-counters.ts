/** Counters of outgoing messages for metrics, and log lines about messages that were not delivered. */
import { lineLimit } from '#core/line-limit.ts';
import type { Outcome } from './outcome.ts';
import type { Undelivered } from './queue.ts';

/** Numbers since the start of the server. */
export interface Deliveries {
  /** Messages whose receiver confirmed them. */
  readonly sent: number;
  /** Attempts that failed. */
  readonly failedAttempts: number;
  /** Messages that became dead letters. */
  readonly deadLetters: number;
  /** Messages that were not delivered, and have no dead-letter queue. */
  readonly lost: number;
}

export function deliveryCounters() {
  const counters: { -readonly [Name in keyof Deliveries]: number } = { sent: 0, failedAttempts: 0, deadLetters: 0, lost: 0 };
  return {
    counters,
    /** Counts the outcome of an attempt. */
    count({ kind }: Outcome): void {
      if (kind === 'sent') counters.sent += 1;
      else if (kind !== 'later') counters.failedAttempts += 1;
    },
  };
}

/** Failed attempt of a message: what happens to the message, and why. */
type Reported = Pick<Undelivered, 'message' | 'failure'> & { readonly fate: Undelivered['fate'] | 'again' };

/** Returns the reporter of failed attempts. It writes at most one line a minute for each lane, fate of the message and code. */
export function undeliveredReport(monotonic: () => number, report: (line: string) => void) {
  const limit = lineLimit(monotonic);
  return {
    add({ message, failure, fate }: Reported): void {
      const omitted = limit.admit(`${message.accountId} ${message.lane} ${fate} ${failure.code}`);
      if (omitted === undefined) return;
      const before = omitted === 0 ? '' : `, after ${omitted} others of this lane`;
      const whose = `a message of account '${message.accountId}' in the lane '${message.lane}'`;
      const what = {
        lost: `lost ${whose}`,
        'dead-letter': `moved ${whose} to its dead-letter queue`,
        again: `could not deliver ${whose}, and tries again`,
      }[fate];
      report(`${what} (${failure.code}: ${failure.message})${before}`);
    },
  };
}
