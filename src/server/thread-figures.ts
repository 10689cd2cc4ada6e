/** Figures of one thread of this process: its CPU time, its heap and the delay of its event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Plain data that can be sent between threads. */
export interface ThreadFigures {
  readonly cpuSeconds: number;
  readonly heapUsedBytes: number;
  /** Delays of the event loop since the previous figures, in seconds. */
  readonly delay: { readonly median: number; readonly p99: number; readonly max: number };
}

/** Interval between two measurements of the delay, in milliseconds. The measured delay contains it, and the figures do not. */
const RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;

/** Returns the function that reads the figures of the thread that calls it. The first call starts the measurement of the delay. */
export function threadFigures(): () => ThreadFigures {
  let delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
  return () => {
    if (delays === undefined) {
      delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      delays.enable();
    }
    const measured = delays;
    const seconds = (nanoseconds: number) => (measured.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000));
    const delay = { median: seconds(measured.percentile(50)), p99: seconds(measured.percentile(99)), max: seconds(measured.max) };
    measured.reset();
    const { user, system } = process.threadCpuUsage();
    return { cpuSeconds: (user + system) / 1e6, heapUsedBytes: process.memoryUsage().heapUsed, delay };
  };
}
