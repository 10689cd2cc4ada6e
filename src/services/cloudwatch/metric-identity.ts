import { createHash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import type { Dimension } from '#model/generated/cloudwatch.ts';

/** Identity of a metric: account, region, namespace, name and dimensions. */
export interface MetricIdentity {
  readonly accountId: AccountId;
  readonly region: string;
  readonly namespace: string;
  readonly metricName: string;
  /** In the order of their names. */
  readonly dimensions: readonly Dimension[];
}

/** Returns dimensions in the order of their names. */
export function inNameOrder(dimensions: readonly Dimension[] = []): readonly Dimension[] {
  if (dimensions.length < 2) return dimensions;
  return [...dimensions].sort((a, b) => (a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : 0));
}

/** Returns the ID under which the points of a metric are stored: 128 bits of a hash of its identity. */
export function metricIdOf({ accountId, region, namespace, metricName, dimensions }: MetricIdentity): string {
  const parts = [accountId, region, namespace, metricName, ...dimensions.flatMap(({ Name, Value }) => [Name, Value])];
  return createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16).toString('base64url');
}
