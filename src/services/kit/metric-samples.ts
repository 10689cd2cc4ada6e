/** Samples of metrics that other services than CloudWatch create. CloudWatch subscribes to them and stores them. */
import type { AccountId } from '#core/arn.ts';
import type { MetricDatum } from '#model/generated/cloudwatch.ts';
import type { DomainEvent } from './events.ts';

/**
 * Domain event that adds samples to metrics of an account in a region, in the transaction that emits it. The samples are valid already.
 * Each has a `Timestamp` and a `Unit`.
 *
 *     await work.emit<MetricSamples>({ type: 'MetricSamples', accountId, region, Namespace: 'App', samples: [{ MetricName: 'Errors', … }] });
 */
export interface MetricSamples extends DomainEvent {
  readonly type: 'MetricSamples';
  readonly accountId: AccountId;
  readonly region: string;
  readonly Namespace: string;
  readonly samples: readonly MetricDatum[];
}
