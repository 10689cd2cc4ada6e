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

/** Asks the core a question of the running job. */
export type AskCore = (question: unknown) => Promise<unknown>;

/**
 * Serves the jobs that the core sends to this thread, one at a time. `run` returns the outcome of a job or throws. `isExceeded` recognizes the
 * exception of a job that needs too much work.
 */
export function serveJobs<Job, Outcome>(
  run: (job: Job, ask: AskCore) => Outcome | Promise<Outcome>,
  isExceeded: (error: unknown) => boolean = () => false,
): void {
  const port = parentPort;
  if (port === null) throw new Error('This program must run in a thread that the core started.');
  // On Linux a nice value belongs to one thread. On other systems it belongs to the process, and would slow all
  // threads.
  if (process.platform === 'linux') setPriority(Math.min(NICE_MAX, getPriority() + NICENESS));
  /** Receives the reply to the question of the running job. */
  let replied: ((reply: unknown) => void) | undefined;
  port.on('message', (message: JobMessage<Job>) => {
    const { id } = message;
    if ('reply' in message) {
      replied?.(message.reply);
      return;
    }
    const ask: AskCore = (question) =>
      new Promise((resolve) => {
        replied = resolve;
        port.postMessage({ id, question } satisfies JobAnswer<Outcome>);
      });
    void resultOf(message.job, ask).then((result) => port.postMessage({ id, ...result } satisfies JobAnswer<Outcome>));
  });

  async function resultOf(job: Job, ask: AskCore): Promise<JobResult<Outcome>> {
    try {
      return { outcome: await run(job, ask) };
    } catch (error) {
      if (isExceeded(error)) return { exceeded: true };
      if (error instanceof AwsError) return { refused: { code: error.code, message: error.message } };
      return { failed: String((error as Error)?.stack ?? error) };
    }
  }
}
