import type { Analysis, Outcome } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { type JobLimits, type JobThreads, newJobThreads } from './job-threads.ts';

/**
 * Threads for long analyses of policies. Callers pass the ID of the account as the `key` of `run`. Accounts take turns,
 * so an account with many analyses does not hold up the other accounts.
 */
export type AnalysisThreads = JobThreads<Analysis, Outcome>;

/**
 * Limits of the threads that run analyses for IAM and Access Analyzer. The limit on steps (`ANALYSIS_STEPS_MAX`) ends
 * an analysis long before the time limit.
 *
 * Assumed: all of these numbers. AWS documents that IAM and Access Analyzer throttle requests, but not the rate.
 */
export const ANALYSIS_LIMITS: JobLimits = { threads: 2, waitingOfKey: 4, waiting: 32, milliseconds: 30_000, heapMegabytes: 512 };

/** Creates the threads for analyses. No thread starts before the first analysis. */
export function newAnalysisThreads(limits: JobLimits, report: (line: string) => void): AnalysisThreads {
  const program = new URL('./analysis-thread.ts', import.meta.url);
  return newJobThreads({ name: 'analyses', program, limits, exceeded: () => new StepsExceeded() }, report);
}
