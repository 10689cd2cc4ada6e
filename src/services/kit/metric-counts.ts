/**
 * Samples of the server's own metrics. They are counted in memory after the commit of what they count, and stored every half minute. So a
 * server that is killed loses some of them.
 */
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Dimension, StandardUnit } from '#model/generated/cloudwatch.ts';
import type { Work } from './events.ts';
import type { MetricSamples } from './metric-samples.ts';

/** Interval at which counts are stored. */
export const COUNTS_EVERY_MS = 30_000;
/** Metrics that are in memory, of all accounts and of one account. Samples of further ones are dropped until the next time. */
const COUNTED_MAX = 10_000;
const COUNTED_OF_ACCOUNT_MAX = 2_000;
/** Metrics whose samples one transaction stores. */
const STORED_AT_ONCE = 200;

/** A metric of the server in an account and a region. */
export interface CountedMetric {
  readonly accountId: AccountId;
  readonly region: string;
  readonly namespace: `AWS/${string}`;
  readonly name: string;
  readonly unit: StandardUnit;
  readonly dimensions: readonly Dimension[];
}

/** Counts of one server. */
export interface MetricCounts {
  /** Adds a sample. Never call it in a transaction, which can run again. */
  add(metric: CountedMetric, value: number): void;
  /**
   * Stores the samples of some metrics with `transaction`, which runs its parameter in a transaction. Returns 'more' if others are left.
   * If the transaction fails, the samples stay, and the next call stores them.
   *
   * Emits: `MetricSamples`.
   */
  storeSome(transaction: (store: (work: Work) => Promise<void>) => Promise<void>): Promise<'more' | 'done'>;
}

interface Counted extends CountedMetric {
  samples: number;
  sum: number;
  minimum: number;
  maximum: number;
}

/** Creates the counts of a server. */
export function metricCounts(): MetricCounts {
  const counts = new Map<string, Counted>();
  const ofAccounts = new Map<AccountId, number>();

  /** Removes and returns the first metrics. Samples that are added meanwhile are new entries. */
  function take(): readonly Counted[] {
    const taken = [...counts].slice(0, STORED_AT_ONCE);
    for (const [key, { accountId }] of taken) {
      counts.delete(key);
      const left = (ofAccounts.get(accountId) ?? 0) - 1;
      if (left > 0) ofAccounts.set(accountId, left);
      else ofAccounts.delete(accountId);
    }
    return taken.map(([, counted]) => counted);
  }

  function add(metric: CountedMetric, samples: number, sum: number, minimum: number, maximum: number): void {
    const { accountId, region, namespace, name, unit, dimensions } = metric;
    const key = JSON.stringify([accountId, region, namespace, name, unit, dimensions]);
    const found = counts.get(key);
    if (found === undefined) {
      const ofAccount = ofAccounts.get(accountId) ?? 0;
      if (counts.size >= COUNTED_MAX || ofAccount >= COUNTED_OF_ACCOUNT_MAX) return;
      counts.set(key, { accountId, region, namespace, name, unit, dimensions, samples, sum, minimum, maximum });
      ofAccounts.set(accountId, ofAccount + 1);
      return;
    }
    found.samples += samples;
    found.sum += sum;
    found.minimum = Math.min(found.minimum, minimum);
    found.maximum = Math.max(found.maximum, maximum);
  }

  return {
    add: (metric, value) => add(metric, 1, value, value, value),
    async storeSome(transaction) {
      const taken = take();
      if (taken.length === 0) return 'done';
      try {
        await transaction((work) => emitSamples(work, taken));
      } catch (error) {
        for (const each of taken) add(each, each.samples, each.sum, each.minimum, each.maximum);
        throw error;
      }
      return counts.size > 0 ? 'more' : 'done';
    },
  };
}

async function emitSamples(work: Work, counted: readonly Counted[]): Promise<void> {
  const groups = Map.groupBy(counted, ({ accountId, region, namespace }) => `${accountId} ${region} ${namespace}`);
  for (const group of groups.values()) {
    const [{ accountId, region, namespace }] = group as [Counted, ...Counted[]];
    const samples = group.map(({ name, unit, dimensions, samples: SampleCount, sum: Sum, minimum: Minimum, maximum: Maximum }) => ({
      MetricName: name,
      ...(dimensions.length > 0 && { Dimensions: dimensions }),
      ...{ Timestamp: instant(work.now), Unit: unit, StatisticValues: { SampleCount, Sum, Minimum, Maximum } },
    }));
    await work.emit<MetricSamples>({ type: 'MetricSamples', accountId, region, Namespace: namespace, samples });
  }
}
