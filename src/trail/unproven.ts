/**
 * Bound on the records of requests that prove no identity: wrong or missing signatures, unknown tokens, refused sign-ins. Owns which of
 * them have a record of their own, and the counts of the others. Writes nothing itself. Decision 0015.
 */
import type { AccountId } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { sourceOf } from '#core/source-address.ts';
import type { TrailRow } from '#store/trail.ts';
import { capped } from './fields.ts';
import { serviceEventRow } from './service-event.ts';

/** Requests of one account's event history that have no record of their own, since the last summary. */
export interface Omitted {
  readonly accountId: AccountId;
  readonly from: Instant;
  readonly to: Instant;
  readonly requests: number;
  /** Requests of the first sources, by source; the other sources are in `requests` only. */
  readonly bySource: ReadonlyMap<string, number>;
}

/** Decides about the records of unproven requests, and counts those without one. */
export interface UnprovenRecords {
  /**
   * Whether an unproven request has a record of its own in the history of an account. If not, it is counted.
   * A request is decided and counted once, even if its transaction runs again.
   */
  admit(received: Received, accountId: AccountId, now: Instant): boolean;
  /** Removes and returns the counts, one for each account. */
  takeOmitted(): readonly Omitted[];
  /** Adds counts again that could not be recorded. */
  putBack(omitted: readonly Omitted[]): void;
}

export interface UnprovenLimits {
  /** Records of one source in a minute. Source: `sourceOf`. An account's history takes ten times as many from all sources. */
  readonly recordsPerMinute: number;
  /** Called for each request that is counted only. */
  readonly onOmitted: () => void;
}

const MINUTE_MS = 60_000;
/** Records in one account's history in a minute, as a multiple of those of one source. */
const SOURCES_PER_ACCOUNT = 10;
/** Sources and accounts whose records of the last minute are counted. Beyond it the oldest go; the bound of the account remains. */
const COUNTED_MAX = 10_000;
/** Sources that a summary names. */
const NAMED_SOURCES_MAX = 20;
/** An IPv6 address with its zone. */
const SOURCE_BYTES = 64;

/** Creates the bound of one server. Counts are not shared between servers. */
export function unprovenRecords({ recordsPerMinute, onOmitted }: UnprovenLimits): UnprovenRecords {
  const decided = new WeakMap<Received, boolean>();
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
      // A source over its bound takes nothing of the account's, so that one source cannot use up what all sources share.
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

/** Counts uses by name in windows of a minute. Returns false for a use over the limit. */
function minuteCounter(limit: number): (name: string, now: Instant) => boolean {
  const windows = new Map<string, { readonly startedAt: Instant; used: number }>();
  return (name, now) => {
    let window = windows.get(name);
    if (window === undefined || now - window.startedAt >= MINUTE_MS || now < window.startedAt) {
      window = { startedAt: now, used: 0 };
      // Deleted first, so that the map stays in the order of the windows' starts.
      windows.delete(name);
      windows.set(name, window);
      if (windows.size > COUNTED_MAX) windows.delete(windows.keys().next().value as string);
    }
    if (window.used >= limit) return false;
    window.used += 1;
    return true;
  };
}

/**
 * The summary record of requests without a record of their own, in the history where theirs would be.
 *
 *     serviceEventDetails: { omittedRequests: 4711, from: '…', to: '…', sources: [{ source: '192.0.2.7', requests: 4700 }], otherSources: 11 }
 *
 * Ours: AWS records nothing of requests that prove no identity.
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
