import { StepsExceeded } from '#policy/steps.ts';
import type { Compute, ThreadFunction } from '#services/kit/thread-work.ts';
import { type AnswerJob, type JobLimits, newJobThreads } from './job-threads.ts';

/** Threads that run functions of modules. */
export interface WorkThreads {
  /** Returns the function that runs work of an account. Accounts take turns (`JobThreads.run`). */
  computeFor(accountId: string): Compute;
  close(): Promise<void>;
}

/** Job of such a thread: the argument of the function `run` of a module, and the URL of the module. */
export interface Work {
  readonly module: string;
  readonly job: unknown;
}

/**
 * Limits of the thread that searches records for generated policies. The task that generates policies runs one job at a time, so no more than one
 * waits.
 *
 * Assumed: all of these numbers. A job takes some milliseconds.
 */
export const GENERATION_LIMITS: JobLimits = { threads: 1, waitingOfKey: 1, waiting: 8, milliseconds: 30_000, heapMegabytes: 256 };

/** Creates threads. `name` is the name of their jobs in the plural, for the log. No thread starts before its first job. */
export function newWorkThreads(name: string, limits: JobLimits, report: (line: string) => void): WorkThreads {
  const program = new URL('./work-thread.ts', import.meta.url);
  const threads = newJobThreads<Work, unknown>({ name, program, limits, exceeded: () => new StepsExceeded() }, report);
  return {
    computeFor:
      (accountId) =>
      <Run extends ThreadFunction>(module: URL, job: unknown, answer?: AnswerJob) =>
        threads.run(accountId, { module: module.href, job }, answer) as Promise<Awaited<ReturnType<Run>>>,
    close: threads.close,
  };
}
