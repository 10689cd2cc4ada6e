/** Runs long work in threads, so that it delays no other request. Each kind of work has threads and limits of its own. Decision 0016. */
import { Worker } from 'node:worker_threads';
import { AwsError } from '#core/aws-error.ts';
import { COMPILE_CACHE } from '../module-loading.ts';

/** Message to a thread: a job, or the reply to a question of the running job. The messages of the thread have the same ID. */
export type JobMessage<Job> = { readonly id: number } & ({ readonly job: Job } | { readonly reply: unknown });

/** Answers a question that a job asks while it runs. */
export type AnswerJob = (question: unknown) => Promise<unknown>;

/**
 * Result of a job: the outcome, an error for the client (`refused`), too much work (`exceeded`), or a bug (`failed`).
 */
export type JobResult<Outcome> =
  | { readonly outcome: Outcome }
  | { readonly refused: { readonly code: string; readonly message: string } }
  | { readonly exceeded: true }
  | { readonly failed: string };

/** Message from a thread: the result of the job with this ID, or a question that the job asks. */
export type JobAnswer<Outcome> = { readonly id: number } & (JobResult<Outcome> | { readonly question: unknown });

/** Threads for one kind of jobs. */
export interface JobThreads<Job, Outcome> {
  /**
   * Runs a job in a thread.
   *
   * `key` is the account or client address that the job counts for. A key has one running job at a time. Keys take
   * turns, so a key with many jobs delays another key by at most one job per thread.
   *
   * @throws AwsError Throttling  too many jobs of the key, or of all keys, are waiting
   * @throws AwsError             the job throws this error
   * `answer` answers the questions of the job. Its time counts as time of the job.
   *
   * @throws Error                the job needs too much work, time or memory (`JobKind.exceeded`), or has a bug
   * @throws                      the error of `answer`
   */
  run(key: string, job: Job, answer?: AnswerJob): Promise<Outcome>;
  close(): Promise<void>;
}

/** Limits of the threads for one kind of jobs. */
export interface JobLimits {
  /** Maximum number of threads. A thread starts when it is first needed, and then runs until the server stops. */
  readonly threads: number;
  readonly waitingOfKey: number;
  readonly waiting: number;
  /** Maximum time of a job. After this time the server ends the job's thread. */
  readonly milliseconds: number;
  /** Memory of one thread. The server ends a thread that needs more. */
  readonly heapMegabytes: number;
}

/** One kind of jobs. */
export interface JobKind {
  /** Name of the jobs in the plural, for the log, such as `analyses`. */
  readonly name: string;
  /** Program of the thread, which calls `serveJobs`. */
  readonly program: URL;
  readonly limits: JobLimits;
  /** Returns the error of a job that needs too much work, time or memory. */
  readonly exceeded: () => Error;
}

interface Waiting<Job, Outcome> {
  readonly job: Job;
  readonly answer: AnswerJob;
  readonly done: (outcome: Outcome) => void;
  readonly failed: (error: unknown) => void;
}

let lastId = 0;

const NO_ANSWERS: AnswerJob = () => Promise.reject(new Error('no question is expected'));

/** Failure of the function that answers the questions of a job. */
interface Unanswered {
  readonly unanswered: unknown;
}

/**
 * Sends a job to a thread, answers the questions of the job and returns its result. Returns `late` if the thread does not answer in time or needs
 * too much memory.
 *
 * If the answer has the ID of another job, returns `failed` and drops the answer, because the answer could contain data
 * of another caller.
 */
function resultOf<Job, Outcome>(
  thread: Worker,
  job: Job,
  answer: AnswerJob,
  milliseconds: number,
): Promise<JobResult<Outcome> | Unanswered | 'late'> {
  const id = ++lastId;
  return new Promise((resolve) => {
    const late = setTimeout(() => settle('late'), milliseconds);
    let settled = false;
    const onMessage = (message: JobAnswer<Outcome> | undefined): void => {
      if (message?.id !== id) settle({ failed: 'the thread returned the result of another job' });
      else if ('question' in message)
        void answer(message.question).then(
          (reply) => settled || thread.postMessage({ id, reply } satisfies JobMessage<Job>),
          (unanswered: unknown) => settle({ unanswered }),
        );
      else settle(message);
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'late' : { failed: String(error.stack ?? error) });
    const onExit = (): void => settle({ failed: 'the thread ended' });
    const settle = (result: JobResult<Outcome> | Unanswered | 'late'): void => {
      settled = true;
      clearTimeout(late);
      thread.off('message', onMessage);
      thread.off('error', onError);
      thread.off('exit', onExit);
      resolve(result);
    };
    thread.on('message', onMessage);
    thread.on('error', onError);
    thread.on('exit', onExit);
    thread.postMessage({ id, job } satisfies JobMessage<Job>);
  });
}

/** Returns an error from the stack trace `text`, which a thread reported. */
function errorOf(text: string): Error {
  const error = new Error(text.split('\n', 1)[0]);
  error.stack = `Error: ${text}`;
  return error;
}

/** Creates the threads for one kind of jobs. No thread starts before the first job. */
export function newJobThreads<Job, Outcome>(
  { name, program, limits, exceeded }: JobKind,
  report: (line: string) => void,
): JobThreads<Job, Outcome> {
  /** Waiting jobs of each key. The key whose turn is next is first. */
  const queues = new Map<string, Waiting<Job, Outcome>[]>();
  const running = new Set<string>();
  const idle: Worker[] = [];
  const threads = new Set<Worker>();
  let waiting = 0;
  let closed = false;

  function startThread(): Worker {
    const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
    const thread = new Worker(program, { env, resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes } });
    // The thread does not keep the process running.
    thread.unref();
    threads.add(thread);
    thread.on('error', (error) => report(`a thread for ${name} failed: ${(error as Error).message}`));
    thread.on('exit', () => {
      threads.delete(thread);
      const at = idle.indexOf(thread);
      if (at >= 0) idle.splice(at, 1);
    });
    return thread;
  }

  function nextJob(): { readonly key: string; readonly next: Waiting<Job, Outcome> } | undefined {
    for (const [key, jobs] of queues) {
      if (running.has(key)) continue;
      const next = jobs.shift();
      if (jobs.length === 0) queues.delete(key);
      if (next !== undefined) return { key, next };
    }
    return undefined;
  }

  function start(): void {
    while (!closed && running.size < limits.threads) {
      const found = nextJob();
      if (found === undefined) return;
      const { key, next } = found;
      waiting--;
      running.add(key);
      void runIn(idle.pop() ?? startThread(), next)
        .catch(next.failed)
        .finally(() => {
          running.delete(key);
          // The key moves behind all other keys.
          const more = queues.get(key);
          queues.delete(key);
          if (more !== undefined) queues.set(key, more);
          start();
        });
    }
  }

  /** Runs a job in a thread and settles its promise. Ends a thread that fails or does not answer in time. */
  async function runIn(thread: Worker, { job, answer, done, failed }: Waiting<Job, Outcome>): Promise<void> {
    const result = await resultOf<Job, Outcome>(thread, job, answer, limits.milliseconds);
    if (result === 'late' || 'failed' in result || 'unanswered' in result) await thread.terminate();
    else idle.push(thread);
    if (result === 'late' || 'exceeded' in result) failed(exceeded());
    else if ('unanswered' in result) failed(result.unanswered);
    else if ('failed' in result) failed(errorOf(`a thread for ${name} failed: ${result.failed}`));
    else if ('refused' in result) failed(new AwsError(result.refused.code, result.refused.message));
    else done(result.outcome);
  }

  return {
    run(key, job, answer = NO_ANSWERS) {
      const jobs = queues.get(key) ?? [];
      if (closed || jobs.length >= limits.waitingOfKey || waiting >= limits.waiting) {
        return Promise.reject(new AwsError('Throttling', 'Rate exceeded'));
      }
      return new Promise((done, failed) => {
        jobs.push({ job, answer, done, failed });
        queues.set(key, jobs);
        waiting++;
        start();
      });
    },
    async close() {
      closed = true;
      for (const jobs of queues.values())
        for (const { failed } of jobs) failed(new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.'));
      queues.clear();
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}
