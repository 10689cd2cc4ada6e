/** A thread's end of the jobs that `job-threads.ts` sends. */
import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { AwsError } from '#core/aws-error.ts';
import type { JobAnswer, JobMessage, JobResult } from './job-threads.ts';

/** Difference of the nice values of the thread and of the server's other threads, which answer every request. */
const NICENESS = 5;
const NICE_MAX = 19;

/**
 * Serves the jobs that the core sends to this thread. `run` returns the outcome of a job or throws. `isExceeded` recognizes the
 * exception of a job that needs too much work.
 */
export function serveJobs<Job, Outcome>(
  run: (job: Job) => Outcome | Promise<Outcome>,
  isExceeded: (error: unknown) => boolean = () => false,
): void {
  const port = parentPort;
  if (port === null) throw new Error('The core starts the threads for jobs.');
  // On Linux a nice value belongs to one thread. Elsewhere it would slow the whole process.
  if (process.platform === 'linux') setPriority(Math.min(NICE_MAX, getPriority() + NICENESS));
  port.on('message', ({ id, job }: JobMessage<Job>) => {
    void resultOf(job).then((result) => port.postMessage({ id, ...result } satisfies JobAnswer<Outcome>));
  });

  async function resultOf(job: Job): Promise<JobResult<Outcome>> {
    try {
      return { outcome: await run(job) };
    } catch (error) {
      if (isExceeded(error)) return { exceeded: true };
      if (error instanceof AwsError) return { refused: { code: error.code, message: error.message } };
      return { failed: String((error as Error)?.stack ?? error) };
    }
  }
}
