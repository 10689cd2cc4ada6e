import type { Analysis, Outcome } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { Compute, ThreadFunction } from '#services/kit/thread-work.ts';
import { type AnswerJob, type JobLimits, newJobThreads } from './job-threads.ts';

/**
 * Threads for long analyses of policies, and for other work of operations. Accounts take turns, so an account with many analyses does not hold up
 * the other accounts.
 */
export interface AnalysisThreads {
  /** Runs an analysis of an account (`JobThreads.run`). */
  run(accountId: string, analysis: Analysis): Promise<Outcome>;
  /** Returns the function that runs work of operations for an account. */
  computeFor(accountId: string): Compute;
  close(): Promise<void>;
}

/** Job of such a thread: an analysis, or work with the URL of its module. */
export type ThreadJob = { readonly analysis: Analysis } | { readonly module: string; readonly job: unknown };

/**
 * Limits of the threads that run analyses for IAM and Access Analyzer. The limit on steps (`ANALYSIS_STEPS_MAX`) ends
 * an analysis long before the time limit. Other work has step budgets of its own.
 *
 * Assumed: all of these numbers. AWS documents that IAM and Access Analyzer throttle requests, but not the rate.
 */
export const ANALYSIS_LIMITS: JobLimits = { threads: 2, waitingOfKey: 4, waiting: 32, milliseconds: 30_000, heapMegabytes: 512 };

/** Creates the threads for analyses. No thread starts before the first analysis. */
export function newAnalysisThreads(limits: JobLimits, report: (line: string) => void): AnalysisThreads {
  const program = new URL('./analysis-thread.ts', import.meta.url);
  const threads = newJobThreads<ThreadJob, unknown>({ name: 'analyses', program, limits, exceeded: () => new StepsExceeded() }, report);
  return {
    run: (accountId, analysis) => threads.run(accountId, { analysis }) as Promise<Outcome>,
    computeFor:
      (accountId) =>
      <Run extends ThreadFunction>(module: URL, job: unknown, answer: AnswerJob) =>
        threads.run(accountId, { module: module.href, job }, answer) as Promise<Awaited<ReturnType<Run>>>,
    close: threads.close,
  };
}
