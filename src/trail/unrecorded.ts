/** Counts of the requests of an account that have no trail record, because the trail could not be written (Decision 0030). */
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { serviceEventRow } from './service-event.ts';

/** Number of requests, and the times of the first and the last of them. */
export interface RequestCount {
  readonly requests: number;
  readonly from: Instant;
  readonly to: Instant;
}

/** How the server handled a request without a record: it answered a read, or it refused the request with 503. */
export type Handling = 'answered' | 'refused';

/** Requests of one account without a record. A count is absent if it is 0. */
export interface Unrecorded {
  readonly accountId: AccountId;
  readonly answered?: RequestCount;
  readonly refused?: RequestCount;
}

/** Counts of requests without a record, by account. */
export interface UnrecordedCounts {
  /** Counts a request. If 10,000 other accounts have counts, the request counts for no account (`NO_ACCOUNT`). */
  add(accountId: AccountId, handling: Handling, at: Instant): void;
  /** Removes and returns the counts of at most `limit` accounts. */
  take(limit: number): readonly Unrecorded[];
  /** Adds back counts that could not be stored. */
  putBack(counts: readonly Unrecorded[]): void;
  isEmpty(): boolean;
}

/** Maximum number of accounts with counts. An account takes about 200 bytes. */
const ACCOUNTS_MAX = 10_000;

/** Creates the counts of one server. */
export function unrecordedCounts(accountsMax = ACCOUNTS_MAX): UnrecordedCounts {
  const counts = new Map<AccountId, Unrecorded>();

  function put({ accountId, answered, refused }: Unrecorded): void {
    const owner = counts.has(accountId) || counts.size < accountsMax ? accountId : NO_ACCOUNT;
    const before = counts.get(owner);
    const sums = { answered: sum(before?.answered, answered), refused: sum(before?.refused, refused) };
    counts.set(owner, {
      accountId: owner,
      ...(sums.answered !== undefined && { answered: sums.answered }),
      ...(sums.refused !== undefined && { refused: sums.refused }),
    });
  }

  return {
    add: (accountId, handling, at) => put({ accountId, [handling]: { requests: 1, from: at, to: at } }),
    take(limit) {
      const taken = [...counts.values()].slice(0, limit);
      for (const { accountId } of taken) counts.delete(accountId);
      return taken;
    },
    putBack(again) {
      for (const one of again) put(one);
    },
    isEmpty: () => counts.size === 0,
  };
}

function sum(first: RequestCount | undefined, second: RequestCount | undefined): RequestCount | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    requests: first.requests + second.requests,
    from: first.from < second.from ? first.from : second.from,
    to: first.to > second.to ? first.to : second.to,
  };
}

/** `eventName` of the record of requests without a record. */
export const UNRECORDED_REQUESTS = 'UnrecordedRequests';

/**
 * Returns the record of an account's requests that have no record of their own.
 *
 *     serviceEventDetails: {
 *       answeredReads: { requests: 12, from: '…', to: '…' }, refusedRequests: { requests: 3, from: '…', to: '…' }
 *     }
 *
 * Specific to Belfry.
 */
export function unrecordedRow({ accountId, answered, refused }: Unrecorded, region: string, now: Instant, eventId: string): TrailRow {
  return row(accountId, region, now, eventId, {
    ...(answered !== undefined && { answeredReads: toDetails(answered) }),
    ...(refused !== undefined && { refusedRequests: toDetails(refused) }),
  });
}

/**
 * Returns the record of a gap whose counts are lost, because the server ended during the gap. It belongs to no account.
 * `from` is the start of the gap, as the server noted it.
 */
export function lostCountsRow(from: string, region: string, now: Instant, eventId: string): TrailRow {
  return row(NO_ACCOUNT, region, now, eventId, { from, to: isoSeconds(now), countsLost: true });
}

function row(accountId: AccountId, region: string, now: Instant, eventId: string, details: Readonly<Record<string, unknown>>): TrailRow {
  return serviceEventRow({
    accountId,
    region,
    now,
    eventId,
    eventName: UNRECORDED_REQUESTS,
    eventSource: 'belfry.trail',
    invokedBy: 'belfry.trail',
    details,
  });
}

function toDetails({ requests, from, to }: RequestCount): Readonly<Record<string, unknown>> {
  return { requests, from: isoSeconds(from), to: isoSeconds(to) };
}
