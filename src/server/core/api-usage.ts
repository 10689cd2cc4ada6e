/** Counts of API calls, for the metrics of `AWS/Usage`. Requests only count in memory, and one transaction a minute stores the counts. */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { AccountId } from '#core/arn.ts';
import { MINUTE_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import type { ServiceName } from '#model/services.ts';
import type { Store } from '#store/store.ts';
import { recordApiCalls } from './services.ts';

/** Caller and operation of a call. */
export interface CountedCall {
  readonly accountId: AccountId;
  readonly region: string;
  readonly service: ServiceName;
  readonly operation: string;
}

/** Counts of one server. */
export interface ApiUsage {
  /** Counts a call. `errorCode` is the code of a failed one. */
  count(call: CountedCall, errorCode?: string): void;
  /** Stores the counts of the minute that ends now. */
  flush(): Promise<void>;
  /** Part that stores the counts at the end of each minute, and when the server stops. */
  readonly part: Part;
}

export interface ApiUsageParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly clock: LeaseClock;
  readonly report: (line: string) => void;
  /** Reports whether the server may change the database. */
  readonly isOpen: () => boolean;
}

/**
 * Maximum number of different operations, accounts and regions that one server counts in a minute. It does not count more of them.
 * Assumed: the number.
 */
export const COUNTED_MAX = 2_000;

/** Accuracy of timers, in milliseconds. */
const TIMER_MS = 1_000;

/** Codes of throttled calls. Source: requirement AUTHN-4 and the service models. */
const THROTTLES: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledClientException',
  'SlowDown',
  'RequestLimitExceeded',
]);

interface Counted extends CountedCall {
  calls: number;
  errors: number;
  throttles: number;
}

/** Counts by account, region, service and operation. Nested, because one long key for each request would cost more than the rest. */
type Counts = Map<AccountId, Map<string, Map<ServiceName, Map<string, Counted>>>>;

/** Creates the counts of a server. */
export function apiUsage({ store, clock, report, isOpen }: ApiUsageParts): ApiUsage {
  let counts: Counts = new Map();
  let counted: Counted[] = [];
  let since = clock.wall();
  let cancel = (): void => {};
  let running: Promise<void> | undefined;
  let stopped = false;

  /** Adds the counts of an operation, if the limit allows it. */
  function newCounted(call: CountedCall): Counted | undefined {
    if (counted.length >= COUNTED_MAX) return undefined;
    const found = { ...call, calls: 0, errors: 0, throttles: 0 };
    entry(entry(entry(counts, call.accountId), call.region), call.service).set(call.operation, found);
    counted.push(found);
    return found;
  }

  function count(call: CountedCall, errorCode?: string): void {
    const { accountId, region, service, operation } = call;
    const found = counts.get(accountId)?.get(region)?.get(service)?.get(operation) ?? newCounted(call);
    if (found === undefined) return;
    found.calls++;
    if (errorCode === undefined) return;
    if (THROTTLES.has(errorCode)) found.throttles++;
    else found.errors++;
  }

  async function flush(): Promise<void> {
    const stored = counted;
    // A timer can fire a moment before the end of the minute.
    const minute = instant(Math.floor((since + TIMER_MS) / MINUTE_MS) * MINUTE_MS);
    const now = clock.wall();
    counted = [];
    counts = new Map();
    since = now;
    if (stored.length === 0 || !isOpen()) return;
    const groups = Map.groupBy(stored, ({ accountId, region }) => `${accountId} ${region}`);
    try {
      await store.transaction(async (tx) => {
        for (const group of groups.values()) {
          const [{ accountId, region }] = group as [Counted, ...Counted[]];
          await recordApiCalls(tx, accountId, region, group, minute, now);
        }
      });
    } catch (error) {
      report(`could not store the counts of API calls: ${(error as Error).message}`);
    }
  }

  function schedule(): void {
    if (stopped) return;
    cancel = clock.after(MINUTE_MS - (clock.wall() % MINUTE_MS), () => {
      running = flush().then(schedule);
    });
  }

  return {
    count,
    flush,
    part: {
      name: 'counts of API calls',
      start: schedule,
      async stop() {
        stopped = true;
        cancel();
        await running;
        await flush();
      },
    },
  };
}

/** Returns the map at a key. Adds an empty one if there is none. */
function entry<Key, InnerKey, Value>(map: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = new Map()));
  return found;
}
