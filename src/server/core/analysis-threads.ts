import type { Analysis, Outcome } from '#policy/analysis.ts';
import type { run } from './analysis-work.ts';
import type { JobLimits } from './job-threads.ts';
import { newWorkThreads, type WorkThreads } from './work-threads.ts';

/**
 * Threads for long analyses of policies, and for other work of operations. Accounts take turns, so an account with many analyses does not hold up
 * the other accounts.
 */
export interface AnalysisThreads extends WorkThreads {
  /** Runs an analysis of an account (`JobThreads.run`). */
  run(accountId: string, analysis: Analysis): Promise<Outcome>;
}

/**
 * Limits of the threads that run analyses for IAM and Access Analyzer. The limit on steps (`ANALYSIS_STEPS_MAX`) ends
 * an analysis long before the time limit. Other work has step budgets of its own.
 *
 * Assumed: all of these numbers. AWS documents that IAM and Access Analyzer throttle requests, but not the rate.
 */
export const ANALYSIS_LIMITS: JobLimits = { threads: 2, waitingOfKey: 4, waiting: 32, milliseconds: 30_000, heapMegabytes: 512 };

const ANALYSIS = new URL('./analysis-work.ts', import.meta.url);

/** Creates the threads for analyses. No thread starts before the first analysis. */
export function newAnalysisThreads(limits: JobLimits, report: (line: string) => void): AnalysisThreads {
  const threads = newWorkThreads('analyses', limits, report);
  return { ...threads, run: (accountId, analysis) => threads.computeFor(accountId)<typeof run>(ANALYSIS, analysis) };
}
