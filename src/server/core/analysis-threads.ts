import type { Analysis, Outcome } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { type JobLimits, type JobThreads, newJobThreads } from './job-threads.ts';

/** Threads for long analyses of policies. The key of an analysis is its account. */
export type AnalysisThreads = JobThreads<Analysis, Outcome>;

/**
 * Limits of the threads for analyses. The step budget ends an analysis long before the time does.
 *
 * Assumed: the numbers. AWS documents that both services throttle, but not the rate.
 */
export const ANALYSIS_LIMITS: JobLimits = { threads: 2, waitingOfKey: 4, waiting: 32, milliseconds: 30_000, heapMegabytes: 512 };

/** Creates the threads for analyses. No thread starts before the first analysis. */
export function newAnalysisThreads(limits: JobLimits, report: (line: string) => void): AnalysisThreads {
  const program = new URL('./analysis-thread.ts', import.meta.url);
  return newJobThreads({ name: 'analyses', program, limits, exceeded: () => new StepsExceeded() }, report);
}
