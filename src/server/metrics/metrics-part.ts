/** Metrics as a part of the main thread: collects the figures of both threads, and serves them. */
import { readdirSync } from 'node:fs';
import type { Part } from '#core/part.ts';
import type { CoreLink } from '../core/core-link.ts';
import type { Log } from '../log.ts';
import type { Address } from '../setting-types.ts';
import { threadFigures } from '../thread-figures.ts';
import type { Figures, ProcessFigures } from './families.ts';
import { type MetricsListener, openMetricsListener } from './metrics-listener.ts';
import { metricsText } from './text.ts';

export interface MetricsParts {
  readonly core: Pick<CoreLink, 'figures'>;
  readonly connections: () => Figures['connections'];
  readonly messagingSockets: () => number;
  readonly log: Log;
}

export interface MetricsPart extends Part {
  /** URL of the metrics, while they are served. */
  readonly url: () => string | undefined;
}

/**
 * Creates the part that serves the metrics at an address. If the address cannot be used, the server runs without metrics and logs a warning:
 * clients do not need them.
 */
export function metricsPart(address: Address | 'off', parts: MetricsParts): MetricsPart {
  const thread = threadFigures();
  let listener: MetricsListener | undefined;

  async function text(): Promise<string> {
    const core = await parts.core.figures();
    return await metricsText({
      core,
      main: thread(),
      connections: parts.connections(),
      messagingSockets: parts.messagingSockets(),
      process: processFigures(),
    });
  }

  return {
    name: 'metrics',
    url: () => listener?.url,
    async start() {
      if (address === 'off') return;
      try {
        listener = await openMetricsListener(address, { text, now: () => performance.now() });
      } catch (error) {
        parts.log(`there are no metrics, because BELFRY_METRICS cannot be used: ${(error as Error).message}`, 'warning');
      }
    },
    stop: () => listener?.close(),
  };
}

function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  const openFiles = countOpenFiles();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtSeconds: performance.timeOrigin / 1_000,
    ...(openFiles !== undefined && { openFiles }),
  };
}

/** Returns the number of open file descriptors, or `undefined` if the system has no folder for them. */
function countOpenFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
