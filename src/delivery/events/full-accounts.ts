/** Limits of waiting events. The router refuses further events of an account for which too many wait, and accepts them again later. */

import type { AccountId } from '#core/arn.ts';
import { counted } from '#core/counted.ts';
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import { busEvents } from '#services/events/tables/bus-events.ts';
import type { Tx } from '#store/store.ts';

/**
 * Events and bytes that may wait for the buses of an account, and those below which it accepts events again. The limits can be exceeded for
 * the moment until the router counts.
 */
export const FULL = { events: 50_000, bytes: 2 ** 28 } as const;
export const FREE = { events: 25_000, bytes: 2 ** 27 } as const;
/** Interval between two counts of an account's events. A count reads at most `FULL.events` entries of an index. */
const COUNT_EVERY_MS = 1_000;
/** Full accounts that are counted in one interval. */
const COUNTED_AT_ONCE = 4;
/** Accounts whose last count is remembered. */
const COUNTS_MAX = 1_000;

export interface FullAccounts {
  /** Counts the events of an account that had more events than its turn allowed. Returns a line for the log if it is full now. */
  count(tx: Tx, accountId: AccountId, now: Instant): Promise<readonly string[]>;
  /** Counts the events of some full accounts. Returns a line for the log for each that accepts events again. */
  release(tx: Tx, now: Instant): Promise<readonly string[]>;
}

/** Creates the limits of one router. */
export function fullAccounts(): FullAccounts {
  const countedAt = lruMap<AccountId, Instant>(COUNTS_MAX);
  let releasedAt = 0;
  let last = '';
  return {
    async count(tx, accountId, now) {
      const at = countedAt.get(accountId);
      if (at !== undefined && now >= at && now < at + COUNT_EVERY_MS) return [];
      countedAt.set(accountId, now);
      const { events, bytes } = await tx.of(busEvents).waiting(accountId, FULL.events + 1);
      if (events <= FULL.events && bytes <= FULL.bytes) return [];
      await tx.of(busEvents).setFull(accountId, true);
      return [
        `${counted(events, 'event')} with ${counted(bytes, 'byte')} ${events === 1 ? 'waits' : 'wait'} for the buses of account '${accountId}', so it gets no more events for now`,
      ];
    },
    async release(tx, now) {
      if (now >= releasedAt && now < releasedAt + COUNT_EVERY_MS) return [];
      releasedAt = now;
      const repository = tx.of(busEvents);
      const full = await repository.full(last, COUNTED_AT_ONCE);
      last = full.length < COUNTED_AT_ONCE ? '' : (full.at(-1) ?? '');
      const lines: string[] = [];
      for (const accountId of full) {
        const { events, bytes } = await repository.waiting(accountId, FREE.events + 1);
        if (events > FREE.events || bytes > FREE.bytes) continue;
        await repository.setFull(accountId, false);
        lines.push(`the buses of account '${accountId}' accept events again`);
      }
      return lines;
    },
  };
}
