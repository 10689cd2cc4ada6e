/** Text format of Prometheus. Source: Prometheus documentation, "Exposition formats", text-based format 0.0.4. */
import type { Metric, Registry as PromRegistry } from 'prom-client';
import { FAMILIES, type Family, type Figures } from './families.ts';

/** Content type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Formats the figures. The first call loads the library. */
export async function metricsText(figures: Figures): Promise<string> {
  const { Registry } = await import('prom-client');
  const registry: PromRegistry = new Registry();
  for (const family of FAMILIES) registry.registerMetric(metricOf(family, figures));
  return await registry.metrics();
}

/** Returns a metric whose values were counted elsewhere. The classes of the library count by themselves, so they do not fit. */
function metricOf({ name, help, type, samples }: Family, figures: Figures): Metric {
  const values = samples(figures).map(({ labels, value, suffix = '' }) => ({ labels, value, metricName: `${name}${suffix}` }));
  return { name, get: async () => ({ name, help, type, values, aggregator: 'sum' }) } as unknown as Metric;
}
