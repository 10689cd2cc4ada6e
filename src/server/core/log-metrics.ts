/** Metrics of log groups, in the namespace `AWS/Logs`. Each server counts the events that it stores. */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Part } from '#core/part.ts';
import { type Subscription, subscription, type Work } from '#services/kit/events.ts';
import type { LogEventsStored } from '#services/kit/log-events.ts';
import { COUNTS_EVERY_MS, metricCounts } from '#services/kit/metric-counts.ts';
import { repeated } from './sweeps.ts';

export interface LogMetrics {
  /** Counts the log events of committed transactions. */
  readonly subscription: Subscription;
  /** Creates the part that stores the counts every half minute, and when the server stops. `transaction` runs a function in a transaction. */
  readonly part: (transaction: Transact, clock: LeaseClock, report: (line: string) => void) => Part;
}

type Transact = (run: (work: Work) => Promise<void>) => Promise<void>;

/**
 * Creates the metrics of log groups.
 *
 * Source: CloudWatch Logs User Guide, "Monitoring with CloudWatch metrics": IncomingBytes (Bytes) and IncomingLogEvents (None), for each
 * `LogGroupName` and for all groups together. Assumed: bytes as PutLogEvents counts them, and one sample for each batch.
 */
export function logMetrics(): LogMetrics {
  const counts = metricCounts();

  function count({ accountId, region, logGroupName, events, bytes }: LogEventsStored): void {
    for (const dimensions of [[{ Name: 'LogGroupName', Value: logGroupName }], []]) {
      const metric = { accountId, region, namespace: 'AWS/Logs', dimensions } as const;
      counts.add({ ...metric, name: 'IncomingLogEvents', unit: 'None' }, events);
      counts.add({ ...metric, name: 'IncomingBytes', unit: 'Bytes' }, bytes);
    }
  }

  return {
    subscription: subscription<LogEventsStored>()(['LogEventsStored'], async ({ tx }, event) => tx.afterCommit(() => count(event))),
    part(transaction, clock, report) {
      const store = async () => {
        try {
          while ((await counts.storeSome(transaction)) === 'more');
        } catch (error) {
          report(`could not store the metrics of log groups: ${(error as Error).message}`);
        }
      };
      const timer = repeated('metrics of log groups', COUNTS_EVERY_MS, clock, store);
      return {
        ...timer,
        async stop() {
          await timer.stop?.();
          await store();
        },
      };
    },
  };
}
