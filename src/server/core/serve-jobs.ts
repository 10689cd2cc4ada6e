/** Code of a job thread: receives jobs from `job-threads.ts`, runs them and sends the results. */
import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { AwsError } from '#core/aws-error.ts';
import type { JobAnswer, JobMessage, JobResult } from './job-threads.ts';

/**
 * Amount by which a job thread's nice value exceeds that of the other threads. The other threads answer requests, so
 * they get the CPU first.
 */
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
  if (port === null) throw new Error('This program must run in a thread that the core started.');
  // On Linux a nice value belongs to one thread. On other systems it belongs to the process, and would slow all
  // threads.
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
