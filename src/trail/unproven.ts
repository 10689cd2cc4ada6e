/**
 * Limit on the records of requests that prove no identity: wrong or missing signatures, unknown tokens, failed
 * sign-ins. Decides which of these requests have their own record, and counts the other requests. Writes nothing
 * itself. Decision 0015.
 */

import type { AccountId } from '#core/arn.ts';
import { MINUTE_MS } from '#core/duration.ts';
import type { RequestFacts } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import { sourceOf } from '#core/source-address.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { capped } from './fields.ts';
import { serviceEventRow } from './service-event.ts';

/**
 * Counts of requests that have no record of their own in the event history of `accountId`, since the last summary
 * record.
 */
export interface Omitted {
  readonly accountId: AccountId;
  readonly from: Instant;
  readonly to: Instant;
  readonly requests: number;
  /**
   * Number of requests by source (`sourceOf`), for the first 20 sources. The requests of other sources count only in
   * `requests`.
   */
  readonly bySource: ReadonlyMap<string, number>;
}

/** Decides which requests that prove no identity have their own record, and counts the other requests. */
export interface UnprovenRecords {
  /**
   * Reports whether a request that proves no identity gets its own record in the event history of an account. Counts
   * the request if it gets no record. If the transaction of the request runs again, returns the same result and does
   * not count the request again.
   */
  admit(received: RequestFacts, accountId: AccountId, now: Instant): boolean;
  /** Removes and returns the counts, one for each account. */
  takeOmitted(): readonly Omitted[];
  /** Adds back counts that could not be recorded. */
  putBack(omitted: readonly Omitted[]): void;
}

/** Settings of the limit on the records of requests that prove no identity. */
export interface UnprovenLimits {
  /** Maximum records per minute of one source (`sourceOf`). The limit for all sources in one account's history is ten times as high. */
  readonly recordsPerMinute: number;
  /** Callback for each request that is counted instead of recorded. */
  readonly onOmitted: () => void;
}

/** Limit per account, as a multiple of the limit per source. */
const SOURCES_PER_ACCOUNT = 10;
/** Maximum number of counted sources, and of counted accounts. A new one replaces the least recently used one. */
const COUNTED_MAX = 10_000;
/** Maximum number of sources in a summary. */
const NAMED_SOURCES_MAX = 20;
/** Maximum size of a source in bytes: an IPv6 address with its zone. */
const SOURCE_BYTES = 64;

/** Creates the limit on the records of requests that prove no identity, for one server. Servers do not share counts. */
export function unprovenRecords({ recordsPerMinute, onOmitted }: UnprovenLimits): UnprovenRecords {
  const decided = new WeakMap<RequestFacts, boolean>();
  const ofSource = minuteCounter(recordsPerMinute);
  const ofAccount = minuteCounter(recordsPerMinute * SOURCES_PER_ACCOUNT);
  let omitted = new Map<AccountId, Omitted>();

  function add(counted: Omitted): void {
    const known = omitted.get(counted.accountId);
    if (known === undefined) {
      omitted.set(counted.accountId, counted);
      return;
    }
    const bySource = new Map(known.bySource);
    for (const [source, requests] of counted.bySource) {
      const before = bySource.get(source);
      if (before !== undefined || bySource.size < NAMED_SOURCES_MAX) bySource.set(source, (before ?? 0) + requests);
    }
    omitted.set(counted.accountId, {
      accountId: counted.accountId,
      from: known.from < counted.from ? known.from : counted.from,
      to: known.to > counted.to ? known.to : counted.to,
      requests: known.requests + counted.requests,
      bySource,
    });
  }

  return {
    admit(received, accountId, now) {
      const before = decided.get(received);
      if (before !== undefined) return before;
      const source = capped(sourceOf(received.sourceIp), SOURCE_BYTES);
      // A request over the limit of its source does not count for the account. Otherwise one source could use up the shared limit.
      const admitted = ofSource(source, now) && ofAccount(accountId, now);
      decided.set(received, admitted);
      if (!admitted) {
        add({ accountId, from: now, to: now, requests: 1, bySource: new Map([[source, 1]]) });
        onOmitted();
      }
      return admitted;
    },
    takeOmitted() {
      const taken = [...omitted.values()];
      omitted = new Map();
      return taken;
    },
    putBack(again) {
      for (const counted of again) add(counted);
    },
  };
}

/** Creates a function that counts its calls per `name` and minute, and returns false for a call over the limit. */
function minuteCounter(limit: number): (name: string, now: Instant) => boolean {
  const windows = lruMap<string, { readonly startedAt: Instant; used: number }>(COUNTED_MAX);
  return (name, now) => {
    let window = windows.get(name);
    if (window === undefined || now - window.startedAt >= MINUTE_MS || now < window.startedAt) {
      window = { startedAt: now, used: 0 };
      windows.set(name, window);
    }
    if (window.used >= limit) return false;
    window.used += 1;
    return true;
  };
}

/**
 * Returns the summary record of the requests in `omitted`, which have no record of their own. The summary record is in
 * the event history of `omitted.accountId`.
 *
 *     serviceEventDetails: {
 *       omittedRequests: 4711, from: '…', to: '…', sources: [{ source: '192.0.2.7', requests: 4700 }], otherSources: 11
 *     }
 *
 * Specific to Belfry: AWS does not record requests that prove no identity.
 */
export function omittedRow(omitted: Omitted, region: string, now: Instant, eventId: string): TrailRow {
  const { accountId, from, to, requests, bySource } = omitted;
  const sources = [...bySource].toSorted((a, b) => b[1] - a[1]).map(([source, ofSource]) => ({ source, requests: ofSource }));
  const named = sources.reduce((sum, each) => sum + each.requests, 0);
  return serviceEventRow({
    accountId,
    region,
    now,
    eventId,
    eventName: 'OmitUnprovenRequests',
    eventSource: 'belfry.trail',
    invokedBy: 'belfry.trail',
    details: { omittedRequests: requests, from: isoSeconds(from), to: isoSeconds(to), sources, otherSources: requests - named },
  });
}
