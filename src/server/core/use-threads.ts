import { AwsError } from '#core/aws-error.ts';
import type { UseJob, UseOutcome } from '#core/recorded-use.ts';
import { type JobLimits, type JobThreads, newJobThreads } from './job-threads.ts';

/** Threads that search records for the use of users and roles, for generated policies. Callers pass the ID of the account as the `key` of `run`. */
export type UseThreads = JobThreads<UseJob, UseOutcome>;

/**
 * Limits of the thread. The task that generates policies runs one job at a time, so no more than one waits.
 *
 * Assumed: all of these numbers. A job takes some milliseconds.
 */
export const USE_LIMITS: JobLimits = { threads: 1, waitingOfKey: 1, waiting: 8, milliseconds: 30_000, heapMegabytes: 256 };

/** Creates the thread. It does not start before the first job. */
export function newUseThreads(limits: JobLimits, report: (line: string) => void): UseThreads {
  const program = new URL('./use-thread.ts', import.meta.url);
  const exceeded = () => new AwsError('ServiceUnavailable', 'The records could not be analyzed in time.');
  return newJobThreads({ name: 'policy generation', program, limits, exceeded }, report);
}
